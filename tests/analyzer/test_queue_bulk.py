"""Ticked lines together: validated where that is safe, left out with the reason where it is not."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from analyzer.models import QueueItem, Review
from tests import make
from tests.pages import Page, messages

pytestmark = pytest.mark.django_db

QUEUE = "/admin/analyzer/queueitem/"


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def tick(*items: QueueItem) -> dict[str, list[str]]:
    return {"_selected_action": [str(item.pk) for item in items]}


def test_ticked_lines_are_validated_as_one_batch_that_can_be_undone(desk: Client) -> None:
    items = [make.item(f"Link number {number} is broken", severity="low") for number in range(3)]
    response = Page(desk, f"{QUEUE}?severity=low").press("Validate selected", **tick(*items[:2]))
    assert response.url == f"{QUEUE}?severity=low"
    assert {review.provenance for review in Review.objects.all()} == {"bulk"}
    assert Review.objects.values("batch").distinct().count() == 1
    response = Page(desk, response.url).press("Undo all 2", follow=True)
    assert messages(response) == ["Taken back: 2 decisions."]
    assert QueueItem.objects.queue().count() == 3


def test_critical_flagged_and_undecidable_lines_are_left_out_with_the_reason(desk: Client) -> None:
    fine = make.item("A typo", severity="low")
    critical = make.item("Everything is down", severity="critical")
    person = make.item("I want my money back", needs_person=True)
    waiting = make.feedback("Still waiting").queue_item
    response = Page(desk, QUEUE).press("Validate selected", follow=True, **tick(fine, critical, person, waiting))
    done, left = messages(response)
    assert done.startswith("Validated 1 item. ")
    assert "1 critical" in left
    assert "1 flagged" in left
    assert "1 not analysed yet" in left
    assert "“Everything is down” (critical)" in left
    assert Review.objects.get().feedback_id == fine.pk


def test_a_line_that_changed_since_it_was_shown_is_left_out(desk: Client) -> None:
    item = make.item("A typo", severity="low")
    page = Page(desk, QUEUE)
    QueueItem.objects.filter(pk=item.pk).update(request=2)
    item.feedback.queue_item.refresh_from_db()
    make.analysis(item.feedback, severity="medium", request=2)
    response = page.press("Validate selected", follow=True, **tick(item))
    assert "1 changed since you looked" in messages(response)[0]
    assert not Review.objects.exists()


def test_nothing_beyond_the_page_can_be_validated(desk: Client) -> None:
    shown = make.item("Shown on this page", severity="low")
    page = Page(desk, f"{QUEUE}?q=Shown")
    make.item("Never seen", severity="low")
    page.press("Validate selected", select_across="1", **tick(shown))
    assert Review.objects.get().feedback_id == shown.pk


def test_without_a_tick_the_page_says_so(desk: Client) -> None:
    make.item()
    response = Page(desk, QUEUE).press("Validate selected", follow=True)
    assert "must be selected" in messages(response)[0]


def test_ticked_lines_can_be_analysed_again(desk: Client) -> None:
    items = [make.item(f"Link number {number} is broken") for number in range(2)]
    response = Page(desk, QUEUE).press("Analyse again", follow=True, **tick(*items))
    assert messages(response) == ["2 items will be analysed again."]
    assert set(QueueItem.objects.values_list("stage", "request")) == {("pending", 2)}


def test_nobody_can_delete_from_the_queue_in_bulk(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    make.item()
    assert "delete_selected" not in Page(client, QUEUE).html
