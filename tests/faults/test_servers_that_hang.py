"""A server that takes connections and never answers costs seconds, not a thread for ever."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.people import Browser
from tests.faults.site import Site
from tests.servers import run_redis
from tests.worker import ROOT


def test_a_database_that_never_answers_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"postgres://desk@127.0.0.1:{silent.getsockname()[1]}/desk"
        done = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--check"],
            cwd=ROOT,
            env=os.environ | {"DEBUG": "1", "DJANGO_SETTINGS_MODULE": "triage_site.settings", "DATABASE_URL": url},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    assert "connection timeout expired" in done.stderr


@pytest.mark.servers
def test_a_submission_is_acknowledged_while_the_broker_hangs(tmp_path: Path) -> None:
    with ExitStack() as stack:
        broker = stack.enter_context(run_redis(tmp_path))
        site = Site(
            tmp_path, database=f"sqlite:///{tmp_path / 'desk.sqlite3'}", Q_BROKER=broker.url, WEB_CONCURRENCY="1"
        )
        web = site.service("web")
        stack.callback(web.kill)
        web.start()
        site.wait()
        broker.signal(signal.SIGSTOP)
        stack.callback(broker.signal, signal.SIGCONT)
        # The browser gives up after 45 seconds.
        answer = Browser(site.port, "203.0.113.9").ask(
            "POST",
            "/api/feedback/",
            json.dumps({"comment": "The pay button does nothing"}).encode(),
            **{"Content-Type": "application/json"},
        )
        assert answer.status_code == 202
