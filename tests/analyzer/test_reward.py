"""The reward is in [0, 1], falls with distance, and leaves out what nobody judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import rewards
from analyzer.rewards import Judged, quality, reward
from analyzer.schema import Task
from analyzer.taxonomy import Category, Severity

categories = st.sampled_from([category.value for category in Category])
severities = st.sampled_from([severity.value for severity in Severity])
actions = st.text(max_size=80)
points = st.integers(0, 100)
fields = st.fixed_dictionaries({"category": categories, "severity": severities, "action": actions, "priority": points})
decisions = st.fixed_dictionaries(
    {},
    optional={"category": categories, "severity": severities, "action": actions, "priority": points},
).filter(bool)


@given(fields, decisions)
def test_every_part_is_between_zero_and_one(prediction: Judged, decision: Judged) -> None:
    assert all(0 <= value <= 1 for value in reward(prediction, decision).values())


@given(fields)
def test_keeping_everything_gives_one(prediction: Judged) -> None:
    if prediction["action"]:
        assert reward(prediction, prediction)["total"] == pytest.approx(1)


@given(fields, decisions, severities, severities)
def test_a_severity_closer_to_the_prediction_never_gives_less(
    prediction: Judged, decision: Judged, one: str, other: str
) -> None:
    machine = Severity(prediction["severity"] or "low").level
    near, far = sorted((one, other), key=lambda severity: abs(Severity(severity).level - machine))
    assert (
        reward(prediction, {**decision, "severity": near})["total"]
        >= reward(prediction, {**decision, "severity": far})["total"]
    )


@given(fields, decisions, points, points)
def test_a_priority_closer_to_the_prediction_never_gives_less(
    prediction: Judged, decision: Judged, one: int, other: int
) -> None:
    near, far = sorted((one, other), key=lambda value: abs(value - (prediction["priority"] or 0)))
    assert (
        reward(prediction, {**decision, "priority": near})["total"]
        >= reward(prediction, {**decision, "priority": far})["total"]
    )


@given(fields, decisions, categories)
def test_keeping_the_category_never_gives_less_than_changing_it(
    prediction: Judged, decision: Judged, other: str
) -> None:
    kept = reward(prediction, {**decision, "category": prediction["category"]})["total"]
    assert kept >= reward(prediction, {**decision, "category": other})["total"]


def test_the_weights_are_those_of_the_documented_formula() -> None:
    prediction = Judged(category="noise", severity="low", action="set it aside", priority=10)
    decision = Judged(category="website-bug", severity="high", action="set it aside", priority=60)
    parts = reward(prediction, decision)
    assert parts == pytest.approx(
        {"category": 0, "severity": 1 / 3, "action": 1, "priority": 0.5, "total": 0.25 / 3 + 0.15 + 0.05}
    )


def test_a_field_that_was_not_judged_is_left_out_and_the_rest_is_scaled_up() -> None:
    parts = reward(Judged(category="noise", severity="low", action="x", priority=1), Judged(category="noise"))
    assert parts == {"category": 1.0, "total": 1.0}


def test_a_decision_that_judges_nothing_is_an_error_and_not_a_zero() -> None:
    with pytest.raises(ValueError, match="judges no field"):
        reward(Judged(category="noise"), Judged())


def test_quality_counts_form_map_action_and_floor() -> None:
    task = Task(id="1", comment="I was charged twice and cannot pay any more", type="bug", page="/pay")
    good = Judged(
        category="website-bug", severity="critical", action="Reproduce the payment on /pay today", priority=90
    )
    assert quality(good, task) == {"formed": 1, "mapped": 1, "concrete": 1, "floor": 1, "total": 1}
    poor = Judged(category="positive", severity="low", action="Investigate the issue", priority=5)
    assert quality(poor, task) == {"formed": 1, "mapped": 0, "concrete": 0, "floor": 0, "total": 0.25}


@pytest.mark.parametrize(
    ("action", "concrete"),
    [
        ("Investigate the issue", False),
        ("Reproduce it on /checkout and fix the button", True),
        ("Look into “button does nothing” in Safari", True),
        ("Look into what this person might have meant", False),
    ],
)
def test_an_action_is_concrete_when_it_names_the_page_or_quotes_the_person(action: str, concrete: bool) -> None:
    task = Task(id="1", comment="The button does nothing", page="/checkout")
    assert rewards.is_concrete(action, task) is concrete
