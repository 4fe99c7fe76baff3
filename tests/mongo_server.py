"""A server that speaks MongoDB, for tests: a real one where TEST_MONGO_URI names it, else SecantusDB in this process.

SecantusDB is not MongoDB. Without either the tests fail: they must not be skipped unnoticed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import TransactionTestCase
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


# -- the suite on MongoDB itself (TEST_DATABASE_URL=mongodb://…) -----------------------------------------
# Tests there are not wrapped in a transaction that is rolled back: MongoDB has no savepoints, so that the first refused
# row would end it. Each test's rows are deleted instead, but for those that migrations make and no test changes.
KEPT = {
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
    "django_migrations",
    "django_q_schedule",
}


def _delete_rows(self: TransactionTestCase) -> None:
    for name in connection.introspection.table_names():
        if name not in KEPT:
            connection.database[name].delete_many({})


@pytest.fixture(autouse=True)
def _as_in_a_test_case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test asks to be done on commit waits until it is captured, as on the other databases."""
    if connection.vendor != "mongodb":
        yield
        return
    monkeypatch.setattr(TransactionTestCase, "_fixture_teardown", _delete_rows)
    marker = request.node.get_closest_marker("django_db")
    commits = {"transactional_db", "live_server"} & set(request.fixturenames)
    if not commits and not (marker and marker.kwargs.get("transaction")):
        monkeypatch.setattr(
            connection,
            "on_commit",
            lambda callback, robust=False: connection.run_on_commit.append((set(), callback, robust)),
        )
        monkeypatch.setattr(connection, "run_and_clear_commit_hooks", lambda: None)
    yield
    connection.run_on_commit = []
