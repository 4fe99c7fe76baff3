"""A suggested action names the page and quotes the person, and treats both as data."""

from __future__ import annotations

import pytest

from analyzer.actions import shorten, suggest
from analyzer.rewards import is_concrete
from analyzer.schema import ACTION_MAX, Task
from analyzer.taxonomy import Category, Severity


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("comment", ["It breaks", "x" * 4_000, "a {where} b {quote} {0} %s", "“quoted” already"])
def test_every_suggestion_is_concrete_and_fits(category: Category, comment: str) -> None:
    task = Task(id="1", comment=comment, page="/a/{quote}")
    action = suggest(task, category=category, severity=Severity.HIGH)
    assert "/a/{quote}" in action
    assert is_concrete(action, task)
    assert len(action) <= ACTION_MAX


def test_a_silent_rating_gets_an_action_that_names_rating_and_page() -> None:
    action = suggest(Task(id="1", comment="", rating=2, page="/help"), category=Category.NOISE, severity=Severity.LOW)
    assert action == "Compare the 2-star rating on /help with what others gave; there is no comment to act on."


def test_what_is_urgent_and_broken_is_for_today() -> None:
    task = Task(id="1", comment="Nobody can pay", page="/pay")
    assert suggest(task, category=Category.WEBSITE_BUG, severity=Severity.CRITICAL).startswith("Today: ")
    assert not suggest(task, category=Category.FEATURE_REQUEST, severity=Severity.CRITICAL).startswith("Today: ")


def test_a_long_quote_is_cut_between_words() -> None:
    assert shorten("one two three four", 12) == "one two…"
    assert shorten("one\n two", 12) == "one two"
