"""What was measured, as Markdown: medians in milliseconds by number of rows, and how they grow from first to last."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any, Final

FILTER: Final = "filter: "


def merge(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Samples of several rounds and sizes by stage: every millisecond by size, queries and bytes at the largest."""
    stages: dict[str, dict[str, Any]] = {}
    for part in parts:
        for sample in part["samples"]:
            stage = stages.setdefault(sample["name"], {"name": sample["name"], "queries": 0, "bytes": 0, "ms": {}})
            stage["queries"], stage["bytes"] = sample["queries"], sample["bytes"]
            stage["ms"].setdefault(part["size"], []).extend(sample["ms"])
    return list(stages.values())


def markdown(stages: Sequence[dict[str, Any]], sizes: Sequence[int]) -> str:
    """Two tables: pages and tasks, and each choice of each filter."""
    pages = [stage for stage in stages if not stage["name"].startswith(FILTER)]
    filters = [stage for stage in stages if stage["name"].startswith(FILTER)]
    return "\n\n".join("\n".join(_table(part, sizes)) for part in (pages, filters) if part)


def training(parts: Sequence[dict[str, Any]]) -> str:
    """The data set of each size, measured once each."""
    lines = [
        "| rows | decisions | read, s | near-copies grouped, s | split, s | peak memory, MiB |",
        "|---|---|---|---|---|---|",
    ]
    for part in parts:
        figures = (part["read"], part["grouped"], part["split"])
        seconds = " | ".join(f"{figure:.1f}" for figure in figures)
        lines.append(f"| {part['size']:,} | {part['examples']:,} | {seconds} | {part['peak_mib']:.0f} |")
    return "\n".join(lines)


def _table(stages: Sequence[dict[str, Any]], sizes: Sequence[int]) -> Iterator[str]:
    growth = f"× from {sizes[0]:,} to {sizes[-1]:,}"
    head = ["", "queries", "kB", *(f"{size:,} rows" for size in sizes), growth]
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for stage in stages:
        name = stage["name"].removeprefix(FILTER)
        times = [stage["ms"][size] for size in sizes]
        ratio = statistics.median(times[-1]) / statistics.median(times[0])
        sent = f"{stage['bytes'] / 1000:.0f}" if stage["bytes"] else ""
        cells = [name, str(stage["queries"]), sent, *map(_cell, times), f"{ratio:.1f}"]
        yield f"| {' | '.join(cells)} |"


def _cell(ms: Sequence[float]) -> str:
    """The median, and the least and most of all repeats."""
    return f"{_short(statistics.median(ms))} ({_short(min(ms))}–{_short(max(ms))})"


def _short(ms: float) -> str:
    return f"{ms:.1f}" if ms < 10 else f"{ms:.0f}"
