"""Priority is monotone in severity, stays in range, and adds up to what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from analyzer.models import rank
from analyzer.priority import score
from analyzer.taxonomy import Category, Severity
from feedback.choices import FormType

others = st.fixed_dictionaries(
    {
        "category": st.sampled_from(Category),
        "rating": st.none() | st.integers(1, 5),
        "similar": st.integers(0, 10_000),
        "form_type": st.sampled_from(["", *FormType.values]),
    }
)


@given(others, others)
def test_a_more_severe_item_always_stands_before_a_less_severe_one(one: dict[str, Any], other: dict[str, Any]) -> None:
    ordered = [
        score(severity=severity, **values)[0] for severity, values in zip(Severity, [one, other] * 2, strict=True)
    ]
    assert ordered == sorted(ordered, reverse=True)
    assert all(0 <= points <= 100 for points in ordered)


@given(st.sampled_from(Severity), others)
def test_the_reasons_add_up_to_the_priority(severity: Severity, values: dict[str, Any]) -> None:
    points, reasons = score(severity=severity, **values)
    assert points == max(0, min(100, round(sum(reason.points for reason in reasons))))


def test_more_similar_reports_never_lower_the_priority() -> None:
    scores = [score(severity="high", category="website-bug", similar=count)[0] for count in (0, 1, 3, 12, 500)]
    assert scores == sorted(scores)
    assert scores[0] < scores[-1]


def test_a_held_item_stands_in_front_of_everything() -> None:
    assert score(severity="low", category="noise", held=True)[0] == 100


def test_the_rank_sorts_by_priority_first_and_then_the_oldest_first() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    ordered = [
        rank(90, now),
        rank(50, now - timedelta(days=3_000)),
        rank(50, now),
        rank(10, now - timedelta(days=9_000)),
    ]
    assert ordered == sorted(ordered)
    assert max(rank(0, datetime(2100, 1, 1, tzinfo=UTC)), *ordered) < 2**63
