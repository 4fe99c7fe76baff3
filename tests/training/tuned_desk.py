"""What the tests of hosted fine-tuning begin with: a desk with decisions, a scripted API, and a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from analyzer import versions
from analyzer.engines import local
from tests.training import classroom
from tests.training.tuning_server import TuningServer
from training import runs, watch
from training.algorithms import Options, hosted
from training.models import TrainingRun


def furnish(by: User) -> None:
    """60 decisions, and an active version that asks a model; its local engine knows nothing."""
    classroom.decide(by, 60)
    ignorant = local.fit([local.LabelledText(f"{name} {name}", name, None) for name in classroom.CATEGORIES] * 2)
    made = versions.create(engine="llm", origin="test", weights=ignorant.to_bytes(), prompt="Sort it. {categories}")
    versions.activate(version=made, by=None)


@pytest.fixture
def untuned(ada: User, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Such a desk, and its settings. The waits of a real API are shortened; their order and bounds stay."""
    monkeypatch.setattr(hosted, "POLL", 0.01)
    monkeypatch.setattr(hosted, "PAUSE", 0.01)
    monkeypatch.setattr(watch, "LOOK", 0.02)
    furnish(ada)
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_MODEL, settings.OPENAI_API_KEY = True, "scripted-base", "sk-scripted"
    return settings


@pytest.fixture
def tuning(untuned: Any) -> Iterator[TuningServer]:
    """The API that this desk asks."""
    with TuningServer() as running:
        untuned.OPENAI_BASE_URL = running.url
        yield running


def tune(**changes: Any) -> tuple[TrainingRun, list[str]]:
    """A confirmed run, and what it told."""
    lines: list[str] = []
    given = {"confirm": lambda what: True} | {name: changes.pop(name) for name in ("confirm",) if name in changes}
    run = runs.execute(algorithm="hosted", options=Options(**changes), progress=lines.append, **given)
    return run, lines


def kept(run: TrainingRun) -> dict[str, Any]:
    facts: dict[str, Any] = TrainingRun.objects.get(pk=run.pk).metrics["hosted"]
    return facts
