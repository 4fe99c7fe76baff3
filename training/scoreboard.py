"""Candidate against active version on the same held-out items, as one table for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

ROWS: Final = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "mean_reward": "mean reward",
    "severity_recall": "recall on critical and high",
    "ece": "ECE (lower is better)",
}
NOTHING: Final = "–"


def text(metrics: dict[str, Any], gate: dict[str, Any]) -> str:
    """The table of a finished run: its metrics and gate, as its row stores them."""
    heads = ["", f"active (version {metrics['active']['version']})", "candidate", "difference", "n"]
    rows = [heads, *_rows(metrics, gate["deltas"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
    return "\n".join([*lines, "Brackets: 95 % bootstrap intervals; the difference is paired, on the same items."])


def _rows(metrics: dict[str, Any], deltas: dict[str, Any]) -> Iterator[list[str]]:
    for key, name in ROWS.items():
        active, candidate = metrics["active"]["intervals"][key], metrics["candidate"]["intervals"][key]
        yield [name, _figure(active), _figure(candidate), _figure(deltas[key], signed=True), str(active["n"])]


def _figure(figure: dict[str, Any], *, signed: bool = False) -> str:
    if figure["value"] is None:
        return NOTHING
    sign = "+" if signed else ""
    value, low, high = (format(figure[part], f"{sign}.3f") for part in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"
