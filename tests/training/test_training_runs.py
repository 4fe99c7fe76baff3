"""A training run is a row: one at a time, and one that died says so."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from analyzer import versions
from training.models import TrainingRun

pytestmark = pytest.mark.django_db


def run(**values: object) -> TrainingRun:
    number = TrainingRun.objects.count() + 1
    here = {"host": socket.gethostname(), "pid": os.getpid()}
    return TrainingRun.objects.create(**({"number": number, "algorithm": "local"} | here | values))


def test_two_runs_at_once_are_refused_by_the_database() -> None:
    first = run()
    with pytest.raises(IntegrityError), transaction.atomic():
        run()
    TrainingRun.objects.filter(pk=first.pk).update(status="finished", outcome="no-change")
    assert str(run()) == "run 2 local: running"


def test_a_run_that_says_it_lives_is_left_alone() -> None:
    run()
    run(status="finished", beat_at=timezone.now() - timedelta(hours=1))
    assert TrainingRun.objects.reap() == 0
    assert TrainingRun.objects.running().count() == 1


def test_a_run_whose_process_is_gone_becomes_failed_with_the_reason() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead = run(pid=gone.pid)
    assert TrainingRun.objects.reap() == 1
    dead.refresh_from_db()
    assert (dead.status, dead.finished_at is None) == ("failed", False)
    assert f"process ({gone.pid} on {socket.gethostname()}) ended without a word" in dead.error


def test_a_silent_run_on_another_machine_becomes_failed_after_two_minutes() -> None:
    silent = run(host="elsewhere", pid=1, beat_at=timezone.now() - timedelta(seconds=110))
    assert TrainingRun.objects.reap() == 0, "it may be busy"
    TrainingRun.objects.update(beat_at=timezone.now() - timedelta(seconds=130))
    assert TrainingRun.objects.reap() == 1
    silent.refresh_from_db()
    assert silent.error.startswith("No sign of life since")
    assert TrainingRun.objects.reap() == 0


def test_the_run_that_made_some_weights_is_found_through_any_version_that_carries_them() -> None:
    made = versions.create(engine="local", origin="local", weights=b"learned")
    other = versions.create(engine="cascade", origin="local", weights=b"learned", parent=made)
    first = run(status="finished", candidate=made)
    assert TrainingRun.objects.of_weights(other.weights_digest) == first
    run(status="finished", candidate=versions.create(engine="llm", origin="apo"))
    assert TrainingRun.objects.of_weights("") is None
