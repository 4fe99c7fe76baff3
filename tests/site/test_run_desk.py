"""make run: one command, a clear last line, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.worker import ROOT, until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(folder: Path, port: int) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "TRIAGE_"))}
    environment |= {
        "DEBUG": "1",
        "DATABASE_URL": f"sqlite:///{folder / 'desk.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "triage_site.settings",
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", "run_desk", "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=(folder / "out.txt").open("w"),
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_it_starts_says_where_to_sign_in_stops_on_ctrl_c_and_starts_again(tmp_path: Path) -> None:
    port = free_port()
    said = tmp_path / "out.txt"
    for words in ("as staff with the password", "with your account"):
        desk = start(tmp_path, port)
        try:
            until(lambda: "Sign in at" in said.read_text(), "the last line")
            assert f"Sign in at   http://127.0.0.1:{port}/admin/ {words}" in said.read_text().splitlines()[-1]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/feedback/") as answer:
                assert answer.status == 200
            children = subprocess.run(
                ["ps", "-o", "pid=", "--ppid", str(desk.pid)], capture_output=True, text=True, check=True
            ).stdout.split()
            assert len(children) == 2, "web server and worker"
        finally:
            desk.send_signal(signal.SIGINT)
            desk.wait(timeout=60)
        assert desk.returncode == 0
        for child in children:
            assert not Path(f"/proc/{child}").exists() or Path(f"/proc/{child}/cmdline").read_text() == ""


def test_a_port_that_is_taken_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        desk = start(tmp_path, port)
        assert desk.wait(timeout=60) == 1
    assert f"Port {port} cannot be used" in (tmp_path / "out.txt").read_text()


def install(folder: Path, python: Path) -> subprocess.CompletedProcess[str]:
    """What `make run` does before it starts, with nothing to install."""
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("requirements.txt", "constraints.txt"):
        (folder / name).write_text("# nothing\n")
    return subprocess.run(
        ["make", "data/secret_key", f"PYTHON={python}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        umask=0o022,
    )


def test_an_environment_that_was_left_half_made_is_made_again(tmp_path: Path) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    done = install(tmp_path, Path(sys.executable))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "data" / "secret_key").read_text()
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_a_python_that_cannot_make_an_environment_is_said_with_what_to_install(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nmkdir -p .venv/bin; ln -sf /bin/true .venv/bin/python; exit 1\n")
    python.chmod(0o755)
    for _ in range(2):
        done = install(tmp_path, python)
        assert done.returncode != 0
        assert "apt-get install python3-venv" in done.stdout
        assert "pip" not in done.stdout + done.stderr
