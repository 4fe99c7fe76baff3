"""What a new prompt says that the old one did not, line by line, with the words that differ."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from analyzer.prompts import BUILT_IN

SAME, ADDED, REMOVED, SKIPPED = "same", "added", "removed", "skipped"
# Unchanged lines shown around a change.
AROUND: Final = 2
# Longer lines are compared whole: comparing words costs the square of their number.
COMPARED_WORDS: Final = 400
# Lines that share less are not read side by side.
ALIKE: Final = 0.5
Parts = tuple[tuple[str, bool], ...]
_WORDS: Final = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Line:
    """kind is same, added, removed or skipped; parts are pieces of text, with whether the other side lacks them."""

    kind: str
    parts: Parts

    @property
    def marker(self) -> str:
        return {ADDED: "+", REMOVED: "−", SAME: " ", SKIPPED: "⋯"}[self.kind]


def lines(before: str, after: str) -> list[Line]:
    """The difference between two prompts, an empty one being the built-in prompt; nothing where they are the same."""
    old, new = ((prompt or BUILT_IN).splitlines() for prompt in (before, after))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    found: list[Line] = []
    for place, group in enumerate(matcher.get_grouped_opcodes(AROUND)):
        first = group[0][1]
        if place or first:
            found.append(Line(SKIPPED, ()))
        for tag, low, high, start, end in group:
            if tag == "equal":
                found += [Line(SAME, ((text, False),)) for text in old[low:high]]
            else:
                found += _changed(old[low:high], new[start:end])
    return found


def _changed(old: list[str], new: list[str]) -> Iterator[Line]:
    if len(old) == len(new):
        for before, after in zip(old, new, strict=True):
            removed, added = _words(before, after)
            yield Line(REMOVED, removed)
            yield Line(ADDED, added)
        return
    yield from (Line(REMOVED, ((text, False),)) for text in old)
    yield from (Line(ADDED, ((text, False),)) for text in new)


def _words(before: str, after: str) -> tuple[Parts, Parts]:
    """Both lines in pieces, those that differ marked; whole where they share too little."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    whole: tuple[Parts, Parts] = ((before, False),), ((after, False),)
    if max(len(old), len(new)) > COMPARED_WORDS:
        return whole
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < ALIKE:
        return whole
    removed: list[tuple[str, bool]] = []
    added: list[tuple[str, bool]] = []
    for tag, low, high, start, end in matcher.get_opcodes():
        differs = tag != "equal"
        if high > low:
            removed.append(("".join(old[low:high]), differs))
        if end > start:
            added.append(("".join(new[start:end]), differs))
    return tuple(removed), tuple(added)
