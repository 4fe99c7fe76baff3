"""What is replaced in a comment, by which placeholder, and what stays."""

from __future__ import annotations

import phonenumbers
import pytest

from feedback.governance.pii import PIIKind, redact


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Write to jane.doe@example.com, please.", "Write to [email], please."),
        ("Call +44 20 7946 0018 after five", "Call [phone] after five"),
        ("Visa 4111 1111 1111 1111 was refused", "Visa [card] was refused"),
        ("Refund to DE89 3704 0044 0532 0130 00 now", "Refund to [iban] now"),
        ("203.0.113.45 and 2001:db8::8a2e:370:7334 are blocked", "[ip] and [ip] are blocked"),
        ("my password: hunter2 fails", "my password: [secret] fails"),
        ("SSN 536-22-8841 is shown", "SSN [national-id] is shown"),
    ],
)
def test_each_kind_has_its_own_placeholder_and_the_rest_stays(text: str, redacted: str) -> None:
    assert redact(text).text == redacted


def test_what_was_found_is_counted_by_kind() -> None:
    redaction = redact("tim@example.com, tom@example.com or +49 30 23125042")
    assert redaction.text == "[email], [email] or [phone]"
    assert redaction.counts == {"email": 2, "phone": 1}


def test_a_text_without_personal_data_comes_back_as_it_was() -> None:
    text = "The  checkout\tpage is blank ☹ \u200bsince version 2.10.4 (100 %25 of the time)\n"
    redaction = redact(text)
    assert redaction.text == text
    assert redaction.counts == {}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("GB29 NWBK 6016 1331 9268 19", PIIKind.IBAN),
        ("DE89370400440532013000", PIIKind.IBAN),
        ("378282246310005", PIIKind.CARD),
        ("call 4111 1111 1111 1111", PIIKind.CARD),
        ("phone 1 84 12 76 451 089 46", PIIKind.NATIONAL_ID),
        ("password: jane.doe1@example.com", PIIKind.SECRET),
        ("4155550100@sms.example.com", PIIKind.EMAIL),
    ],
)
def test_where_two_kinds_overlap_the_more_telling_one_wins(text: str, kind: PIIKind) -> None:
    assert redact(text).counts == {kind.value: 1}


@pytest.mark.parametrize(
    "address",
    [
        "jane (at) example (dot) com",
        "jane [at] example.com",
        "jane dot doe at example dot com",
        "jane_d at gmail.com",
        "jane @ example.com",
        "ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ",
        "ja\u200bne@exam\u200dple.com",
        "jane%40example.com",
        "jane%2540example.com",
        "jane&#64;example.com",
    ],
)
def test_a_disguised_email_address_is_still_one(address: str) -> None:
    assert redact(f"reach me: {address} thanks").text == "reach me: [email] thanks"


@pytest.mark.parametrize(
    "number",
    [
        "4242-4242-4242-4242",
        "4242–4242–4242–4242",
        "4242\u00a04242\u00a04242\u00a04242",
        "４２４２４２４２４２４２４２４２",
        "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
        "4242\u200b424242424242",
        "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2",
    ],
)
def test_a_card_number_is_found_however_its_digits_are_written(number: str) -> None:
    assert redact(f"card {number} declined").text == "card [card] declined"


@pytest.mark.parametrize(
    "text",
    [
        "Order 2025551234 is late, ticket 555-123-4567 was closed",
        "ISBN 978-3-16-148410-0 leads to the wrong book",
        "The sale ended 2024-11-29 23:59:59, not 15.03.2024 14:30",
        "Chrome 122.0.6261.112 and version 1.2.3.4 show nothing",
        "52.520008, 13.404954 is a river",
        "Total 1.234.567,89 EUR or $12,345,678.90",
        "550e8400-e29b-41d4-a716-446655440000 gives a 500",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b broke it",
        "4111 1111 1111 1112 has a typo",
        "IMEI 490154203237518 and EAN 4006381333931 are refused",
        "DE89 3704 0044 0532 0130 01 has a typo",
        "localhost is 127.0.0.1 or ::1, bind to 0.0.0.0, mask 255.255.255.0",
        "at 12:30:45 std::vector and a::before were wrong",
        "password reset does not work, the token expired",
        "password: ******** and api_key=YOUR_API_KEY are examples",
        "git clone git@github.com:acme/site.git",
        "npm install @angular/core@17.1.2 shows logo@2x.png",
        "I was looking at example dot com",
        "@alice_dev on @media pages @ 5pm",
        "codice fiscale RSSMRA85T10A562B has a wrong check letter",
        "Bestellung 86095742719 fehlt",
    ],
)
def test_what_only_looks_like_personal_data_stays(text: str) -> None:
    assert redact(text).text == text


@pytest.mark.parametrize("word", ["order", "ticket", "invoice", "tracking number"])
def test_a_number_that_is_called_something_else_is_no_phone(word: str) -> None:
    assert redact(f"{word} 202 555 0133 is wrong").counts == {}
    assert redact(f"phone 202 555 0133, {word} is wrong").counts == {"phone": 1}


def test_the_word_nearest_to_a_number_says_what_it_is() -> None:
    assert redact("about my order: phone 202 555 0133").counts == {"phone": 1}
    assert redact("no phone call about order 202 555 0133").counts == {}


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_a_number_with_a_country_code_is_found_for_every_region(region: str) -> None:
    number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if number is None:
        number = phonenumbers.example_number(region)
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    assert redact(f"it says {written} there").text == "it says [phone] there"


def test_national_numbers_are_read_as_those_of_the_given_regions() -> None:
    text = "22 123 45 67"
    assert redact(f"to {text} as it says", regions=("PL",)).counts == {"phone": 1}
    assert redact(f"to {text} as it says", regions=("US",)).counts == {}


SECRETS = [
    "AKIA" + "Q3EGRKXV5NTLWZ2M",
    "ghp" + "_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "sk" + "-proj-" + "a1B2c3D4e5F6g7H8i9J0k1L2",
    "xoxb" + "-123456789012-" + "abcdefABCDEF",
    "sk" + "_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + "dozjgNryP4J3jVmNHl0w5N",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_keys_are_known_by_the_shape_that_their_issuer_gives_them(secret: str) -> None:
    assert redact(f"your page shows {secret} to everyone").text == "your page shows [secret] to everyone"


def test_a_private_key_goes_as_a_whole_even_when_its_end_was_cut_off() -> None:
    begin, end = "-----BEGIN RSA PRIVATE " + "KEY-----", "-----END RSA PRIVATE " + "KEY-----"
    assert redact(f"log: {begin}\nMIIE\nAbC=\n{end} oops").text == "log: [secret] oops"
    assert redact(f"log: {begin}\nMIIE\nAbC=").text == "log: [secret]"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ('{"password": "sunshine"}', '{"password": "[secret]"}'),
        ("Passwort lautet Gl4sh4us.", "Passwort lautet [secret]."),
        ("mot de passe : Chat-Noir77 refusé", "mot de passe : [secret] refusé"),
        ("My password is: Summer2024!", "My password is: [secret]"),
        ("mein Passwort ist  Geheim123", "mein Passwort ist  [secret]"),
        ("the pin is  4711", "the pin is  [secret]"),
        ("Passwort ist: Geheim", "Passwort ist: [secret]"),
        ("my api key is: abcdef1234567890abcd", "my api key is: [secret]"),
        ("The PIN is: 4321", "The PIN is: [secret]"),
        ("My password is: forgotten", "My password is: forgotten"),
        ("The token is: missing from the docs", "The token is: missing from the docs"),
        ("DB_PASSWORD=correcthorse", "DB_PASSWORD=[secret]"),
        ("Authorization: Bearer abc123def456", "Authorization: Bearer [secret]"),
        ("see https://admin:s3cr3t@intranet.example/x", "see https://[secret]@intranet.example/x"),
        ("https://example.org/reset?token=abcdef&x=1", "https://example.org/reset?token=[secret]&x=1"),
    ],
)
def test_what_the_text_calls_a_secret_is_one(text: str, redacted: str) -> None:
    assert redact(text).text == redacted
