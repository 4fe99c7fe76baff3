"""Long work in a thread, watched by the main one: which alone touches the database, signals and the terminal.

Agent Lightning works inside an event loop, where the ORM refuses to; and its own handling of an interrupt swallows it.
"""

from __future__ import annotations

import asyncio
import queue
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from django.db import OperationalError
from django.utils import timezone

from analyzer.schema import Usage

if TYPE_CHECKING:
    from training.models import TrainingRun

ResultT = TypeVar("ResultT")

# Seconds: between looks at the work, between signs of life, and that work gets to end when it is told to.
POLL: Final = 0.05
LOOK: Final = 0.5
BEAT: Final = 15.0
PATIENCE: Final = 30.0
# Seconds that work waits for a fact to be stored, before it goes on without.
STORING: Final = 10.0
ON_REQUEST: Final = "stopped on request"


class Ended(Exception):
    """A run that ended without a result; the message is a sentence for staff."""


class Stopped(Ended):
    """A person or a budget ended it; what was learned until then stands."""


class Unusable(Ended):
    """Its rollouts cannot be learned from; the message says how many failed and why."""


class Abandoned(Ended):
    """The work was told to stop and did not; its thread ends with the process."""


@dataclass(slots=True)
class Control:
    """How work speaks to whoever started it: lines go out, a wish to stop and a deadline come in.

    deadline is in seconds of time.monotonic. usage is what models were asked so far, also where they failed. keep
    stores facts under a name in the run's metrics, for whoever goes on with a run that died; False when it could not.
    patience is how many seconds the work may take to end when it is told to; None is the usual.
    """

    say: Callable[[str], None]
    keep: Callable[[str, Mapping[str, Any]], bool] = lambda name, facts: True
    stop: threading.Event = field(default_factory=threading.Event)
    deadline: float | None = None
    usage: Usage = field(default_factory=Usage)
    patience: float | None = None

    def check(self) -> None:
        """Raises Stopped when it is time to end."""
        if self.stop.is_set():
            raise Stopped(ON_REQUEST)
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise Stopped("the time is used up")

    async def patiently(self, waited: Awaitable[ResultT]) -> ResultT:
        """The result of something slow, given up as soon as the run is to stop."""
        task = asyncio.ensure_future(waited)
        while not task.done():
            await asyncio.wait({task}, timeout=POLL)
            if not task.done():
                try:
                    self.check()
                except Stopped:
                    task.cancel()
                    raise
        return task.result()


class Journal:
    """A run's lines: said from any thread, written to the row and shown by the main one."""

    def __init__(self, run: TrainingRun, show: Callable[[str], None], *, stored: bool) -> None:
        self._run = run
        self._show = show
        self._stored = stored
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._facts: queue.SimpleQueue[tuple[str, Mapping[str, Any], threading.Event]] = queue.SimpleQueue()
        self._waiting: list[threading.Event] = []

    def say(self, line: str) -> None:
        self._lines.put(line)

    def keep(self, name: str, facts: Mapping[str, Any]) -> bool:
        """Merge facts into the run's metrics under a name; True when they are stored, so that a kill loses none."""
        kept = threading.Event()
        self._facts.put((name, facts, kept))
        return kept.wait(STORING)

    def write(self) -> None:
        """Show and store what was said since the last call, and that the run lives. A locked database is no reason to
        end a run: the next call tries again."""
        run, now, spoke = self._run, timezone.now(), False
        while not self._lines.empty():
            line = self._lines.get()
            self._show(line)
            run.log += f"{now:%H:%M:%S} {line}\n"
            spoke = True
        while not self._facts.empty():
            name, facts, kept = self._facts.get()
            run.metrics = run.metrics | {name: run.metrics.get(name, {}) | dict(facts)}
            self._waiting.append(kept)
        if self._stored and (spoke or self._waiting or (now - run.beat_at).total_seconds() > BEAT):
            values = {"metrics": run.metrics} if self._waiting else {}
            try:
                type(run).objects.filter(pk=run.pk, status=type(run).Status.RUNNING).update(
                    log=run.log, beat_at=now, **values
                )
            except OperationalError:
                return
            run.beat_at = now
        for kept in self._waiting:
            kept.set()
        self._waiting.clear()


def perform(work: Callable[[], ResultT], *, control: Control, journal: Journal) -> ResultT:
    """The result of work, or what it raised. An interrupt tells it to stop, and what it then returns still counts.

    Raises Abandoned when the work does not stop in time.
    """
    outcome: list[ResultT] = []
    errors: list[BaseException] = []
    # Not Thread.join: interrupted, it takes a thread that still works for one that has ended.
    finished = threading.Event()

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001 (raised again in the thread that waits)
            errors.append(error)
        finally:
            finished.set()

    threading.Thread(target=run, name="training", daemon=True).start()
    try:
        while not finished.wait(LOOK):
            journal.write()
    except KeyboardInterrupt:
        control.stop.set()
        journal.say("stopping: what was found so far is kept")
        patience = control.patience or PATIENCE
        until = time.monotonic() + patience
        while not finished.wait(min(LOOK, patience)) and time.monotonic() < until:
            journal.write()
    journal.write()
    if not finished.is_set():
        raise Abandoned(f"The work did not stop within {control.patience or PATIENCE:.0f} seconds.")
    if errors:
        raise errors[0]
    return outcome[0]


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM as KeyboardInterrupt, so that a service manager's stop is as orderly as Ctrl-C. Main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
