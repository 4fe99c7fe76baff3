"""What is known of a version from held-out items, and which run measured it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from analyzer.models import AnalyzerVersion
from training.figures import Figure
from training.models import TrainingRun

CANDIDATE: Final = "candidate"
ACTIVE: Final = "active"
# Runs to look through for one that measured a version; those that failed have measured nothing.
LOOKED_THROUGH: Final = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """A report on a version, and the run that made it; role is what the version was in that run."""

    run: TrainingRun
    role: str
    report: Mapping[str, Any]

    @property
    def accuracy(self) -> Figure:
        return figure(self.report, "accuracy")


def of(version: AnalyzerVersion) -> Evidence | None:
    """The run that made a version, else the newest that compared a candidate with it. Two queries at most."""
    runs = TrainingRun.objects.filter(status=TrainingRun.Status.FINISHED).defer("log", "curve")
    for role in (CANDIDATE, ACTIVE):
        for run in runs.filter(**{role: version}).order_by("-number")[:LOOKED_THROUGH]:
            report = run.metrics.get(role)
            if figure(report, "accuracy").value is not None:
                return Evidence(run, role, report)
    return None


def figure(report: Mapping[str, Any] | None, name: str) -> Figure:
    """A figure of a stored report with its interval."""
    return Figure.of(((report or {}).get("intervals") or {}).get(name))
