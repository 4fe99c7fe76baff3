"""What one analysis asks of the database: counted, since every statement is paid for each item of every backlog."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analyzer import tasks
from feedback.models import Feedback
from tests import make
from tests.databases import reads_sql

WRITES = ("INSERT", "UPDATE", "DELETE")


def statements(said: Feedback) -> list[str]:
    """The first word of each statement of one analysis, in order."""
    with CaptureQueriesContext(connection) as captured:
        assert tasks.analyze_feedback(str(said.pk))
    return [query["sql"].split()[0] for query in captured.captured_queries]


def commits(words: list[str]) -> int:
    """How often the disk is waited for: once a transaction, and once for each write outside of any."""
    inside, found = False, 0
    for word in words:
        inside = word == "BEGIN" or (inside and word not in ("COMMIT", "ROLLBACK"))
        found += word == "COMMIT" or (word in WRITES and not inside)
    return found


@pytest.fixture(autouse=True)
def warm(transactional_db: None) -> None:
    """The version's weights are read once by each process."""
    make.working_version()
    statements(make.feedback("Please add a dark mode"))


@reads_sql
def test_an_analysis_takes_three_reads_and_four_writes_in_two_commits() -> None:
    words = statements(make.feedback("The pay button crashes the page"))
    assert words.count("SELECT") == 3
    assert sum(words.count(word) for word in WRITES) == 4
    assert commits(words) == 2


def test_a_near_copy_costs_what_finding_and_counting_it_takes_and_no_more() -> None:
    for end in ("", "!"):
        said = make.feedback(f"The pay button crashes the page{end}", page="/pay")
        words = statements(said)
    assert words.count("SELECT") <= 8
    assert commits(words) <= 4


def test_a_task_that_comes_twice_reads_once_and_writes_nothing() -> None:
    said = make.feedback()
    assert tasks.analyze_feedback(str(said.pk))
    with CaptureQueriesContext(connection) as captured:
        assert not tasks.analyze_feedback(str(said.pk))
    assert len(captured) == 1
