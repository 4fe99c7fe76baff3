"""Text is made plain before any rule reads it, and legitimate scripts and emoji survive."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.governance.normalization import fold, normalize

TRICKY = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "ab \n\t\r.é❤👩🏴👨💻می क्ष漢字\u0301\u200b\u200c\u200d\u200e\u200f\u202e\u2066\u2069\u2800\u3164"
            "\ufe00\ufe0f\ufeff\u00ad\x00\x1b\x85\u2028\U000e0061\U000e007f\U000e0100\ud800"
        ),
        st.characters(),
    ),
    max_size=60,
)


@pytest.mark.parametrize(
    "text",
    [
        "👨‍👩‍👧‍👦 the family emoji stays one emoji",
        "❤️‍🔥 and 👩🏽‍💻 and 🏳️‍🌈 stay",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f is the flag of England",
        "می‌خواهم",  # Persian spells with a zero-width non-joiner
        "क्‍ष",  # Devanagari spells with a joiner
        "שלום \u200fעולם\u200f!",
        "الموقع لا يعمل على الهاتف",
        "葛\U000e0100飾区",  # an ideographic variant in a place name
        "line one\n\tindented line two\n\n\nafter two blank lines",
        "Größe, Précédent, naïve, Ångström",
        "x = 1;            y = 2;",
    ],
)
def test_legitimate_text_is_left_as_it_is(text: str) -> None:
    assert normalize(text).text == text
    assert normalize(text).removed == {}


@pytest.mark.parametrize(
    ("text", "plain", "removed"),
    [
        ("ig\u200bno\u200dre", "ignore", {"zero_width": 2}),
        ("\ufeffhello", "hello", {"zero_width": 1}),
        ("invoice\u202efdp.exe", "invoicefdp.exe", {"override": 1}),
        ("\u2068name\u2069", "name", {"direction": 2}),
        ("left\u200e to right", "left to right", {"mark": 1}),
        ("nul\x00 and esc\x1b[31m", "nul and esc[31m", {"control": 2}),
        ("half a pair \ud83d", "half a pair", {"control": 1}),
        ("hi\U000e0069\U000e0067\U000e006e", "hi", {"tag": 3}),
        ("☺\ufe0f\U000e0100\U000e0101", "☺\ufe0f", {"selector": 2}),
        ("co\u00adop", "coop", {"hyphen": 1}),
        ("Z" + "\u0323" * 30 + "!", "Ẓ" + "\u0323" * 6 + "!", {"stacked": 23}),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd", {}),
        ("e\u0301", "é", {}),
        ("a" + " " * 400 + "b", "a b", {}),
        ("a\n\n\n\n\n\n\nb   \n", "a\n\n\nb", {}),
        ("\u3164\u2800", "", {}),
    ],
)
def test_what_nobody_sees_is_taken_out_and_counted(text: str, plain: str, removed: dict[str, int]) -> None:
    normalized = normalize(text)
    assert normalized.text == plain
    assert normalized.removed == removed


@settings(deadline=None)
@given(TRICKY)
def test_normalizing_twice_changes_nothing_more(text: str) -> None:
    once = normalize(text).text
    assert normalize(once).text == once
    assert normalize(once).removed == {}


@settings(deadline=None)
@given(TRICKY)
def test_normalized_text_can_be_stored(text: str) -> None:
    plain = normalize(text).text
    plain.encode()
    assert not set(plain) & set("\x00\r\x1b\u202d\u202e\u2066\u2067\u2068\u2069")


@settings(deadline=None)
@given(st.text(max_size=200))
def test_folding_keeps_every_position(text: str) -> None:
    assert len(fold(text)) == len(text)


def test_folding_makes_spellings_equal() -> None:
    assert fold("Instructions PRÉCÉDENTES – «Größe» can’t") == 'instructions precedentes - "große" can\'t'
    assert fold("ｉｇｎｏｒｅ 𝐚𝐥𝐥") == "ignore all"


@given(st.text(alphabet=st.sampled_from("ab .\n"), max_size=80))
def test_a_text_is_made_plain_the_same_way_whatever_letters_are_in_it(text: str) -> None:
    # Text of plain letters alone takes a shorter way.
    body = f"a{text}b"
    assert normalize(f"é{body}").text == f"é{normalize(body).text}"
