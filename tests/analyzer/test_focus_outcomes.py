"""What came of a decided item: one click, on its page and in the focus view, with one to take it back."""

from __future__ import annotations

from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from analyzer import outcomes, reviews
from analyzer.models import Event, QueueItem
from tests import make
from tests.analyzer.test_focus_view import QUEUE, REVIEW
from tests.pages import Page, messages

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def item(ada: User) -> QueueItem:
    """Decided by ada."""
    made = make.item("The basket is empty")
    reviews.validate(analysis=made.analysis, by=ada)
    return made


@pytest.fixture(params=["item", "focus"])
def address(request: pytest.FixtureRequest, item: QueueItem) -> str:
    """Where the buttons are."""
    return {"item": f"{QUEUE}{item.pk}/change/", "focus": f"{REVIEW}{item.pk}/"}[request.param]


@pytest.mark.parametrize(
    ("button", "outcome"),
    [
        ("Fixed", "fixed"),
        ("Answered", "answered"),
        ("Content added", "content-added"),
        ("Planned", "planned"),
        ("Won't fix", "wont-fix"),
    ],
)
def test_one_click_closes_and_one_more_takes_it_back(
    desk: Client, item: QueueItem, address: str, button: str, outcome: str
) -> None:
    response = Page(desk, address).press(button)
    assert response.url == address
    page = Page(desk, address)
    assert unescape(messages(page.response)[0]).startswith(f"Closed as {button.lower()}: “The basket is empty”. ")
    assert QueueItem.objects.get(pk=item.pk).outcome == outcome
    response = page.press("Undo z")
    assert response.url == address
    assert QueueItem.objects.get(pk=item.pk).outcome == ""


def test_a_closed_item_can_be_reopened(desk: Client, ada: User, item: QueueItem, address: str) -> None:
    item.refresh_from_db()
    outcomes.close(item=item, by=ada, outcome="fixed")
    page = Page(desk, address)
    assert not [button for button in page.buttons if button.name.startswith("Answered")]
    page.press("Reopen")
    assert QueueItem.objects.get(pk=item.pk).outcome == ""
    assert Event.objects.filter(kind="reopened").count() == 1


@pytest.mark.parametrize("written", ["{}", "https://desk.example/admin/analyzer/queueitem/{}/change/?x=1", " {} "])
def test_a_duplicate_names_what_it_repeats_by_id_or_address(
    desk: Client, item: QueueItem, address: str, written: str
) -> None:
    original = make.item("The basket was empty before")
    Page(desk, address).press("Close as a duplicate", original=written.format(original.pk))
    closed = QueueItem.objects.get(pk=item.pk)
    assert (closed.outcome, closed.duplicate_of) == ("duplicate", original)
    assert "The basket was empty before" in Page(desk, address).html


@pytest.mark.parametrize("written", ["", "nonsense", "01a208fc-0000-7000-8000-000000000000", "itself"])
def test_a_duplicate_of_nothing_or_of_itself_is_refused(desk: Client, item: QueueItem, written: str) -> None:
    original = str(item.pk) if written == "itself" else written
    response = Page(desk, f"{QUEUE}{item.pk}/change/").press("Close as a duplicate", follow=True, original=original)
    assert messages(response)[0].startswith(("Say which item it repeats", "An item cannot be a duplicate of itself"))
    assert QueueItem.objects.get(pk=item.pk).outcome == ""


def test_a_click_on_a_page_that_was_overtaken_stores_nothing(
    desk: Client, ada: User, mia: User, item: QueueItem, address: str
) -> None:
    page = Page(desk, address)
    item.refresh_from_db()
    outcomes.close(item=item, by=mia, outcome="wont-fix")
    response = page.press("Fixed", follow=True)
    assert "changed while you looked at it" in messages(response)[0]
    assert QueueItem.objects.get(pk=item.pk).outcome == "wont-fix"


def test_open_items_have_no_outcome_and_viewers_no_buttons(desk: Client, ben: User, item: QueueItem) -> None:
    waiting = make.item("Not decided")
    assert "What came of it" not in Page(desk, f"{QUEUE}{waiting.pk}/change/").html
    desk.force_login(ben)
    assert "What came of it" not in Page(desk, f"{QUEUE}{item.pk}/change/").html
    assert desk.post(f"{QUEUE}{item.pk}/close/", {"outcome": "fixed"}).status_code == 403
    event = outcomes.close(item=QueueItem.objects.get(pk=item.pk), by=make.user("eve", "Reviewer"), outcome="fixed")
    assert desk.post(f"{QUEUE}undo-outcome/{event.pk}/").status_code == 403
    assert QueueItem.objects.get(pk=item.pk).outcome == "fixed"
