"""serve_analyzer: a version that was fine-tuned here is served for the desk, if it is still what was evaluated."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from analyzer import adapters, versions
from analyzer.engines import Spec, build
from analyzer.models import AnalyzerVersion
from tests import processes
from tests.training.tiny_server import FAULT, LEARNED, NAME, Files
from training.management.commands import serve_analyzer

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: str, folder: Path, **environment: str) -> subprocess.Popen[str]:
    """manage.py serve_analyzer as a user starts it, on a database of its own that holds nothing."""
    own = {"DJANGO_SETTINGS_MODULE": "triage_site.settings", "DATABASE_URL": f"sqlite:///{folder / 'desk.sqlite3'}"}
    return subprocess.Popen(
        [sys.executable, "manage.py", "serve_analyzer", *arguments],
        cwd=ROOT,
        env=os.environ | own | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def tuned(folder: Path, **record: Any) -> AnalyzerVersion:
    """A version with the adapter that lies in folder/run-1/adapter."""
    named = {"path": "run-1/adapter", "digest": adapters.digest(folder / "run-1" / "adapter"), "base": "base"}
    return versions.create(
        engine="llm", origin="sft", model=NAME, adapter=named | {"method": "sft", "run": 1, "name": NAME} | record
    )


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """FINETUNE_DIR, with the files of an adapter that nobody loads."""
    settings.FINETUNE_DIR = tmp_path
    adapter = tmp_path / "run-1" / "adapter"
    adapter.mkdir(parents=True)
    (adapter / adapters.CONFIG).write_text("{}")
    (adapter / adapters.WEIGHTS).write_bytes(b"weights")
    return tmp_path


def test_without_the_extras_it_is_one_line_that_says_what_to_install(tmp_path: Path) -> None:
    """Also where they are installed: the process is told that there is no torch."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['torch'] = None\n")
    started = command("--base-model", str(tmp_path), folder=tmp_path, PYTHONPATH=str(tmp_path))
    said, complaint = started.communicate(timeout=300)
    assert started.returncode == 1
    assert said == ""
    (line,) = complaint.strip().splitlines()
    assert "torch" in line
    assert "requirements-finetune.txt" in line


@pytest.mark.parametrize("arguments", [[], ["--adapter", "somewhere"], ["--name", "m"]])
def test_it_must_be_told_what_to_serve(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="Say what to serve"):
        call_command("serve_analyzer", *arguments)


def test_a_version_that_is_not_there_and_one_without_an_adapter_are_named(db: None, folder: Path) -> None:
    with pytest.raises(CommandError, match=r"no version 7\."):
        call_command("serve_analyzer", version=7)
    plain = versions.create(engine="local", origin="local", weights=b"w")
    with pytest.raises(CommandError, match=f"Version {plain.number} has no adapter.* No version has one yet"):
        call_command("serve_analyzer", version=plain.number)
    other = tuned(folder)
    with pytest.raises(CommandError, match=rf"These have one: {other.number}\."):
        call_command("serve_analyzer", version=plain.number)


def test_an_adapter_that_was_changed_since_it_was_evaluated_is_not_served(db: None, folder: Path) -> None:
    version = tuned(folder)
    (folder / "run-1" / "adapter" / adapters.WEIGHTS).write_bytes(b"other weights")
    with pytest.raises(CommandError, match=f"Version {version.number} is not served.*changed since"):
        call_command("serve_analyzer", version=version.number)


def test_an_adapter_that_is_gone_is_not_served(db: None, folder: Path) -> None:
    version = tuned(folder)
    shutil.rmtree(folder / "run-1")
    with pytest.raises(CommandError, match="adapter is missing"):
        call_command("serve_analyzer", version=version.number)


def test_of_a_version_the_evaluated_adapter_is_served_under_the_versions_name(db: None, folder: Path) -> None:
    version = tuned(folder, base="/models/small")
    model = serve_analyzer.of_version(version.number)
    assert (model.base, model.adapter, model.name) == ("/models/small", folder / "run-1" / "adapter", version.model)


@pytest.mark.finetune
def test_it_says_what_to_set_answers_the_engine_and_ctrl_c_ends_it_in_order(tiny_files: Files, tmp_path: Path) -> None:
    started = command(
        "--adapter", str(tiny_files.adapter), "--base-model", str(tiny_files.base), "--port", "0", "--name", NAME,
        folder=tmp_path, OMP_NUM_THREADS="1",
    )  # fmt: skip
    try:
        assert started.stdout is not None
        assert f"is served as {NAME}; Ctrl-C stops it" in started.stdout.readline()
        told = dict(started.stdout.readline().strip().split("=", 1) for _ in range(2))
        assert told.keys() == {"OPENAI_BASE_URL", "TRIAGE_MODEL"}
        from analyzer import cold_start
        from analyzer.engines import local

        spec = Spec(
            engine="llm",
            weights=local.fit_cold_start(cold_start.load()).to_bytes(),
            model=told["TRIAGE_MODEL"],
            base_url=told["OPENAI_BASE_URL"],
        )
        assert build(spec).predict(FAULT, prompt="").prediction.category == LEARNED[FAULT.id].category
        (server,) = processes.children(started.pid)
    finally:
        started.send_signal(signal.SIGINT)
        said, complaint = started.communicate(timeout=60)
    assert (started.returncode, said.strip(), complaint) == (0, "Stopped.", "")
    assert not processes.alive(server)
