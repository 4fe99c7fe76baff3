"""Searching comments and pages by their words, through an index where the database has one.

What is searched for is read the same way everywhere: every word must be there, in any order; the last one may be only
begun; "words in quotes" stand side by side. Case, accents and punctuation do not count. There is no other syntax, so
nothing that anybody types can be wrong.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL

HELP: Final = "Words in comments and pages"
# So much of a search is read. More words than a person types make no search any narrower.
TEXT_MAX: Final = 200
# From so many letters on, the last word may be the beginning of one; shorter ones begin half of all words.
BEGUN_MIN: Final = 3

_SPACE: Final = string.punctuation + "“”‘’„‚‹›«»–—…¿¡·•´′″§°"
_LETTERS: Final = [chr(code) for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00))]
_BARE: Final = {
    letter: bare
    for letter in _LETTERS
    if (bare := unicodedata.normalize("NFD", letter)[0].lower()) in string.ascii_lowercase
}
_MARKS: Final = "".join(map(chr, range(0x300, 0x370)))
# As PostgreSQL's translate takes them: what has no counterpart is left out. Most comments need the first part only.
FOLD_ASCII: Final = string.punctuation
FOLD_FROM: Final = _SPACE + "".join(_BARE) + _MARKS
FOLD_TO: Final = " " * len(_SPACE) + "".join(_BARE.values())
_FOLD: Final = str.maketrans(FOLD_FROM[: len(FOLD_TO)], FOLD_TO, _MARKS)
_QUOTES: Final = str.maketrans(dict.fromkeys("“”„«»", '"') | {"\0": " "})

# A letter that was read without its accent, as a pattern of what it may have been in most languages of Europe; used up
# to so many letters, since a database may refuse a long pattern.
_AS_WRITTEN: Final = {
    bare: f"[{bare}{''.join(letter for letter in _LETTERS if letter < 'ƀ' and _BARE.get(letter) == bare)}]"
    for bare in set(_BARE.values())
}
_AS_WRITTEN_MAX: Final = 60

# Up to so many comments are looked up one by one on SQLite, some 5 µs each.
FEW: Final = 50_000

# The keys of feedback that match, by database; see search_index for what is read here.
_KEYS: Final = {
    "sqlite": (
        "SELECT feedback_search_key.feedback_id FROM feedback_search"
        " JOIN feedback_search_key ON feedback_search_key.number = feedback_search.rowid"
        " WHERE feedback_search MATCH %s"
    ),
    "postgresql": (
        "SELECT feedback_search.feedback_id FROM feedback_search"
        " WHERE feedback_search.words @@ to_tsquery('simple', %s)"
    ),
}


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand side by side, mostly one; begun: the last of them may go on."""

    words: tuple[str, ...]
    begun: bool = False


def narrow(rows: QuerySet[Any], text: str, *, of: QuerySet[Any], path: str = "") -> QuerySet[Any]:
    """The rows of a list whose feedback a search finds, in the list's order; of is the list without any filter.

    SQLite has no idea how many comments hold a word, and would walk the whole list for a rare one. So where there are
    few, it is made to look each of them up in the list. Costs SQLite a query more, of a millisecond or so.
    """
    found = condition(text, path=path)
    if connection.vendor != "sqlite" or not _are_few(text):
        return rows.filter(found)
    looked_up = of.filter(found).order_by(*rows.query.order_by)
    return looked_up.filter(Exists(rows.order_by().filter(pk=OuterRef("pk")))) if rows.query.where else looked_up


def condition(text: str, *, path: str = "") -> Q:
    """Which feedback a search finds; path leads there from the rows that are filtered, such as "feedback__".

    A search without any word in it finds nothing.
    """
    phrases = tuple(read(text))
    if not phrases:
        return Q(pk__in=())
    if (keys := _KEYS.get(connection.vendor)) is not None:
        asked = _fts5(phrases) if connection.vendor == "sqlite" else _tsquery(phrases)
        return Q(**{f"{path}pk__in": RawSQL(keys, (asked,))})  # noqa: S611 (a constant; what is asked is a parameter)
    found = Q()
    for phrase in phrases:
        # Without an index of words: wherever the letters stand, also inside of a word. Between two words of a phrase
        # anything may stand that is no word: "won't" was read as two.
        written = _AS_WRITTEN if sum(map(len, phrase.words)) <= _AS_WRITTEN_MAX else {}
        words = ("".join(written.get(letter, re.escape(letter)) for letter in word) for word in phrase.words)
        letters = r"[\W_]+".join(words)
        found &= Q(**{f"{path}comment__iregex": letters}) | Q(**{f"{path}page__iregex": letters})
    return found


def read(text: str) -> Iterator[Phrase]:
    """What a search asks for. A quote that was not closed goes to the end."""
    if len(text) > TEXT_MAX:
        # Not in the middle of a word, unless it is all one word.
        text = text[:TEXT_MAX].rpartition(" ")[0] or text[:TEXT_MAX]
    parts = text.translate(_QUOTES).split('"')
    for number, part in enumerate(parts):
        quoted, last = number % 2 == 1, number == len(parts) - 1
        pieces = [part] if quoted else part.split()
        for piece in pieces:
            words = tuple(word for word in piece.translate(_FOLD).split() if any(map(str.isalnum, word)))
            if words:
                begun = last and piece is pieces[-1] and len(words[-1]) >= BEGUN_MIN
                yield Phrase(words, begun)


def _are_few(text: str) -> bool:
    """Whether no more than FEW comments match; FTS5 counts a million in some 50 ms."""
    phrases = tuple(read(text))
    if not phrases:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) FROM (SELECT 1 FROM feedback_search WHERE feedback_search MATCH %s LIMIT %s)",
            [_fts5(phrases), FEW + 1],
        )
        return bool(cursor.fetchone()[0] <= FEW)


def _fts5(phrases: tuple[Phrase, ...]) -> str:
    """Every phrase in quotes, which hold no quote any more, so that nothing in them is an operator."""
    return " AND ".join(f'"{" ".join(phrase.words)}"{" *" if phrase.begun else ""}' for phrase in phrases)


def _tsquery(phrases: tuple[Phrase, ...]) -> str:
    """The same for PostgreSQL; the words hold neither quotes nor backslashes."""
    return " & ".join(
        " <-> ".join(f"'{word}'" for word in phrase.words) + (":*" if phrase.begun else "") for phrase in phrases
    )
