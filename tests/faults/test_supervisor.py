"""What the campaign says it kills is killed: the server that the desk uses is gone until the supervisor starts it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import redis

from tests.faults.postgres import Postgres, run_postgres
from tests.faults.secantus import Secantus, run_secantus
from tests.faults.site import Supervisor
from tests.processes import alive, outlasting
from tests.servers import Redis, run_redis
from tests.worker import until


def answers(server: Any) -> bool:
    if not isinstance(server, Redis):
        return bool(server.answers())
    try:
        return bool(redis.Redis.from_url(server.url).ping())
    except redis.ConnectionError:
        return False


@pytest.mark.servers
@pytest.mark.parametrize(
    "run", [lambda folder: run_postgres(), run_redis, run_secantus], ids=["PostgreSQL", "Redis", "SecantusDB"]
)
def test_a_killed_server_is_gone_until_it_is_started_again(
    tmp_path: Path, run: Callable[[Path], AbstractContextManager[Postgres | Redis | Secantus]]
) -> None:
    with run(tmp_path) as server:
        for _ in range(2):
            supervisor = Supervisor()
            supervisor.keep(lambda: server.running, server.start)
            server.kill()
            # Nobody watches yet: however long that takes here, it was not started again.
            assert not answers(server)
            with supervisor:
                until(lambda: answers(server), "its return")
            assert supervisor.restarts == 1


def test_what_has_ended_is_gone_though_nobody_has_asked_about_it() -> None:
    """On some machines nobody asks about orphans."""
    process = subprocess.Popen(["true"])
    until(lambda: not alive(process.pid), "its end")
    assert not outlasting([psutil.Process(process.pid)])
    assert process.wait() == 0


@pytest.mark.servers
def test_a_killed_connection_is_lost_and_the_server_recovers() -> None:
    with run_postgres() as server, psycopg.connect(server.url, autocommit=True) as connection:
        server.kill_backend()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        until(server.answers, "its recovery")
