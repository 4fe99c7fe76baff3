"""sync_feedback --watch outlasts its own desk's database: it waits, and goes on where it was."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pymongo.collection import Collection
from pytest_django import Settings

from tests.faults.postgres import Postgres, run_postgres
from tests.processes import kill_family
from tests.worker import Desk, until


@pytest.mark.servers
def test_a_database_that_was_away_costs_a_pause_and_no_document(
    shop: Collection[dict[str, Any]], settings: Settings, tmp_path: Path
) -> None:
    shop.insert_one({"comment": "Said before the outage"})
    with run_postgres() as server:
        desk = Desk(tmp_path, DATABASE_URL=server.url, MONGO_MIRROR_URL=settings.MONGO_MIRROR_URL)
        told = tmp_path / "told"
        watch = desk.start("sync_feedback", "--watch", told=told)
        try:
            until(partial(_stored, server, 1), "the first document")
            server.kill()
            shop.insert_one({"comment": "Said while the database was away"})
            until(lambda: "own database does not answer. Trying again" in told.read_text(), "its meeting the outage")
            server.start()
            server.wait()
            until(partial(_stored, server, 2), "what was said meanwhile")
            assert watch.poll() is None
        finally:
            kill_family(watch)


def _stored(server: Postgres, count: int) -> bool:
    with psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT count(*) FROM feedback_feedback").fetchone()
    return row is not None and row[0] == count
