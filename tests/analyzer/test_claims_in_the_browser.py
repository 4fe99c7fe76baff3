"""Two reviewers at once in two browsers, a network that fails, and a desk without JavaScript or on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from analyzer.models import QueueItem, ReportGroup, Review
from tests import make
from tests.browser import sign_in

pytestmark = pytest.mark.django_db(transaction=True)

REVIEW = "/admin/analyzer/queueitem/review/"
PHONE = {"width": 390, "height": 844}
Opener = Callable[..., Page]


@pytest.fixture
def open_desk(browser: Browser, live_server: LiveServer) -> Iterator[Opener]:
    """Opens the focus view for a user in a browser of their own."""
    contexts: list[BrowserContext] = []

    def open_for(user: User, **options: object) -> Page:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(10_000)
        sign_in(page, live_server.url, user)
        page.goto(live_server.url + REVIEW)
        return page

    yield open_for
    for context in contexts:
        context.close()


def read(page: Page) -> None:
    """Gives the card time to be read: what is pressed earlier was meant for the one before, and is not taken."""
    page.wait_for_timeout(300)


def press(page: Page, *keys: str) -> None:
    read(page)
    for key in keys:
        page.keyboard.press(key)


def shows(page: Page, comment: str) -> None:
    expect(page.locator("#focus-words")).to_have_text(comment)


def test_two_reviewers_share_a_queue_and_neither_overwrites_the_other(
    open_desk: Opener, live_server: LiveServer, ada: User, mia: User
) -> None:
    first = make.item("Report 1", severity="critical")
    for number in (2, 3):
        make.item(f"Report {number}")
    hers, theirs = open_desk(ada), open_desk(mia)
    shows(hers, "Report 1")
    expect(theirs.locator("#focus-words")).not_to_have_text("Report 1")
    theirs.goto(f"{live_server.url}{REVIEW}{first.pk}/")
    expect(theirs.get_by_role("heading", name="ada has this item open")).to_be_visible()
    press(theirs, "t")
    expect(theirs.get_by_role("button", name="Validate")).to_be_visible()
    press(theirs, "x")
    expect(theirs.locator("#focus-words")).not_to_have_text("Report 1")
    press(hers, "3", "Enter")
    expect(hers.get_by_role("heading", name="mia decided this item while you looked at it")).to_be_focused()
    press(hers, "m")
    expect(hers.locator("#focus-words")).not_to_have_text("Report 1")
    mine, other = Review.objects.order_by("-created_at")[:2]
    assert (mine.reviewer, mine.category, mine.replaces) == (ada, "content-gap", other)
    assert (other.reviewer, other.category) == (mia, "noise")


def test_what_was_chosen_stays_when_the_network_or_the_server_fails(open_desk: Opener, ada: User) -> None:
    make.item("Report 1", severity="high")
    make.item("Report 2", severity="low")
    page = open_desk(ada)
    press(page, "3")
    page.context.set_offline(True)
    press(page, "Enter")
    expect(page.get_by_role("status")).to_contain_text("Not stored: the desk cannot be reached.")
    page.context.set_offline(False)
    page.route("**/review/*/", lambda route: route.fulfill(status=503, body="busy"))
    press(page, "Enter")
    expect(page.get_by_role("status")).to_contain_text("Not stored: the server answered 503.")
    page.unroute("**/review/*/")
    cookies = page.context.cookies()
    page.context.clear_cookies(name="sessionid")
    press(page, "Enter")
    expect(page.get_by_role("status")).to_contain_text("Not stored: you are signed out.")
    page.context.add_cookies(cookies)
    shows(page, "Report 1")
    expect(page.locator("#card input[value=content-gap]")).to_be_checked()
    assert not Review.objects.exists()
    press(page, "Enter")
    shows(page, "Report 2")
    assert Review.objects.get().category == "content-gap"


def test_an_answer_that_was_lost_is_asked_for_again_without_a_second_decision(open_desk: Opener, ada: User) -> None:
    make.item("Report 1", severity="high")
    make.item("Report 2", severity="low")
    page = open_desk(ada)

    def lose(route: object) -> None:
        route.fetch(max_redirects=0)  # the server hears it, and its answer gets lost
        route.abort()

    page.route("**/review/*/", lose, times=1)
    press(page, "Enter")
    expect(page.get_by_role("status")).to_contain_text("Not stored: the desk cannot be reached.")
    press(page, "Enter")
    shows(page, "Report 2")
    expect(page.get_by_role("status")).to_contain_text("“Report 1” was stored already.")
    assert Review.objects.count() == 1


def test_everything_works_by_hand_without_javascript(open_desk: Opener, ada: User) -> None:
    for number in (1, 2, 3):
        make.item(f"Report {number}", severity="high" if number == 1 else "low")
    page = open_desk(ada, java_script_enabled=False)
    shows(page, "Report 1")
    page.locator("label.option", has_text="Content").click()
    page.get_by_text("wrong area", exact=True).click()
    page.get_by_role("button", name="Save override").click()
    expect(page.get_by_text("Overrode “Report 1” as content-gap/high")).to_be_visible()
    page.locator(".messagelist").get_by_role("button", name="Undo").click()
    shows(page, "Report 1")
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#focus-words")).not_to_have_text("Report 1")
    page.get_by_role("button", name="Skip").click()
    page.get_by_role("button", name="Noise").click()
    page.get_by_role("link", name="Keys").click()
    expect(page.get_by_role("heading", name="Keys and preferences")).to_be_visible()
    assert [review.category for review in Review.objects.order_by("created_at")] == ["content-gap", "noise"]
    assert Review.objects.earliest("created_at").reasons == {"category": "wrong area"}


def test_a_message_stays_half_a_minute_and_its_undo_longer(open_desk: Opener, ada: User) -> None:
    make.item("Report 1", severity="high")
    make.item("Report 2", severity="low")
    page = open_desk(ada, reduced_motion="reduce")
    page.clock.install()
    page.reload()
    page.clock.run_for(1_000)
    page.keyboard.press("v")
    shows(page, "Report 2")
    page.clock.run_for(29_000)
    expect(page.locator(".messagelist")).to_contain_text("Validated “Report 1”")
    expect(page.locator(".messagelist")).to_be_visible()
    page.clock.run_for(2_000)
    expect(page.locator(".messagelist")).to_be_hidden()
    page.keyboard.press("z")
    shows(page, "Report 1")


def test_a_phone_shows_it_all_without_scrolling_sideways(open_desk: Opener, ada: User) -> None:
    item = make.item("Averylongwordwithoutanyspace" * 9, severity="high", page="/a" * 90, action="b" * 300)
    QueueItem.objects.filter(pk=item.pk).update(group=ReportGroup.objects.create(pk=item.pk, size=13))
    page = open_desk(ada, viewport=PHONE, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    save = page.get_by_role("button", name="Validate")
    expect(save).to_be_in_viewport()
    assert (save.bounding_box() or {})["height"] >= 44
    read(page)
    page.locator("label.option", has_text="Noise").tap()
    page.get_by_role("button", name="Save as Noise · Low").tap()
    expect(page.get_by_role("heading", name="Nothing needs a decision")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
