"""A PostgreSQL of the test's own, on a free port, which may be killed with -9 and started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg

from tests.servers import Server, free_port, missing
from tests.worker import until

USER = "desk"


class Postgres(Server):
    """One server over one data folder. It refuses to run as root, so that root lends it the account postgres."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries, self._folder = binaries, folder
        self._port = free_port()
        self._account = "postgres" if os.getuid() == 0 else None
        if self._account:
            shutil.chown(folder, self._account)
        self._run("initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", f"--username={USER}", folder / "data")

    @property
    def url(self) -> str:
        return f"postgres://{USER}@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self._port,
            "unix_socket_directories": self._folder,
            "max_connections": 60,
        }
        command = [self._binaries / "postgres", "-D", self._folder / "data"]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        self.process = subprocess.Popen(
            command, user=self._account, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def wait(self) -> None:
        """Until it answers, which after a kill is after its recovery."""
        until(self.answers, "PostgreSQL")

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def kill_backend(self) -> None:
        """One process that serves a client: the server then throws all clients out and recovers by itself.

        Nobody is hit while the server is away, or nobody is connected.
        """
        if self.process is None:
            return
        with suppress(psutil.NoSuchProcess, ProcessLookupError, IndexError):
            children = psutil.Process(self.process.pid).children()
            backends = [child for child in children if f": {USER} " in " ".join(child.cmdline())]
            os.kill(backends[0].pid, signal.SIGKILL)

    def _run(self, name: str, *arguments: object) -> None:
        command = [str(self._binaries / name), *map(str, arguments)]
        done = subprocess.run(command, user=self._account, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def run_postgres() -> Iterator[Postgres]:
    binaries = _binaries()
    if binaries is None:
        missing("PostgreSQL's server")
        raise AssertionError
    # Not in pytest's folder, which only its owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="desk-postgres-"))
    server = Postgres(binaries, folder)
    try:
        server.start()
        server.wait()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path | None:
    """Where initdb and postgres lie: on PATH, or where Debian puts them."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None
