"""A hosted run whose process is killed in the middle is gone on with: its job was never the process's."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.training.tuning_server import MODEL, TuningServer

ROOT = Path(__file__).parents[2]


@pytest.fixture
def server() -> Iterator[TuningServer]:
    with TuningServer(states=("queued", "running")) as running:
        yield running


def start(server: TuningServer, database: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.training.tuned_run", server.url, *arguments],
        cwd=ROOT,
        env=os.environ | {"TEST_DATABASE_URL": f"sqlite:///{database}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_until(run: subprocess.Popen[str], word: str) -> None:
    assert run.stderr is not None
    said = []
    for line in run.stderr:
        said.append(line)
        if word in line:
            return
    raise AssertionError("".join(said))


def row(database: Path, query: str) -> tuple[str, ...]:
    with sqlite3.connect(database) as connection:
        found: tuple[str, ...] = connection.execute(query).fetchone()
    return found


def test_a_killed_run_is_resumed_and_its_model_compared(server: TuningServer, tmp_path: Path) -> None:
    database = tmp_path / "desk.sqlite3"
    run = start(server, database, "--yes")
    read_until(run, "job ftjob-1: running")
    run.kill()
    run.communicate(timeout=60)
    status, metrics = row(database, "SELECT status, metrics FROM training_trainingrun")
    assert status == "running"
    assert json.loads(metrics)["hosted"]["job"] == "ftjob-1"

    server.states = ["succeeded"]
    again = start(server, database, "--resume")
    out, err = again.communicate(timeout=300)
    assert again.returncode == 0, err
    assert "run 1 goes on" in err
    assert "job ftjob-1 found again" in err
    assert "· job ftjob-1 started" not in err
    assert out.splitlines()[-1].startswith(("proposed, version 2", "no change, version 2"))
    status, log = row(database, "SELECT status, log FROM training_trainingrun")
    assert status == "finished"
    assert "uploaded 39 rows" in log
    assert row(database, "SELECT engine, model, origin FROM analyzer_analyzerversion WHERE number = 2") == (
        "llm",
        MODEL,
        "hosted",
    )
    assert len(server.stored) == 2
    assert server.files == {}
    assert list(server.jobs) == ["ftjob-1"]
