"""A run as text: what was measured, how often, and what the figures are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from training.benchmark import stages
from training.benchmark.figures import Spread, Stages
from training.benchmark.overhead import Sample


def text(run: stages.Run, *, workers: Sequence[int]) -> str:
    parts = [
        _rates(run.stages),
        _growth(run.stages, workers),
        _made_of(run.stages, workers),
        _latency(run.latency),
        _overhead(run.overhead),
        run.missing,
    ]
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part)))


def as_dict(run: stages.Run) -> dict[str, Any]:
    """The run as JSON-ready values."""
    return {
        "stages": run.stages.as_dicts(),
        "overhead_ms": {
            "calls": sum(len(sample.bare) for sample in run.overhead),
            "repeats": len(run.overhead),
            **{name: spread.as_dict() for name, spread in _percentiles(run.overhead).items()},
        },
        "missing": run.missing,
    }


def _rates(measured: Stages) -> Iterator[str]:
    rows = [["stage", "n", "a second", "CPU ms each", "share of its floor's rate"]]
    for stage in measured:
        ratio = measured.ratio(stage.name, stage.floor)
        rows.append(
            [
                stage.name,
                f"{min(stage.n):,}",
                Spread.of(stage.rates).shown(0),
                Spread.of(stage.cpu_ms).shown(2) if stage.cpu_ms else "",
                f"{ratio.shown(2)} of {stage.floor}" if ratio else "",
            ]
        )
    return _aligned(rows) if len(rows) > 1 else iter(())


def _growth(measured: Stages, workers: Sequence[int]) -> Iterator[str]:
    first = workers[0]
    for more in workers[1:]:
        for name in (stages.queued, stages.no_op):
            if ratio := measured.ratio(name(more), name(first)):
                yield f"{name(more)}: {ratio.shown(2)} times the rate of {first}"


def _made_of(measured: Stages, workers: Sequence[int]) -> Iterator[str]:
    """What an analysis in the worker is made of, by CPU, which a busy machine stretches less than the clock."""
    task, floor = stages.queued(workers[0]), stages.no_op(workers[0])
    if task not in measured or stages.ROLLOUT not in measured:
        return
    whole, queue, rollout, engine = (
        Spread.of(measured[name].cpu_ms).median for name in (task, floor, stages.ROLLOUT, stages.CLASSIFIER)
    )
    parts = {
        "the queue (a no-op task)": queue,
        "the classifier": engine,
        "the rollout around it (runner, tracer, store, rules)": rollout - engine,
        "the database and the rest": whole - queue - rollout,
    }
    yield f"{task}: {whole:.1f} ms of CPU an item, of which"
    for name, part in parts.items():
        yield f"    {part:5.1f} ms {part / whole:4.0%}  {name}"


def _latency(latency: Sequence[tuple[float, float, float]]) -> Iterator[str]:
    if latency:
        p50, p99, longest = (Spread.of([one[place] for one in latency]) for place in range(3))
        yield (
            f"{stages.INTAKE}, under that load: p50 {p50.shown(1)} ms, p99 {p99.shown(1)} ms, "
            f"the longest {longest.shown(0)} ms"
        )


def _overhead(samples: Sequence[Sample]) -> Iterator[str]:
    if not samples:
        return
    figures = _percentiles(samples)
    calls = len(samples[0].bare)
    yield f"A call of a model, against a scripted endpoint that answers at once (no model), n = {calls} a repeat:"
    names = {
        "bare": "the bare openai call, ms",
        "rollout": "a rollout by the llm engine, ms",
        "added": "what the pipeline adds, pair by pair, ms",
    }
    rows = [["", "p50", "p99"]]
    rows += [[name, *(figures[f"{key}_{label}"].shown(1) for label in ("p50", "p99"))] for key, name in names.items()]
    yield from _aligned(rows)


def _percentiles(samples: Sequence[Sample]) -> dict[str, Spread]:
    found = [sample.as_dict() for sample in samples]
    return {name: Spread.of([one[name] for one in found]) for name in (found[0] if found else ())}


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *others = row
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others[:-1], widths[1:-1], strict=True)]
        yield "  ".join([*cells, others[-1] if others else ""]).rstrip()
