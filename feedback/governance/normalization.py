"""Text made plain before any rule reads it: nothing invisible, nothing that reorders, no absurd gaps."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Final

_EMOJI: Final = "©®\u203c-\u3299\U0001f000-\U0001faff"
_SELECTOR: Final = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
# Arabic, Syriac, Indic, Tibetan, Myanmar, Khmer and Mongolian scripts spell with joiners; Latin script does not.
_JOINING: Final = "\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af"
_RTL_LETTER: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")

# Each group is one kind of character nobody sees; what "keep" matches is legitimate and stays.
_UNSEEN: Final = re.compile(
    "(?P<keep>\U0001f3f4[\U000e0020-\U000e007e]{2,6}\U000e007f)"  # the flags of Scotland, Wales and other regions
    "|(?P<tag>[\U000e0000-\U000e007f])"
    "|(?P<override>[\u202d\u202e])"
    "|(?P<direction>[\u202a-\u202c\u2066-\u2069])"
    "|(?P<mark>[\u061c\u200e\u200f])"
    "|(?P<hyphen>\u00ad)"
    "|(?P<zero_width>[\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff])"
    "|(?P<control>[\x00-\x08\x0e-\x1f\x7f-\x9f\ufff9-\ufffb\ud800-\udfff])"
)
# Joiners and variation selectors mean something after some characters only.
_DEPENDENT: Final = re.compile(
    "(?P<keep>"
    f"(?:(?<=[{_EMOJI}])|(?<=[{_EMOJI}]\ufe0f))\u200d(?=[{_EMOJI}])"
    f"|(?<=[{_JOINING}])[\u200c\u200d](?![\u200c\u200d])"
    f"|(?<=[^\\s\u200c\u200d{_SELECTOR}])[\ufe00-\ufe0f]"
    "|(?<=[\u3400-\u9fff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]"
    ")"
    f"|(?P<selector>[{_SELECTOR}])"
    "|(?P<zero_width>[\u200c\u200d])"
)
_NEWLINE: Final = re.compile("\r\n?|[\u2028\u2029\x85\x0b\x0c]")
_BLANK: Final = re.compile("[\u115f\u1160\u2800\u3164\uffa0]")
_TRAILING: Final = re.compile(r"(?<![^\S\n])[^\S\n]{1,5000}(?=\n|\Z)")
_GAP: Final = re.compile(r"[^\S\n]{20,}")
_SPACES: Final = re.compile(r"\s+")
_BLANK_LINES: Final = re.compile(r"\n{4,}")
# Orthographies stack fewer marks on a letter than this; more is "zalgo" that spills over its neighbours.
_MARKS_MAX: Final = 6
_QUOTES: Final = dict.fromkeys(map(ord, "‘’‚‛`´ʼ′"), ord("'")) | dict.fromkeys(map(ord, "“”„‟″«»"), ord('"'))
_DASHES: Final = dict.fromkeys(map(ord, "‐‑‒–—−"), ord("-"))
# Folded characters up to here are remembered: the alphabets; a memory of all of Unicode would be large.
_REMEMBERED: Final = 0x2000


@dataclass(frozen=True, slots=True)
class Normalized:
    """The plain text, and how many characters of each unseen kind were taken out of it."""

    text: str
    removed: dict[str, int]


def normalize(text: str) -> Normalized:
    """NFC text without control, direction and hidden characters; emoji sequences and right-to-left text survive.

    Normalizing twice changes nothing more.
    """
    if text.isascii() and text.replace("\n", " ").isprintable():
        # Most text: there is nothing in it to compose, to hide or to reorder, and looking costs four times as much.
        return Normalized(_tidy(text), {})
    removed: Counter[str] = Counter()
    right_to_left = _RTL_LETTER.search(text) is not None

    def replace(match: re.Match[str]) -> str:
        kind = match.lastgroup or ""
        if kind == "keep" or (kind == "mark" and right_to_left):
            return match.group()
        removed[kind] += len(match.group())
        return ""

    text = unicodedata.normalize("NFC", _BLANK.sub(" ", _NEWLINE.sub("\n", text)))
    text = _DEPENDENT.sub(replace, _UNSEEN.sub(replace, text))
    text, cut = _cut_marks(text)
    if cut:
        removed["stacked"] = cut
    return Normalized(_tidy(text), dict(removed))


def _tidy(text: str) -> str:
    return _BLANK_LINES.sub("\n\n\n", _GAP.sub(" ", _TRAILING.sub("", text))).strip()


class _Folding(dict[int, int]):
    """For str.translate: each character as one plain lower-case character, so that positions stay as they were."""

    def __missing__(self, code: int) -> int:
        char = chr(code)
        plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", char).lower())
        base = "".join(each for each in plain if not unicodedata.combining(each))
        folded = ord(base) if len(base) == 1 else code
        if code < _REMEMBERED:
            self[code] = folded
        return folded


_PLAIN: Final = _Folding(_QUOTES | _DASHES)


def fold(text: str) -> str:
    """Lower case without accents and typographic quotes, of the same length, for patterns to match on."""
    return text.translate(_PLAIN)


def _cut_marks(text: str) -> tuple[str, int]:
    if text.isascii():
        return text, 0
    kept: list[str] = []
    run = 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        if run <= _MARKS_MAX:
            kept.append(char)
    return "".join(kept), len(text) - len(kept)


def flatten(text: str) -> str:
    """Folded text with every gap one character wide: a newline where there was one, else a space."""
    return _SPACES.sub(lambda gap: "\n" if "\n" in gap.group() else " ", fold(text))


def phrases(*patterns: str) -> re.Pattern[str]:
    """One pattern for flattened text, where a space stands for any gap; it matches from the start of a word."""
    return re.compile("(?<!\\w)(?:" + "|".join(patterns).replace(" ", r"\s") + ")")
