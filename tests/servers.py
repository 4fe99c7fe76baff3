"""Real servers for tests: a Redis of the test's own, which may be killed, and a database on a running PostgreSQL.

Where one is missing a laptop skips, and CI fails: a skip would say that it works.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis
from psycopg import sql

from tests.processes import kill_family

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgres://root@127.0.0.1/postgres")


def missing(what: str) -> None:
    """Skips, or fails in CI."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is needed in CI.")
    pytest.skip(f"{what} is not here.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A process that may be killed with -9 and started again."""

    process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """The server with all its processes."""
        # Let go of first: whoever starts it again meanwhile must not have the new one forgotten.
        process, self.process = self.process, None
        if process is not None:
            kill_family(process)


class Redis(Server):
    """A server on a free port that keeps its data in a folder, so that it can come back after a kill."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        options = {"port": self._port, "bind": "127.0.0.1", "dir": self._folder, "save": "", "appendonly": "no"}
        command = ["redis-server"]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        client = redis.Redis.from_url(self.url)
        deadline = time.monotonic() + 30
        # It may be killed before it was ever asked anything.
        while self.running:
            try:
                client.ping()
            except redis.ConnectionError:
                assert time.monotonic() < deadline, "Redis did not start."
                time.sleep(0.05)
            else:
                break
        client.close()

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)


@contextmanager
def run_redis(folder: Path) -> Iterator[Redis]:
    if shutil.which("redis-server") is None:
        missing("redis-server")
    server = Redis(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def make_postgres_database(name: str) -> Iterator[str]:
    """The URL of an empty database that is dropped afterwards."""
    try:
        admin = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError:
        missing("PostgreSQL")
    database = sql.Identifier(name)
    with admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
        admin.execute(sql.SQL("CREATE DATABASE {}").format(database))
        try:
            yield f"{POSTGRES.rpartition('/')[0]}/{name}"
        finally:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
