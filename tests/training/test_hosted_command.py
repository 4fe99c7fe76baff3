"""train_analyzer --algorithm hosted asks at the terminal before anything leaves, and refuses where there is none."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from analyzer import versions
from analyzer.engines import local
from tests.training import classroom
from tests.training.tuning_server import TuningServer
from training import watch
from training.algorithms import hosted
from training.models import TrainingRun

pytestmark = pytest.mark.django_db


class Terminal(io.StringIO):
    """A standard input that somebody sits at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def server(ada: User, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[TuningServer]:
    monkeypatch.setattr(hosted, "POLL", 0.01)
    monkeypatch.setattr(watch, "LOOK", 0.02)
    classroom.decide(ada, 60)
    ignorant = local.fit([local.LabelledText(f"{name} {name}", name, None) for name in classroom.CATEGORIES] * 2)
    settings.TRIAGE_ENDPOINT, settings.OPENAI_API_KEY = True, "sk-scripted"
    versions.activate(version=versions.create(engine="llm", origin="test", weights=ignorant.to_bytes()), by=None)
    with TuningServer() as running:
        settings.OPENAI_BASE_URL = running.url
        yield running


def command(*arguments: str) -> str:
    """What the command printed."""
    out = io.StringIO()
    call_command("train_analyzer", "--algorithm", "hosted", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_without_a_terminal_and_without_a_yes_nothing_is_sent(
    server: TuningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(CommandError, match=r"Nothing was sent: there is no terminal to ask at. With --yes it is sent"):
        command()
    assert server.requests == []
    assert not TrainingRun.objects.exists()


@pytest.mark.parametrize("said", ["n\n", "\n", "", "of course not\n"])
def test_whatever_is_not_a_yes_is_a_no(server: TuningServer, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(said))
    with pytest.raises(CommandError, match="Not confirmed: nothing was sent"):
        command()
    assert server.requests == []


def test_a_yes_at_the_terminal_sends_what_was_shown(server: TuningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("yes\n"))
    said = command("--training-price", "3", "--epochs", "1")
    assert "39 items to learn from, 9 to validate with" in said
    assert "training about 0.1" in said
    assert list(server.jobs) == ["ftjob-1"]
    assert TrainingRun.objects.get().status == "finished"


def test_scripts_say_yes(server: TuningServer) -> None:
    command("--yes", "--base-model", "scripted-small")
    assert server.jobs["ftjob-1"]["model"] == "scripted-small"


def test_only_a_hosted_run_is_resumed_without_its_number() -> None:
    with pytest.raises(CommandError, match="--resume needs a run's number or a job's folder, except with"):
        call_command("train_analyzer", "--resume")
    with pytest.raises(CommandError, match="a hosted run is named by its number"):
        command("--resume", "data/finetune/run-1")


def test_nothing_to_resume_is_said(server: TuningServer) -> None:
    with pytest.raises(CommandError, match="There is no hosted run that can be resumed"):
        command("--resume")
