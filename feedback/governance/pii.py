"""Personal data and secrets in what visitors write, replaced by typed placeholders before anything is stored."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final

from feedback.governance.finders.addresses import find_ip_addresses
from feedback.governance.finders.credentials import find_secrets
from feedback.governance.finders.emails import find_emails
from feedback.governance.finders.national_ids import find_national_ids
from feedback.governance.finders.payments import find_cards, find_ibans
from feedback.governance.finders.phones import DEFAULT_REGIONS, find_phones
from feedback.governance.finders.reading import Reading, Span


class PIIKind(StrEnum):
    """What was found; the most telling kind comes first and wins where two overlap."""

    SECRET = auto()
    IBAN = auto()
    CARD = auto()
    NATIONAL_ID = auto()
    EMAIL = auto()
    IP = auto()
    PHONE = auto()

    @property
    def placeholder(self) -> str:
        """What stands in the text where this was found."""
        return f"[{self.value.replace('_', '-')}]"


@dataclass(frozen=True, slots=True)
class Redaction:
    """A text without what was found in it, and how many of each kind there were."""

    text: str
    counts: dict[str, int]


Finding = tuple[PIIKind, Span]
Finder = Callable[[str], Iterable[Finding]]

_PARAMETERS: Final = {
    PIIKind.SECRET: """token access_token id_token refresh_token auth_token csrf_token csrfmiddlewaretoken key api_key
        apikey api-key secret client_secret password passwd pwd pass session sessionid session_id sid phpsessid
        jsessionid auth authorization sig signature jwt otp pin samlresponse x-amz-signature x-amz-credential
        x-amz-security-token awsaccesskeyid""",
    PIIKind.EMAIL: "email e-mail mail email_address emailaddress user_email useremail login_hint",
    PIIKind.PHONE: "phone tel telephone mobile phone_number phonenumber msisdn",
    PIIKind.IBAN: "iban",
    PIIKind.CARD: "card card_number cardnumber cc ccnumber pan",
    PIIKind.NATIONAL_ID: "ssn nino bsn dni nif cpf pesel national_id nationalid passport",
    PIIKind.IP: "ip ipaddr ip_address remote_addr client_ip",
}
_KIND_OF_PARAMETER: Final = {name: kind for kind, names in _PARAMETERS.items() for name in names.split()}
_PARAMETER: Final = re.compile(r"(?:(?<=[?&;#])|^)([\w.-]{1,40})=([^?&;#\s\ufffc]+)")
_USERINFO: Final = re.compile(r"(?<=//)[^/?#\s\ufffc]+(?=@)")


def redact(text: str, regions: Sequence[str] = DEFAULT_REGIONS) -> Redaction:
    """Replace e-mail addresses, phone, card and national numbers, IBANs, IP addresses and secrets by placeholders.

    Redacting the result again changes nothing. Phone numbers without a country code are read as numbers of `regions`.
    """
    return _replace_all(text, lambda plain: _findings(plain, regions))


def redact_url(url: str, regions: Sequence[str] = DEFAULT_REGIONS) -> Redaction:
    """The same for a URL or a path, where a parameter's name (token, session, email …) is reason enough.

    User names and passwords before the host go too; everything else of the URL stays as it was.
    """
    return _replace_all(url, lambda plain: [*_url_findings(plain), *_findings(plain, regions)])


def _replace_all(text: str, find: Finder) -> Redaction:
    """Until nothing is found: a replacement may reveal what its neighbour hid, and each pass leaves less to search."""
    counts: Counter[str] = Counter()
    while True:
        reading = Reading.of(text)
        findings = _without_overlaps(find(reading.text))
        if not findings:
            return Redaction(text, dict(counts))
        for kind, span in reversed(findings):
            start, end = reading.original_span(span)
            text = text[:start] + kind.placeholder + text[end:]
            counts[kind.value] += 1


def _findings(text: str, regions: Sequence[str]) -> Iterator[Finding]:
    digits = sum(character.isdigit() for character in text)
    finders: dict[PIIKind, Iterable[Span]] = {PIIKind.SECRET: find_secrets(text), PIIKind.EMAIL: find_emails(text)}
    if digits >= 4 or text.count(":") > 1:
        finders[PIIKind.IP] = find_ip_addresses(text)
    if digits >= 3:
        finders[PIIKind.NATIONAL_ID] = find_national_ids(text)
    if digits >= 7:
        finders[PIIKind.PHONE] = find_phones(text, regions)
    if digits >= 12:
        finders[PIIKind.CARD] = find_cards(text)
    if digits >= 8:
        finders[PIIKind.IBAN] = find_ibans(text)
    for kind, spans in finders.items():
        yield from ((kind, span) for span in spans)


def _url_findings(url: str) -> Iterator[Finding]:
    yield from ((PIIKind.SECRET, match.span()) for match in _USERINFO.finditer(url))
    for match in _PARAMETER.finditer(url):
        kind = _KIND_OF_PARAMETER.get(match[1].lower())
        if kind in {PIIKind.SECRET, PIIKind.EMAIL} or (kind and len(re.findall(r"\d", match[2])) >= 4):
            yield kind, match.span(2)


def _without_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    """In reading order; of two that overlap the more telling kind stays, of one kind the longer."""
    order = list(PIIKind)
    ranked = sorted(set(findings), key=lambda finding: (order.index(finding[0]), finding[1][0] - finding[1][1]))
    kept: list[Finding] = []
    for kind, (start, end) in ranked:
        if all(end <= other_start or other_end <= start for _, (other_start, other_end) in kept):
            kept.append((kind, (start, end)))
    return sorted(kept, key=lambda finding: finding[1])
