"""The suite on MongoDB: on the server that TEST_MONGO_URI names, else on SecantusDB, which is started for it.

    python -m tests.on_mongodb [arguments of pytest]

SecantusDB speaks MongoDB's protocol and is not MongoDB.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient


def main(arguments: list[str]) -> int:
    with serve() as uri:
        with MongoClient[dict[str, Any]](uri) as client:
            told = client.server_info()
        stand_in = "" if os.environ.get("TEST_MONGO_URI") else " as SecantusDB has it, which is not MongoDB"
        print(f"On MongoDB {told['version']}{stand_in}.", flush=True)
        # What the tests themselves need of a server they find here too.
        environment = os.environ | {"TEST_DATABASE_URL": database_url(uri, "desk"), "TEST_MONGO_URI": uri}
        return subprocess.run([sys.executable, "-m", "pytest", *arguments], env=environment, check=False).returncode


def database_url(uri: str, database: str) -> str:
    """The server's address with a database, as DATABASE_URL has it."""
    base, mark, options = uri.partition("?")
    return f"{base.rstrip('/')}/{database}{mark}{options}"


@contextmanager
def serve() -> Iterator[str]:
    """mongodb://host:port/ without a database: of the server that is named, else of one in this process."""
    if uri := os.environ.get("TEST_MONGO_URI"):
        yield uri
        return
    from secantus import SecantusDBServer

    server = SecantusDBServer(host="127.0.0.1", port=0, storage_path=":memory:")
    server.start()
    yield f"mongodb://127.0.0.1:{server.port}/"
    server.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
