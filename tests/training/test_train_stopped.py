"""Work in a thread, watched by the main one: interrupted in order, heard while it works, never waited for in vain."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from training import watch
from training.models import TrainingRun
from training.watch import Abandoned, Control, Journal, Stopped


def journal(run: TrainingRun | None = None, lines: list[str] | None = None) -> Journal:
    shown = lines if lines is not None else []
    return Journal(run or TrainingRun(), shown.append, stored=run is not None)


def until_stopped(control: Control, *, then: Callable[[], str]) -> Callable[[], str]:
    """Work that goes on until somebody stops it."""

    def work() -> str:
        threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGTERM)).start()
        assert control.stop.wait(10)
        return then()

    return work


def perform(work: Callable[[], str], control: Control) -> str:
    with watch.interruptible():
        return watch.perform(work, control=control, journal=journal())


def test_what_interrupted_work_returns_is_kept_every_time() -> None:
    for _ in range(10):
        control = Control(say=print)
        assert perform(until_stopped(control, then=lambda: "the best so far"), control) == "the best so far"


def test_what_interrupted_work_raises_is_raised() -> None:
    control = Control(say=print)

    def stopped() -> str:
        control.check()
        return "not stopped"

    with pytest.raises(Stopped, match="stopped on request"):
        perform(until_stopped(control, then=stopped), control)


def test_work_that_does_not_stop_is_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PATIENCE", 0.1)
    control, released = Control(say=print), threading.Event()

    def deaf() -> str:
        released.wait(10)
        return "too late"

    with pytest.raises(Abandoned, match="did not stop"):
        perform(until_stopped(control, then=deaf), control)
    released.set()


def test_a_deadline_ends_work_too() -> None:
    with pytest.raises(Stopped, match="the time is used up"):
        Control(say=print, deadline=0.0).check()


def test_the_handler_that_was_there_before_is_there_again() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with watch.interruptible():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_lines_reach_the_row_and_silence_still_shows_life(db: None) -> None:
    long_ago = timezone.now() - timedelta(minutes=1)
    run = TrainingRun.objects.create(number=1, algorithm="local", beat_at=long_ago)
    lines: list[str] = []
    told = journal(run, lines)
    told.write()
    run.refresh_from_db()
    assert run.beat_at > long_ago
    told.say("first")
    told.say("second")
    told.write()
    run.refresh_from_db()
    assert [line.split(" ", 1)[1] for line in run.log.splitlines()] == lines == ["first", "second"]


def test_a_row_that_was_closed_meanwhile_is_left_alone(db: None) -> None:
    run = TrainingRun.objects.create(number=1, algorithm="local", status="failed", error="No sign of life.")
    told = journal(run)
    told.say("still here")
    told.write()
    run.refresh_from_db()
    assert (run.status, run.log) == ("failed", "")
