"""A migration on MongoDB, which has no transaction around it, is killed half way; the next one ends it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo.database import Database

from tests.on_mongodb import database_url
from tests.processes import kill_family
from tests.worker import Desk, until
from triage_site.mongodb import lease


def indexes(database: Database[dict[str, Any]]) -> dict[str, list[str]]:
    names = set(database.list_collection_names()) - {lease.COLLECTION}
    return {name: sorted(database[name].index_information()) for name in names}


def kill_at(desk: Desk, database: Database[dict[str, Any]], *, collections: int) -> None:
    """Kill a migration as soon as there are so many collections."""
    process = desk.start("migrate", "-v0")
    until(lambda: len(database.list_collection_names()) >= collections, "the collections")
    kill_family(process)
    # As after a minute.
    database[lease.COLLECTION].delete_many({})


def test_what_was_killed_between_two_collections_is_ended_by_the_next(
    tmp_path: Path, mongo_uri: str, mongo_database: Database[dict[str, Any]]
) -> None:
    desk = Desk(tmp_path, DATABASE_URL=database_url(mongo_uri, mongo_database.name))
    whole = indexes(mongo_database)
    for name in mongo_database.list_collection_names():
        mongo_database.drop_collection(name)
    for count in (5, 12, 20):
        kill_at(desk, mongo_database, collections=count)
        assert indexes(mongo_database) != whole
    desk.manage("migrate", "-v0")
    assert indexes(mongo_database) == whole
