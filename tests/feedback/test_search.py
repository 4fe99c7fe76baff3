"""What a search finds: whole words in any order, a last word begun, quoted phrases; and nothing typed is an error."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.models import QueueItem
from feedback import search
from feedback.models import Feedback
from tests import make

pytestmark = pytest.mark.django_db

NO_WORDS = connection.vendor == "mongodb"
by_words = pytest.mark.skipif(NO_WORDS, reason="MongoDB has no index of words here: letters are found inside words.")
# What FTS5, tsquery, LIKE and regular expressions take for commands, beside words.
SYNTAX = [
    *(
        "AND",
        "OR",
        "NOT",
        "NEAR",
        "NEAR(",
        "NULL",
        "--",
        "/*",
        ";",
        "\\",
        "''",
        "'",
        "`",
        "é",
        "ß",
        "👍",
        "％",
        "日本語",
    ),
    *'"*()^:+-{}[]<>=&|!~%_.,?#@$/',
]
TYPED = st.lists(st.one_of(st.sampled_from([*SYNTAX, "button", "pay", " "]), st.text(max_size=6)), max_size=12)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def found(text: str) -> list[str]:
    return sorted(Feedback.objects.filter(search.condition(text)).values_list("comment", flat=True))


@pytest.fixture
def said() -> None:
    for comment, page in (
        ("The pay button does nothing", "/checkout/card"),
        ("Nothing pays off: buttons everywhere", "/help"),
        ("Café menu won't load, user_name is lost", "/menu"),
    ):
        Feedback.objects.create(source="test", comment=comment, page=page)


PAY, OFF, CAFE = (
    "The pay button does nothing",
    "Nothing pays off: buttons everywhere",
    "Café menu won't load, user_name is lost",
)


@pytest.mark.parametrize(
    ("text", "comments"),
    [
        ("button", [OFF, PAY]),
        ("nothing button", [OFF, PAY]),
        ("BUTTON", [OFF, PAY]),
        ("everyw", [OFF]),
        ("checkout", [PAY]),
        ("/checkout/card", [PAY]),
        ("checkout button", [PAY]),
        ('"pay button"', [PAY]),
        ('"pay butt', [PAY]),
        ("“pay button”", [PAY]),
        ("won't", [CAFE]),
        ("user_name", [CAFE]),
        ("elephant", []),
        ("button elephant", []),
        ('"button pay"', []),
        ("!!!", []),
        ('""', []),
    ],
)
def test_every_word_must_be_there(said: None, text: str, comments: list[str]) -> None:
    assert found(text) == comments


@pytest.mark.parametrize("text", ["cafe", "CAFÉ", "menu café", '"cafe menu"'])
def test_accents_do_not_count(said: None, text: str) -> None:
    assert found(text) == [CAFE]


@by_words
@pytest.mark.parametrize(
    ("text", "comments"),
    [
        ("pay nothing", [PAY]),
        ("utton", []),
        ("ev", []),
        ("everyw nothing", []),
        ('"pay butt"', []),
        ("cafe\u0301 menu", [CAFE]),
    ],
)
def test_only_the_last_word_may_be_begun(said: None, text: str, comments: list[str]) -> None:
    assert found(text) == comments


@QUICK
@given(TYPED)
def test_nothing_that_is_typed_is_an_error(pieces: list[str]) -> None:
    typed = "".join(pieces)
    found(typed)
    list(QueueItem.objects.filter(search.condition(typed, path="feedback__")))


@QUICK
@given(
    st.lists(st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8), min_size=1),
    st.sampled_from([" ", ", ", "-", "/", "_", '"', " — "]),
)
def test_a_comment_is_found_by_each_of_its_words(words: list[str], between: str) -> None:
    row = Feedback.objects.create(source="test", comment=between.join(words))
    try:
        for word in words:
            assert Feedback.objects.filter(search.condition(f'"{word}"'), pk=row.pk).exists(), word
        assert Feedback.objects.filter(search.condition(f'"{" ".join(words[:20])}"'), pk=row.pk).exists()
    finally:
        row.delete()


def test_a_long_text_is_searched_by_its_beginning(said: None) -> None:
    assert found("nothing " * 500 + "elephant") == [OFF, PAY]
    assert found("x" * 10_000) == []


def test_the_page_of_the_list_answers_whatever_is_typed(client: Client, ada: User) -> None:
    make.item("The pay button does nothing")
    client.force_login(ada)
    for text in ('"', "NEAR(a b", "a AND", "pay' --", "* OR *", "col:x", "\u0000", "(", "-pay", "%"):
        for page in ("/admin/analyzer/queueitem/", "/admin/feedback/feedback/"):
            assert client.get(page, {"q": text}).status_code == 200, text
