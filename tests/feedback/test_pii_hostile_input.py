"""Input made to keep a pattern busy: it must come to an end, with the same result as ever."""

from __future__ import annotations

import pytest

from feedback.governance.pii import redact, redact_url

LONGEST = 5000
UNITS = """1 @ a@ a. a- : ab: 1. 1- 1( (1) ( [ + +1 " _ 0 4111 4242- DE89 &#64; %25 %2525 /reset /reset/aa ?token=a
sk- sk-a1 xoxb- eyJ eyJaaaaaaaa. a:// ://a: (at) a(at)b(dot) password: password= password" -----BEGIN １ \u200b 2001:
1.2.3.4, +442079460018 [email] ;a= '"""
SPACED = "1 |a dot |a at b dot |(at) |call 1234567 |password is |order |01 |1.2.3.4 | |\n|. "
PRIVATE_KEY = "-----BEGIN PRIVATE " + "KEY-----"


@pytest.mark.parametrize("unit", [*UNITS.split(), *SPACED.split("|"), PRIVATE_KEY])
def test_five_thousand_characters_of_one_thing_come_to_an_end(unit: str) -> None:
    text = (unit * LONGEST)[:LONGEST]
    for function in (redact, redact_url):
        redaction = function(text)
        assert function(redaction.text).counts == {}
