"""A short round of the campaign: what was acknowledged while processes were killed is there, and once.

make faults runs the long ones.
"""

from __future__ import annotations

import pytest

from tests.faults import campaign
from tests.faults.verdict import Plan


@pytest.mark.slow
@pytest.mark.parametrize(
    ("database", "broker", "store"),
    [("postgres", "redis", False), ("postgres", "redis", True), ("sqlite", "orm", False), ("mongodb", "redis", False)],
    ids=["PostgreSQL and Redis", "with a LightningStore", "SQLite", "MongoDB's protocol"],
)
def test_a_desk_whose_processes_are_killed_loses_and_doubles_nothing(database: str, broker: str, store: bool) -> None:
    # A server written in Python is slow.
    pace = 6.0 if database == "mongodb" else 30.0
    plan = Plan(seed=7, items=100, kills=8, database=database, broker=broker, store=store, pace=pace, hurry=True)
    done = campaign.run(plan)
    assert done.survived, "\n".join([done.line, *done.kills, *done.surprises])
    assert done.decisions > 0
