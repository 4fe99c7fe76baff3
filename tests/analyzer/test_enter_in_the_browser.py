"""Enter in a field or on a tick does what the field is for, and never presses whatever button stands first."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from analyzer import reviews
from analyzer.models import DeskPreference, QueueItem, Review
from tests import make
from tests.analyzer.test_keys_in_the_browser import QUEUE, Desk

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(page: Page, live_server: LiveServer, ada: User) -> Desk:
    return Desk(page, live_server.url, ada)


@pytest.fixture
def items(db: None) -> list[QueueItem]:
    return [make.item(f"Report {place}", rating=1 if place == 1 else 2) for place in (1, 2)]


@pytest.mark.parametrize(("tick", "chosen"), [("Select “Report 2”", 1), ("Select all items on this page", 2)])
def test_enter_on_a_tick_in_the_list_shows_what_is_ticked_and_decides_nothing(
    desk: Desk, items: list[QueueItem], tick: str, chosen: int
) -> None:
    desk.open(QUEUE)
    desk.page.get_by_role("checkbox", name=tick).focus()
    desk.press(" ", "Enter")
    expect(desk.page.get_by_role("heading", name="Validate together?")).to_be_visible()
    expect(desk.page.locator("input[name=_selected_action]")).to_have_count(chosen)
    assert not Review.objects.exists()


def test_enter_in_a_field_of_an_item_stores_what_was_chosen(desk: Desk, items: list[QueueItem]) -> None:
    desk.open(f"{QUEUE}{items[0].pk}/change/")
    desk.page.get_by_role("radio", name="Content gap").check()
    desk.page.get_by_text("Why another category? (optional)").first.click()
    desk.page.get_by_role("textbox", name="Why another category? (optional)").fill("The page never said so")
    desk.press("Enter")
    expect(desk.page.get_by_text("Overrode “Report 1”")).to_be_visible()
    review = Review.objects.get()
    assert (review.provenance, review.category) == ("overridden", "content-gap")
    assert review.reasons == {"category": "The page never said so"}


def test_enter_in_the_address_of_the_original_closes_as_its_duplicate(
    desk: Desk, items: list[QueueItem], ada: User
) -> None:
    for item in items:
        assert item.analysis
        reviews.validate(analysis=item.analysis, by=ada)
    desk.open(f"{QUEUE}{items[1].pk}/change/")
    desk.page.get_by_text("Duplicate of …").click()
    desk.page.get_by_label("the address of its page, or its id").fill(str(items[0].pk))
    desk.press("Enter")
    expect(desk.page.locator(".outcomes .badge")).to_contain_text("duplicate", ignore_case=True)
    items[1].refresh_from_db()
    assert (items[1].outcome, items[1].duplicate_of_id) == ("duplicate", items[0].pk)


@pytest.mark.parametrize("keys", [True, False], ids=["with keys", "without keys"])
def test_enter_in_a_field_of_the_card_saves_what_was_chosen(
    desk: Desk, items: list[QueueItem], ada: User, keys: bool
) -> None:
    DeskPreference.objects.create(user=ada, keys=keys)
    desk.open(f"{QUEUE}review/")
    desk.page.locator("#card input[value=content-gap]").check()
    desk.page.get_by_role("checkbox", name="wrong area").first.check()
    desk.press("Enter")
    desk.shows("Report 2")
    review = Review.objects.get()
    assert (review.feedback_id, review.category, review.reasons) == (
        items[0].pk,
        "content-gap",
        {"category": "wrong area"},
    )
    desk.page.locator("summary", has_text="Priority").click()
    desk.page.get_by_label("Priority, 0 to 100").fill("7")
    desk.press("Enter")
    expect(desk.page.get_by_role("heading", name="Nothing needs a decision")).to_be_focused()
    assert Review.objects.get(feedback=items[1].pk).priority == 7


def test_the_keys_of_an_items_page_are_those_written_on_it(desk: Desk, items: list[QueueItem], ada: User) -> None:
    desk.open(f"{QUEUE}{items[1].pk}/change/")
    desk.press("r")
    desk.page.wait_for_url("**/review/**")
    desk.shows("Report 2")
    DeskPreference.objects.update_or_create(user=ada, defaults={"keys": False})
    desk.open(f"{QUEUE}{items[1].pk}/change/")
    desk.press("r")
    desk.page.wait_for_timeout(500)
    assert desk.page.url.endswith("/change/"), "who switched the keys off is left alone"
