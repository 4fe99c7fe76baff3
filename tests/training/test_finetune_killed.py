"""A worker that is ended in the middle: nothing that was saved is lost, and what it goes on with is whole."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest

from tests.processes import wait_for
from tests.training import workshop
from training.finetune import checkpoints
from training.finetune.job import STOPPED, Directory

pytestmark = pytest.mark.finetune


def ended(directory: Directory, number: signal.Signals, *, after: int) -> int:
    """The exit code of a worker that got a signal once it had done so many steps."""
    worker = workshop.start(directory)
    try:
        assert wait_for(lambda: len(workshop.told(directory, "step")) >= after, seconds=120)
        worker.send_signal(number)
        return worker.wait(timeout=300)
    finally:
        worker.kill()


def test_sigterm_leaves_a_checkpoint_and_the_next_worker_comes_to_the_same_end(tiny_base: Path, tmp_path: Path) -> None:
    directory = workshop.job(tmp_path / "job", tiny_base, "sft", probe=8)
    assert ended(directory, signal.SIGTERM, after=3) == STOPPED
    saved = checkpoints.newest(directory.checkpoints)
    reached = workshop.told(directory, "step")[-1]["step"]
    assert 3 <= reached < 12
    assert checkpoints.step(saved) == reached
    assert not directory.adapter.exists()
    code, said = workshop.work(directory)
    assert code == 0, said
    assert f"goes on from step {reached}" in [line["text"] for line in workshop.told(directory, "said")]
    # Every step once: none is lost, none is repeated, and the model is not examined anew at its beginning.
    assert [line["step"] for line in workshop.told(directory, "step")] == list(range(1, 13))
    assert [line["step"] for line in workshop.told(directory, "probe")].count(0) == 1
    straight = workshop.job(tmp_path / "straight", tiny_base, "sft", probe=8)
    assert workshop.work(straight)[0] == 0
    apart = [workshop.told(one, "step")[-1]["loss"] for one in (directory, straight)]
    # Dropout is drawn anew after a restart. From the beginning, twelve steps earlier, the loss is more than twice this.
    assert apart[0] == pytest.approx(apart[1], rel=0.15)


def test_a_worker_that_was_killed_goes_on_from_its_last_whole_checkpoint(tiny_base: Path, tmp_path: Path) -> None:
    directory = workshop.job(tmp_path / "job", tiny_base, "sft", save_seconds=0, probe=0)
    assert ended(directory, signal.SIGKILL, after=5) == -signal.SIGKILL
    saved = checkpoints.newest(directory.checkpoints)
    assert saved is not None
    # As if it had been killed while it wrote another one.
    half = saved.with_name("checkpoint-11")
    shutil.copytree(saved, half)
    (half / "trainer_state.json").write_text('{"epoch": 0.')
    # And in the middle of a line of its log.
    with directory.log.open("a") as log:
        log.write('{"step": 6, "lo')
    code, said = workshop.work(directory)
    assert code == 0, said
    lines = directory.log.read_text().splitlines()
    assert '{"step": 6, "lo' in lines
    assert sum(_is_json(line) for line in lines) == len(lines) - 1
    assert workshop.told(directory, "step")[-1]["step"] == 12
    assert directory.adapter.is_dir()


def test_grpo_goes_on_with_its_reference(schooled: Directory, tiny_base: Path, tmp_path: Path) -> None:
    """What it drifts from is where it began, not where it went on."""
    directory = workshop.job(
        tmp_path / "job", tiny_base, "grpo", category="website-bug", learn=32, batch=4, learning_rate=0.003, kl=0.01,
        probe=0,
    )  # fmt: skip
    shutil.copytree(schooled.adapter, directory.start)
    assert ended(directory, signal.SIGTERM, after=4) == STOPPED
    reached = workshop.told(directory, "step")[-1]["step"]
    code, said = workshop.work(directory)
    assert code == 0, said
    following = next(line for line in workshop.told(directory, "step") if line["step"] == reached + 1)
    assert following["kl"] > 1e-4


def test_a_second_worker_in_the_same_folder_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    directory = workshop.job(tmp_path / "job", tiny_base, "sft")
    first = workshop.start(directory)
    try:
        assert wait_for(lambda: directory.log.exists(), seconds=60)
        code, said = workshop.work(directory)
        assert code == 1
        assert "Another worker is at work in" in said
        assert first.poll() is None
    finally:
        first.kill()
        first.wait()


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
