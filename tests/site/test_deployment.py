"""The Procfile, run as it stands in production mode on PostgreSQL and Redis; and the units that do the same."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.servers import make_postgres_database, run_redis
from tests.worker import ROOT, until

PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines())
UNITS = sorted((ROOT / "docs" / "systemd").glob("*.service"))
# As the proxy sends it on.
PROXIED = {"Host": "desk.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_starts_what_the_procfile_starts(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    started = re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)
    assert started
    name = "web" if "web" in unit.stem else "worker"
    command = re.sub(r"\$\{\w+:-(\w+)\}", r"\1", PROCFILE[name])
    assert started[1] == command.replace(".venv/", "/srv/feedback-triage/.venv/", 1)
    for line in re.findall(r"^ExecStartPre=(.*)$", text, re.MULTILINE):
        assert line.removeprefix("/srv/feedback-triage/") in PROCFILE["release"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_what_a_unit_writes_can_be_read_by_its_user_only(unit: Path) -> None:
    assert "UMask=0077" in unit.read_text(encoding="utf-8").splitlines()


class Deployment:
    """The processes of the Procfile over one environment."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.database = stack.enter_context(make_postgres_database(f"test_deployment_{os.getpid()}"))
        self.log = folder / "log"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PORT": str(self.port),
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ALLOWED_HOSTS": "desk.example",
            "BEHIND_PROXY": "1",
            "LOG_FORMAT": "json",
            "DATABASE_URL": self.database,
            "Q_BROKER": stack.enter_context(run_redis(folder)).url,
        }
        self._stack = stack

    def start(self, name: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {PROCFILE[name]}"],
            cwd=ROOT,
            env=self.environment,
            start_new_session=True,
            stderr=self._stack.enter_context(self.log.open("ab")),
        )
        self._stack.callback(lambda: process.poll() is None and os.killpg(process.pid, signal.SIGKILL))
        return process

    def ask(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> tuple[int, str]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=json.dumps(body).encode() if body else None,
            headers={"Content-Type": "application/json"} | (headers or PROXIED),
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def count(self, query: str) -> int:
        with psycopg.connect(self.database) as connection:
            row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with ExitStack() as stack:
        yield Deployment(stack, tmp_path)


@pytest.mark.servers
def test_the_procfile_makes_a_desk_that_takes_analyses_and_stops(deployment: Deployment) -> None:
    release = subprocess.run(["bash", "-c", PROCFILE["release"]], cwd=ROOT, env=deployment.environment, check=False)
    assert release.returncode == 0
    # Two workers, as two machines would be.
    web, *workers = [deployment.start(name) for name in ("web", "worker", "worker")]
    until(lambda: deployment.ask("/healthz")[0] == 200, "a healthy desk")

    for number in range(20):
        status, _ = deployment.ask("/api/feedback/", {"comment": f"The button {number} of the shop is dead"})
        assert status == 202
    until(lambda: deployment.count("SELECT count(*) FROM analyzer_analysis") == 20, "the analyses")
    assert deployment.count("SELECT count(DISTINCT feedback_id) FROM analyzer_analysis") == 20

    status, page = deployment.ask("/admin/login/")
    assert status == 200
    style = re.search(r'href="(/static/[^"]+\.css)"', page)
    assert style
    assert re.search(r"\.[0-9a-f]{12}\.css$", style[1])
    assert deployment.ask(style[1])[0] == 200
    assert deployment.ask("/metrics")[0] == 403
    # As a scraper and a probe on the same machine ask, which know no name of the desk's.
    assert "triage_queue_open" in deployment.ask("/metrics", Host=f"127.0.0.1:{deployment.port}")[1]
    assert deployment.ask("/healthz", Host="localhost")[0] == 200
    assert deployment.ask("/feedback/", Host="desk.example", **{"X-Forwarded-Proto": "http"})[0] != 200

    for process in (web, *workers):
        process.terminate()
    for process in (web, *workers):
        assert process.wait(timeout=60) == 0
    lines = [json.loads(line) for line in deployment.log.read_text(encoding="utf-8").splitlines()]
    assert sum(line["event"] == "feedback received" for line in lines) == 20
    assert sum(line["event"] == "feedback analysed" for line in lines) == 20
    assert "The button" not in deployment.log.read_text(encoding="utf-8")
