"""A short round of the campaign: what was acknowledged while processes were killed is there, and once.

make faults runs the long ones.
"""

from __future__ import annotations

import pytest

from tests.faults import campaign
from tests.faults.verdict import Plan


@pytest.mark.slow
@pytest.mark.parametrize(("database", "broker"), [("postgres", "redis"), ("sqlite", "orm")])
def test_a_desk_whose_processes_are_killed_loses_and_doubles_nothing(database: str, broker: str) -> None:
    done = campaign.run(Plan(seed=7, items=100, kills=7, database=database, broker=broker, pace=30.0, hurry=True))
    assert done.survived, "\n".join([done.line, *done.kills, *done.surprises])
    assert done.decisions > 0
