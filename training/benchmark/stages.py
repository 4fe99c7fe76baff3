"""One run: every stage once a repeat, so that each ratio is of two figures of the same minute."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from analyzer import analyses, backfill, engines, versions
from analyzer.models import Analysis, QueueItem
from analyzer.schema import Task
from feedback import intake
from feedback.forms import FeedbackForm
from feedback.models import Feedback
from training.benchmark import cluster, comments, overhead, web
from training.benchmark.figures import Stages

# Whose submissions a run's are; a database with any others is no scratch database.
SOURCE: Final = "benchmark"
STAGES: Final = ("engine", "intake", "queue", "endpoint")
# Comments that wrk submits in turn.
SUBMITTED: Final = 4_000
# Items that each worker analyses before anything is measured.
WARM_UP: Final = 4
# Seconds of load before any of the web server is measured.
WEB_WARM_UP: Final = 2

CLASSIFIER: Final = "classifier, one by one"
CLASSIFIER_BATCH: Final = "classifier, in batches"
ROLLOUT: Final = "rollout"
ANALYSIS: Final = "analysis without a queue"
BATCH: Final = "the same, a batch judged at once"
INTAKE: Final = "intake over HTTP"
HEALTHZ: Final = "/healthz over HTTP"


class Run:
    """What is measured, and how large: items a repeat, workers to be tried, seconds of wrk, calls of the endpoint."""

    def __init__(
        self,
        *,
        items: int,
        workers: Sequence[int],
        seconds: int,
        calls: int,
        parts: Sequence[str],
        report: Callable[[str], object],
    ) -> None:
        self.stages = Stages()
        self.overhead: list[overhead.Sample] = []
        self.latency: list[tuple[float, float, float]] = []
        self.missing: list[str] = []
        self._items, self._workers, self._seconds, self._calls = items, workers, seconds, calls
        self._parts, self._report = parts, report
        self._comments = comments.synthetic()
        # The first call fits a version on an empty desk, which takes seconds.
        self.version = versions.active()
        self._spec = versions.cached_spec(self.version)

    def measure(self, repeats: int) -> None:
        """All repeats, on the database that is configured, which must be a scratch one: rows are added."""
        with ExitStack() as stack:
            server = self._start_web(stack) if "intake" in self._parts else None
            url = stack.enter_context(overhead.serve()) if "endpoint" in self._parts else ""
            for repeat in range(1, repeats + 1):
                self._report(f"repeat {repeat} of {repeats}")
                if "engine" in self._parts:
                    self._measure_engine()
                if server is not None:
                    self._measure_intake(server)
                if "queue" in self._parts:
                    for workers in self._workers:
                        self._measure_queue(workers)
                if url:
                    self.overhead.append(overhead.measure(self._spec, self._texts(self._calls), url=url))

    def _measure_engine(self) -> None:
        from analyzer import rollout

        texts = self._texts(self._items)
        tasks = [Task(id=str(number), comment=text) for number, text in enumerate(texts)]
        local = engines.local_of(self._spec)
        # What a process does once: import, tracer, weights.
        rollout.run(tasks[0], self._spec)
        self._time(CLASSIFIER, lambda: [local.predict(task) for task in tasks])
        self._time(CLASSIFIER_BATCH, lambda: local.predict_many(tasks), floor=CLASSIFIER)
        self._time(ROLLOUT, lambda: [rollout.run(task, self._spec) for task in tasks], floor=CLASSIFIER)
        keys = self._submit(self._items)
        self._time(ANALYSIS, lambda: [analyses.perform(key) for key in keys], floor=ROLLOUT)
        keys = self._submit(self._items)
        self._time(BATCH, lambda: list(backfill.run(keys, processes=1)), floor=ANALYSIS)

    def _measure_intake(self, server: web.Web) -> None:
        # Where no worker was heard of lately /healthz says so with an error.
        analyses.sweep()
        floor = server.load([], seconds=self._seconds)
        load = server.load(self._texts(SUBMITTED), seconds=self._seconds)
        self.stages.stage(HEALTHZ, unit="requests").add(n=floor.n, seconds=floor.seconds, cpu_seconds=floor.cpu_seconds)
        self.stages.stage(INTAKE, unit="requests", floor=HEALTHZ).add(
            n=load.n, seconds=load.seconds, cpu_seconds=load.cpu_seconds
        )
        self.latency.append((load.p50, load.p99, load.longest))
        cluster.empty_queue()
        # They were submitted to be counted; nobody waits for their analysis.
        QueueItem.objects.unfinished().update(stage=QueueItem.Stage.FAILED)
        Feedback.objects.filter(source="api").update(source=SOURCE)

    def _measure_queue(self, workers: int) -> None:
        signs, keys = self._submit(1), self._submit(self._items)
        park(signs + keys)
        warm_up = self._submit(WARM_UP * workers)
        with cluster.run(workers=workers) as running:
            running.perform([(cluster.ANALYSIS, str(key)) for key in warm_up])
            # The last one is an analysis: a no-op leaves nothing that says when it was done.
            calls: list[tuple[str, Any]] = [(cluster.NO_OP, number) for number in range(self._items)]
            release(signs)
            noops = running.perform([*calls, (cluster.ANALYSIS, str(signs[0]))])
            release(keys)
            done = running.perform([(cluster.ANALYSIS, str(key)) for key in keys])
        made = Analysis.objects.filter(feedback__in=keys).count()
        if made != self._items:
            raise RuntimeError(f"{self._items} items were queued, but {made} analyses were made.")
        floor = no_op(workers)
        self.stages.stage(floor).add(n=self._items, seconds=noops.seconds, cpu_seconds=noops.cpu_seconds)
        self.stages.stage(queued(workers), floor=floor).add(
            n=self._items, seconds=done.seconds, cpu_seconds=done.cpu_seconds
        )

    def _start_web(self, stack: ExitStack) -> web.Web | None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="triage-benchmark-")))
        try:
            server = stack.enter_context(web.run(folder))
        except web.NoWrk as error:
            self.missing.append(f"{INTAKE}: not measured, {error}")
            return None
        analyses.sweep()
        server.load([], seconds=WEB_WARM_UP)
        return server

    def _time(self, name: str, act: Callable[[], object], *, floor: str = "") -> None:
        cpu, clock = time.process_time(), time.perf_counter()
        act()
        self.stages.stage(name, floor=floor).add(
            n=self._items, seconds=time.perf_counter() - clock, cpu_seconds=time.process_time() - cpu
        )

    def _texts(self, count: int) -> list[str]:
        return list(islice(self._comments, count))

    def _submit(self, count: int) -> list[UUID]:
        """Items that wait for an analysis, and no task that would begin with them."""
        keys = [submit(comment) for comment in self._texts(count)]
        cluster.empty_queue()
        return keys


def submit(comment: str, **values: Any) -> UUID:
    """A submission as it comes in, marked as made up."""
    form = FeedbackForm({"comment": comment} | values)
    return intake.receive(form=form, source=SOURCE, synthetic=True).feedback.pk


def park(keys: Sequence[UUID]) -> None:
    """Keep items out of the sweeper's sight until their turn; release puts them back."""
    QueueItem.objects.filter(pk__in=keys).update(stage=QueueItem.Stage.FAILED)


def release(keys: Sequence[UUID]) -> None:
    QueueItem.objects.filter(pk__in=keys).update(stage=QueueItem.Stage.PENDING, queued_at=timezone.now())


def no_op(workers: int) -> str:
    return f"no-op task, {workers} worker{'s' * (workers > 1)}"


def queued(workers: int) -> str:
    return f"analysis task, {workers} worker{'s' * (workers > 1)}"
