"""The real worker on the real queue: how long a burst takes that is put into the queue at one moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psutil
from django.conf import settings
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.tasks import async_task

from analyzer.models import QueueItem

# The cheapest function there is: what remains is the queue itself.
NO_OP: Final = "operator.pos"
ANALYSIS: Final = "analyzer.tasks.analyze_feedback"
POLL_SECONDS: Final = 0.05
PATIENCE_SECONDS: Final = 300


class Stuck(RuntimeError):
    """The worker did not finish what it was given."""


@dataclass(frozen=True, slots=True)
class Burst:
    """What a burst took: seconds of the clock, and seconds of CPU of all the cluster's processes together."""

    seconds: float
    cpu_seconds: float


class Cluster:
    """A running qcluster and its children."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = psutil.Process(process.pid)

    def perform(self, calls: Sequence[tuple[str, Any]]) -> Burst:
        """Queue these calls all at once, and wait until no item waits for its analysis any more."""
        packages = [_package(function, argument) for function, argument in calls]
        before = self._cpu()
        started = time.perf_counter()
        _push(packages)
        self.drain()
        seconds = time.perf_counter() - started
        return Burst(seconds, self._cpu() - before)

    def drain(self) -> None:
        """Wait until no item waits for its analysis. Raises Stuck when none is finished for minutes."""
        waiting, deadline = -1, 0.0
        while left := QueueItem.objects.unfinished().count():
            if left != waiting:
                waiting, deadline = left, time.monotonic() + PATIENCE_SECONDS
            if time.monotonic() > deadline:
                raise Stuck(f"The worker finished nothing in {PATIENCE_SECONDS} seconds; see its lines above.")
            time.sleep(POLL_SECONDS)

    def _cpu(self) -> float:
        return sum(map(_cpu_of, [self._process, *self._process.children(recursive=True)]))


@contextmanager
def run(*, workers: int) -> Iterator[Cluster]:
    """A cluster that starts; its workers read their weights with the first items that they analyse."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "qcluster"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"Q_WORKERS": str(workers)},
        start_new_session=True,
    )
    try:
        yield Cluster(process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        empty_queue()


def empty_queue() -> None:
    get_broker().purge_queue()


class _Catcher:
    """In place of a broker: keeps a task as the broker would get it, so that all can be handed over at once."""

    list_key = ""

    def __init__(self) -> None:
        self.package = ""

    def enqueue(self, package: str) -> None:
        self.package = package


def _package(function: str, argument: Any) -> str:
    catcher = _Catcher()
    async_task(function, argument, broker=catcher)
    return catcher.package


def _push(packages: Sequence[str]) -> None:
    broker = get_broker()
    if settings.Q_BROKER == "orm":
        now = timezone.now()
        OrmQ.objects.bulk_create([OrmQ(key=broker.list_key, payload=one, lock=now) for one in packages])
    else:
        broker.connection.rpush(broker.list_key, *packages)


def _cpu_of(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
