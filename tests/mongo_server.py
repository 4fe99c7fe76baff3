"""A server that speaks MongoDB, for tests: a real one where TEST_MONGO_URI names it, else SecantusDB in this process.

SecantusDB is not MongoDB. Without either the tests fail: they must not be skipped unnoticed.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import TransactionTestCase
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database
from pytest_django import Settings

from tests.on_mongodb import database_url, serve


@pytest.fixture(scope="session")
def mongo_uri() -> Iterator[str]:
    """mongodb://host:port/ without a database."""
    with serve() as uri:
        yield uri


@pytest.fixture
def mongo_database(mongo_uri: str) -> Iterator[Database[dict[str, Any]]]:
    """An empty database."""
    client: MongoClient[dict[str, Any]] = MongoClient(mongo_uri, tz_aware=True)
    database = client[f"desk-{secrets.token_hex(4)}"]
    yield database
    client.drop_database(database.name)
    client.close()


@pytest.fixture
def shop(mongo_uri: str, mongo_database: Database[dict[str, Any]], settings: Settings) -> Collection[dict[str, Any]]:
    """An empty collection of a website, which the settings name as the one to mirror."""
    settings.MONGO_MIRROR_URL = mirror_url(mongo_uri, mongo_database.name)
    return mongo_database.create_collection("feedback")


def mirror_url(uri: str, database: str) -> str:
    """The server's address with a database and the collection feedback, as MONGO_MIRROR_URL has it."""
    url = database_url(uri, database)
    return f"{url}{'&' if '?' in url else '?'}collection=feedback"


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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On MongoDB only what touches the database; the rest would only be run again."""
    if connection.vendor != "mongodb":
        return
    touching = [item for item in items if _touches_database(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(touching)])
    items[:] = touching


def _touches_database(item: pytest.Item) -> bool:
    fixtures = {"db", "transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    return bool(fixtures) or item.get_closest_marker("django_db") is not None


def _delete_rows(self: TransactionTestCase) -> None:
    for name in connection.introspection.table_names():
        if name not in KEPT:
            connection.database[name].delete_many({})


@pytest.fixture(scope="session", autouse=True)
def _tear_down_by_deletion() -> Iterator[None]:
    """For the whole session, since pytest-django tears a test down after the fixtures of the test itself."""
    with pytest.MonkeyPatch.context() as patch:
        if connection.vendor == "mongodb":
            patch.setattr(TransactionTestCase, "_fixture_teardown", _delete_rows)
        yield


@pytest.fixture(autouse=True)
def _as_in_a_test_case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test asks to be done on commit waits until it is captured, as on the other databases."""
    if connection.vendor != "mongodb":
        yield
        return
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
