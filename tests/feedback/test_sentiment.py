"""Sentiment is a hint from English words and the rating."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.governance.sentiment import measure


@pytest.mark.parametrize(
    ("comment", "label"),
    [
        ("I love this site, everything works and the support is wonderful.", "positive"),
        ("Great app", "positive"),
        ("This is terrible, I hate the new menu and nothing works.", "negative"),
        ("Awful checkout, I am very disappointed and angry.", "negative"),
        ("The page opens in a new tab.", "neutral"),
        ("", "neutral"),
        ("42", "neutral"),
    ],
)
def test_english_text_without_a_rating_is_read(comment: str, label: str) -> None:
    assert measure(comment, None).label == label


@pytest.mark.parametrize(
    "comment", ["Die Seite ist toll", "Die App ist kaputt und der Support schlecht", "C'est nul, je déteste", "非常好"]
)
def test_text_in_another_language_says_nothing_without_a_rating(comment: str) -> None:
    assert measure(comment, None).score == 0
    assert measure(comment, 5).score == 1
    assert measure(comment, 1).score == -1


@pytest.mark.parametrize(
    ("rating", "label"), [(1, "negative"), (2, "negative"), (3, "neutral"), (4, "positive"), (5, "positive")]
)
def test_a_rating_alone_is_enough(rating: int, label: str) -> None:
    assert measure("", rating).label == label


def test_the_rating_outweighs_a_short_text() -> None:
    assert measure("I hate it", 5).label == "positive"
    assert measure("Great", 1).label == "negative"


def test_a_long_text_moves_a_middling_rating() -> None:
    anger = (
        "I am so angry and disappointed. This is the worst service, they lied to me and ruined my whole terrible day."
    )
    assert measure(anger, 3).label == "negative"
    assert measure(anger, 1).score < measure(anger, 3).score < measure(anger, 5).score


@settings(deadline=None)
@given(st.text(max_size=300), st.one_of(st.none(), st.integers(1, 5)))
def test_any_text_gives_a_score_in_range(comment: str, rating: int | None) -> None:
    sentiment = measure(comment, rating)
    assert -1 <= sentiment.score <= 1
    assert sentiment.label in {"negative", "neutral", "positive"}


@settings(deadline=None)
@given(st.text(max_size=100), st.integers(1, 4))
def test_a_better_rating_never_lowers_the_score(comment: str, rating: int) -> None:
    assert measure(comment, rating).score <= measure(comment, rating + 1).score
