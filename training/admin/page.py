"""The page of one run: everything it found, ready for its template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from analyzer.admin.rows import CATEGORY_NAMES, SEVERITY_LABELS
from analyzer.models import AnalyzerVersion, Review
from analyzer.taxonomy import Category
from feedback.admin_base import moment
from training import charts, curves, evidence, prompt_diff
from training.admin import story
from training.charts import Chart, Measure
from training.figures import NOTHING, Figure, finite, percent, signed
from training.models import TrainingRun

PARTS: Final = {
    "train": "to learn from",
    "validation": "to choose with",
    "test": "to examine on",
    "left_out": "left out",
}
HEADLINE: Final = {
    "accuracy": "Right category",
    "macro_f1": "Macro-F1",
    "mean_reward": "Mean reward",
    "severity_recall": "Critical and high found",
    "coverage_0.90": "Coverage at 90 % right",
    "coverage_0.95": "Coverage at 95 % right",
    "ece": "ECE (less is better)",
}


@dataclass(frozen=True, slots=True)
class PerClass:
    """One category with n held-out items, as the candidate finds it, and what the F1 of the active version was."""

    label: str
    n: int
    precision: str
    recall: str
    f1: Figure
    active_f1: str
    delta: Figure


@dataclass(frozen=True, slots=True)
class Counts:
    """One label of the data set with how many there are in each part."""

    label: str
    cells: tuple[str, ...]


def context(run: TrainingRun, *, active: AnalyzerVersion | None, may_promote: bool) -> dict[str, Any]:
    """What the template of a run's page needs; costs no query beyond the rows that are given."""
    candidate = run.candidate
    names = (
        f"candidate v{candidate.number}" if candidate else "candidate",
        f"v{run.active.number}, active then" if run.active else "active version",
    )
    report = _report(run, evidence.CANDIDATE)
    return {
        "run": run,
        "running": run.status == TrainingRun.Status.RUNNING,
        "badges": story.badges(run),
        "headline": story.headline(run),
        "reasons": story.reasons(run),
        "duration": story.duration(run),
        "passed": story.passed(run),
        "judged": "promote" in run.gate,
        "may_promote": may_promote and candidate is not None and (active is None or candidate.pk != active.pk),
        "overtaken": active if active and run.active_id != active.pk and candidate != active else None,
        "names": names,
        "classes": classes(run),
        "comparison": charts.comparison(measures(run), names=names),
        "charts": [
            *curves.drawn(run.metrics.get("finetune") or {}),
            *([charts.learning_curve(run.curve)] if run.curve or report else []),
            *(report_charts(report) if report else []),
        ],
        "parts": list(PARTS.values()),
        "dataset": dataset(run.dataset),
        "validation": validation(run),
        "parameters": _words(run.parameters),
        "usage": _words(run.usage) if any(run.usage.values()) else {},
        "diff": prompt_diff.lines(run.active.prompt, candidate.prompt) if candidate and run.active else [],
        "asks_model": bool(candidate and candidate.engine != AnalyzerVersion.Engine.LOCAL),
        "promotion": run.metrics.get("promotion"),
    }


def report_charts(report: Mapping[str, Any]) -> list[Chart]:
    """The drawings of one report."""
    intervals = report.get("intervals") or {}
    return [
        charts.reliability(report.get("reliability") or (), intervals.get("ece")),
        charts.confusion(report.get("confusion") or {}),
        charts.coverage(report.get("coverage_curve") or (), report.get("coverage") or {}, intervals),
    ]


def figures(report: Mapping[str, Any]) -> list[tuple[str, Figure]]:
    """The headline figures of one report, those that something speaks for."""
    found = [(label, evidence.figure(report, name)) for name, label in HEADLINE.items()]
    return [(label, figure) for label, figure in found if figure.value is not None]


def measures(run: TrainingRun) -> list[Measure]:
    """The headline figures, those that neither version has left out."""
    deltas = run.gate.get("deltas") or {}
    report, old = _report(run, evidence.CANDIDATE), _report(run, evidence.ACTIVE)
    found = [
        Measure(
            label,
            evidence.figure(report, name),
            evidence.figure(old, name),
            Figure.of(deltas.get(name)),
            share=name != "ece",
        )
        for name, label in HEADLINE.items()
    ]
    return [measure for measure in found if measure.candidate.value is not None or measure.active.value is not None]


def classes(run: TrainingRun) -> list[PerClass]:
    """The categories that people used on the held-out items, as the candidate finds them."""
    report, old = _report(run, evidence.CANDIDATE), _report(run, evidence.ACTIVE)
    deltas = (run.gate.get("deltas") or {}).get("per_class") or {}
    intervals = (report.get("intervals") or {}).get("per_class") or {}
    before = old.get("per_class") or {}
    return [
        PerClass(
            CATEGORY_NAMES.get(category, category),
            int(found.get("n") or 0),
            percent(finite(found.get("precision"))),
            percent(finite(found.get("recall"))),
            Figure.of((intervals.get(category) or {}).get("f1")),
            percent(finite((before.get(category) or {}).get("f1"))),
            Figure.of((deltas.get(category) or {}).get("f1")),
        )
        for category, found in (report.get("per_class") or {}).items()
        if found.get("n")
    ]


def dataset(summary: Mapping[str, Any]) -> list[tuple[str, list[Counts]]]:
    """The data set in tables: totals and cut times, categories, severities, provenance."""
    if not summary.get("n"):
        return []
    from_ = summary.get("from") or {}
    totals = [
        Counts("decisions", tuple(_count((summary.get("n") or {}).get(part)) for part in PARTS)),
        Counts("received from", tuple(_time(from_.get(part)) for part in PARTS)),
    ]
    labels = {str(category): CATEGORY_NAMES[category] for category in Category}
    provenance = dict(Review.Provenance.choices)
    return [
        ("", totals),
        ("Category", _counted(summary.get("classes") or {}, labels)),
        ("Severity", _counted(summary.get("severities") or {}, SEVERITY_LABELS)),
        ("How it was decided", _counted(summary.get("provenance") or {}, provenance)),
    ]


def validation(run: TrainingRun) -> list[tuple[str, str, str, str, str]]:
    """Per algorithm that was tried: mean reward and gain on validation items, n, and what else it noted."""
    rows = []
    for name, found in (run.metrics.get("validation") or {}).items():
        if not isinstance(found, Mapping):
            continue
        reward, change = finite(found.get("reward")), finite(found.get("gain"))
        notes = [
            f"{key} {value}"
            for key, value in found.items()
            if key not in ("reward", "n", "gain", "tried") and isinstance(value, str | int | float)
        ]
        rows.append(
            (
                name,
                percent(reward),
                NOTHING if change is None else signed(change),
                _count(found.get("n")),
                "; ".join(notes),
            )
        )
    return rows


def _report(run: TrainingRun, role: str) -> Mapping[str, Any]:
    found = run.metrics.get(role)
    return found if isinstance(found, Mapping) else {}


def _counted(by_part: Mapping[str, Mapping[str, int]], labels: Mapping[str, str]) -> list[Counts]:
    used = {label for counts in by_part.values() for label in counts}
    ordered = [*(label for label in labels if label in used), *sorted(used - set(labels))]
    return [
        Counts(
            labels.get(label, label),
            tuple(_count(by_part[part].get(label, 0)) if part in by_part else "" for part in PARTS),
        )
        for label in ordered
    ]


def _words(record: Mapping[str, Any]) -> dict[str, Any]:
    """A flat record as staff read it; what was left to the default is left out."""
    spoken = {True: "yes", False: "no"}
    return {
        name.replace("_", " "): spoken[value] if isinstance(value, bool) else value
        for name, value in record.items()
        if value is not None
    }


def _count(value: Any) -> str:
    number = finite(value)
    return NOTHING if number is None else f"{number:,.0f}"


def _time(stored: Any) -> str:
    return moment(datetime.fromisoformat(stored)) if stored else ""
