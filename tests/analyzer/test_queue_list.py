"""The list: what needs a decision, most important first, quick on a desk of any size."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analyzer import reviews
from analyzer.models import Heartbeat, QueueItem
from feedback import admin_base
from tests import make
from tests.databases import ON_MONGODB, reads_sql

pytestmark = pytest.mark.django_db

QUEUE = "/admin/analyzer/queueitem/"
HEAVY = ('"trace"', '"weights"', '"prompt"', '"metrics"', '"password"', '"category_probabilities"', '"note"')


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def comments(client: Client, query: str = "") -> list[str]:
    return [row.item.feedback.comment for row in client.get(QUEUE + query).context["rows"]]


def test_the_most_important_is_first_and_the_oldest_among_equals(desk: Client) -> None:
    now = timezone.now()
    make.item("Low and old", severity="low", received_at=now - timedelta(days=9))
    make.item("High and new", severity="high", received_at=now)
    make.item("High and old", severity="high", received_at=now - timedelta(days=2))
    make.item("Critical and new", severity="critical", received_at=now)
    assert comments(desk) == ["Critical and new", "High and old", "High and new", "Low and old"]


def test_what_is_decided_leaves_the_list_and_can_be_listed(desk: Client, ada: User) -> None:
    make.item("Open one")
    reviews.validate(analysis=make.item("Decided one").analysis, by=ada)
    assert comments(desk) == ["Open one"]
    assert comments(desk, "?status=open") == ["Open one"]
    assert comments(desk, "?status=decided") == ["Decided one"]
    assert sorted(comments(desk, "?status=all")) == ["Decided one", "Open one"]


def test_an_item_without_an_analysis_is_in_the_list(desk: Client) -> None:
    make.feedback("Just came in")
    page = desk.get(QUEUE).content.decode()
    assert "Just came in" in page
    assert "Waiting for analysis" in page


def test_a_row_says_why_it_is_where_it_is(desk: Client) -> None:
    make.item("Broken", rating=1, severity="high", type="bug")
    page = desk.get(QUEUE).content.decode()
    for part in ("Why is this here?", "severity high", "+62", "rating 1 of 5", "+3", "form type bug", "+1"):
        assert part in page


def test_what_a_person_should_know_is_written_on_the_row(desk: Client) -> None:
    make.item(
        "I want my money back, write to me at jo@mail.example.org",
        synthetic=True,
        needs_person=True,
        category_confidence=0.31,
        fallback_reason="timeout: no answer within 30 s",
        findings=[
            {"rule": "boundary-refund", "reason": "Only a person may give money back."},
            {"rule": "severity-floor", "reason": "Raised from low to high."},
            {"rule": "injection", "reason": "It gives orders."},
        ],
    )
    page = desk.get(QUEUE).content.decode()
    for text in (
        "needs a person",
        "raised to high",
        "injection",
        "answered by local",
        "PII removed: 1",
        "demo",
        "not sure",
    ):
        assert text in page
    assert "Only a person may give money back." in page


def test_not_sure_is_below_the_threshold_of_the_version_that_answered(desk: Client) -> None:
    make.version(thresholds={"category": 0.9, "severity": 0.1})
    make.item(category_confidence=0.8, severity_confidence=0.2)
    category, severity = desk.get(QUEUE).context["rows"][0].choices
    assert (str(category.confidence), category.confidence.sure) == ("80 %, not sure", False)
    assert (str(severity.confidence), severity.confidence.sure) == ("20 %", True)


def test_the_number_of_queries_does_not_grow_with_the_rows(desk: Client, ada: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(f"{QUEUE}?status=all").status_code == 200
        return len(captured)

    for number in range(3):
        reviews.validate(analysis=make.item(f"Decided {number}").analysis, by=ada)
        make.item(f"Open {number}")
        make.feedback(f"Waiting {number}")
    few = queries()
    for number in range(6):
        reviews.validate(analysis=make.item(f"Decided more {number}").analysis, by=ada)
        make.item(f"Open more {number}", findings=[{"rule": "injection", "reason": "x"}])
    assert queries() == few
    # Session, user, two of permissions, count, heartbeat, oldest waiting, saved views, preference, keys, rows.
    assert few <= 11


@reads_sql
def test_what_a_row_does_not_show_is_not_read(desk: Client) -> None:
    make.item()
    with CaptureQueriesContext(connection) as captured:
        desk.get(QUEUE)
    (rows,) = [query["sql"] for query in captured if '"comment"' in query["sql"]]
    assert not [column for column in HEAVY if column in rows]
    assert 'ORDER BY "analyzer_queueitem"."rank" ASC' in rows


EVERY_FILTER = [
    *("", "status=decided", "category=noise", "severity=high", "rating=1", "rating=none", "type=bug", "received=day"),
    *("attention=held", "attention=person", "attention=fallback", "attention=unsure", "attention=flagged"),
    "status=decided&attention=edited",
    *("attention=over", "source=demo", "age=0-4", "status=decided&decision=mine", "status=decided&decision=imported"),
    *("status=decided&outcome=fixed", "rating=1&type=bug&received=week", "status=all"),
]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="The plan is written in SQLite's words.")
@pytest.mark.parametrize("query", EVERY_FILTER)
def test_the_list_is_read_in_the_order_of_an_index(desk: Client, query: str) -> None:
    """However it is filtered: what few items match is found without a look at the rows of all others."""
    shown = desk.get(f"{QUEUE}?{query}").context["cl"].queryset
    (walk, *rest) = shown.values("pk")[:25].explain().splitlines()
    index = r"USING INDEX analyzer_queue(_category|_severity|_all)?\b"
    assert re.search(index, walk), walk
    assert [step for step in rest if "TEMP B-TREE" not in step] == [], "no other table is asked"
    assert [step for step in rest if "TEMP B-TREE FOR ORDER BY" in step] == [], "only equals are sorted"
    if query != "status=all":
        count = shown.order_by().values("rank")[:10_001].explain()
        assert re.search(r"SEARCH \w+ USING COVERING INDEX analyzer_queue", count), count


def test_the_count_stops_at_a_cap_and_says_so(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_base, "CAP", 30)
    for number in range(31):
        make.item(f"Report {number}")
    with CaptureQueriesContext(connection) as captured:
        page = desk.get(QUEUE).content.decode()
    assert "30+" in page
    assert "the pages show the first 30" in page
    if not ON_MONGODB:
        assert any("COUNT" in query["sql"] and "LIMIT 31" in query["sql"] for query in captured)
    assert len(desk.get(f"{QUEUE}?p=2").context["rows"]) == 5


def test_an_empty_queue_says_so_and_leads_to_what_was_decided(desk: Client) -> None:
    page = desk.get(QUEUE).content.decode()
    assert "Nothing needs a decision" in page
    assert 'href="?status=decided"' in page


def test_filters_without_a_match_say_so_and_lead_back(desk: Client) -> None:
    make.item("Something")
    page = desk.get(f"{QUEUE}?q=elephant&severity=low").content.decode()
    assert "No item matches" in page
    assert "elephant" in page
    assert f'href="{QUEUE}"' in page


def test_a_stopped_worker_is_said_where_people_wait_for_it(desk: Client) -> None:
    waiting = make.feedback("Waiting").queue_item
    long_ago = timezone.now() - timedelta(minutes=10)
    assert "No worker has been heard of" not in desk.get(QUEUE).content.decode(), "it has just been started"
    QueueItem.objects.filter(pk=waiting.pk).update(queued_at=long_ago)
    assert "No worker has been heard of for 10 min" in desk.get(QUEUE).content.decode()
    beat = Heartbeat.objects.create(name="sweep", at=timezone.now() - timedelta(minutes=4))
    assert "No worker has been heard of for 4 min" in desk.get(QUEUE).content.decode()
    assert "No worker has been heard of for 4 min" in desk.get("/admin/").content.decode()
    Heartbeat.objects.filter(pk=beat.pk).update(at=timezone.now())
    assert "No worker" not in desk.get(QUEUE).content.decode()
    Heartbeat.objects.filter(pk=beat.pk).update(at=long_ago)
    QueueItem.objects.update(stage="done")
    assert "No worker" not in desk.get(QUEUE).content.decode(), "nobody waits for it"
