"""Every key of the focus view and of the list, pressed in a real browser."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from analyzer.models import DeskPreference, Event, QueueItem, Review
from tests import make
from tests.browser import sign_in

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "/admin/analyzer/queueitem/"


class Desk:
    """A tab on the focus view or on the list, driven by keys alone."""

    def __init__(self, page: Page, url: str, user: User) -> None:
        self.page, self.url = page, url
        sign_in(page, url, user)

    def open(self, address: str) -> None:
        self.page.goto(self.url + address)

    def press(self, *keys: str) -> None:
        """Presses keys on a card that has been there long enough to be read."""
        self.page.wait_for_function("!document.querySelector('[aria-busy]')")
        self.page.wait_for_timeout(260)
        for key in keys:
            self.page.keyboard.press(key)

    def shows(self, comment: str) -> None:
        expect(self.page.locator("#focus-words")).to_have_text(comment)

    def said(self, text: str) -> None:
        expect(self.page.get_by_role("status")).to_contain_text(text)

    def chosen(self, value: str) -> Locator:
        return self.page.locator(f"#card input[value={value}]:checked")


@pytest.fixture
def desk(page: Page, live_server: LiveServer, ada: User) -> Desk:
    return Desk(page, live_server.url, ada)


def reports(number: int) -> list[QueueItem]:
    """Open items in the order of the queue, called Report 1, Report 2, ..."""
    return [make.item(f"Report {place}", rating=1 if place == 1 else 2) for place in range(1, number + 1)]


def latest() -> Review:
    return Review.objects.latest("created_at")


def test_a_key_selects_and_enter_saves_and_the_next_item_is_announced(desk: Desk) -> None:
    reports(3)
    desk.open(f"{QUEUE}review/")
    desk.page.evaluate("window.sameDocument = true")
    for key, value in zip(
        "123456", ("website-bug", "framework-issue", "content-gap", "feature-request", "positive", "noise"), strict=True
    ):
        desk.press(key)
        expect(desk.chosen(value)).to_have_count(1)
    expect(desk.chosen("low")).to_have_count(1)
    for key, value in (("c", "critical"), ("h", "high"), ("l", "low"), ("m", "medium")):
        desk.press(key)
        expect(desk.chosen(value)).to_have_count(1)
    desk.said("severity Medium, suggested was High. Enter saves.")
    assert not Review.objects.exists(), "a key only selects"
    expect(desk.page.get_by_role("button", name="Save as Noise · Medium")).to_be_visible()
    desk.press("Enter")
    desk.shows("Report 2")
    desk.said("Overrode “Report 1” as noise/medium, was website-bug/high")
    desk.said("Undo: z. Now “Report 2”")
    expect(desk.page.locator("#focus-title")).to_be_focused()
    assert (latest().category, latest().severity, latest().provenance) == ("noise", "medium", "overridden")
    desk.press("v")
    desk.shows("Report 3")
    assert latest().provenance == "validated"
    desk.press("Enter")
    expect(desk.page.get_by_role("heading", name="Nothing needs a decision")).to_be_focused()
    desk.said("Now Nothing needs a decision")
    assert desk.page.evaluate("window.sameDocument"), "no page was loaded in between"
    assert all(review.seconds and review.seconds < 60 for review in Review.objects.all())


def test_noise_repeat_skip_ask_undo_and_moving(desk: Desk) -> None:
    items = reports(4)
    desk.open(f"{QUEUE}review/")
    desk.press("x")
    desk.shows("Report 2")
    assert (latest().category, latest().severity) == ("noise", "low")
    desk.press("z")
    desk.shows("Report 1")
    desk.said("Taken back: “Report 1” needs a decision again.")
    desk.press("3", "l", "Enter")
    desk.shows("Report 2")
    desk.press(".")
    desk.shows("Report 3")
    assert (latest().feedback_id, latest().category, latest().severity) == (items[1].pk, "content-gap", "low")
    desk.press("j")
    desk.shows("Report 4")
    desk.press("k")
    desk.shows("Report 3")
    desk.press("s")
    desk.shows("Report 4")
    desk.said("Skipped “Report 3”")
    desk.press("z")
    desk.shows("Report 3")
    desk.press("d")
    desk.shows("Report 4")
    desk.said("Left “Report 3” to somebody else.")
    assert QueueItem.objects.get(pk=items[2].pk).second == "wanted"
    desk.press("z")
    desk.shows("Report 3")
    assert QueueItem.objects.get(pk=items[2].pk).second == ""


def test_writing_is_not_deciding(desk: Desk) -> None:
    reports(2)
    desk.open(f"{QUEUE}review/")
    desk.press("n")
    note = desk.page.get_by_label("Note", exact=True)
    expect(note).to_be_focused()
    desk.page.keyboard.type("vxz16sd. hm?/")
    desk.page.keyboard.press("Escape")
    expect(note).not_to_be_focused()
    expect(note).to_have_value("vxz16sd. hm?/")
    assert not Review.objects.exists()
    desk.press("a")
    expect(desk.page.get_by_label("Suggested action")).to_be_focused()
    desk.page.keyboard.press("Control+a")
    desk.page.keyboard.type("Look at the log of /checkout.")
    expect(desk.page.get_by_role("button", name="Save as Bug · High")).to_be_visible()
    desk.page.keyboard.press("Escape")
    desk.press("e")
    expect(desk.page.get_by_label("Priority, 0 to 100")).to_be_focused()
    desk.page.keyboard.press("Control+a")
    desk.page.keyboard.type("7")
    desk.press("Control+Enter")
    desk.shows("Report 2")
    review = latest()
    assert (review.note, review.action, review.priority) == ("vxz16sd. hm?/", "Look at the log of /checkout.", 7)


def test_enter_on_a_button_presses_that_button(desk: Desk) -> None:
    reports(2)
    desk.open(f"{QUEUE}review/")
    desk.page.get_by_role("button", name="Skip").focus()
    desk.press("Enter")
    desk.shows("Report 2")
    assert not Review.objects.exists()


def test_the_list_of_keys_opens_over_the_page_and_takes_no_keys(desk: Desk) -> None:
    reports(2)
    desk.open(f"{QUEUE}review/")
    desk.press("?")
    expect(desk.page.get_by_role("dialog", name="Keys")).to_be_visible()
    desk.press("x", "j")
    desk.press("Escape")
    expect(desk.page.get_by_role("dialog", name="Keys")).to_be_hidden()
    desk.shows("Report 1")
    assert not Review.objects.exists()
    desk.page.get_by_role("link", name="Keys").click()
    desk.page.get_by_label("Keyboard shortcuts").uncheck()
    desk.page.get_by_role("button", name="Save preferences").click()
    desk.shows("Report 1")
    desk.press("x", "v", "?", "Enter")
    desk.page.wait_for_timeout(200)
    desk.shows("Report 1")
    assert not Review.objects.exists(), "keys are off"
    assert not DeskPreference.objects.get().keys


def test_a_key_held_down_or_pressed_twice_decides_once(desk: Desk) -> None:
    reports(4)
    desk.open(f"{QUEUE}review/")
    desk.press("v", "v", "Enter")
    desk.shows("Report 2")
    desk.page.wait_for_timeout(300)
    desk.page.keyboard.down("x")
    for _ in range(5):
        desk.page.keyboard.down("x")
        desk.page.wait_for_timeout(100)
    desk.page.keyboard.up("x")
    desk.shows("Report 3")
    assert Review.objects.count() == 2


def test_keys_of_the_browser_are_left_alone(desk: Desk) -> None:
    reports(1)
    desk.open(f"{QUEUE}review/")
    desk.press("Control+x", "Alt+s", "Meta+v")
    desk.page.wait_for_timeout(200)
    desk.shows("Report 1")
    assert not Review.objects.exists()
    assert not Event.objects.exists()


def test_the_near_copies_can_be_reached_by_a_key(desk: Desk) -> None:
    for end in ("", "!", "?"):
        item = make.item(f"The checkout button does nothing on my phone{end}", severity="medium")
        make.compare(QueueItem.objects.select_related("feedback").get(pk=item.pk))
    desk.open(f"{QUEUE}review/")
    desk.press("g")
    expect(desk.page.get_by_role("heading", name="Decide the similar ones alike?")).to_be_visible()
    desk.press("Enter")
    expect(desk.page.get_by_role("heading", name="Nothing needs a decision")).to_be_visible()
    desk.press("z")
    expect(desk.page.locator("#focus-words")).to_contain_text("The checkout button")
    assert Review.objects.filter(undone_at=None).count() == 1


def test_lines_of_the_list_are_decided_by_keys(desk: Desk) -> None:
    reports(5)
    page = desk.page

    def said(text: str) -> None:
        """On a page that has come whole and listens to keys."""
        expect(page.get_by_text(text)).to_be_visible()
        page.wait_for_load_state()

    desk.open(QUEUE)
    page.keyboard.press("v")
    assert not Review.objects.exists(), "no line is selected"
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Report 1")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.get_by_role("link", name="Report 2")).to_be_focused()
    page.keyboard.press("v")
    said("Validated “Report 2”")
    expect(page.get_by_role("button", name="Validate “Report 3”")).to_be_focused()
    page.keyboard.press("4")
    said("Overrode “Report 3” as feature-request/high")
    expect(page.get_by_role("button", name="Validate “Report 4”")).to_be_focused()
    page.keyboard.press("l")
    said("Overrode “Report 4” as website-bug/low")
    page.keyboard.press("x")
    said("Overrode “Report 5” as noise/low")
    page.keyboard.press("z")
    said("Taken back: “Report 5”")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("vx1")
    expect(page.get_by_role("searchbox")).to_have_value("vx1")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/*")
    assert Review.objects.filter(undone_at=None).count() == 3


def test_the_two_surfaces_lead_to_each_other_by_keys(desk: Desk) -> None:
    reports(1)
    desk.open(QUEUE)
    desk.page.keyboard.press("r")
    desk.shows("Report 1")
    desk.press("/")
    expect(desk.page.get_by_role("searchbox")).to_be_focused()
    desk.page.keyboard.press("Escape")
    desk.page.keyboard.press("r")
    desk.shows("Report 1")
    desk.press("q")
    expect(desk.page.get_by_role("link", name="Report 1")).to_be_visible()
