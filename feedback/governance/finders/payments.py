"""Payment cards and bank accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from feedback.governance.finders.reading import Span
from feedback.governance.finders.references import announced

_DIGITS: Final = re.compile(r"\d{1,20}")
_GAP: Final = re.compile(r" ?[-._ ] ?")
_ISSUERS: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|(?:6011|64[4-9]\d|65\d\d)\d{12,15}"  # Discover
    r"|3(?:0[0-5]|09|[689]\d)\d{11}"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12,15}"  # JCB
    r"|62\d{14,17}"  # UnionPay
    r"|220[0-4]\d{12,15}"  # Mir
    r"|(?:60|81|82)\d{14}|508\d{13}"  # RuPay
    r"|(?:50[0-9]{2}|5[678]\d\d|639\d|67\d\d)\d{9,15}"  # Maestro
)
_CARD_WORDS: Final = re.compile(r"card|visa|karte|carte|tarjeta|carta|cart[ãa]o|kaart|kort|karta|\bcc\b", re.IGNORECASE)

_IBAN_START: Final = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2})\d{2}(?=[ -]?[A-Za-z0-9])")
_IBAN_LENGTHS: Final = {
    country: int(length)
    for length, countries in {
        "15": "NO", "16": "BE", "18": "DK FI FK FO GL NL SD", "19": "MK SI", "20": "AT BA EE KZ LT LU MN XK",
        "21": "CH HR LI LV", "22": "BG BH CR DE GB GE IE ME RS VA", "23": "AE GI IL IQ OM SO TL",
        "24": "AD CZ DZ ES MD PK RO SA SE SK TN VG", "25": "AO CV GW LY MZ PT ST", "26": "IS TR",
        "27": "BF BI BJ CF CG CI CM DJ FR GA GQ GR IT KM MC MG ML MR NE SM SN TD TG",
        "28": "AL AZ BY CY DO GT HN HU LB NI PL SV", "29": "BR EG PS QA UA", "30": "JO KW MU", "31": "MT SC",
        "32": "LC", "33": "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip


def find_cards(text: str) -> Iterator[Span]:
    """Payment cards of 12 to 19 digits: a known issuer's prefix and length, a Luhn check, and groups as on a card."""
    groups = list(_DIGITS.finditer(text))
    first = 0
    while first < len(groups):
        last = _card_end(text, groups, first)
        if last is None:
            first += 1
        else:
            yield groups[first].start(), groups[last].end()
            first = last + 1


def _card_end(text: str, groups: list[re.Match[str]], first: int) -> int | None:
    digits = ""
    for last in range(first, len(groups)):
        if last > first:
            gap = text[groups[last - 1].end() : groups[last].start()]
            if not _GAP.fullmatch(gap):
                return None
        digits += groups[last].group()
        if len(digits) > 19:
            return None
        if len(digits) >= 12 and _is_card(text, [group.group() for group in groups[first : last + 1]], digits):
            span = groups[first].start(), groups[last].end()
            if _stands_alone(text, span) and (len(digits) != 13 or announced(text, span, _CARD_WORDS)):
                return last
    return None


def _is_card(text: str, groups: list[str], digits: str) -> bool:
    sizes = [len(group) for group in groups]
    even = len(set(sizes[:-1])) <= 1 and sizes[-1] <= sizes[0]
    return (even or sizes[:2] == [4, 6]) and bool(_ISSUERS.fullmatch(digits)) and passes_luhn(digits)


def _stands_alone(text: str, span: Span) -> bool:
    """Not the inside of a longer code, a decimal number or a hash."""
    before, after = text[max(0, span[0] - 2) : span[0]], text[span[1] : span[1] + 2]
    return not (re.search(r"[A-Za-z0-9]$|\d[.,-]$", before) or re.match(r"[A-Za-z0-9]|[.,-]\d", after))


def passes_luhn(digits: str) -> bool:
    """The check that payment cards and several national numbers share."""
    total = sum(int(digit) for digit in digits[-1::-2])
    return (total + sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])) % 10 == 0


def find_ibans(text: str) -> Iterator[Span]:
    """IBANs in groups or not, in any case, with their country's length and the mod-97 check."""
    for match in _IBAN_START.finditer(text):
        length = _IBAN_LENGTHS.get(match[1].upper())
        if length is None:
            continue
        whole = re.compile(rf"[A-Za-z0-9](?:[ .-]?[A-Za-z0-9]){{{length - 1}}}(?![A-Za-z0-9])").match(
            text, match.start()
        )
        if whole and _passes_mod_97(re.sub(r"[ .-]", "", whole.group())):
            yield whole.span()


def _passes_mod_97(iban: str) -> bool:
    rearranged = iban[4:] + iban[:4]
    return int("".join(str(int(character, 36)) for character in rearranged)) % 97 == 1
