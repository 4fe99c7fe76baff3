"""Hosted runs whose process is gone while their job may go on: found, and their data set put together again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from analyzer import versions
from analyzer.models import AnalyzerVersion
from training import dataset
from training.algorithms import HOSTED, Lesson
from training.dataset import Dataset, Example
from training.models import TrainingRun

if TYPE_CHECKING:
    from training.hosted.shipment import Shipment

# States in which there is nothing at the API: nothing was sent, the job has ended, was never started, is not known.
OVER: Final = frozenset({"", "succeeded", "failed", "cancelled", "none", "gone"})
# States that a run can still be resumed from: also one whose model is there, but was never compared.
RESUMABLE: Final = (TrainingRun.Status.FAILED, TrainingRun.Status.STOPPED)
LOOKED_THROUGH: Final = 20


def newest() -> TrainingRun | None:
    """The newest run whose job may still be going on, or whose uploads may still be stored."""
    return next((run for run in _ended() if facts(run).get("state", "") not in OVER), None)


def resumable(number: int | None) -> TrainingRun | None:
    """The run with this number, else the newest with something left to do; None when there is none such."""
    for run in _ended():
        state, model = facts(run).get("state", ""), facts(run).get("model")
        if run.number == number if number is not None else state not in OVER or model:
            return run if state else None
    return None


def facts(run: TrainingRun) -> dict[str, Any]:
    """What a run kept of its job."""
    return dict(run.metrics.get(HOSTED) or {})


def kept_back(data: Dataset) -> dict[str, list[str]]:
    """Which items a run must not learn from, by id: what an examination after a restart is made of."""
    return {name: [one.feedback_id for one in part] for name, part in data.splits().items() if name != "train"}


def equipped(lesson: Lesson, run: TrainingRun, cargo: Shipment | None) -> Lesson:
    """A lesson with what hosted needs beside: what was confirmed, or what a run that goes on knows of its job."""
    more = replace(lesson, shipment=cargo, number=run.number, mark=str(run.pk))
    if cargo is not None:
        return more
    known = facts(run)
    taught = AnalyzerVersion.objects.filter(number=known.get("version", 0)).first()
    return replace(more, resumed=known, taught=versions.spec(taught) if taught else None)


def dataset_of(run: TrainingRun) -> Dataset:
    """A run's data set as far as it is still there. What was held out then is held out now, with today's decisions.

    What was decided since is left out: its near-copies may have been held out. Raises TooLittle.
    """
    ids = facts(run).get("held_out") or {}
    examples = dataset.collect()
    parts = {name: _among(examples, ids.get(name, ())) for name in ("validation", "test")}
    if len(parts["test"]) < dataset.MINIMUM_TO_EXAMINE or not parts["validation"]:
        raise dataset.TooLittle(
            f"Of the items that run {run.number} held out, {len(parts['test'])} are still decided: too few to examine "
            "its model on. Train anew."
        )
    out = {one.group for part in parts.values() for one in part}
    train = [
        one
        for one in examples
        if one.group not in out and one.decided_at is not None and one.decided_at < run.started_at
    ]
    return Dataset(
        train=tuple(train),
        validation=tuple(parts["validation"]),
        test=tuple(parts["test"]),
        left_out=(),
        digest=str(run.dataset["digest"]),
        summary=run.dataset,
    )


def _among(examples: Iterable[Example], ids: Iterable[str]) -> list[Example]:
    wanted = set(ids)
    return [one for one in examples if one.feedback_id in wanted]


def _ended() -> list[TrainingRun]:
    runs = TrainingRun.objects.filter(algorithm=HOSTED, status__in=RESUMABLE)
    return list(runs.select_related("active").defer("log", "active__weights").order_by("-number")[:LOOKED_THROUGH])
