"""How somebody seems to feel; a hint for people, used in no decision.

The words are read by VADER, which knows English only: text in another language counts by its rating alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

# Common words of English, and of the languages whose words VADER would misread ("die" is German for "the").
_COMMON: Final = {
    "english": """the a an and or but is are was were be been it its this that these those i you we they he she my your
        our of to in on for with not no can cannot can't don't doesn't didn't isn't i'm it's do does did have has had
        would could should will very so when what why how at by from as me all just only there here if because after
        please""",
    "other": """der die das den dem und ist nicht ein eine einen ich sie wir ihr mit auf für von zu im es sich auch wird
        wurde bei kann le la les des du un une et est pas je vous nous il elle dans sur pour avec que qui ce cette ne
        sont très mais el los las uno una y en por para con se lo mi su muy pero como está son más al gli di che non è
        per sono della questo molto os um uma não em com isso de het een niet van zijn maar""",
}
_ENGLISH: Final = frozenset(_COMMON["english"].split())
_OTHER: Final = frozenset(_COMMON["other"].split())
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
# With this many words or more, an English text has the weight below beside a rating; shorter texts have less.
_WORDS_FOR_FULL_WEIGHT: Final = 20
_TEXT_WEIGHT: Final = 0.5
_NEUTRAL: Final = 0.2


@dataclass(frozen=True, slots=True)
class Sentiment:
    """score runs from -1 (negative) to 1 (positive); label is negative, neutral or positive."""

    score: float
    label: str


def measure(comment: str, rating: int | None) -> Sentiment:
    """The feeling in an English text and its rating of 1 to 5; a short or foreign text adds little to a rating."""
    words = [word.lower().replace("’", "'") for word in _WORD.findall(comment)]
    english = _is_english(words)
    felt = _vader().polarity_scores(comment)["compound"] if english else 0.0
    if rating is None:
        score = felt
    else:
        weight = _TEXT_WEIGHT * min(1.0, len(words) / _WORDS_FOR_FULL_WEIGHT) if english else 0.0
        score = weight * felt + (1 - weight) * (rating - 3) / 2
    score = round(max(-1.0, min(1.0, score)), 3)
    return Sentiment(score, "negative" if score < -_NEUTRAL else "positive" if score > _NEUTRAL else "neutral")


@cache
def _vader() -> SentimentIntensityAnalyzer:
    """Built once, at the first comment: it reads its lexicon from disk."""
    return SentimentIntensityAnalyzer()


def _is_english(words: list[str]) -> bool:
    """More common English words than foreign ones; a few words without either, as in "Great app", pass for English."""
    if not words:
        return False
    english = sum(word in _ENGLISH for word in words)
    other = sum(word in _OTHER for word in words)
    ascii_words = sum(word.isascii() for word in words)
    return english >= other and ascii_words > 0.7 * len(words) and (english > 0 or len(words) <= 8)
