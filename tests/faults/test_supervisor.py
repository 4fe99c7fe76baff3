"""What the campaign says it kills is killed: the server that the desk uses is gone until the supervisor starts it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from tests.faults.postgres import Postgres, run_postgres
from tests.faults.secantus import Secantus, run_secantus
from tests.faults.site import Supervisor
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
    with run(tmp_path) as server, Supervisor(pause=3.0) as supervisor:
        supervisor.keep(lambda: server.running, server.start)
        for count in (1, 2):
            server.kill()
            assert not answers(server)
            until(lambda: answers(server), "its return")
            assert supervisor.restarts == count


@pytest.mark.servers
def test_a_killed_connection_is_lost_and_the_server_recovers() -> None:
    with run_postgres() as server, psycopg.connect(server.url, autocommit=True) as connection:
        server.kill_backend()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        until(server.answers, "its recovery")
