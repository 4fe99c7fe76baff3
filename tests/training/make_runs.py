"""Training runs with real reports, for the tests of what staff see: figures come from the evaluation itself."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
from django.utils import timezone

from analyzer import versions
from analyzer.models import AnalyzerVersion
from tests.training import desk
from training import evaluation, gate
from training.models import TrainingRun

N = 120
DATASET = {
    "digest": "ab" * 32,
    "shares": {"train": 0.65, "validation": 0.15, "test": 0.2},
    "n": {"train": 390, "validation": 90, "test": N, "left_out": 4},
    "groups": 601,
    "from": {
        "train": "2026-03-02T00:00:00+00:00",
        "validation": "2026-04-10T09:30:00+00:00",
        "test": "2026-05-01T12:00:00+00:00",
    },
    "classes": {"train": {"website-bug": 200, "noise": 190}, "validation": {"noise": 90}, "test": {"noise": N}},
    "severities": {"train": {"high": 30}, "validation": {}, "test": {}},
    "provenance": {
        "train": {"imported": 300, "validated": 90},
        "validation": {"overridden": 90},
        "test": {"validated": N},
        "left_out": {"bulk": 4},
    },
}
CURVE = [
    {"n": 0, "accuracy": 0.52, "low": 0.44, "high": 0.6, "macro_f1": 0.5, "items": 90},
    {"n": 50, "accuracy": 0.61, "low": 0.54, "high": 0.69, "macro_f1": 0.6, "items": 90},
    {"n": 100, "accuracy": 0.7, "low": 0.63, "high": 0.77, "macro_f1": 0.69, "items": 90},
    {"n": 200, "accuracy": 0.78, "low": 0.71, "high": 0.84, "macro_f1": 0.77, "items": 90},
    {"n": 390, "accuracy": 0.82, "low": 0.76, "high": 0.88, "macro_f1": 0.81, "items": 90},
]


def version(**values: Any) -> AnalyzerVersion:
    """A version with weights, so that it can be activated."""
    return versions.create(**({"engine": "local", "origin": "local", "weights": os.urandom(8)} | values))


def active() -> AnalyzerVersion:
    """The active version, made if there is none."""
    found = AnalyzerVersion.objects.filter(status="active").first()
    return found or versions.activate(version=version(origin="cold-start"), by=None)


@cache
def judged(better: bool = True) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Reports of a candidate and an active version on the same items, and the gate's word; read, never changed."""
    rng = np.random.default_rng(7)
    items = desk.examples(N, rng, severity="high")
    weak = _machine(items, rng, right=0.6)
    strong = _machine(items, rng, right=0.85)
    candidate, active = (strong, weak) if better else (weak, strong)
    return (
        evaluation.evaluate(items, candidate, version="candidate", resamples=100).as_dict(),
        evaluation.evaluate(items, active, version=1, resamples=100).as_dict(),
        gate.judge(items, active, candidate, resamples=200).as_dict(),
    )


def run(*, better: bool = True, **values: Any) -> TrainingRun:
    """A finished run: its candidate is better than the active version by more than noise, or worse."""
    report, old, word = judged(better)
    before = active()
    now = timezone.now()
    number = (TrainingRun.objects.order_by("-number").values_list("number", flat=True).first() or 0) + 1
    return TrainingRun.objects.create(
        **(
            {
                "number": number,
                "algorithm": "local",
                "status": "finished",
                "outcome": "proposed" if better else "no-change",
                "started_at": now - timedelta(minutes=3, seconds=20),
                "finished_at": now,
                "parameters": {"seed": 0, "minimum": 50, "few_shot": True, "rollouts": None},
                "dataset": DATASET,
                "metrics": {
                    "candidate": report,
                    "active": old,
                    "validation": {"local": {"reward": 0.81, "n": 90, "gain": 0.2, "setting": "no synthetic examples"}},
                },
                "gate": word,
                "curve": CURVE,
                "log": "12:00:00 local begins\n",
                "candidate": values["candidate"] if "candidate" in values else version(parent=before),
                "active": before,
            }
            | values
        )
    )


def running(**values: Any) -> TrainingRun:
    """A run that goes on in this very process, before it has found anything."""
    here = {"host": socket.gethostname(), "pid": os.getpid()}
    empty = {"outcome": "", "metrics": {}, "gate": {}, "curve": [], "candidate": None, "finished_at": None}
    return run(**({"status": "running"} | here | empty | values))


def _machine(items: list[Any], rng: np.random.Generator, *, right: float) -> list[Any]:
    """Right more often where it is surer, so that every drawing has a shape."""
    verdicts = []
    for item in items:
        confidence = float(rng.beta(5, 5 * (1 - right) / right))
        said = item.category if rng.random() < confidence else str(rng.choice(desk.CATEGORIES))
        severity = "high" if rng.random() < right else "low"
        verdicts.append(desk.verdict(said, confidence=confidence, severity=severity))
    return verdicts
