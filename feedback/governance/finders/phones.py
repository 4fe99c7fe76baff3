"""Telephone numbers of any country, and what merely looks like one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from phonenumbers import Leniency, PhoneNumberMatcher

from feedback.governance.finders.reading import Span
from feedback.governance.finders.references import announced, names_a_thing

DEFAULT_REGIONS: Final = ("US", "GB", "DE", "FR", "ES")

# The library is slow and tries hard, so it only sees stretches of at least seven digits, close together.
_STRETCH: Final = re.compile(r"[+(]{0,2}\d(?:(?:[ ()./-]{0,3}|\+)\d){6,40}")
_PHONE_WORDS: Final = re.compile(
    r"""(?<![^\W_])(?:
        phone\w* | tel(?:[ée]fon\w*|ephone|efoon\w*|\.|:)? | t[ée]l[ée]phone | mobil\w* | m[óo]vil | cell\w* | handy\w*
      | call\w* | ring | text\s(?:me|us) | sms | whats\s?app | signal | viber | telegram | fax | hotline | dial\w*
      | r[üu]ckruf\w* | anruf\w* | an?rufen | erreich\w* | reach | appel\w* | joignable | ll[áa]m\w* | chiam\w*
      | lig(?:ar|ue) | contact\w* | bel | telefone | тел(?:ефон)? | τηλ\w*
      | my\snumber | meine\snummer | nummer\sist | mon\snum[ée]ro | mi\sn[úu]mero | numer\stelefonu
    )(?![^\W_]) | 电话 | 電話 | 手机 | 手機 | 携帯 | 전화""",
    re.IGNORECASE | re.VERBOSE,
)
_PHONE_AFTER: Final = re.compile(
    r"\W{0,3}(?:is|ist|est|es)\s(?:my|mein\w*|mon|mi)\s(?:phone|mobile|cell|tel\w*|handy\w*|num\w*)"
)
# Not even beside the word "phone": dates, spans of years, coordinates, versions.
_NEVER_A_PHONE: Final = re.compile(
    r"""(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])(?:[-/.]\d{1,2})?(?!\d) .*
      | (?:.*\D)?\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d\d (?:\D .*)?
      | (?:.*\D)?(?:19|20)\d\d \ ?[/-]\ ? (?:19|20)\d\d (?:\D .*)?
      | -?\d{1,3}\.\d{4,} (?:[\s,/-]+\d{1,3}\.\d{4,})?
      | \d{1,4}\.\d(?:\.\d+){1,3}
    """,
    re.VERBOSE,
)
_OTHER_NUMBER: Final = re.compile(
    r"""(?!0[1-9](?:[ .-]\d\d){4}\Z)(?:                                     # the French write phones as a row of pairs
        (?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]) (?!\d\d\Z) .* # 20240917-004512
      | \d{1,2}[./-]\d{1,2}[./-]\d\d (?:\D .*)?                             # a date with a short year
      | 97[89][ -]?(?:\d[ -]?){9}\d                                         # ISBN-13
      | [1-9]\d{0,2}(?:[. ]\d{3}){2,}                                       # grouped thousands
      | \d{5}-\d{4}                                                         # a ZIP code
      | 1[3-9]\d{8} | 1[3-9]\d{11}                                          # seconds and milliseconds of our time
      | \d{1,2}(?:\ \d{1,2}){3,}                                            # a row of small numbers
      | (\d)(?:\D?\1){6,}                                                   # 0000000
    )""",
    re.VERBOSE,
)
# "(555) 123-4567" is how people write a number that they made up, or must not be called back on.
_NORTH_AMERICAN: Final = re.compile(r"(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}")
# A trunk zero, an area code and marks: a phone in most of the world, also where it is no region of ours.
_TRUNK_ZERO: Final = re.compile(
    r"(?=(?:\D{0,3}\d){9,11}\Z)\(?0[1-9]\d{0,3}\)?[ ./-]\d{2,4}(?:[ .-]\d{2,4}){0,4}"
    r"|(?:\(0\d{1,4}\) ?|0[1-9]\d{0,3}[ /-])\d{5,7}"
)


def find_phones(text: str, regions: Sequence[str] = DEFAULT_REGIONS) -> Iterator[Span]:
    """Numbers with a country code, and national numbers of `regions`, that are valid or are announced as a phone.

    A national number must look like a phone (marks, a trunk zero) or be called one; one that is called an order, a
    ticket or an article is left alone.
    """
    for match in _STRETCH.finditer(text):
        yield from _in_stretch(text, match.span(), regions)


def _in_stretch(text: str, stretch: Span, regions: Sequence[str]) -> Iterator[Span]:
    start, end = stretch
    before = text[max(0, start - 1) : start]
    if text.startswith("++", start):
        start, before = start + 1, " "  # in a URL's query string a plus is a blank
    if re.match(r"[A-Za-z0-9_]", text[end : end + 1]) or re.fullmatch(r"[A-Za-z0-9_$€£¥#@]", before):
        return
    lead = 2 if text[start] in "+(" and not text[start + 1].isdigit() else 1
    found = text[start : start + lead] + text[start + lead : end].replace("+", " ")
    called_a_phone = _is_called_a_phone(text, stretch)
    international = "+" in found[:2] or found.startswith("00")
    if not international and not _may_be_national(text, start, found, called_a_phone):
        return
    spans = _library_spans(found, regions, Leniency.VALID)
    if not spans and (called_a_phone or "+" in found[:2]):
        spans = _library_spans(found, regions, Leniency.POSSIBLE)
    if not spans and (_NORTH_AMERICAN.fullmatch(found) or _TRUNK_ZERO.fullmatch(found)):
        spans = [(0, len(found))]
    yield from ((start + first, start + last) for first, last in spans)


def _is_called_a_phone(text: str, span: Span) -> bool:
    said_before = announced(text, span, _PHONE_WORDS, before=32, after=0)
    return said_before or _PHONE_AFTER.match(text, span[1]) is not None


def _may_be_national(text: str, start: int, found: str, called_a_phone: bool) -> bool:
    if text[max(0, start - 1) : start] in {"/", "-", "."} or names_a_thing(text, start, unless=_PHONE_WORDS):
        return False
    if _NEVER_A_PHONE.fullmatch(found):
        return False
    marked = bool(re.search(r"\D", found)) or (found.startswith("0") and 9 <= len(found) <= 12)
    return called_a_phone or (marked and not _OTHER_NUMBER.fullmatch(found))


def _library_spans(found: str, regions: Sequence[str], leniency: int) -> list[Span]:
    """What the library takes for numbers of any of the regions; of readings that overlap the longest."""
    matches = {
        (match.start, match.end)
        for region in regions
        for match in PhoneNumberMatcher(found, region, leniency=leniency, max_tries=24)
    }
    spans: list[Span] = []
    for start, end in sorted(matches, key=lambda span: (span[0] - span[1], span)):
        if all(end <= other_start or other_end <= start for other_start, other_end in spans):
            spans.append((start, end))
    return spans
