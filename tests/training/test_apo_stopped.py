"""A search that is ended from outside keeps the best prompt so far, says so in its row, and leaves no process."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.llm_server import LLMServer
from tests.processes import alive, children, wait_for
from tests.training import scripted_model

ROOT = Path(__file__).parents[2]


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer(scripted_model.answer) as running:
        yield running


def start(server: LLMServer, database: Path) -> subprocess.Popen[str]:
    """A search that goes on for minutes, and has found its first better prompt."""
    run = subprocess.Popen(
        [sys.executable, "-m", "tests.training.stopped_run", server.url],
        cwd=ROOT,
        env=os.environ | {"TEST_DATABASE_URL": f"sqlite:///{database}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stderr is not None
    for line in run.stderr:
        if "on 16 validation items" in line and "mean reward 0.7" in line:
            return run
    raise AssertionError("The search ended before it found anything.")


def row(database: Path, query: str) -> tuple[object, ...]:
    with sqlite3.connect(database) as connection:
        found: tuple[object, ...] = connection.execute(query).fetchone()
    return found


def test_sigterm_keeps_the_best_prompt_so_far_and_leaves_no_process(server: LLMServer, tmp_path: Path) -> None:
    database = tmp_path / "desk.sqlite3"
    run = start(server, database)
    started = children(run.pid)
    assert len(started) >= 2
    run.send_signal(signal.SIGTERM)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "stopped: Stopped on request. What was found until then is kept as a candidate" in said
    assert wait_for(lambda: not any(alive(pid) for pid in started))
    status, error = row(database, "SELECT status, error FROM training_trainingrun")
    assert status == "stopped"
    assert str(error).startswith("Stopped on request.")
    engine, prompt, standing = row(
        database, "SELECT engine, prompt, status FROM analyzer_analyzerversion ORDER BY number DESC"
    )
    assert (engine, standing) == ("llm", "candidate")
    assert scripted_model.RULES[0] in str(prompt)
