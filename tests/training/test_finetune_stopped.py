"""train_analyzer stopped from outside while its worker learns: no process is left, and --resume goes on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import alive, children, kill_family, wait_for
from tests.training import workshop
from training.finetune import checkpoints
from training.finetune.job import Directory
from training.finetune.process import ROOT

pytestmark = pytest.mark.finetune


class Desk:
    """A desk of its own on disk, so that two processes can use it one after the other."""

    def __init__(self, folder: Path, base: Path) -> None:
        self.folder = folder
        self.base = base
        self.started: list[subprocess.Popen[str]] = []

    def train(self, *resume: str) -> subprocess.Popen[str]:
        environment = {
            "TEST_DATABASE_URL": f"sqlite:///{self.folder}/desk.sqlite3",
            "FINETUNE_DIR": str(self.folder / "finetune"),
            "OMP_NUM_THREADS": "1",
        }
        run = subprocess.Popen(
            [sys.executable, "-m", "tests.training.finetune_run", str(self.base), *resume],
            cwd=ROOT,
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(run)
        return run

    def job(self, number: int) -> Directory:
        return Directory(self.folder / "finetune" / f"run-{number}")


@pytest.fixture
def desk(tmp_path: Path, tiny_base: Path) -> Iterator[Desk]:
    found = Desk(tmp_path, tiny_base)
    yield found
    for run in found.started:
        if run.poll() is None:
            kill_family(run)


def learning(desk: Desk, number: int, steps: int) -> None:
    job = desk.job(number)
    assert wait_for(lambda: len(workshop.told(job, "step")) >= steps, seconds=120), job.told()


def gone(processes: list[int]) -> bool:
    return wait_for(lambda: not any(alive(process) for process in processes), seconds=60)


def test_sigterm_saves_leaves_nobody_behind_and_the_run_can_be_gone_on_with(desk: Desk) -> None:
    run = desk.train()
    learning(desk, 1, 5)
    (worker,) = children(run.pid)
    run.send_signal(signal.SIGTERM)
    _, said = run.communicate(timeout=300)
    assert gone([worker])
    assert "stopping: what was found so far is kept" in said
    reached = checkpoints.step(checkpoints.newest(desk.job(1).checkpoints))
    assert reached >= 5
    assert f"the worker has ended at step {reached}, which --resume goes on from" in said
    assert "stopped: Stopped on request." in said

    again = desk.train("1")
    learning(desk, 2, reached + 3)
    steps = [line["step"] for line in workshop.told(desk.job(2), "step")]
    assert steps[: reached + 3] == list(range(1, reached + 4))
    again.send_signal(signal.SIGTERM)
    _, said = again.communicate(timeout=300)
    assert re.search(rf"goes on with \S+run-1 from step {reached}", said)


def test_a_killed_parent_takes_its_worker_along_after_a_last_checkpoint(desk: Desk) -> None:
    run = desk.train()
    learning(desk, 1, 5)
    (worker,) = children(run.pid)
    run.kill()
    run.wait()
    assert gone([worker])
    reached = workshop.told(desk.job(1), "step")[-1]["step"]
    assert checkpoints.step(checkpoints.newest(desk.job(1).checkpoints)) == reached
    assert workshop.told(desk.job(1), "stopped")

    # The row of the dead run does not keep the next one from starting.
    again = desk.train("1")
    learning(desk, 2, reached + 1)
    assert desk.job(1).path.is_dir()
    again.send_signal(signal.SIGTERM)
    again.communicate(timeout=300)


def test_a_second_run_is_refused_while_one_goes_on(desk: Desk) -> None:
    first = desk.train()
    learning(desk, 1, 1)
    second = desk.train()
    _, said = second.communicate(timeout=300)
    assert second.returncode != 0
    assert "Run 1 (sft) is going on" in said
    assert first.poll() is None
    assert not desk.job(2).path.exists()


def test_a_worker_that_is_killed_ends_the_run_with_the_reason(desk: Desk) -> None:
    run = desk.train()
    learning(desk, 1, 3)
    (worker,) = children(run.pid)
    os.kill(worker, signal.SIGKILL)
    _, said = run.communicate(timeout=300)
    assert "failed: The worker was ended by a signal (out of memory, or killed); --resume goes on" in said
