"""The stress report as Markdown: every figure with its n, its data, the engine and version it is of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

SYNTHETIC = "synthetic comments"


def markdown(figures: dict[str, Any]) -> str:
    return "\n".join(_lines(figures)) + "\n"


def _lines(figures: dict[str, Any]) -> Iterator[str]:
    told = figures["machine"]
    engine = f"{told['engine']} engine" + (f", model {figures['model']}" if figures["model"] else "")
    yield "# Stress report"
    yield ""
    yield (
        f"Desk {told['desk']}, version {told['version']}, {engine}; {told['database']}; {told['system']}, "
        f"{told['cores']} cores, Python {told['python']}; {told['load_before']} processes wanted a core before this "
        "began. Written by `benchmark_analyzer --report`."
    )
    yield ""
    yield "| figure | value | n | data |"
    yield "|---|---|---|---|"
    for figure, value, n, data in (*_time(figures), *_memory(figures), *_accuracy(figures), *_constancy(figures)):
        yield f"| {figure} | {value} | {n} | {data} |"
    yield ""
    yield from _faults(figures["faults"])


def _time(figures: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    taken = figures["time"]
    value = f"median {taken['median_ms']:.1f} ms, p95 {taken['p95_ms']:.1f}, p99 {taken['p99_ms']:.1f}"
    answered = ", ".join(f"{count} by {engine}" for engine, count in figures["answered"].items())
    yield "analysis time, claim to commit, one process", value, f"{taken['n']:,} ({answered})", SYNTHETIC


def _memory(figures: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    memory = figures["memory"]
    value = (
        f"{memory['start_mib']:.0f} MiB at the start, {memory['warm_mib']:.0f} once the agent is loaded, "
        f"{memory['growth_mib_per_1000']:+.1f} for each 1,000 analyses after that"
    )
    yield "memory of the analysing process (RSS)", value, f"{memory['n']:,}", SYNTHETIC


def _accuracy(figures: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    found = figures["accuracy"]
    if found is None:
        yield "category accuracy", "not measured: name a labelled file with --dataset", "0", "–"
        return
    data = found["data"] + (f", split {found['split']}" if found["split"] else "") + f", digest {found['digest']}"
    for name, figure in (("category accuracy", found["accuracy"]), ("category macro-F1", found["macro_f1"])):
        yield name, f"{figure['value']:.3f} (95 % {figure['low']:.3f}–{figure['high']:.3f})", f"{found['n']:,}", data


def _constancy(figures: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    found = figures["constancy"]
    value = (
        f"the same verdict in {found['same_verdict']:.0%} of the items, the same reward in {found['same_reward']:.0%}, "
        f"rewards at most {found['largest_difference']:.3f} apart"
    )
    yield (
        "reward consistency, the same item again",
        value,
        f"{found['n']} items, {found['times']} times each",
        SYNTHETIC,
    )


def _faults(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield (
        "Error handling: a scripted endpoint (no model) that misbehaves, asked by the llm engine with a timeout of "
        f"1 s; {SYNTHETIC}. Between any two faults there is a good answer, so that the circuit breaker stays closed."
    )
    yield ""
    yield "| what the endpoint does | n | stored | lost | by the model | by the local engine | reason shown to staff |"
    yield "|---|---|---|---|---|---|---|"
    total = {name: sum(row[name] for row in rows) for name in ("n", "stored", "lost", "by_model", "by_fallback")}
    for row in [*rows, {"way": "all", "reasons": {}} | total]:
        n = row["n"]
        shares = (f"{row[name]} ({row[name] / n:.0%})" for name in ("stored", "lost", "by_model", "by_fallback"))
        yield f"| {row['way']} | {n} | {' | '.join(shares)} | {', '.join(row['reasons'])} |"
