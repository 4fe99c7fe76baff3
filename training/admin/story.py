"""A run in words: how it stands, what came of it and why, how long it took."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone

from analyzer.admin.badges import DANGER, INFO, QUIET, WARNING, Badge
from feedback.admin_base import moment
from training.evidence import figure
from training.figures import NOTHING, Figure
from training.models import TrainingRun

GOOD: Final = "active"
_STATES: Final = {
    TrainingRun.Status.RUNNING: Badge("running", INFO),
    TrainingRun.Status.FAILED: Badge("failed", DANGER),
    TrainingRun.Status.STOPPED: Badge("stopped", WARNING),
    TrainingRun.Status.FINISHED: Badge("finished", QUIET),
}
_OUTCOMES: Final = {
    TrainingRun.Outcome.PROMOTED: Badge("promoted", GOOD),
    TrainingRun.Outcome.PROPOSED: Badge("passed the gate", INFO),
    TrainingRun.Outcome.NO_CHANGE: Badge("no change", "plain"),
}


def badges(run: TrainingRun) -> list[Badge]:
    """How it ended, and what came of it; that it finished need not be said beside an outcome."""
    found = [_OUTCOMES[TrainingRun.Outcome(run.outcome)]] if run.outcome else []
    if not found or run.status != TrainingRun.Status.FINISHED:
        found.insert(0, _STATES[TrainingRun.Status(run.status)])
    return found


def headline(run: TrainingRun) -> str:
    """What came of a run, in one line."""
    if run.outcome == TrainingRun.Outcome.PROMOTED:
        how = "past the gate" if forced(run) else "after it passed the gate"
        approved = f" on {moment(run.approved_at)}" if run.approved_at else ""
        return f"Promoted {how} by {run.approved_by or 'the desk itself'}{approved}"
    return {
        TrainingRun.Status.RUNNING: "Still running",
        TrainingRun.Status.FAILED: "Failed: nothing was changed",
        TrainingRun.Status.STOPPED: "Stopped before the end: nothing was changed",
        TrainingRun.Status.FINISHED: (
            "Passed the gate: a manager may promote it"
            if run.outcome == TrainingRun.Outcome.PROPOSED
            else "No change: the candidate did not pass the gate"
        ),
    }[TrainingRun.Status(run.status)]


def reasons(run: TrainingRun) -> list[str]:
    """Why, in whole sentences."""
    said = [str(reason) for reason in run.gate.get("reasons") or ()]
    return [*([run.error] if run.error else []), *said]


def forced(run: TrainingRun) -> bool:
    """Whether somebody promoted it past the gate."""
    return bool((run.metrics.get("promotion") or {}).get("forced"))


def passed(run: TrainingRun) -> bool:
    return bool(run.gate.get("promote"))


def duration(run: TrainingRun) -> str:
    """How long it took, or has taken so far."""
    return lasting((run.finished_at or timezone.now()) - run.started_at)


def lasting(time: timedelta) -> str:
    """A duration in its two largest units."""
    seconds = max(0, round(time.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def sizes(run: TrainingRun) -> str:
    """How many decisions it learned from, chose with and was examined on."""
    n = run.dataset.get("n") or {}
    parts = [n.get(name) for name in ("train", "validation", "test")]
    return " / ".join(NOTHING if part is None else f"{part:,}" for part in parts)


def gain(run: TrainingRun) -> tuple[Figure, Figure]:
    """The candidate's accuracy, and by how much it is above that of the active version."""
    deltas = run.gate.get("deltas") or {}
    return figure(run.metrics.get("candidate"), "accuracy"), Figure.of(deltas.get("accuracy"))
