"""How fast the pipeline is against its own floor: ratios measured in one run, on a scratch database.

Seconds of a shared machine say little; what a task costs beside a task that does nothing, on the same queue in the
same minute, says whether the pipeline is in the way.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings

from analyzer import cold_start, engines, versions
from analyzer.models import Analysis, QueueItem
from analyzer.schema import Task
from feedback import intake
from feedback.forms import FeedbackForm

POLL_SECONDS = 0.02
START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Stage:
    """Items a second of one stage: median and spread over the repeats, and its share of the floor's rate."""

    name: str
    n: int
    repeats: int
    median: float
    lowest: float
    highest: float
    floor: str = ""
    ratio: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def measure(*, items: int, repeats: int, report: Callable[[str], None]) -> list[Stage]:
    """Every stage, on the database that is configured, which must be a scratch one: rows are added."""
    texts = _texts(items)
    tasks = [Task(id=str(number), comment=text) for number, text in enumerate(texts)]
    spec = versions.spec(versions.active())
    local = engines.local_of(spec)

    from analyzer import rollout

    rates: dict[str, list[float]] = {}
    for repeat in range(1, repeats + 1):
        report(f"repeat {repeat} of {repeats}")
        rates.setdefault("classifier", []).append(_rate(tasks, lambda task: local.predict(task, prompt="")))
        rates.setdefault("rollout", []).append(_rate(tasks, lambda task: rollout.run(task, spec)))
        rates.setdefault("intake", []).append(_rate(texts, lambda text: _submit(text)))
        # The same submissions were queued by intake; nothing has been analysed yet.
        rates.setdefault("analysis task", []).append(_drain_analyses(items))
        rates.setdefault("no-op task", []).append(_drain_noops(items))
    floors = {"rollout": "classifier", "analysis task": "no-op task"}
    medians = {name: statistics.median(values) for name, values in rates.items()}
    return [
        Stage(
            name=name,
            n=items,
            repeats=repeats,
            median=medians[name],
            lowest=min(values),
            highest=max(values),
            floor=floors.get(name, ""),
            ratio=medians[name] / medians[floors[name]] if name in floors else None,
        )
        for name, values in rates.items()
    ]


def _texts(count: int) -> list[str]:
    """Synthetic comments, as many as are asked for; speed does not depend on whether a person wrote them."""
    comments = [example.comment for example in cold_start.load()]
    return [comments[number % len(comments)] for number in range(count)]


def _rate(items: Iterable[Any], act: Callable[[Any], object]) -> float:
    rows = list(items)
    started = time.perf_counter()
    for row in rows:
        act(row)
    return len(rows) / (time.perf_counter() - started)


def _submit(text: str) -> None:
    intake.receive(form=FeedbackForm({"comment": text}), source="benchmark", synthetic=True)


def _drain_analyses(count: int) -> float:
    before = Analysis.objects.count()
    rate = _drain(lambda: QueueItem.objects.unfinished().count())
    made = Analysis.objects.count() - before
    if made != count:
        raise RuntimeError(f"{count} items were queued, but {made} analyses were made.")
    return rate


def _drain_noops(count: int) -> float:
    from django_q.models import OrmQ
    from django_q.tasks import async_task

    for number in range(count):
        # The cheapest function there is: what remains is the queue itself.
        async_task("operator.pos", number)
    return _drain(lambda: OrmQ.objects.count())


def _drain(waiting: Callable[[], int]) -> float:
    """Items a second from the first that is finished to the last; starting the workers is not counted."""
    total = waiting()
    with _cluster():
        deadline = time.monotonic() + START_SECONDS
        while (left := waiting()) >= total:
            if time.monotonic() > deadline:
                raise RuntimeError(f"The worker took nothing in {START_SECONDS} seconds.")
            time.sleep(POLL_SECONDS)
        started, at_start = time.perf_counter(), left
        while waiting():
            time.sleep(POLL_SECONDS)
        return at_start / (time.perf_counter() - started)


@contextmanager
def _cluster() -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "qcluster"], cwd=settings.BASE_DIR, start_new_session=True, env=os.environ.copy()
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
