"""What becomes of a model's answer: tempered by the local engine, and quoting only what was said."""

from __future__ import annotations

import math
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.engines.llm import evidence, temper
from analyzer.schema import QUOTE_MAX, Answer, Prediction, Task
from analyzer.taxonomy import Category, Severity

LabelT = TypeVar("LabelT", Category, Severity)
TASK = Task(id="1", comment="It crashes")


def answer(category: str = "website-bug", severity: str = "high", **values: object) -> Answer:
    return Answer.model_validate(
        {"category": category, "severity": severity, "action": "Fix “It crashes”.", "evidence": []} | values
    )


def local(categories: dict[Category, float], severities: dict[Severity, float]) -> Prediction:
    return Prediction(
        category=max(categories, key=lambda label: categories[label]),
        severity=max(severities, key=lambda label: severities[label]),
        action="Set “It crashes” aside.",
        category_probabilities=categories,
        severity_probabilities=severities,
    )


def shares(labels: type[LabelT]) -> st.SearchStrategy[dict[LabelT, float]]:
    weights = st.lists(st.floats(0.001, 1), min_size=len(labels), max_size=len(labels))
    return weights.map(lambda parts: {label: part / sum(parts) for label, part in zip(labels, parts, strict=True)})


def test_the_answer_weighs_as_much_as_it_is_trusted() -> None:
    opinion = local({Category.NOISE: 0.6, Category.WEBSITE_BUG: 0.4}, {Severity.LOW: 1.0})
    mixed = temper(answer(), opinion, TASK, trust=0.75)
    assert mixed.category == "website-bug"
    assert mixed.category_probabilities["website-bug"] == pytest.approx(0.75 + 0.25 * 0.4)
    assert mixed.category_probabilities["noise"] == pytest.approx(0.25 * 0.6)
    assert mixed.severity_probabilities == pytest.approx({"critical": 0, "high": 0.75, "medium": 0, "low": 0.25})
    assert mixed.action == "Fix “It crashes”."


def test_a_model_that_is_hardly_trusted_does_not_overrule_a_sure_local_engine() -> None:
    opinion = local({Category.NOISE: 0.9, Category.WEBSITE_BUG: 0.1}, {Severity.LOW: 1.0})
    mixed = temper(answer(), opinion, TASK, trust=0.2)
    assert (mixed.category, mixed.severity) == ("noise", "low")
    assert mixed.action == "Set “It crashes” aside."


@given(
    shares(Category),
    shares(Severity),
    st.sampled_from(Category),
    st.sampled_from(Severity),
    st.floats(0, 1),
)
def test_probabilities_sum_to_one_and_the_label_is_the_most_probable(
    categories: dict[Category, float],
    severities: dict[Severity, float],
    category: Category,
    severity: Severity,
    trust: float,
) -> None:
    mixed = temper(answer(category, severity), local(categories, severities), TASK, trust=trust)
    assert math.fsum(mixed.category_probabilities.values()) == pytest.approx(1)
    assert math.fsum(mixed.severity_probabilities.values()) == pytest.approx(1)
    assert mixed.category_probabilities[mixed.category] == max(mixed.category_probabilities.values())
    assert mixed.severity_probabilities[mixed.severity] == max(mixed.severity_probabilities.values())
    if trust >= 0.5:
        assert mixed.category == category


def test_an_action_is_one_line_without_control_characters() -> None:
    opinion = local({Category.NOISE: 1.0}, {Severity.LOW: 1.0})
    mixed = temper(answer(action="Fix\n it\x00 \u202enow"), opinion, TASK, trust=0.5)
    assert mixed.action == "Fix it now"


@pytest.mark.parametrize(
    ("quote", "comment", "found"),
    [
        ("the button", "Press the button now", ["the button"]),
        ('"the button…"', "Press the button now", ["the button"]),
        ("THE  button", "Press the\n\tbutton now", ["the\n\tbutton"]),
        ("it doesn't 'work'", "Well, it doesn’t ‘work’ here", ["it doesn’t ‘work’"]),
        ("a-b", "an a–b test", ["a–b"]),
        ("the knob", "Press the button now", []),
        ("…", "Well…", []),
        ("a.c (x)*", "abc a.c (x)* z", ["a.c (x)*"]),
        ("a b", "a" + " " * QUOTE_MAX + "b", []),
    ],
)
def test_a_quote_is_kept_only_in_the_words_of_the_comment(quote: str, comment: str, found: list[str]) -> None:
    assert evidence([quote], comment) == found


def test_a_quote_is_kept_once_and_at_most_three_are() -> None:
    assert evidence(["one", "ONE", "two", "six", "three", "four"], "one two three four") == ["one", "two", "three"]


@given(st.text(max_size=80), st.lists(st.text(max_size=30), max_size=4))
def test_evidence_is_always_a_passage_of_the_comment(comment: str, quotes: list[str]) -> None:
    for passage in evidence([*quotes, comment[3:40]], comment):
        assert passage in comment
        assert 0 < len(passage) <= QUOTE_MAX
