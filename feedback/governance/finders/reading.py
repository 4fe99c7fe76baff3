"""A text as a person reads it, with the way back to the text as it was typed."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

Span = tuple[int, int]

BARRIER: Final = "\ufffc"
"""Stands for a placeholder that is already there: no finder's pattern contains it, so nothing matches across one."""

_REWRITTEN: Final = re.compile(
    r"(?P<placeholder>\[(?:email|phone|card|iban|ip|secret|national-id)\])"
    r"|%(?:25)*(?P<percent>[2-7][0-9A-Fa-f])"
    r"|(?P<entity>&(?:\#\d{2,4}|\#[xX][0-9A-Fa-f]{2,4}|commat|period|plus|nbsp|amp);)"
    # Zero-width and direction marks, soft hyphens, and the two marks that make a digit an emoji key.
    r"|(?P<invisible>[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u20e3\ufe0f\ufeff])"
    r"|(?P<dash>[\u2010-\u2015\u2043\u2212\ufe58\ufe63])"
    r"|(?P<space>[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000])"
    r"|(?P<wide>[\uff01-\uff5e])"
    r"|(?P<stop>[\u3002\uff61])"
    r"|(?P<digit>(?![0-9])\d)"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A text with plain digits, dashes and spaces and with escapes decoded, and where each character came from."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    @classmethod
    def of(cls, original: str) -> Reading:
        """Read `original`; linear in its length."""
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for match in _REWRITTEN.finditer(original):
            start, end = match.span()
            pieces.append(original[done:start])
            starts.extend(range(done, start))
            ends.extend(range(done + 1, start + 1))
            character = _read(match)
            if not character and ends:
                ends[-1] = end  # what is not seen belongs to the character before it
            pieces.append(character)
            starts.extend([start] * len(character))
            ends.extend([end] * len(character))
            done = end
        pieces.append(original[done:])
        starts.extend(range(done, len(original)))
        ends.extend(range(done + 1, len(original) + 1))
        return cls("".join(pieces), starts, ends)

    def original_span(self, span: Span) -> Span:
        """Where a non-empty span of the reading lies in the original text."""
        start, end = span
        return self.starts[start], self.ends[end - 1]


def _read(match: re.Match[str]) -> str:
    group, found = match.lastgroup, match.group()
    if group == "placeholder":
        return BARRIER
    if group == "percent":
        return chr(int(match["percent"], 16))
    if group == "entity":
        character = html.unescape(found)
        return " " if character == "\u00a0" else character
    if group == "wide":
        return chr(ord(found) - 0xFEE0)
    if group == "digit":
        return str(int(found))
    return {"invisible": "", "dash": "-", "space": " ", "stop": "."}[group or ""]
