"""A clock that jumps forward by hours and is put back: nothing is lost or doubled, and nothing waits for hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from analyzer import analyses, claims, receivers, reviews, rollout, tasks, versions
from analyzer.admin import overview
from analyzer.models import Analysis, QueueItem
from tests import make

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
JUMP = timedelta(hours=5)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def work(clock: time_machine.Traveller, capture: DjangoCaptureOnCommitCallbacks) -> None:
    """Three minutes of a worker: it sweeps once a minute and does what is queued."""
    for _ in range(3):
        clock.shift(timedelta(minutes=1))
        with capture(execute=True):
            tasks.sweep()
        for queued in OrmQ.objects.all():
            tasks.analyze_feedback(*queued.task["args"])
            queued.delete()


def test_every_submission_is_analysed_once_whichever_way_the_clock_jumps(
    clock: time_machine.Traveller, ada: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    make.working_version()
    decided = make.item("The first page that broke")
    reviews.override(analysis=decided.analysis, by=ada, category="noise")
    made = [decided.pk]
    for jump in (timedelta(0), JUMP, -2 * JUMP, JUMP):
        clock.shift(jump)
        # One whose task got lost, and one whose worker was cut off.
        waiting = make.feedback(f"The page broke at {timezone.now():%H:%M:%S}")
        cut_off = make.feedback(f"The button broke at {timezone.now():%H:%M:%S}")
        lease = timezone.now() + timedelta(seconds=150)
        QueueItem.objects.filter(pk=cut_off.pk).update(stage="running", attempts=1, lease_until=lease)
        made += [waiting.pk, cut_off.pk]
    work(clock, django_capture_on_commit_callbacks)
    assert set(QueueItem.objects.values_list("stage", flat=True)) == {"done"}
    assert sorted(Analysis.objects.values_list("feedback", flat=True)) == sorted(made)
    decided.refresh_from_db()
    assert (decided.status, decided.category) == ("decided", "noise")


def test_an_analysis_that_a_jump_made_two_workers_begin_is_stored_by_one(clock: time_machine.Traveller) -> None:
    make.working_version()
    said = make.feedback("The basket forgets what I put in")
    first = analyses._claim(said.pk)
    assert first is not None
    clock.shift(JUMP)
    assert tasks.analyze_feedback(str(said.pk)) is True, "its lease looks run out"
    stored = Analysis.objects.get()
    version = versions.active()
    outcome = rollout.run(analyses.task_of(first, version), versions.cached_spec(version))
    with pytest.raises(analyses.Lost):
        analyses.store(first, version, outcome)
    assert Analysis.objects.get() == stored
    assert QueueItem.objects.get().analysis == stored


def test_the_sweep_is_not_put_off_until_the_clock_comes_to_the_wrong_time_again(
    clock: time_machine.Traveller,
) -> None:
    Schedule.objects.update(next_run=NOW + JUMP)
    receivers.keep_sweeping()
    assert Schedule.objects.get(name=receivers.SWEEP).next_run == NOW
    soon = NOW + timedelta(seconds=50)
    Schedule.objects.update(next_run=soon)
    receivers.keep_sweeping()
    assert Schedule.objects.get(name=receivers.SWEEP).next_run == soon


def test_a_heartbeat_from_the_future_says_nothing_about_now(clock: time_machine.Traveller, client: Client) -> None:
    clock.shift(JUMP)
    tasks.sweep()
    assert client.get("/healthz").status_code == 200
    clock.shift(-JUMP)
    make.feedback()
    clock.shift(timedelta(minutes=10))
    assert client.get("/healthz").json()["worker"] == "silent"
    assert overview.late_worker() == timedelta(minutes=10)
    tasks.sweep()
    assert client.get("/healthz").status_code == 200
    assert overview.late_worker() is None


def test_a_claim_from_the_future_keeps_nobody_away(clock: time_machine.Traveller, ada: User, mia: User) -> None:
    item = make.item()
    clock.shift(JUMP)
    assert claims.take(item=item, by=ada)
    assert not claims.take(item=item, by=mia)
    clock.shift(-JUMP)
    item.refresh_from_db()
    assert not item.claimed
    assert claims.next_item(by=mia) == item


def test_who_wrote_while_the_clock_was_wrong_may_write_again(
    clock: time_machine.Traveller, client: Client, settings: Settings
) -> None:
    settings.FEEDBACK_RATE_LIMIT = 1
    clock.shift(JUMP)
    # The key of a client changes with the day; this jump stays within one.
    assert client.post("/feedback/", {"comment": "Early"}).status_code == 302
    assert client.post("/feedback/", {"comment": "Early again"}).status_code == 429
    clock.shift(-JUMP)
    assert client.post("/feedback/", {"comment": "Now"}).status_code == 302
    assert client.post("/feedback/", {"comment": "Now again"}).status_code == 429
