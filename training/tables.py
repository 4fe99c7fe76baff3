"""Reports as text for a terminal: every figure with its interval and n."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from training.evaluation import BINS, CATEGORIES, PRECISIONS, Report

NOTHING: Final = "–"


def text(report: Report) -> str:
    """The whole report: headline, per category, confusion."""
    return "\n\n".join("\n".join(part) for part in (_headline(report), _per_class(report), _confusion(report)))


def _headline(report: Report) -> Iterator[str]:
    intervals = report.intervals
    rows = [
        _row("accuracy", intervals["accuracy"]),
        _row("macro-F1", intervals["macro_f1"]),
        _row("mean reward", intervals["mean_reward"]),
        _row("recall on critical and high", intervals["severity_recall"], "" if _judged(report) else "no such label"),
        _row(f"ECE, {BINS} bins of equal mass", intervals["ece"], f"{intervals['ece']['chance']:.3f} by chance alone"),
    ]
    for target in PRECISIONS:
        point = report.coverage[f"{target:.2f}"]
        note = f"{point['n']} items from confidence {point['threshold']:.2f}" if point["n"] else "not reached"
        rows.append(_row(f"coverage at {target:.0%} precision", intervals[f"coverage_{target:.2f}"], note))
    figures = _aligned([["", "value", "95 % interval", "n"], *(row for row, _ in rows)])
    yield from (
        f"{line}  {note}".rstrip() for line, note in zip(figures, ["", *(note for _, note in rows)], strict=True)
    )
    yield "The confidence for a coverage is chosen on these same items, which flatters it a little."


def _per_class(report: Report) -> Iterator[str]:
    rows = [["category", "n", "precision", "recall", "F1", "95 % interval of F1"]]
    for category in CATEGORIES:
        figures, f1 = report.per_class[category], report.intervals["per_class"][category]["f1"]
        numbers = (_number(figures[part]) for part in ("precision", "recall", "f1"))
        rows.append([category, str(figures["n"]), *numbers, _span(f1)])
    return _aligned(rows)


def _confusion(report: Report) -> Iterator[str]:
    yield "What people said (rows) and what the machine said (columns):"
    rows = [["", *CATEGORIES]]
    rows += [[truth, *(str(count or ".") for count in report.confusion[truth].values())] for truth in CATEGORIES]
    yield from _aligned(rows)


def _row(name: str, figure: dict[str, Any], note: str = "") -> tuple[list[str], str]:
    return [name, _number(figure["value"]), _span(figure), str(figure["n"])], note


def _judged(report: Report) -> bool:
    return bool(report.intervals["severity_recall"]["n"])


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"


def _span(figure: dict[str, Any]) -> str:
    return NOTHING if figure["value"] is None else f"{figure['low']:.3f} to {figure['high']:.3f}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns of one width, the first to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        padded = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join((row[0].ljust(widths[0]), *padded[1:])).rstrip()
