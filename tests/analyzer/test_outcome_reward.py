"""The reward in the light of what came of an item: documented, bounded, and never the wrong way round."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import rewards
from analyzer.taxonomy import Category, Outcome

TOTALS = st.floats(0, 1)
CATEGORIES = st.sampled_from(list(Category))
OUTCOMES = st.sampled_from([*Outcome, rewards.REOPENED, ""])


@given(TOTALS, CATEGORIES, OUTCOMES)
def test_it_stays_between_zero_and_one(total: float, category: str, outcome: str) -> None:
    assert 0 <= rewards.refine(total, category=category, outcome=outcome) <= 1


@given(TOTALS, TOTALS, CATEGORIES, OUTCOMES)
def test_a_better_decision_is_never_refined_below_a_worse_one(
    one: float, other: float, category: str, outcome: str
) -> None:
    low, high = sorted((one, other))
    refined = [rewards.refine(total, category=category, outcome=outcome) for total in (low, high)]
    assert refined[0] <= refined[1]


@given(TOTALS, CATEGORIES, OUTCOMES)
def test_an_outcome_moves_the_reward_by_its_weight_at_most(total: float, category: str, outcome: str) -> None:
    assert abs(rewards.refine(total, category=category, outcome=outcome) - total) <= rewards.OUTCOME_WEIGHT + 1e-12


@given(TOTALS, CATEGORIES, OUTCOMES)
def test_nothing_is_worse_than_coming_back(total: float, category: str, outcome: str) -> None:
    reopened = rewards.refine(total, category=category, outcome=rewards.REOPENED)
    assert reopened <= total
    assert reopened <= rewards.refine(total, category=category, outcome=outcome)


@given(TOTALS, CATEGORIES)
def test_a_duplicate_and_a_wont_fix_say_nothing(total: float, category: str) -> None:
    for outcome in (Outcome.DUPLICATE, Outcome.WONT_FIX, ""):
        assert rewards.refine(total, category=category, outcome=outcome) == total


@given(TOTALS, CATEGORIES)
def test_doing_what_the_category_promises_never_lowers_the_reward(total: float, category: Category) -> None:
    for outcome in rewards.PROMISED[category]:
        assert rewards.refine(total, category=category, outcome=outcome) >= total


@pytest.mark.parametrize(
    ("category", "outcome", "refined"),
    [
        ("website-bug", "fixed", 0.6),
        ("framework-issue", "fixed", 0.6),
        ("content-gap", "content-added", 0.6),
        ("content-gap", "answered", 0.6),
        ("feature-request", "planned", 0.6),
        ("positive", "answered", 0.6),
        ("website-bug", "content-added", 0.5),
        ("feature-request", "fixed", 0.5),
        ("noise", "fixed", 0.4),
        ("positive", "planned", 0.4),
        ("website-bug", "reopened", 0.4),
    ],
)
def test_each_kind_of_outcome_is_worth_what_is_documented(category: str, outcome: str, refined: float) -> None:
    assert rewards.refine(0.5, category=category, outcome=outcome) == pytest.approx(refined)


def test_every_category_says_what_it_promises() -> None:
    assert set(rewards.PROMISED) == set(Category)
