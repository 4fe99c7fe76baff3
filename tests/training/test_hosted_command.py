"""train_analyzer --algorithm hosted asks at the terminal before anything leaves, and refuses where there is none."""

from __future__ import annotations

import io
import sys

import pytest
from django.core.management import CommandError, call_command

from tests.training.tuning_server import TuningServer
from training.models import TrainingRun

pytestmark = pytest.mark.django_db


class Terminal(io.StringIO):
    """A standard input that somebody sits at."""

    def isatty(self) -> bool:
        return True


def command(*arguments: str) -> str:
    """What the command printed."""
    out = io.StringIO()
    call_command("train_analyzer", "--algorithm", "hosted", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_without_a_terminal_and_without_a_yes_nothing_is_sent(
    tuning: TuningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(CommandError, match=r"Nothing was sent: there is no terminal to ask at. With --yes it is sent"):
        command()
    assert tuning.requests == []
    assert not TrainingRun.objects.exists()


@pytest.mark.parametrize("said", ["n\n", "\n", "", "of course not\n"])
def test_whatever_is_not_a_yes_is_a_no(tuning: TuningServer, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(said))
    with pytest.raises(CommandError, match="Not confirmed: nothing was sent"):
        command()
    assert tuning.requests == []


def test_a_yes_at_the_terminal_sends_what_was_shown(tuning: TuningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("yes\n"))
    said = command("--training-price", "3", "--epochs", "1")
    assert "39 items to learn from, 9 to validate with" in said
    assert "training about 0.06" in said
    assert list(tuning.jobs) == ["ftjob-1"]
    assert TrainingRun.objects.get().status == "finished"


def test_scripts_say_yes(tuning: TuningServer) -> None:
    command("--yes", "--base-model", "scripted-small")
    assert tuning.jobs["ftjob-1"]["model"] == "scripted-small"


def test_only_a_hosted_run_is_resumed_without_its_number() -> None:
    with pytest.raises(CommandError, match="--resume needs a run's number or a job's folder, except with"):
        call_command("train_analyzer", "--resume")
    with pytest.raises(CommandError, match="a hosted run is named by its number"):
        command("--resume", "data/finetune/run-1")


def test_nothing_to_resume_is_said(tuning: TuningServer) -> None:
    with pytest.raises(CommandError, match="There is no hosted run that can be resumed"):
        command("--resume")
