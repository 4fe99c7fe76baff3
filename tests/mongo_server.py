"""A server that speaks MongoDB, for tests: a real one where TEST_MONGO_URI names it, else SecantusDB in this process.

SecantusDB is not MongoDB. Without either the tests fail: they must not be skipped unnoticed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection
from pytest_django import Settings


@pytest.fixture(scope="session")
def mongo_uri() -> Iterator[str]:
    """mongodb://host:port/ without a database."""
    if uri := os.environ.get("TEST_MONGO_URI"):
        yield uri
        return
    from secantus import SecantusDBServer

    server = SecantusDBServer(host="127.0.0.1", port=0, storage_path=":memory:")
    server.start()
    yield f"mongodb://127.0.0.1:{server.port}/"
    server.stop()


@pytest.fixture
def shop(mongo_uri: str, settings: Settings) -> Iterator[Collection[dict[str, Any]]]:
    """An empty collection of a website, which the settings name as the one to mirror."""
    client: MongoClient[dict[str, Any]] = MongoClient(mongo_uri, tz_aware=True)
    name = f"shop-{secrets.token_hex(4)}"
    collection = client[name].create_collection("feedback")
    settings.MONGO_MIRROR_URL = mirror_url(mongo_uri, name)
    yield collection
    client.drop_database(name)
    client.close()


def mirror_url(uri: str, database: str) -> str:
    """The server's address with a database and the collection feedback, as MONGO_MIRROR_URL has it."""
    base, _, options = uri.partition("?")
    return f"{base.rstrip('/')}/{database}?collection=feedback{'&' if options else ''}{options}"
