"""A comment cut into quotable clauses: exact, short, and never through a word."""

from __future__ import annotations

import re
from typing import Final

CLAUSE_CHARS: Final = 120
# A comma closes a clause only where something worth quoting stands before it.
COMMA_CHARS: Final = 40

_WORD: Final = re.compile(r"\S+")


def clauses(comment: str) -> list[str]:
    """Substrings of the comment, in order, each at most CLAUSE_CHARS long; a longer word is left out."""
    found: list[str] = []
    start = end = 0

    def close() -> None:
        if any(character.isalnum() for character in comment[start:end]):
            found.append(comment[start:end])

    for word in _WORD.finditer(comment):
        too_long = word.end() - start > CLAUSE_CHARS
        if too_long or _ends_clause(comment[start:end], gap=comment[end : word.start()]):
            close()
            start = end = word.start()
        if word.end() - start <= CLAUSE_CHARS:
            end = word.end()
        else:
            start = end = word.end()
    close()
    return found


def _ends_clause(clause: str, *, gap: str) -> bool:
    if not clause or "\n" in gap:
        return True
    return clause[-1] in ".!?…" or (clause[-1] in ",;:" and len(clause) >= COMMA_CHARS)
