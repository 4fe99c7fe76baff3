"""DATABASE_URL=mongodb://…: the desk lives on MongoDB with the same migrations, and atomic is a real transaction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.on_mongodb import database_url
from tests.processes import kill_family
from tests.servers import free_port
from tests.worker import Desk, until


class MongoDesk(Desk):
    """A desk whose rows lie on MongoDB."""

    def __init__(self, folder: Path, uri: str, name: str, *, migrate: bool = True) -> None:
        super().__init__(folder, migrate=migrate, DATABASE_URL=database_url(uri, name))

    def run(self, script: str) -> str:
        return self.manage("shell", "--no-imports", "-c", script)


@pytest.fixture
def desk(tmp_path: Path, mongo_uri: str, mongo_database: Database[dict[str, Any]]) -> MongoDesk:
    """The same desk, migrated."""
    return MongoDesk(tmp_path, mongo_uri, mongo_database.name)


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
    desk: MongoDesk, mongo_database: Database[dict[str, Any]]
) -> None:
    assert desk.run(TRANSACTION).splitlines() == ["inside 2", "after 0", "not yet", "on commit 1"]
    for name in ("feedback_feedback", "analyzer_queueitem"):
        assert mongo_database[name].count_documents({}) == 1


def test_two_workers_empty_a_queue_that_lies_on_mongodb(
    desk: MongoDesk, mongo_database: Database[dict[str, Any]]
) -> None:
    desk.environment["Q_WORKERS"] = "2"
    # Near-copies, which two workers join to one group at the same moment.
    desk.submit([f"The button number {number} does nothing" for number in range(20)])
    worker = desk.start_worker()
    try:
        until(lambda: mongo_database.analyzer_queueitem.count_documents({"stage": "done"}) == 20, "the analyses")
    finally:
        kill_family(worker)
    assert mongo_database.analyzer_analysis.count_documents({}) == 20


def test_the_constraints_that_mongodb_has_are_there(desk: MongoDesk, mongo_database: Database[dict[str, Any]]) -> None:
    unique = {
        tuple(index["key"]): index.get("partialFilterExpression")
        for name in ("feedback_feedback", "analyzer_analysis", "analyzer_analyzerversion")
        for index in mongo_database[name].list_indexes()
        if index.get("unique")
    }
    assert ("source", "external_id") in unique
    assert ("feedback_id", "request") in unique
    assert "active" in str(unique[("status",)])


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("feedback_feedback", ("id",)),
        ("feedback_feedback", ("source", "external_id")),
        ("analyzer_queueitem", ("feedback_id",)),
        ("auth_user", ("username",)),
        ("django_session", ("session_key",)),
    ],
)
def test_what_is_unique_is_found_by_its_index(
    desk: MongoDesk, mongo_database: Database[dict[str, Any]], table: str, columns: tuple[str, ...]
) -> None:
    """An index that is partial by type would not be used: MongoDB does not see that an equal value has that type."""
    assert "$type" not in str(list(mongo_database[table].list_indexes()))
    plan = mongo_database[table].find(dict.fromkeys(columns, "x")).explain()["queryPlanner"]["winningPlan"]
    assert plan["inputStage"]["stage"] == "IXSCAN"
    assert tuple(plan["inputStage"]["keyPattern"]) == columns


CHOSEN = """
from analyzer.models import QueueItem
from django.db import connection
from feedback.models import Feedback

connection.force_debug_cursor = True
def stages(rows):
    list(rows)
    return connection.queries[-1]["sql"].partition("aggregate(")[2]
key = "01a219ba83a3764493edaceb4ca39f9e"
items = QueueItem.objects.select_related("feedback")
for rows in (
    items.filter(pk=key),
    items.filter(pk=key, feedback__source="form"),
    items.filter(feedback__source="form"),
    items.filter(feedback__source="$stage", stage="done").exclude(feedback__page="x"),
    Feedback.objects.filter(pk=key, queue_item=None),
):
    before, _, _ = stages(rows).partition("{'$lookup'")
    print(before)
"""


def test_rows_are_chosen_before_others_are_joined_to_them(desk: MongoDesk) -> None:
    by_key = "[{'$match': {'$and': [{'feedback_id': '01a219ba83a3764493edaceb4ca39f9e'}]}}, "
    assert desk.run(CHOSEN).splitlines() == [
        by_key,
        by_key,
        "[",
        "[{'$match': {'$and': [{'stage': 'done'}]}}, ",
        by_key.replace("feedback_id", "id"),
    ]


IN_THE_WAY = """
import threading
from django.contrib.auth.models import Group, User
from django.db import connection
from analyzer import reviews, tasks
from analyzer.models import QueueItem, Review
from feedback import intake
from feedback.forms import FeedbackForm

said = intake.receive(form=FeedbackForm({"comment": "The pay button does nothing", "type": "bug"}), source="form")
key = said.feedback.pk
tasks.analyze_feedback(str(key))
ada = User.objects.create_user("ada", is_staff=True)
ada.groups.add(Group.objects.get(name="Reviewer"))
item = QueueItem.objects.select_related("analysis").get(pk=key)
assert ada.has_perm("analyzer.add_review")
session = connection.database.client.start_session()
session.start_transaction()
connection.database.analyzer_queueitem.update_one({"feedback_id": key.hex}, {"$set": {"error": "x"}}, session=session)
threading.Timer(0.15, session.commit_transaction).start()
reviews.override(analysis=item.analysis, by=ada, severity="low")
print(Review.objects.count(), QueueItem.objects.get().status, QueueItem.objects.get().severity)
"""


def test_a_decision_at_the_moment_when_a_worker_writes_the_item_is_stored(desk: MongoDesk) -> None:
    """MongoDB fails the later of two writers at once; the decision is written again."""
    assert desk.run(IN_THE_WAY) == "1 decided low\n"


AWAY = """
import logging
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from secantus import SecantusDBServer

logging.disable()
server = SecantusDBServer(host="127.0.0.1", port={port}, storage_path=":memory:")
# Visitors see the pages of a deployed desk.
settings.DEBUG = False
client = Client(SERVER_NAME="localhost", raise_request_exception=False)
said = {{"comment": "The pay button does nothing", "rating": 2}}
def ask():
    sent = client.post("/api/feedback/", said, content_type="application/json")
    form = client.post("/feedback/", said | {{"type": "bug", "page": ""}})
    print("api", sent.status_code, sent.headers.get("Retry-After"), "form", form.status_code,
          said["comment"] in form.content.decode(), "health", client.get("/healthz?web").json()["database"],
          "staff", client.post("/admin/login/", {{"username": "ada", "password": "wrong"}}).status_code)
ask()
server.start()
call_command("migrate", verbosity=0)
ask()
server.stop()
ask()
"""


NOT_EMPTY = """
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection

count = Group.objects.count()
try:
    with connection.schema_editor() as editor:
        editor.create_model(Group)
except DatabaseError as error:
    print(error, Group.objects.count() == count > 0)
"""


def test_a_collection_with_something_in_it_is_never_made_anew(desk: MongoDesk) -> None:
    """A migration that is made again takes away only what it had left empty."""
    assert desk.run(NOT_EMPTY) == "The collection auth_group exists already and is not empty. True\n"


LOST = """
from django.db import connection, transaction
from secantus import SecantusDBServer

def write(number, meanwhile=lambda: None):
    try:
        with transaction.atomic():
            connection.get_collection("rows").insert_one({{"_id": number}}, session=connection.session)
            meanwhile()
    except Exception as error:
        return "failed"
    return "stored"

server = SecantusDBServer(host="127.0.0.1", port={port}, storage_path=":memory:")
server.start()
print(write(1), write(2, server.stop), write(3))
server = SecantusDBServer(host="127.0.0.1", port={port}, storage_path=":memory:")
server.start()
print(write(4), [row["_id"] for row in connection.get_collection("rows").find()])
"""


GROUPED = """
from analyzer.models import QueueItem, ReportGroup
from tests import make

first = make.feedback("The pay button does nothing")
group = ReportGroup.objects.create(pk=first.pk, size=1)
QueueItem.objects.update(group=group)
"""


def test_groups_that_were_counted_before_the_migration_was_killed_are_counted_again(
    desk: MongoDesk, mongo_database: Database[dict[str, Any]]
) -> None:
    desk.run(GROUPED)
    made = mongo_database["django_migrations"].delete_many({"app": "analyzer", "name": {"$gte": "0008"}})
    assert made.deleted_count
    desk.manage("migrate", "-v0")
    assert desk.run("from analyzer.models import QueueItem; print(QueueItem.objects.get().similar)").split() == ["0"]
    assert mongo_database["analyzer_reportgroup"].count_documents({"size": 1}) == 1


def test_a_process_whose_server_went_away_in_a_transaction_works_again_afterwards(tmp_path: Path) -> None:
    port = free_port()
    url = f"mongodb://127.0.0.1:{port}/?serverSelectionTimeoutMS=1000"
    desk = MongoDesk(tmp_path, url, "desk", migrate=False)
    assert desk.run(LOST.format(port=port)).splitlines() == ["stored failed failed", "stored [4]"]


def test_a_server_that_is_away_is_said_to_come_back(tmp_path: Path) -> None:
    """Before it was ever there, and after it went away; on a stand-in of its own, which alone can be stopped."""
    port = free_port()
    desk = MongoDesk(tmp_path, f"mongodb://127.0.0.1:{port}/?serverSelectionTimeoutMS=500", "desk", migrate=False)
    away = "api 503 10 form 503 True health unreachable staff 503"
    assert desk.run(AWAY.format(port=port)).splitlines() == [
        away, "api 202 None form 302 False health ok staff 200", away,
    ]  # fmt: skip


def test_every_model_has_its_migrations_on_mongodb(desk: MongoDesk) -> None:
    assert "No changes detected" in desk.manage("makemigrations", "--check", "--dry-run")
    assert "no issues" in desk.manage("check")
