"""National identity, tax, social security and passport numbers, each with its own check."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from feedback.governance.finders.payments import passes_luhn
from feedback.governance.finders.reading import Span
from feedback.governance.finders.references import announced, names_a_thing


@dataclass(frozen=True, slots=True)
class Rule:
    """One country's number: its shape, its check, and the words without which the shape alone proves nothing."""

    shape: re.Pattern[str]
    is_valid: Callable[[str], bool]
    words: re.Pattern[str]
    needs_words: bool


def find_national_ids(text: str) -> Iterator[Span]:
    """Numbers that pass their country's check and are announced, or have a shape that nothing else has."""
    for rule in _RULES:
        for match in rule.shape.finditer(text):
            if not rule.is_valid(re.sub(r"[\s./-]", "", match.group()).upper()):
                continue
            named = announced(text, match.span(), rule.words)
            if named or not (rule.needs_words or names_a_thing(text, match.start())):
                yield match.span()


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _is_ssn(number: str) -> bool:
    area, group, serial = number[:3], number[3:5], number[5:]
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def _is_itin(number: str) -> bool:
    return number[0] == "9" and (50 <= int(number[3:5]) <= 65 or 70 <= int(number[3:5]) <= 99)


def _is_nino(number: str) -> bool:
    return number[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


def _is_nhs(number: str) -> bool:
    return (11 - _weighted(number[:9], (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11) % 11 == int(number[9])


def _is_nir(number: str) -> bool:
    body = number[:13].replace("2A", "19").replace("2B", "18")
    return body.isdigit() and 97 - int(body) % 97 == int(number[13:])


def _is_steuer_id(number: str) -> bool:
    repeated = [number[:10].count(digit) for digit in set(number[:10])]
    if number[0] == "0" or sorted(repeated)[-1] not in {2, 3} or sum(count > 1 for count in repeated) != 1:
        return False
    remainder = 10
    for digit in number[:10]:
        remainder = ((int(digit) + remainder) % 10 or 10) * 2 % 11
    return (11 - remainder) % 10 == int(number[10])


def _is_dni(number: str) -> bool:
    digits = number[:-1].translate({ord("X"): "0", ord("Y"): "1", ord("Z"): "2"})
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == number[-1]


# The value of each character in an odd place: digits first, then A to Z.
_CODICE_ODD: Final = (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21,
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
)  # fmt: skip


def _is_codice_fiscale(number: str) -> bool:
    odd = sum(_CODICE_ODD[int(character, 36)] for character in number[0:15:2])
    even = sum(int(character) if character.isdigit() else ord(character) - 65 for character in number[1:15:2])
    return chr(65 + (odd + even) % 26) == number[15]


def _is_bsn(number: str) -> bool:
    number = number.zfill(9)
    return int(number) > 0 and _weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def _is_pesel(number: str) -> bool:
    return _weighted(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def _is_cpf(number: str) -> bool:
    if len(set(number)) == 1:
        return False
    first = _weighted(number[:9], (10, 9, 8, 7, 6, 5, 4, 3, 2)) * 10 % 11 % 10
    second = _weighted(number[:10], (11, 10, 9, 8, 7, 6, 5, 4, 3, 2)) * 10 % 11 % 10
    return number[9:] == f"{first}{second}"


def _is_rijksregister(number: str) -> bool:
    check = int(number[9:])
    return check in {97 - int(number[:9]) % 97, 97 - int("2" + number[:9]) % 97}


def _is_ahv(number: str) -> bool:
    return _weighted(number, (1, 3) * 6 + (1,)) % 10 == 0


def _is_tfn(number: str) -> bool:
    return _weighted(number, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


# Verhoeff's multiplication and permutation, a row a string.
_VERHOEFF_PRODUCT: Final = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_ORDER: Final = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def _is_aadhaar(number: str) -> bool:
    check = 0
    for position, digit in enumerate(reversed(number)):
        check = int(_VERHOEFF_PRODUCT[check][int(_VERHOEFF_ORDER[position % 8][int(digit)])])
    return check == 0


def _is_personnummer(number: str) -> bool:
    digits = number.replace("+", "")[-10:]
    return _is_date(digits[2:4], digits[4:6]) and passes_luhn(digits)


def _is_date(month: str, day: str) -> bool:
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def _is_henkilotunnus(number: str) -> bool:
    digits = number[:6] + number[-4:-1]
    return "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(digits) % 31] == number[-1]


def _is_fodselsnummer(number: str) -> bool:
    first = _weighted(number, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11
    return first == 0 and _weighted(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _is_chinese_id(number: str) -> bool:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return _is_date(number[10:12], number[12:14]) and "10X98765432"[_weighted(number[:17], weights) % 11] == number[17]


def _is_curp(number: str) -> bool:
    alphabet = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
    total = sum(alphabet.index(character) * (18 - place) for place, character in enumerate(number[:17]))
    return str(-total % 10) == number[17]


def _has_a_digit(number: str) -> bool:
    return any(character.isdigit() for character in number)


def _rule(shape: str, is_valid: Callable[[str], bool], words: str, *, needs_words: bool) -> Rule:
    return Rule(
        re.compile(rf"(?<![A-Za-z0-9]){shape}(?![A-Za-z0-9]|[.-]\d)", re.IGNORECASE),
        is_valid,
        re.compile(rf"(?<![^\W_])(?:{words})(?![^\W_])", re.IGNORECASE),
        needs_words,
    )


def _telling(shape: str, is_valid: Callable[[str], bool], words: str) -> Rule:
    return _rule(shape, is_valid, words, needs_words=False)


def _announced(shape: str, is_valid: Callable[[str], bool], words: str) -> Rule:
    return _rule(shape, is_valid, words, needs_words=True)


_SSN: Final = r"ssns?|social[\s-]security(?:[\s-](?:number|no\.?))?"
_DNI: Final = r"dni|nif|nie|documento"
_NISS: Final = r"rijksregister\w*|registre\snational|niss|insz"
_PASSPORT: Final = (
    r"(?:passport|passnummer|reisepass(?:nummer)?|personalausweis(?:nummer)?|ausweisnummer|passeport|pasaporte|passaporto"
    r"|paspoort(?:nummer)?|id[\s-]card|identity\scard)(?:\s?(?:number|no\.?|nr\.?|nummer|num[ée]ro|n[úu]mero))?"
)
_NIR_SHAPE: Final = (
    r"[1-478][ .]?\d{2}[ .]?(?:0[1-9]|1[0-2]|[23]\d|4[0-2])[ .]?(?:\d{2}|2[AB])[ .]?\d{3}[ .]?\d{3}[ .]?\d{2}"
)
_CODICE_SHAPE: Final = r"[A-Z]{3} ?[A-Z]{3} ?[0-9LMNP-V]{2}[A-EHLMPR-T][0-9LMNP-V]{2} ?[A-Z][0-9LMNP-V]{3} ?[A-Z]"
_NINO_SHAPE: Final = r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:[ -]?\d{2}){3}[ -]?[A-D]"
_PASSPORT_SHAPE: Final = r"(?:[A-Z]{1,2}\d{6,8}[A-Z]?|\d{2}[A-Z]{2}\d{5}|\d{9}|[CFGHJK][0-9CFGHJKLMNPRTVWXYZ]{8}\d?)"

_RULES: Final = (
    _telling(r"\d{3}-\d{2}-\d{4}", _is_ssn, _SSN),
    _announced(r"\d{3}[ .-]?\d{2}[ .-]?\d{4}", _is_ssn, _SSN),
    _announced(r"9\d{2}[ -]?\d{2}[ -]?\d{4}", _is_itin, r"itin|taxpayer"),
    _telling(_NINO_SHAPE, _is_nino, r"ni|nino|national\sinsurance(?:\snumber)?"),
    _announced(r"\d{3}[ -]?\d{3}[ -]?\d{4}", _is_nhs, r"nhs(?:\s(?:number|no\.?))?"),
    _telling(_NIR_SHAPE, _is_nir, r"nir|s[ée]cu(?:rit[ée]\ssociale)?|insee"),
    _announced(
        r"\d{2}[ /]?\d{3}[ /]?\d{3}[ /]?\d{3}",
        _is_steuer_id,
        r"steuer-?\s?id\w*|steuerliche\w*|steuernummer|id-?nr\.?|tin|tax\sid",
    ),
    _telling(r"\d{8}[ -]?[A-HJ-NP-TV-Z]", _is_dni, _DNI),
    _telling(r"\d{1,2}\.\d{3}\.\d{3}[ -]?[A-HJ-NP-TV-Z]", _is_dni, _DNI),
    _telling(r"[XYZ][ -]?\d{7}[ -]?[A-HJ-NP-TV-Z]", _is_dni, _DNI),
    _telling(_CODICE_SHAPE, _is_codice_fiscale, r"codice\sfiscale|cf"),
    _announced(
        r"(?:\d{8,9}|\d{4}[ .]\d{2}[ .]\d{3}|\d{3}[ .]\d{3}[ .]\d{3})",
        _is_bsn,
        r"bsn|burgerservicenummer|sofi-?nummer",
    ),
    _announced(r"\d{11}", _is_pesel, r"pesel\w*"),
    _telling(r"\d{3}\.\d{3}\.\d{3}-\d{2}", _is_cpf, r"cpf"),
    _announced(r"\d{11}", _is_cpf, r"cpf"),
    _telling(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", _is_rijksregister, _NISS),
    _announced(r"\d{11}", _is_rijksregister, _NISS),
    _telling(r"756[ .-]?\d{4}[ .-]?\d{4}[ .-]?\d{2}", _is_ahv, r"ahv\w*|avs|oasi|sozialversicherung\w*"),
    _announced(r"\d{3}[ -]?\d{3}[ -]?\d{3}", passes_luhn, r"sin|nas|social\sinsurance(?:\snumber)?"),
    _announced(r"\d{3}[ -]?\d{3}[ -]?\d{3}", _is_tfn, r"tfn|tax\sfile(?:\snumber)?"),
    _announced(r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}", _is_aadhaar, r"aadhaar|aadhar|uidai"),
    _telling(r"(?:19|20)?\d{6}[-+]\d{4}", _is_personnummer, r"personnummer\w*|personnr|samordningsnummer"),
    _telling(r"\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]", _is_henkilotunnus, r"henkil[öo]tunnu\w*|hetu"),
    _announced(r"\d{6} ?\d{5}", _is_fodselsnummer, r"f[øo]dselsnummer\w*|personnummer\w*|d-nummer"),
    _telling(r"[1-8]\d{5}(?:19|20)\d{9}[\dX]", _is_chinese_id, r"身份证\w*|shenfenzheng|resident\sidentity"),
    _telling(r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d", _is_curp, r"curp"),
    _announced(_PASSPORT_SHAPE, _has_a_digit, _PASSPORT),
)
