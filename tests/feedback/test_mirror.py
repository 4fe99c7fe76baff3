"""sync_feedback: every document and every edit of the website once, and nothing else touched."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from django.core.management import call_command
from pymongo.collection import Collection
from pytest_django import Settings

from analyzer.models import QueueItem
from feedback import mirror, website
from feedback.models import Feedback, SyncProblem
from tests import make

pytestmark = pytest.mark.django_db

Shop = Collection[dict[str, Any]]
NOW = datetime.now(UTC).replace(microsecond=0)
LONG_AGO = NOW - timedelta(days=30)


def document(number: int, **values: Any) -> dict[str, Any]:
    moment = LONG_AGO + timedelta(minutes=number)
    return {
        "comment": f"Page {number} does not load",
        "type": "bug",
        "rating": 2,
        "page": f"/pages/{number}",
        "pageTitle": f"Page {number}",
        "viewport": "1280x800",
        "createdAt": moment,
        "updatedAt": moment,
    } | values


def sync(**options: Any) -> str:
    out = io.StringIO()
    call_command("sync_feedback", stdout=out, stderr=out, **options)
    return out.getvalue()


def said() -> list[str]:
    return list(Feedback.objects.order_by("received_at").values_list("comment", flat=True))


def test_every_field_arrives_through_governance(shop: Shop) -> None:
    key = shop.insert_one(document(1, comment="Write to jo@example.org, the page fails", rating=2.0)).inserted_id
    assert "1 stored, 0 revised, 0 unchanged, 0 left out: 1 documents" in sync()
    row = Feedback.objects.get()
    assert row.external_id == str(key)
    assert row.source == f"mongo:{shop.full_name}"
    assert (row.type, row.rating, row.page, row.page_title) == ("bug", 2, "/pages/1", "Page 1")
    assert row.viewport == "1280x800"
    assert row.received_at == LONG_AGO + timedelta(minutes=1)
    assert "jo@example.org" not in row.comment
    assert row.pii == {"email": 1}
    assert QueueItem.objects.get().pk == row.pk


def test_a_second_run_reads_nothing_again(shop: Shop) -> None:
    shop.insert_many([document(number) for number in range(10)])
    sync()
    assert "0 stored, 0 revised, 0 unchanged, 0 left out: 0 documents" in sync()


def test_edits_and_new_documents_are_synced_as_exactly_those(shop: Shop) -> None:
    shop.insert_many([document(number) for number in range(600)])
    sync()
    for number in range(30):
        shop.update_one(
            {"page": f"/pages/{number}"}, {"$set": {"comment": f"Now it is worse: {number}", "updatedAt": NOW}}
        )
    shop.insert_many([document(number, updatedAt=NOW) for number in range(600, 605)])
    assert "5 stored, 30 revised, 0 unchanged, 0 left out" in sync()
    assert Feedback.objects.count() == 605
    assert Feedback.objects.filter(comment__startswith="Now it is worse").count() == 30


def test_an_edit_leaves_the_decision_and_every_triage_column(shop: Shop, ada: Any) -> None:
    from analyzer import reviews

    shop.insert_one(document(1))
    sync()
    row = Feedback.objects.get()
    reviews.override(analysis=make.analysis(row), by=ada, category="content-gap", severity="low")
    before = QueueItem.objects.values("status", "category", "severity", "priority", "rank", "review").get()
    shop.update_one({}, {"$set": {"comment": "It was my own browser, call +44 20 7946 0958", "updatedAt": NOW}})
    assert "0 stored, 1 revised" in sync()
    row.refresh_from_db()
    assert row.comment.startswith("It was my own browser")
    assert "7946" not in row.comment
    assert row.revised_at is not None
    assert QueueItem.objects.values("status", "category", "severity", "priority", "rank", "review").get() == before


def test_an_edit_asks_for_a_new_analysis_and_closes_the_one_under_way(shop: Shop) -> None:
    shop.insert_one(document(1))
    sync()
    QueueItem.objects.update(stage="running", attempts=1)
    shop.update_one({}, {"$set": {"rating": 1, "updatedAt": NOW}})
    sync()
    item = QueueItem.objects.get()
    assert (item.stage, item.request, item.attempts) == ("pending", 2, 0)


def test_a_change_that_the_analyzer_does_not_read_asks_for_nothing(shop: Shop) -> None:
    shop.insert_one(document(1))
    sync()
    shop.update_one({}, {"$set": {"pageTitle": "Renamed", "views": 7, "updatedAt": NOW}})
    assert "1 revised" in sync()
    assert Feedback.objects.get().page_title == "Renamed"
    assert Feedback.objects.get().revised_at is None
    assert QueueItem.objects.get().request == 1


def test_bad_documents_are_noted_and_the_rest_is_kept(shop: Shop) -> None:
    shop.insert_many(
        [
            document(1),
            document(2, rating=9),
            document(3, comment=["a", "list"]),
            document(4, comment="", rating=None),
            document(5, comment="x" * 5_001),
            document(6, createdAt="yesterday"),
            document(7, rating=True),
            document(8, _id="k" * 300),
            document(9, type="call me on +44 20 7946 0958"),
            document(10, comment="\0"),
            document(11),
        ]
    )
    out = sync()
    assert "2 stored, 0 revised, 0 unchanged, 9 left out" in out
    assert "comment must be text or a number, not list" in out
    assert "createdAt is no time such as" in out
    reasons = " ".join(SyncProblem.objects.values_list("reason", flat=True))
    assert "A rating is a whole number from 1 to 5" in reasons
    assert "5001 characters" in reasons
    assert "7946" not in reasons
    assert said() == ["Page 1 does not load", "Page 11 does not load"]
    assert sync(problems=True).count("\n") == SyncProblem.objects.count() == 9


def test_a_bad_document_is_tried_again_when_it_changes(shop: Shop) -> None:
    key = shop.insert_one(document(1, rating=9)).inserted_id
    sync()
    shop.update_one({"_id": key}, {"$set": {"rating": 4, "updatedAt": NOW}})
    assert "1 stored" in sync()
    assert not SyncProblem.objects.exists()


def test_an_edit_that_breaks_a_rule_leaves_what_was_said_before(shop: Shop) -> None:
    shop.insert_one(document(1))
    sync()
    shop.update_one({}, {"$set": {"comment": "x" * 6_000, "updatedAt": NOW}})
    assert "1 left out" in sync()
    assert said() == ["Page 1 does not load"]


def test_a_limit_goes_on_where_it_stopped(shop: Shop) -> None:
    same_moment = {"updatedAt": LONG_AGO}
    shop.insert_many([document(number, **same_moment) for number in range(25)])
    shop.insert_many([{"comment": f"Without a date {number}"} for number in range(4)])
    counts = [sync(limit=10).split(":")[0].rsplit("\n", 1)[-1] for _ in range(3)]
    assert counts == [
        "10 stored, 0 revised, 0 unchanged, 0 left out",
        "10 stored, 0 revised, 0 unchanged, 0 left out",
        "9 stored, 0 revised, 0 unchanged, 0 left out",
    ]
    assert Feedback.objects.count() == 29


def test_a_document_that_comes_in_late_is_still_found(shop: Shop, settings: Settings) -> None:
    settings.MONGO_MIRROR_OVERLAP_SECONDS = 60
    shop.insert_one(document(1, updatedAt=datetime.now(UTC)))
    sync()
    shop.insert_one(document(2, updatedAt=datetime.now(UTC) - timedelta(seconds=30)))
    assert "1 stored, 0 revised, 1 unchanged" in sync()


def test_a_document_from_the_future_does_not_hide_those_after_it(shop: Shop) -> None:
    shop.insert_one(document(1, updatedAt=NOW + timedelta(days=365)))
    sync()
    shop.insert_one(document(2, updatedAt=datetime.now(UTC)))
    sync()
    assert Feedback.objects.count() == 2


def test_documents_without_a_time_of_change_are_read_and_so_are_their_edits(shop: Shop) -> None:
    shop.insert_many([{"comment": "No dates at all"}, {"comment": "A date as text", "updatedAt": "2026-01-01"}])
    assert "2 stored" in sync()
    shop.update_one({"comment": "No dates at all"}, {"$set": {"comment": "Edited without a date"}})
    assert "0 stored, 1 revised, 1 unchanged" in sync()


def test_reset_reads_everything_again_and_stores_nothing_twice(shop: Shop) -> None:
    shop.insert_many([document(number) for number in range(5)])
    sync()
    assert "0 stored, 0 revised, 5 unchanged" in sync(reset=True)


@pytest.mark.parametrize("key", [7, 7.5, "plain", "a" * 24, '{"odd": 1}', '"quoted"', "nul\0inside", ObjectId()])
def test_any_kind_of_id_leads_back_to_its_document(shop: Shop, key: Any) -> None:
    shop.insert_one(document(1, _id=key))
    sync()
    external_id = Feedback.objects.get().external_id
    assert external_id is not None
    assert website.key_of(external_id) == key


def test_ids_of_every_kind_at_one_moment_are_each_read_once(shop: Shop) -> None:
    keys = [1, "b", ObjectId(), 2, "a", ObjectId(), 3.5]
    shop.insert_many([document(number, _id=key, updatedAt=LONG_AGO) for number, key in enumerate(keys)])
    assert [sync(limit=2).count("2 stored, 0 revised, 0 unchanged") for _ in range(3)] == [1, 1, 1]
    sync()
    assert Feedback.objects.count() == 7


def test_the_field_map_reaches_into_subdocuments(shop: Shop, settings: Settings) -> None:
    settings.MONGO_MIRROR_FIELDS = settings.MONGO_MIRROR_FIELDS | {"comment": "body.text", "updated_at": "meta.changed"}
    shop.insert_one(
        {"body": {"text": "Deep inside"}, "meta": {"changed": NOW}, "viewport": {"width": 390.0, "height": 844}}
    )
    sync()
    assert said() == ["Deep inside"]
    assert Feedback.objects.get().viewport == "390x844"


def test_watching_takes_what_comes_in_by_change_stream(shop: Shop) -> None:
    shop.insert_one(document(1))
    following = mirror.follow(website=website.connect())
    assert next(following).stored == 1
    shop.insert_one({"comment": "Just now, and without any date"})
    shop.update_one({"page": "/pages/1"}, {"$set": {"comment": "Edited, and updatedAt forgotten"}})
    total = mirror.Tally()
    while total.stored + total.revised < 2:
        total += next(following)
    following.close()
    assert sorted(said()) == ["Edited, and updatedAt forgotten", "Just now, and without any date"]


def test_watching_goes_on_after_a_stop_where_the_stream_was(shop: Shop) -> None:
    shop.insert_one(document(1))
    following = mirror.follow(website=website.connect())
    next(following)
    shop.update_one({}, {"$set": {"comment": "First edit"}})
    while not next(following).revised:
        pass
    following.close()
    shop.update_one({}, {"$set": {"comment": "Edited while nobody watched"}})
    following = mirror.follow(website=website.connect())
    while not next(following).revised:
        pass
    following.close()
    assert said() == ["Edited while nobody watched"]
