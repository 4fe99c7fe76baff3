"""Training that goes wrong is ended, and the reason is one that a person can act on."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from training.finetune.job import Directory, Job
from training.finetune.log import Log

pytestmark = pytest.mark.finetune


class Watch:
    """A Progress that is told what a trainer would tell it."""

    def __init__(self, folder: Path) -> None:
        from transformers import TrainerControl, TrainerState

        from training.finetune.progress import Progress

        self.directory = Directory(folder)
        self.probed: list[int] = []
        job = Job(method="grpo", base_model="x")
        self.progress = Progress(job, Log(self.directory.log), threading.Event(), self.probed.append, sequences=8)
        self.state, self.control = TrainerState(max_steps=1_000), TrainerControl()
        self.progress.on_train_begin(None, self.state, self.control)

    def step(self, **logs: Any) -> str:
        self.state.global_step += 1
        self.progress.on_log(None, self.state, self.control, logs={"loss": 1.0, "grad_norm": 1.0} | logs)
        assert self.control.should_training_stop == bool(self.progress.collapsed)
        return str(self.progress.collapsed)


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"), [("loss", float("nan")), ("loss", float("inf")), ("grad_norm", float("nan"))]
)
def test_a_number_that_is_none_ends_it_at_once(watch: Watch, name: str, value: float) -> None:
    assert watch.step() == ""
    said = watch.step(**{name: value})
    assert said == f"At step 2 the {name.replace('_', ' ')} is no number any more: try a lower --learning-rate."
    assert not watch.control.should_save
    # The log stays JSON.
    assert watch.directory.told()[0][-1][name] is None


def test_losing_the_form_ends_it(watch: Watch) -> None:
    for _ in range(30):
        assert watch.step(**{"rewards/form/mean": 0.6}) == ""
    said = ""
    while not said:
        said = watch.step(**{"rewards/form/mean": 0.0})
    assert "only 0.0% of the answers of the last 20 steps can be read, and 60.0% could before" in said
    assert watch.state.global_step == 50


def test_never_finding_the_form_says_to_teach_it_first(watch: Watch) -> None:
    for _ in range(19):
        assert watch.step(**{"rewards/form/mean": 0.0}) == ""
    said = watch.step(**{"rewards/form/mean": 0.0})
    assert said.startswith("In the first 20 steps only 0.0% of the answers could be read")
    assert said.endswith("teach the form first, with --algorithm sft.")


def test_drifting_away_ends_it_and_one_wild_estimate_does_not(watch: Watch) -> None:
    for number in range(12):
        assert watch.step(kl=900.0 if number == 6 else 0.1) == ""
    said = ""
    while not said:
        said = watch.step(kl=30.0)
    assert "has drifted 30.0 nats a token from where it began (limit 10): try a higher --kl" in said
    assert 13 < watch.state.global_step <= 17


def test_a_form_that_is_learned_slowly_is_not_given_up(watch: Watch) -> None:
    for number in range(200):
        assert watch.step(**{"rewards/form/mean": 0.1 + number / 400, "kl": 0.5}) == ""
