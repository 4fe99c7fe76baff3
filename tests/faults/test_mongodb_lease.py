"""Whoever works alone on MongoDB holds a lease: others wait, a killed holder is waited for only so long."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from pymongo.database import Database

from triage_site.mongodb import lease

NAME = "migrate"


def test_the_second_waits_until_the_first_is_done_however_long(
    mongo_database: Database[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE", timedelta(seconds=1))
    said: list[str] = []

    def second() -> None:
        with lease.hold(mongo_database, NAME):
            said.append("second")

    with lease.hold(mongo_database, NAME):
        waiting = threading.Thread(target=second)
        waiting.start()
        # Three times as long as a lease lasts that nobody renews.
        time.sleep(3)
        said.append("first")
    waiting.join(60)
    assert said == ["first", "second"]
    assert mongo_database[lease.COLLECTION].count_documents({}) == 0


def test_a_holder_that_was_killed_is_waited_for_until_its_lease_runs_out(
    mongo_database: Database[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE", timedelta(seconds=2))
    assert lease._take(mongo_database[lease.COLLECTION], NAME, "killed")
    assert not lease._take(mongo_database[lease.COLLECTION], NAME, "another")
    with lease.hold(mongo_database, NAME):
        holder = mongo_database[lease.COLLECTION].find_one({"_id": NAME})
        assert holder is not None
        assert holder["holder"] != "killed"


def test_two_names_do_not_wait_for_each_other(mongo_database: Database[dict[str, Any]]) -> None:
    with lease.hold(mongo_database, NAME), lease.hold(mongo_database, "something else"):
        assert mongo_database[lease.COLLECTION].count_documents({}) == 2
