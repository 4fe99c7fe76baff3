"""Filters and search narrow the queue to what they say, and an unknown value narrows nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analyzer import reviews
from analyzer.models import QueueItem
from tests import make

pytestmark = pytest.mark.django_db

QUEUE = "/admin/analyzer/queueitem/"


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    """Two items that differ in everything a filter asks for."""
    old = timezone.now() - timedelta(days=40)
    make.item(
        "Two",
        category="noise",
        severity="low",
        type="general",
        rating=5,
        page="/help",
        synthetic=True,
        received_at=old,
        category_confidence=0.2,
        needs_person=True,
        fallback_reason="timeout: no answer",
    )
    make.item("One", category="website-bug", severity="high", type="bug", rating=1, page="/basket")
    client.force_login(ada)
    return client


def found(client: Client, query: str) -> list[str]:
    return [row.item.feedback.comment for row in client.get(f"{QUEUE}?{query}").context["rows"]]


@pytest.mark.parametrize(
    ("query", "comments"),
    [
        ("category=noise", ["Two"]),
        ("category=website-bug", ["One"]),
        ("severity=high", ["One"]),
        ("severity=none", []),
        ("attention=unsure", ["Two"]),
        ("attention=flagged", ["Two"]),
        ("attention=person", ["Two"]),
        ("attention=fallback", ["Two"]),
        ("attention=held", []),
        ("type=general", ["Two"]),
        ("rating=1", ["One"]),
        ("rating=none", []),
        ("received=day", ["One"]),
        ("received=month", ["One"]),
        ("received=older", ["Two"]),
        ("source=demo", ["Two"]),
        ("source=real", ["One"]),
        ("stage=done", ["One", "Two"]),
        ("stage=pending", []),
        ("stage=failed", []),
        ("category=noise&severity=high", []),
        ("q=basket", ["One"]),
        ("q=TWO", ["Two"]),
        ("category=nonsense&rating=x&status=y&attention=z", ["One", "Two"]),
    ],
)
def test_a_filter_shows_what_it_says(desk: Client, query: str, comments: list[str]) -> None:
    assert found(desk, query) == comments


def test_an_item_without_an_analysis_is_found_by_its_stage(desk: Client) -> None:
    make.feedback("New")
    failed = make.feedback("Broken").queue_item
    QueueItem.objects.filter(pk=failed.pk).update(stage="failed")
    assert found(desk, "stage=pending") == ["New"]
    assert found(desk, "stage=failed") == ["Broken"]
    assert sorted(found(desk, "severity=none")) == ["Broken", "New"]


def test_decided_items_are_found_by_how_and_by_whom(desk: Client, ada: User, mia: User) -> None:
    one, two = QueueItem.objects.order_by("feedback__comment").select_related("analysis")
    reviews.validate(analysis=one.analysis, by=ada)
    reviews.override(analysis=two.analysis, by=mia, category="positive")
    assert found(desk, "status=decided&decision=mine") == ["One"]
    assert found(desk, "status=decided&decision=overridden") == ["Two"]
    assert found(desk, "status=all&decision=imported") == []


def test_what_was_edited_after_its_decision_is_found_and_says_so(desk: Client, ada: User) -> None:
    for comment in ("Edited", "Left alone"):
        reviews.validate(analysis=make.item(comment).analysis, by=ada)
    make.revise(make.item("Still open").feedback, "Still open, and edited")
    edited = QueueItem.objects.select_related("feedback").get(feedback__comment="Edited")
    make.revise(edited.feedback, "Edited since")
    assert found(desk, "status=all&attention=edited") == ["Edited since"]
    offered = [desk.get(f"{QUEUE}?status={status}").content.decode() for status in ("open", "decided")]
    assert ["attention=edited" in page for page in offered] == [False, True], "where it can find something"
    overview = desk.get("/admin/").content.decode()
    assert "Edited since the decision" in overview
    page = desk.get(f"{QUEUE}?status=decided").content.decode()
    assert page.count("changed since the decision") == 1
    assert "until it is decided anew, nothing learns from it" in page


def test_the_decision_filter_is_only_there_where_it_can_match(desk: Client) -> None:
    assert "decision=mine" not in desk.get(QUEUE).content.decode()
    assert "decision=mine" in desk.get(f"{QUEUE}?status=decided").content.decode()


def test_a_filter_in_force_is_named_and_all_can_be_cleared(desk: Client) -> None:
    page = desk.get(f"{QUEUE}?severity=high&q=One").content.decode()
    assert "Severity: <b>High</b>" in page
    assert '<a class="clear-filters" href="?q=One">' in page


def test_filters_and_the_search_are_kept_by_each_other(desk: Client) -> None:
    page = desk.get(f"{QUEUE}?severity=high&q=One").content.decode()
    assert "?category=noise&amp;q=One&amp;severity=high" in page
    assert '<input type="hidden" name="severity" value="high">' in page


def test_counts_of_filters_are_never_computed(desk: Client) -> None:
    def queries(query: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            desk.get(QUEUE + query)
        return len(captured)

    assert queries("?_facets=True") == queries("")


def test_the_items_of_one_version_are_listed_from_its_page(desk: Client) -> None:
    first = make.version()
    make.item("Analysed by the first")
    first.status = "retired"
    first.save()
    make.version(number=2)
    make.item("Analysed by the second")
    page = desk.get(f"/admin/analyzer/analyzerversion/{first.pk}/change/").content.decode()
    assert "/admin/analyzer/queueitem/?status=all&amp;version=1" in page
    listed = desk.get("/admin/analyzer/queueitem/?status=all&version=1").content.decode()
    assert "Analysed by the first" in listed
    assert "Analysed by the second" not in listed
    for unknown in ("x", "9" * 30):
        both = desk.get(f"/admin/analyzer/queueitem/?status=all&version={unknown}", follow=True).content.decode()
        assert "Analysed by the second" in both
