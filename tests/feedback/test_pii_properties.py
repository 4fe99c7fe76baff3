"""What holds for any text around any planted piece of personal data."""

from __future__ import annotations

import string

from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.governance.finders.payments import passes_luhn
from feedback.governance.pii import PIIKind, redact, redact_url

untimed = settings(deadline=None)

WORDS = """jane@example.com 4111 1111 4242424242424242 +44 20 7946 0018 DE89 3704 0044 0532 0130 00 203.0.113.45
2001:db8::1 password: password= token= hunter2 is [email] [secret] ] [ ?token=abc&key= https://a:b@ @ (at) at dot com
%40 %25 % order 2025551234 SSN 536-22-8841 &#64; call + - . / : = ' " ０ １ PIN Bearer"""
PIECES = st.sampled_from(WORDS.split())
MIXED = st.lists(PIECES | st.text(max_size=4), max_size=14).flatmap(
    lambda pieces: st.sampled_from(["", " "]).map(lambda blank: blank.join(pieces))
)


@untimed
@given(st.text(max_size=300) | MIXED)
def test_redacting_twice_is_redacting_once(text: str) -> None:
    once = redact(text).text
    assert redact(once).text == once
    assert redact(once).counts == {}


@untimed
@given(MIXED)
def test_redacting_a_url_twice_is_redacting_it_once(url: str) -> None:
    once = redact_url(url).text
    assert redact_url(once).text == once


@untimed
@given(MIXED)
def test_there_are_as_many_new_placeholders_as_findings(text: str) -> None:
    redaction = redact(text)
    for kind in PIIKind:
        new = redaction.text.count(kind.placeholder) - text.count(kind.placeholder)
        assert new <= redaction.counts.get(kind.value, 0)
    assert (redaction.text == text) == (redaction.counts == {})


@untimed
@given(st.text(alphabet=string.ascii_letters + "äöüßéèñçøåłžжя ,;!?\n", max_size=400))
def test_plain_words_are_never_changed(text: str) -> None:
    assert redact(text).text == text


@st.composite
def cards(draw: st.DrawFn) -> str:
    issuers = [("4", 16), ("51", 16), ("2221", 16), ("6011", 16), ("3530", 16), ("37", 15)]
    prefix, length = draw(st.sampled_from(issuers))
    missing = length - len(prefix) - 1
    body = prefix + draw(st.text(string.digits, min_size=missing, max_size=missing))
    number = next(body + digit for digit in string.digits if passes_luhn(body + digit))
    if length == 15:
        groups = [number[:4], number[4:10], number[10:]]
    else:
        groups = [number[place : place + 4] for place in range(0, 16, 4)]
    return draw(st.sampled_from(["", " ", "-", "\u2013", "\u00a0"])).join(groups)


@untimed
@given(st.text(max_size=60), cards(), st.text(max_size=60))
def test_no_planted_card_number_survives(before: str, card: str, after: str) -> None:
    assert card not in redact(f"{before} {card} {after}").text


ALNUM = string.ascii_letters + string.digits
DOMAINS = st.builds(
    "{}.{}".format,
    st.text(ALNUM, min_size=1, max_size=12).filter(lambda label: not label.isdigit()),
    st.sampled_from(["com", "org", "de", "co.uk", "museum", "example"]),
)
EMAILS = st.builds(
    "{}{}@{}".format,
    st.text(ALNUM, min_size=1, max_size=12),
    st.sampled_from(["", ".x", "+news", "_1", "-b"]),
    DOMAINS,
).filter(lambda address: not address.lower().startswith(("git@", "hg@")))


@untimed
@given(st.text(max_size=60), EMAILS, st.text(max_size=60))
def test_no_planted_email_address_survives(before: str, address: str, after: str) -> None:
    assert address not in redact(f"{before} {address} {after}").text


@untimed
@given(st.text(max_size=60), st.ip_addresses(v=4).map(str), st.text(max_size=60))
def test_no_address_that_is_called_an_ip_survives(before: str, address: str, after: str) -> None:
    kept = address.startswith(("127.", "0.0.0.0", "255.")) or 224 <= int(address.split(".")[0]) <= 239
    redaction = redact(f"{before} my IP address is {address} {after}")
    assert kept or f" {address} " not in redaction.text
