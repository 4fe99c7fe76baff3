"""The index of words follows the rows, whatever writes them, and is made good where it was lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext

from feedback import intake, search, search_index, statistics
from feedback.forms import FeedbackForm
from feedback.models import Feedback
from tests import make

INDEXED = connection.vendor in ("sqlite", "postgresql")
pytestmark = pytest.mark.skipif(not INDEXED, reason="MongoDB has no index of words here.")


def count(text: str) -> int:
    return Feedback.objects.filter(search.condition(text)).count()


@pytest.mark.django_db
def test_it_follows_whatever_writes() -> None:
    received = make.feedback("Received elephant").pk
    Feedback.objects.bulk_create(Feedback(source="test", comment=f"Bulk elephant {number}") for number in range(3))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE feedback_feedback SET comment = 'Raw giraffe' WHERE comment = 'Bulk elephant 0'")
    assert (count("elephant"), count("giraffe")) == (3, 1)
    form = FeedbackForm({"comment": "Edited at its source", "type": "bug"})
    intake.revise(feedback=Feedback.objects.get(pk=received), form=form)
    assert (count("elephant"), count("edited")) == (2, 1)
    Feedback.objects.filter(comment__contains="elephant").delete()
    assert (count("elephant"), count("bulk")) == (0, 0)


@pytest.mark.django_db
def test_nothing_of_an_erased_comment_is_left_in_it() -> None:
    make.feedback("A comment about zyzzyva and nothing else").delete()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("CREATE VIRTUAL TABLE temp.every_word USING fts5vocab('main', 'feedback_search', 'row')")
            cursor.execute("SELECT count(*) FROM temp.every_word WHERE term = 'zyzzyva'")
        else:
            cursor.execute("SELECT count(*) FROM feedback_search WHERE words::text LIKE '%zyzzyva%'")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_rebuilds_the_table_does_not_lose_it() -> None:
    """As altering a column does on SQLite, which takes the triggers with the old table."""
    make.feedback("Before the elephant")
    page = Feedback._meta.get_field("page")
    wider = models.CharField(max_length=page.max_length + 1, blank=True)
    wider.set_attributes_from_name("page")
    wider.model = Feedback
    try:
        with connection.schema_editor() as editor:
            editor.alter_field(Feedback, page, wider)
        Feedback.objects.create(source="test", comment="Between two elephants")
        assert search_index.ensure() is (connection.vendor == "sqlite")
        assert (count('"elephant"'), count("elephants")) == (1, 1)
        make.feedback("Behind the elephant")
        assert count('"elephant"') == 2
        assert search_index.ensure() is False, "it is there"
    finally:
        with connection.schema_editor() as editor:
            editor.alter_field(Feedback, wider, page)
        search_index.ensure()


@pytest.mark.django_db
def test_the_list_reads_the_index_and_asks_no_more_often_than_without_a_search(client: Client, ada: User) -> None:
    for number in range(300):
        make.feedback(f"Ordinary report {number}")
    make.item("The elephant in the room")
    statistics.refresh(least=300)
    client.force_login(ada)

    def queries(query: str) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/admin/analyzer/queueitem/{query}").status_code == 200
        return [query["sql"] for query in captured]

    searched = queries("?q=elephant")
    assert len(searched) == len(queries(""))
    (rows,) = [sql for sql in searched if '"comment"' in sql]
    assert "LIKE" not in rows.upper()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {rows}")
            plan = " / ".join(row[3] for row in cursor.fetchall())
        assert "feedback_search VIRTUAL TABLE" in plan
        assert "SEARCH analyzer_queueitem USING INDEX sqlite_autoindex_analyzer_queueitem_1 (feedback_id=?)" in plan


def test_vacuum_does_not_move_it(tmp_path: Path) -> None:
    """Backups are made by VACUUM INTO, which may give rows other rowids."""
    rows = sqlite3.connect(tmp_path / "desk.sqlite3")
    rows.execute("CREATE TABLE feedback_feedback (id char(32) PRIMARY KEY, comment text, page text)")
    for statement in search_index._SQLITE:
        rows.execute(statement)
    rows.executemany("INSERT INTO feedback_feedback VALUES (?, ?, '')", [("a", "one"), ("b", "two"), ("c", "three")])
    rows.execute("DELETE FROM feedback_feedback WHERE id = 'a'")
    rows.commit()
    rows.execute("VACUUM INTO ?", (str(tmp_path / "copy.sqlite3"),))
    copy = sqlite3.connect(tmp_path / "copy.sqlite3")
    found = search._KEYS["sqlite"].replace("%s", "?")
    assert copy.execute(found, ("three",)).fetchall() == [("c",)]
    copy.execute("UPDATE feedback_feedback SET comment = 'four' WHERE id = 'b'")
    assert copy.execute(found, ("two",)).fetchall() == []
    assert copy.execute(found, ("four",)).fetchall() == [("b",)]
