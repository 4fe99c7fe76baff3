"""What a comment looks like to a linear model: its n-grams, a few named cues, and how much of it is known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.floating[Any]]

# A run of punctuation is a word too: "?!", "..." and emoji say something.
TERM: Final = r"\w+|[^\w\s]+"
# A term must occur in two comments: what only one person wrote is noise, and a name must not end up in the weights.
MIN_COMMENTS: Final = 2
# With at least this share of known words a text is judged at full strength, below it ever more weakly.
KNOWN_SHARE: Final = 0.5
# How far the cues can move a judgement beside the n-grams, whose rows have length one.
CUE_SCALE: Final = 0.3
CUE_MAX: Final = 3
CUE_CHARS: Final = 2_000

# What people write about any product, so that a new site starts with more than the words of older ones: four cues of
# the category, then six of the severity. No pattern repeats an open run before a fixed character: on 5,000 equal
# letters that would take quadratic time.
CUES: Final = {
    name: re.compile(rf"\b(?:{pattern})", re.IGNORECASE)
    for name, pattern in {
        "wish": r"(?:wish|suggest|would (?:be (?:nice|great|good|better|helpful|useful)|love|like)|please (?:add|make|"
        r"bring|include|allow|support|let)|should (?:have|be able|add|allow|let)|needs? (?:a|an|to|more)|could (?:you|"
        r"we|use)|add (?:a|an|the|more|support)|(?:option|ability) to|feature|allow (?:us|users|me)|if only|lacks?|"
        r"support for)\b",
        "fault": r"crash|freez|froze|bug|glitch|broke|not work|n[o'’]t work|won['’]?t (?:open|load|let|work|start|play|"
        r"sync|update)|can['’]?t (?:open|log|load|see|play|use|find|get)|cannot|stopped|fix|error|fail|slow|lag|hang|"
        r"problem|issue|since the (?:last )?update|force clos|reinstall|unable|no longer|stuck",
        "documentation": r"docs?\b|document|readme|tutorial|guide|manual|wiki|faq|javadoc|docstring|typo|example|"
        r"explain|unclear|outdated|clarif|description|instruction|how (?:do|to|can)\b|where (?:can|is|do)\b|spelling|"
        r"changelog",
        "developer": r"exception|stack ?trace|null\b|apis?\b|server|cluster|thread|build|compil|config|steps to "
        r"reproduce|(?:actual|expected) results?|module|class|method|function|tests?\b|node|jar\b|dependenc|deprecat|"
        r"regression|patch|memory leak|user agent|librar|parser|code\b",
        "loss": r"los(?:t|e|es|ing)\b|deleted|wiped|gone\b|overwritten|corrupt|data loss|disappeared|destroy",
        "money": r"charged?\b|refund|paid\b|payment|invoice|billed|money|bank|card\b",
        "security": r"security|vulnerab|leak|password|exploit|injection|expos|other (?:people|users|customers)|someone "
        r"else|private|gdpr|unauthori|without (?:logging|auth)",
        "everyone": r"every(?:one|body)|all (?:of )?(?:our |the )?(?:users|customers|clients|nodes|us)\b|nobody|no one|"
        r"whole (?:team|site|cluster)|production|outage|completely down|down since",
        "blocked": r"cannot|can['’]?t\b|unable|impossible|blocked|stuck|no way|every time|at all\b|useless|always",
        "way round": r"work ?around|but (?:it )?works|after (?:a )?(?:reload|refresh|restart)|sometimes|instead|"
        r"annoying|a bit\b|slightly|minor|small thing|cosmetic",
    }.items()
}
# One-hot, and all zero without a rating: a missing rating must say nothing.
RATING_CUES: Final = {"rated low": (1, 2), "rated middling": (3,), "rated high": (4, 5)}
CUE_NAMES: Final = (*CUES, *RATING_CUES)


@dataclass(frozen=True, slots=True)
class Encoded:
    """Comments as numbers, a row each: n-grams, cues, and trust in [0, 1], how far the n-grams may be believed."""

    text: csr_matrix
    cues: Floats
    trust: Floats


class Features:
    """Two vocabularies with the rarity of each term; nothing in it but words and numbers."""

    def __init__(self, *, words: list[str], words_idf: Floats, chars: list[str], chars_idf: Floats) -> None:
        self.words, self.words_idf = words, words_idf
        self.chars, self.chars_idf = chars, chars_idf
        self._known = frozenset(words)
        self._words = _words({term: index for index, term in enumerate(words)})
        self._words.idf_ = words_idf
        self._chars = _chars({term: index for index, term in enumerate(chars)})
        self._chars.idf_ = chars_idf

    def __len__(self) -> int:
        return len(self.words) + len(self.chars)

    @classmethod
    def fit(cls, comments: Sequence[str]) -> Features:
        """Learn both vocabularies; raises ValueError when no two comments share a term."""
        words, chars = _words().fit(comments), _chars().fit(comments)
        return cls(
            words=words.get_feature_names_out().tolist(),
            words_idf=words.idf_.astype(np.float32),
            chars=chars.get_feature_names_out().tolist(),
            chars_idf=chars.idf_.astype(np.float32),
        )

    def encode(
        self, comments: Sequence[str], ratings: Sequence[int | None], *, text: csr_matrix | None = None
    ) -> Encoded:
        """text: what encode_text gave for the comments, where the caller has it already."""
        said = self.encode_text(comments) if text is None else text
        return Encoded(said, encode_cues(comments, ratings), self._trust(comments))

    def encode_text(self, comments: Sequence[str]) -> csr_matrix:
        """The n-grams alone; a row without a known one is empty. A call costs a millisecond, however few the rows."""
        from scipy.sparse import hstack

        return hstack([self._words.transform(comments), self._chars.transform(comments)], format="csr")

    def _trust(self, comments: Sequence[str]) -> Floats:
        shares = []
        for comment in comments:
            tokens = re.findall(TERM, comment.lower())
            shares.append(sum(token in self._known for token in tokens) / max(1, len(tokens)))
        return np.minimum(1.0, np.array(shares) / KNOWN_SHARE)


def encode_cues(comments: Sequence[str], ratings: Sequence[int | None]) -> Floats:
    """How often each cue occurs, a column per name in CUE_NAMES, scaled to [0, CUE_SCALE]."""
    rows = [
        [
            *(_count(pattern, comment[:CUE_CHARS]) / CUE_MAX for pattern in CUES.values()),
            *(float(rating in stars) for stars in RATING_CUES.values()),
        ]
        for comment, rating in zip(comments, ratings, strict=True)
    ]
    return np.array(rows, dtype=np.float32).reshape(len(comments), len(CUE_NAMES)) * np.float32(CUE_SCALE)


def without_rating(cues: Floats) -> Floats:
    """The same cues as if nobody had given stars."""
    silent = cues.copy()
    silent[:, len(CUES) :] = 0
    return silent


def _count(pattern: re.Pattern[str], comment: str) -> int:
    found = 0
    for _ in pattern.finditer(comment):
        found += 1
        if found == CUE_MAX:
            break
    return found


def _words(vocabulary: dict[str, int] | None = None) -> Any:
    return _vectorizer(vocabulary, ngram_range=(1, 2), token_pattern=TERM)


def _chars(vocabulary: dict[str, int] | None = None) -> Any:
    return _vectorizer(vocabulary, ngram_range=(3, 5), analyzer="char_wb")


def _vectorizer(vocabulary: dict[str, int] | None, **kind: Any) -> Any:
    # Inside: the web process imports this module's neighbours and must not pay for scikit-learn.
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(vocabulary=vocabulary, min_df=MIN_COMMENTS, sublinear_tf=True, dtype=np.float32, **kind)
