"""The index of words follows the rows, whatever writes them, and is made good where it was lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analyzer.admin.queue import QueueItemAdmin
from feedback import intake, search, search_index
from feedback.forms import FeedbackForm
from feedback.models import Feedback
from tests import make

INDEXED = connection.vendor in ("sqlite", "postgresql")
pytestmark = pytest.mark.skipif(not INDEXED, reason="MongoDB has no index of words here.")


def count(text: str) -> int:
    return Feedback.objects.filter(search.condition(text)).count()


def explained(sql: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return [row[3] for row in cursor.fetchall()]


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


def _finds_a_page(sql: str) -> bool:
    """Whether this is the query for the keys of a page; the rows are looked up by them."""
    return "feedback_search" in sql and "ORDER BY" in sql


@pytest.mark.django_db
def test_the_list_looks_up_what_the_index_found(client: Client, ada: User) -> None:
    make.item("The elephant in the room")
    client.force_login(ada)

    def queries(query: str) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/admin/analyzer/queueitem/{query}").status_code == 200
        return [query["sql"] for query in captured]

    searched = queries("?q=elephant&severity=high")
    (rows,) = [sql for sql in searched if _finds_a_page(sql)]
    assert not [sql for sql in searched if "LIKE" in sql.upper()]
    # SQLite asks how many there are, to know which way to go.
    assert len(searched) == len(queries("?severity=high")) + (connection.vendor == "sqlite")
    if connection.vendor == "sqlite":
        plan = explained(rows)
        assert "SCAN feedback_search VIRTUAL TABLE INDEX 0:M2" in plan
        assert not [step for step in plan if step.startswith("SCAN") and "feedback_search" not in step]
        assert not [step for step in plan if "analyzer_queue" in step and "feedback_id=?" not in step], "the list"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has statistics to choose by.")
@pytest.mark.django_db
def test_a_common_word_is_looked_for_while_walking_the_list(
    client: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.item("The elephant in the room", severity="critical")
    make.item("Another elephant", severity="low")
    client.force_login(ada)
    monkeypatch.setattr(search, "FEW", 1)
    monkeypatch.setattr(QueueItemAdmin, "list_per_page", 1)
    with CaptureQueriesContext(connection) as captured:
        page = client.get("/admin/analyzer/queueitem/?q=elephant")
    assert [row.name for row in page.context["rows"]] == ["The elephant in the room"]
    assert page.context["cl"].result_count == 2
    (rows,) = [query["sql"] for query in captured if _finds_a_page(query["sql"])]
    plan = explained(rows)
    assert any("USING INDEX analyzer_queue (status=?)" in step for step in plan), plan
    assert "USE TEMP B-TREE FOR RIGHT PART OF ORDER BY" in plan, "walked in order, but for equals"


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
