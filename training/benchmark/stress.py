"""Five figures that say how an analyzer bears up: time, memory, accuracy, constancy, and what faults do to it."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psutil

from analyzer import analyses, rewards, versions
from analyzer.models import Analysis, AnalyzerVersion, QueueItem
from analyzer.schema import Task
from training.benchmark import comments, endpoint, machine
from training.benchmark.figures import percentile
from training.benchmark.stages import submit

# Of the items whose analysis is repeated, and how often each.
REPEATED_ITEMS: Final = 20
TIMES: Final = 5
# The first analyses load the engine and fill caches; memory and time are looked at after them.
WARM_UP: Final = 20


def measure(*, items: int, dataset: Path | None, split: str | None) -> dict[str, Any]:
    """Time, memory, accuracy and constancy of the active version, as JSON-ready values."""
    told = machine.Machine()
    process = psutil.Process()
    started = process.memory_info().rss
    version = versions.active()
    texts = list(islice(comments.synthetic(), WARM_UP + items))
    keys = [submit(text) for text in texts]
    for key in keys[:WARM_UP]:
        analyses.perform(key)
    warm = process.memory_info().rss
    milliseconds = [_perform(key) for key in keys[WARM_UP:]]
    grown = process.memory_info().rss - warm
    return {
        "machine": told.as_dict(version),
        "model": versions.cached_spec(version).model,
        "answered": _answered(keys[WARM_UP:]),
        "time": {
            "n": items,
            "median_ms": statistics.median(milliseconds),
            "p95_ms": percentile(milliseconds, 0.95),
            "p99_ms": percentile(milliseconds, 0.99),
        },
        "memory": {
            "n": items,
            "start_mib": started / 2**20,
            "warm_mib": warm / 2**20,
            "growth_mib_per_1000": grown / 2**20 / items * 1000,
        },
        "accuracy": _accuracy(version, dataset, split) if dataset else None,
        "constancy": _constancy(version, texts[:REPEATED_ITEMS]),
    }


def measure_faults(*, each: int) -> list[dict[str, Any]]:
    """What becomes of items whose endpoint misbehaves in each of the scripted ways, with a good answer after each.

    The settings must name the scripted endpoint and the llm engine. A row for each way; the last one is of the items
    in between, whose answers were good.
    """
    asked: dict[str, list[UUID]] = {way: [] for way in (*endpoint.WAYS, "none")}
    texts = comments.synthetic()
    for _ in range(each):
        for way in endpoint.WAYS:
            # With nothing but faults the circuit breaker would leave the endpoint alone, and the ways unseen.
            for name, page in ((way, f"/scripted/{way}"), ("none", "/checkout")):
                key = submit(next(texts), page=page)
                analyses.perform(key)
                asked[name].append(key)
    return [{"way": way, "n": len(keys)} | _fates(keys) for way, keys in asked.items()]


def _perform(key: UUID) -> float:
    started = time.perf_counter()
    if not analyses.perform(key):
        raise RuntimeError(f"Item {key} was not analysed: {QueueItem.objects.get(pk=key).error}")
    return (time.perf_counter() - started) * 1000


def _answered(keys: Sequence[UUID]) -> dict[str, int]:
    """Analyses by the engine that answered in the end."""
    return dict(Counter(Analysis.objects.filter(feedback__in=keys).values_list("engine", flat=True)))


def _fates(keys: Sequence[UUID]) -> dict[str, Any]:
    found = list(Analysis.objects.filter(feedback__in=keys).values_list("feedback", "engine", "fallback_reason"))
    kinds = Counter(reason.partition(":")[0] for _, _, reason in found if reason)
    return {
        "stored": len(found),
        "lost": len(keys) - len({key for key, _, _ in found}),
        "by_model": sum(engine == "llm" for _, engine, _ in found),
        "by_fallback": sum(bool(reason) for _, _, reason in found),
        "reasons": dict(kinds),
    }


def _accuracy(version: AnalyzerVersion, dataset: Path, split: str | None) -> dict[str, Any]:
    from training import evaluation, jsonl

    examples = jsonl.read(dataset, split=split)
    spec = versions.cached_spec(version)
    report = evaluation.evaluate(examples, evaluation.predict(spec, examples), version=version.number)
    return {
        "data": dataset.name,
        "split": split or "",
        "digest": hashlib.sha256(dataset.read_bytes()).hexdigest()[:12],
        "n": report.n,
        "accuracy": report.intervals["accuracy"],
        "macro_f1": report.intervals["macro_f1"],
    }


def _constancy(version: AnalyzerVersion, texts: Sequence[str]) -> dict[str, Any]:
    """Whether the same item gets the same verdict and the same reward each time it is analysed."""
    from analyzer import rollout

    spec = versions.cached_spec(version)
    decision: rewards.Judged = {"category": "website-bug", "severity": "high", "priority": 60}
    same_verdict, same_reward, apart = 0, 0, 0.0
    for number, text in enumerate(texts):
        task = Task(id=str(number), comment=text, decision=dict(decision))
        outcomes = [rollout.run(task, spec) for _ in range(TIMES)]
        verdicts = {outcome.verdict.model_dump_json(exclude={"usage"}) for outcome in outcomes}
        totals = [outcome.reward["total"] for outcome in outcomes]
        same_verdict += len(verdicts) == 1
        same_reward += len(set(totals)) == 1
        apart = max(apart, max(totals) - min(totals))
    n = len(texts)
    return {
        "n": n,
        "times": TIMES,
        "same_verdict": same_verdict / n,
        "same_reward": same_reward / n,
        "largest_difference": apart,
    }
