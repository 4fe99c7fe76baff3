"""The judge of a round sees what was lost, doubled, left lying or half stored, so that no fault means something."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.faults.people import Crowd, Decided, Sent
from tests.faults.verdict import Plan, Round, judge

TABLES = """
CREATE TABLE feedback_feedback (id, source, external_id);
CREATE TABLE analyzer_analysis (id, feedback_id);
CREATE TABLE analyzer_queueitem (feedback_id, stage, analysis_id, status, review_id);
CREATE TABLE analyzer_review (id, feedback_id, reviewer_id, category, severity, role);
CREATE TABLE auth_user (id, username);
INSERT INTO auth_user VALUES (1, 'ada');
INSERT INTO feedback_feedback VALUES ('f1', 'api', 'k1'), ('f2', 'form', 'k2');
INSERT INTO analyzer_analysis VALUES ('a1', 'f1'), ('a2', 'f2');
INSERT INTO analyzer_review VALUES ('r1', 'f1', 1, 'noise', 'low', 'first');
INSERT INTO analyzer_queueitem VALUES ('f1', 'done', 'a1', 'decided', 'r1'), ('f2', 'done', 'a2', 'open', NULL);
"""


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(TABLES)
        yield connection


def judged(database: sqlite3.Connection, crowd: Crowd | None = None) -> Round:
    result = Round(Plan(seed=1, items=2, kills=0))
    told = Crowd(sent=[Sent("api", "k1", "f1"), Sent("form", "k2")], decided=[Decided("ada", "f1", "noise", "low")])

    def read(table: str, *columns: str) -> list[tuple[Any, ...]]:
        return database.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()

    judge(read, crowd or told, result)
    return result


def test_a_round_in_which_all_is_well_was_survived(database: sqlite3.Connection) -> None:
    result = judged(database)
    assert result.survived
    assert (result.acknowledged, result.decisions) == (2, 1)


@pytest.mark.parametrize(
    ("damage", "where"),
    [
        ("DELETE FROM feedback_feedback WHERE id = 'f2'", "lost"),
        ("UPDATE feedback_feedback SET id = 'f9' WHERE id = 'f1'", "lost"),
        ("INSERT INTO feedback_feedback VALUES ('f3', 'api', 'k1')", "doubled"),
        ("INSERT INTO analyzer_analysis VALUES ('a3', 'f1')", "doubled"),
        ("INSERT INTO analyzer_review VALUES ('r2', 'f1', 1, 'noise', 'low', 'first')", "doubled"),
        ("UPDATE analyzer_queueitem SET stage = 'running' WHERE feedback_id = 'f2'", "unfinished"),
        ("UPDATE analyzer_queueitem SET stage = 'failed' WHERE feedback_id = 'f2'", "unfinished"),
        ("DELETE FROM analyzer_queueitem WHERE feedback_id = 'f2'", "unfinished"),
        ("UPDATE analyzer_queueitem SET review_id = NULL", "decisions_lost"),
        ("UPDATE analyzer_review SET category = 'website-bug'", "decisions_lost"),
        ("INSERT INTO feedback_feedback VALUES ('f3', 'api', 'k3')", "surprises"),
        ("UPDATE analyzer_queueitem SET status = 'open'", "surprises"),
    ],
)
def test_a_round_with_damage_was_not(database: sqlite3.Connection, damage: str, where: str) -> None:
    database.execute(damage)
    result = judged(database)
    assert getattr(result, where)
    assert not result.survived


def test_neither_was_one_whose_clients_saw_an_error_of_ours_or_were_not_all_answered(
    database: sqlite3.Connection,
) -> None:
    crowd = Crowd(sent=[Sent("api", "k1", "f1"), Sent("form", "k2")])
    assert judged(database, crowd).survived
    crowd.statuses[500] += 1
    assert not judged(database, crowd).survived
    database.execute("DELETE FROM feedback_feedback WHERE id = 'f2'")
    assert not judged(database, Crowd(sent=[Sent("api", "k1", "f1")])).survived
