"""--write-back: the desk's opinion on the website's documents, only where it differs, and nothing else on them."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from pymongo.collection import Collection
from pytest_django import Settings

from analyzer import reviews
from feedback.models import Feedback
from tests import make

pytestmark = pytest.mark.django_db

Shop = Collection[dict[str, Any]]
THEN = datetime(2026, 1, 1, tzinfo=UTC)


def sync() -> str:
    out = io.StringIO()
    call_command("sync_feedback", write_back=True, stdout=out, stderr=out)
    return out.getvalue()


def fill(shop: Shop, count: int) -> None:
    shop.insert_many(
        {"_id": number, "comment": f"It fails {number}", "status": "their own", "updatedAt": THEN}
        for number in range(count)
    )
    sync()
    for row in Feedback.objects.all():
        make.analysis(row, category="website-bug", severity="high")


def test_opinions_and_decisions_arrive_and_the_rest_of_the_document_stays(shop: Shop, ada: User) -> None:
    fill(shop, 2)
    decided = Feedback.objects.get(comment="It fails 1").queue_item
    assert decided.analysis is not None
    reviews.override(analysis=decided.analysis, by=ada, category="content-gap", severity="low")
    assert "Write-back: 2 documents changed, 0 right already, 0 no longer there." in sync()
    first, second = shop.find().sort("_id", 1)
    assert first["triage"] | {"priority": 0} == {
        "category": "website-bug", "severity": "high", "priority": 0, "status": "open"
    }  # fmt: skip
    assert isinstance(first["triage"]["priority"], int)
    assert second["triage"]["category"] == "content-gap"
    assert second["triage"]["status"] == "decided"
    assert (first["status"], first["comment"], first["updatedAt"]) == ("their own", "It fails 0", THEN)


def test_a_repeat_writes_nothing_and_a_decision_only_its_own_document(shop: Shop, ada: User) -> None:
    fill(shop, 3)
    sync()
    assert "0 documents changed, 3 right already" in sync()
    item = Feedback.objects.get(comment="It fails 2").queue_item
    assert item.analysis is not None
    reviews.validate(analysis=item.analysis, by=ada)
    assert "1 documents changed, 2 right already" in sync()


def test_a_document_with_an_id_of_several_parts_gets_its_opinion_too(shop: Shop) -> None:
    shop.insert_many({"_id": {"shop": 1, "number": number}, "comment": f"It fails {number}"} for number in range(2))
    shop.insert_one({"_id": 7, "comment": "It fails too"})
    sync()
    for row in Feedback.objects.all():
        make.analysis(row)
    assert "3 documents changed, 0 right already, 0 no longer there" in sync()
    assert shop.count_documents({"triage.category": "website-bug"}) == 3


def test_what_was_written_back_is_not_taken_for_an_edit(shop: Shop) -> None:
    fill(shop, 3)
    sync()
    assert "0 stored, 0 revised, 0 unchanged, 0 left out: 0 documents" in sync()


def test_items_without_an_opinion_and_documents_that_are_gone_are_passed_over(shop: Shop) -> None:
    fill(shop, 2)
    shop.insert_one({"comment": "Not analysed yet", "updatedAt": THEN})
    shop.delete_one({"_id": 0})
    assert "1 documents changed, 0 right already, 1 no longer there" in sync()
    assert shop.count_documents({"triage": {"$exists": True}}) == 1


def test_the_fields_that_are_written_can_be_named(shop: Shop, settings: Settings) -> None:
    settings.MONGO_MIRROR_WRITE_FIELDS = settings.MONGO_MIRROR_WRITE_FIELDS | {"category": "label"}
    fill(shop, 1)
    sync()
    found = shop.find_one() or {}
    assert found["label"] == "website-bug"
    assert "category" not in found["triage"]
