"""A SecantusDB of the test's own, which speaks MongoDB's protocol, may be killed with -9 and started again.

It is not MongoDB: what its kills show is what the desk does while such a server is away, not how MongoDB recovers.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.servers import Server, free_port
from tests.worker import until

# Users alone have no key of ours.
OBJECT_ID: Final = ("auth_user", "id")


class Secantus(Server):
    """One server over one data folder; what it acknowledged lies on the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder / "mongodb", free_port()

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self._port}/desk"

    def start(self) -> None:
        command = [Path(sys.executable).with_name("secantusd-py"), "--sync-on-commit"]
        self.process = subprocess.Popen(
            [*command, "--port", str(self._port), "--storage-path", self._folder],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def answers(self) -> bool:
        try:
            with MongoClient[dict[str, Any]](self.url, serverSelectionTimeoutMS=1_000) as client:
                client.admin.command("ping")
        except PyMongoError:
            return False
        return True


@contextmanager
def run_secantus(folder: Path) -> Iterator[Secantus]:
    server = Secantus(folder)
    try:
        server.start()
        until(server.answers, "SecantusDB")
        yield server
    finally:
        server.kill()


def read_mongodb(url: str, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Columns of all documents of a collection, named as in SQL."""
    names = ["_id" if (table, column) == OBJECT_ID else column for column in columns]
    with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=5_000) as client:
        found = client.get_default_database()[table].find({}, dict.fromkeys(("_id", *names), 1))
        return [tuple(document[name] for name in names) for document in found]
