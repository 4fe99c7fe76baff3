"""DATABASE_URL=mongodb://…: the desk lives on MongoDB with the same migrations, and atomic is a real transaction."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from tests.worker import Desk, kill, until


class MongoDesk(Desk):
    """A desk whose rows lie on MongoDB."""

    def __init__(self, folder: Path, uri: str, name: str) -> None:
        base, _, options = uri.partition("?")
        url = f"{base.rstrip('/')}/{name}" + (f"?{options}" if options else "")
        super().__init__(folder, DATABASE_URL=url)

    def run(self, script: str) -> str:
        return self.manage("shell", "--no-imports", "-c", script)


@pytest.fixture
def rows(mongo_uri: str) -> Iterator[Database[dict[str, Any]]]:
    """An empty database."""
    client: MongoClient[dict[str, Any]] = MongoClient(mongo_uri)
    database = client[f"desk-{secrets.token_hex(4)}"]
    yield database
    client.drop_database(database.name)
    client.close()


@pytest.fixture
def desk(tmp_path: Path, mongo_uri: str, rows: Database[dict[str, Any]]) -> MongoDesk:
    """The same desk, migrated."""
    return MongoDesk(tmp_path, mongo_uri, rows.name)


LOOP = """
from django.contrib.auth.models import Group, User
from django.test import Client
from analyzer import reviews, roles, tasks
from analyzer.models import QueueItem
from feedback.models import Feedback

public, staff = Client(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
answer = public.post("/api/feedback/", {"comment": "The pay button does nothing, mail jo@example.org", "rating": 1,
                     "page": "/checkout"}, content_type="application/json")
print("intake", answer.status_code)
key = str(Feedback.objects.get().pk)
print("analysed", tasks.analyze_feedback(key), tasks.analyze_feedback(key))
ada = User.objects.create_user("ada", password="correct horse battery", is_staff=True)
ada.groups.add(Group.objects.get(name="Reviewer"))
print("may decide", User.objects.get(username="ada").has_perm(roles.DECIDE))
staff.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
for page in ("/admin/", "/admin/analyzer/queueitem/", f"/admin/analyzer/queueitem/{key}/change/",
             "/admin/feedback/feedback/?q=button", "/feedback/"):
    print("page", staff.get(page).status_code)
review = reviews.override(analysis=QueueItem.objects.get().analysis, by=ada, category="framework-issue")
print("decided", QueueItem.objects.get().status, QueueItem.objects.get().category, review.reward_total < 1)
reviews.undo(review=review, by=ada)
print("undone", QueueItem.objects.get().status)
print("health", public.get("/healthz").json()["database"])
print("said", Feedback.objects.get().comment)
"""


def test_the_loop_works_on_mongodb(desk: MongoDesk) -> None:
    said = desk.run(LOOP).splitlines()
    assert said == [
        "intake 202",
        "analysed True False",
        "may decide True",
        *["page 200"] * 5,
        "decided decided framework-issue True",
        "undone open",
        "health ok",
        "said The pay button does nothing, mail [email]",
    ]


TRANSACTION = """
from django.db import transaction
from feedback import intake
from feedback.forms import FeedbackForm
from feedback.models import Feedback

class Stop(Exception): ...

def receive(text):
    intake.receive(form=FeedbackForm({"comment": text}), source="form", external_id=text)

try:
    with transaction.atomic():
        receive("first"), receive("second")
        transaction.on_commit(lambda: print("never"))
        print("inside", Feedback.objects.count())
        raise Stop
except Stop:
    print("after", Feedback.objects.count())
with transaction.atomic():
    receive("third"), receive("third")
    transaction.on_commit(lambda: print("on commit", Feedback.objects.count()))
    print("not yet")
"""


def test_what_happens_inside_atomic_happens_whole_or_not_at_all(
    desk: MongoDesk, rows: Database[dict[str, Any]]
) -> None:
    assert desk.run(TRANSACTION).splitlines() == ["inside 2", "after 0", "not yet", "on commit 1"]
    assert rows.feedback_feedback.count_documents({}) == rows.analyzer_queueitem.count_documents({}) == 1


def test_one_worker_empties_a_queue_that_lies_on_mongodb(desk: MongoDesk, rows: Database[dict[str, Any]]) -> None:
    # One process: on MongoDB two that write near-copies at once conflict, and the loser waits for the sweeper.
    desk.environment["Q_WORKERS"] = "1"
    desk.submit([f"The button number {number} does nothing" for number in range(20)])
    worker = desk.start_worker()
    try:
        until(lambda: rows.analyzer_queueitem.count_documents({"stage": "done"}) == 20, "the analyses")
    finally:
        kill(worker)
    assert rows.analyzer_analysis.count_documents({}) == 20


def test_the_constraints_that_mongodb_has_are_there(desk: MongoDesk, rows: Database[dict[str, Any]]) -> None:
    unique = {
        tuple(index["key"]): index.get("partialFilterExpression")
        for name in ("feedback_feedback", "analyzer_analysis", "analyzer_analyzerversion")
        for index in rows[name].list_indexes()
        if index.get("unique")
    }
    assert ("source", "external_id") in unique
    assert ("feedback_id", "request") in unique
    assert "active" in str(unique[("status",)])


def test_every_model_has_its_migrations_on_mongodb(desk: MongoDesk) -> None:
    assert "No changes detected" in desk.manage("makemigrations", "--check", "--dry-run")
    assert "no issues" in desk.manage("check")
