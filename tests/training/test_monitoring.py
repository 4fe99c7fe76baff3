"""What staff see over time: decisions by week, and whether the active version keeps what its evaluation promised."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from analyzer import reviews, versions
from analyzer.models import AnalyzerVersion, Review
from tests import make
from tests.training import desk, make_runs
from training import evidence, monitoring
from training.figures import Figure

pytestmark = pytest.mark.django_db
WEDNESDAY = datetime(2026, 5, 20, 15, 0, tzinfo=UTC)


def decide(by: User, n: int, *, changed: int = 0, at: datetime | None = None, **values: Any) -> list[Review]:
    """n decisions made one by one, the first of which change the category."""
    made = []
    for position, comment in enumerate(desk.comments(n, seed=Review.objects.count())):
        item = make.item(comment, **values)
        if position < changed:
            made.append(reviews.override(analysis=item.analysis, by=by, category="noise"))
        else:
            made.append(reviews.validate(analysis=item.analysis, by=by))
    if at is not None:
        Review.objects.filter(pk__in=[review.pk for review in made]).update(created_at=at)
    return made


def promised(share: float, n: int) -> AnalyzerVersion:
    """An active version whose run measured this share of right categories on so many items."""
    run = make_runs.run()
    figure = Figure.share(round(share * n), n)
    accuracy = {"value": figure.value, "low": figure.low, "high": figure.high, "n": n}
    run.metrics = {"candidate": {"intervals": {"accuracy": accuracy}}}
    run.save()
    assert run.candidate is not None
    return versions.activate(version=run.candidate, by=None)


def test_weeks_begin_on_monday_and_one_without_decisions_is_there_with_none(ada: User) -> None:
    decide(ada, 3, changed=1, at=WEDNESDAY)
    decide(ada, 2, at=WEDNESDAY - timedelta(days=2, hours=16), severity="low")
    decide(ada, 1, at=WEDNESDAY - timedelta(weeks=2))
    found = monitoring.by_week(weeks=4, now=WEDNESDAY)
    assert [(week.start.isoformat(), week.n, week.kept) for week in found] == [
        ("2026-04-27", 0, 0),
        ("2026-05-04", 1, 1),
        ("2026-05-11", 2, 2),
        ("2026-05-18", 3, 2),
    ]
    assert [week.kept_share for week in found] == [None, 1.0, 1.0, pytest.approx(2 / 3)]
    assert found[-1].reward == pytest.approx(
        Review.objects.filter(created_at=WEDNESDAY, provenance="overridden").get().reward_total / 3 + 2 / 3
    )


def test_only_decisions_that_count_on_real_feedback_with_an_analysis_are_counted(ada: User) -> None:
    undone, _ = decide(ada, 2)
    reviews.undo(review=undone, by=ada)
    decide(ada, 1, synthetic=True)
    reviews.record_imported(feedback=make.feedback("An imported one"), by=ada, category="noise")
    [*_, week] = monitoring.by_week()
    assert (week.n, week.kept) == (1, 1)


def test_a_version_that_keeps_its_promise_raises_no_warning(ada: User) -> None:
    version = promised(0.8, 100)
    decide(ada, 25, changed=5, version=version)
    found = monitoring.drift()
    assert (found.state, found.alarming) == ("kept", False)
    assert "latest 25 decisions" in found.sentence
    assert "20.0 % (95 % interval 8.9 to 39.1)" in found.sentence
    assert f"in run {found.promise.run.number} promised 20.0 % (13.3 to 28.9; 100 held-out items)" in found.sentence
    assert "0.0 points" in found.sentence


def test_many_more_corrections_than_promised_are_a_warning_with_both_numbers_and_n(ada: User) -> None:
    version = promised(0.9, 100)
    decide(ada, 20, changed=10, version=version)
    found = monitoring.drift()
    assert (found.state, found.alarming) == ("more", True)
    for words in ("latest 20 decisions", "50.0 %", "promised 10.0 %", "100 held-out items", "+40.0 points"):
        assert words in found.sentence


def test_far_fewer_corrections_are_told_too_because_nobody_may_be_looking(ada: User) -> None:
    version = promised(0.5, 200)
    decide(ada, 20, version=version)
    found = monitoring.drift()
    assert (found.state, found.alarming) == ("fewer", True)
    assert "accepted unread" in found.sentence


def test_few_decisions_are_not_compared(ada: User) -> None:
    version = promised(0.9, 100)
    decide(ada, 5, changed=5, version=version)
    found = monitoring.drift()
    assert (found.state, found.alarming) == ("few", False)
    assert "latest 5 decisions" in found.sentence
    assert "From 20 decisions on" in found.sentence


def test_what_was_accepted_in_bulk_or_made_by_another_version_is_not_held_against_the_promise(ada: User) -> None:
    before = make_runs.active()
    decide(ada, 3, changed=3, version=before)
    version = promised(0.9, 100)
    decide(ada, 3, changed=3, version=before)
    item = make.item("The menu is behind the picture", version=version)
    reviews.validate_batch(items=[item], by=ada)
    assert monitoring.recent(version).n == 0
    assert "Nobody has decided on an analysis by" in monitoring.drift().sentence


def test_only_the_latest_fifty_decisions_count(ada: User) -> None:
    version = promised(0.9, 100)
    AnalyzerVersion.objects.filter(pk=version.pk).update(activated_at=timezone.now() - timedelta(days=9))
    decide(ada, 3, changed=3, version=version, at=timezone.now() - timedelta(days=8))
    decide(ada, 50, version=version)
    version.refresh_from_db()
    assert monitoring.recent(version) == Figure.share(0, 50)


def test_a_version_that_no_run_measured_has_no_promise(ada: User) -> None:
    version = make_runs.active()
    decide(ada, 2, version=version)
    found = monitoring.drift()
    assert (found.state, found.alarming) == ("unmeasured", False)
    assert f"No training run has measured {version}" in found.sentence


def test_a_desk_without_a_version_says_so() -> None:
    assert monitoring.drift().sentence == "There is no active version yet."


def test_the_promise_is_that_of_the_run_which_made_the_version_not_of_later_ones() -> None:
    first = make_runs.run()
    versions.activate(version=first.candidate, by=None)
    make_runs.run(better=False)
    assert evidence.of(first.candidate).run == first


def test_a_version_that_no_run_made_is_known_from_the_newest_run_that_compared_it() -> None:
    cold = make_runs.active()
    make_runs.run()
    newest = make_runs.run()
    make_runs.run(status="failed", outcome="", metrics={}, gate={}, candidate=None)
    found = evidence.of(cold)
    assert (found.run, found.role) == (newest, "active")


def test_the_figures_cost_the_same_on_a_desk_of_any_size(ada: User, django_assert_num_queries: Any) -> None:
    version = promised(0.9, 100)
    for _ in range(2):
        decide(ada, 6, changed=1, version=version)
        with django_assert_num_queries(3):
            monitoring.drift()
        with django_assert_num_queries(1):
            monitoring.by_week()
