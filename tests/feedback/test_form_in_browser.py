"""The public form as visitors meet it, in Chromium."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from feedback.models import Feedback

PHONE = {"width": 390, "height": 844}
FORM = "/feedback/?page=/checkout"


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_the_form_works_without_javascript(page: Page, live_server: LiveServer) -> None:
    page.goto(live_server.url + FORM)
    page.get_by_title("4, good").click()
    page.get_by_label("What is it about?").select_option("bug")
    page.get_by_label("What would you like to tell us?").fill("The coupon field is dead")
    page.get_by_role("button", name="Send feedback").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    expect(page.get_by_role("link", name="Back to where you were")).to_have_attribute("href", "/checkout")
    row = Feedback.objects.get()
    assert (row.rating, row.type, row.comment, row.page) == (4, "bug", "The coupon field is dead", "/checkout")
    assert row.viewport == ""


def test_the_form_can_be_filled_by_keyboard_alone(page: Page, live_server: LiveServer) -> None:
    page.goto(live_server.url + FORM)
    for key in ("Tab", "Space", "ArrowRight", "ArrowRight", "Tab", "Tab"):
        page.keyboard.press(key)
    page.keyboard.type("All by keyboard")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    row = Feedback.objects.get()
    assert (row.rating, row.comment) == (3, "All by keyboard")
    assert re.fullmatch(r"\d+x\d+", row.viewport)


def test_a_rating_can_be_taken_back(page: Page, live_server: LiveServer) -> None:
    page.goto(live_server.url + FORM)
    page.get_by_title("2, poor").click()
    page.get_by_text("No rating").click()
    page.get_by_label("What would you like to tell us?").fill("Only words")
    page.get_by_role("button", name="Send feedback").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert Feedback.objects.get().rating is None


def test_the_room_left_is_counted_as_the_server_counts(page: Page, live_server: LiveServer) -> None:
    page.goto(live_server.url + FORM)
    comment, left = page.get_by_label("What would you like to tell us?"), page.locator("#comment-left")
    expect(left).to_contain_text("Up to 5000 characters")
    comment.fill("👍\n!  ")
    expect(left).to_have_text("4,997 characters left")
    comment.fill("x" * 5_001)
    expect(left).to_have_text("1 character too many")


def test_errors_take_the_focus_and_lead_to_the_field(
    page: Page, live_server: LiveServer, complaints: list[str]
) -> None:
    page.goto(live_server.url + FORM)
    page.get_by_role("button", name="Send feedback").click()
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_role("link", name="Please write a comment or choose a rating.").click()
    expect(page.get_by_label("What would you like to tell us?")).to_be_focused()
    # The browser says on its console that the answer was a 422.
    assert "422" in complaints.pop()


@pytest.mark.browser_context_args(viewport=PHONE, has_touch=True, is_mobile=True)
@pytest.mark.parametrize(
    "path", [f"/feedback/?page=/{'long' * 60}", "/feedback/thanks/?page=/checkout", "/feedback/widget/"]
)
def test_nothing_is_wider_than_a_phone(page: Page, live_server: LiveServer, path: str) -> None:
    page.goto(live_server.url + path)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


@pytest.mark.browser_context_args(viewport=PHONE, has_touch=True, is_mobile=True)
def test_fingers_find_every_control(page: Page, live_server: LiveServer) -> None:
    page.goto(live_server.url + FORM)
    for control in page.locator(".stars label, select, textarea, button").all():
        box = control.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 44


def test_markup_in_a_comment_is_never_executed(
    page: Page, live_server: LiveServer, complaints: list[str], settings: Settings
) -> None:
    settings.FEEDBACK_RATE_LIMIT = 1
    page.goto(live_server.url + FORM)
    script = '</textarea><img src=x onerror="document.title = 1"><script>document.title = 2</script>'
    for _ in range(2):
        page.goto(live_server.url + FORM)
        page.get_by_label("What would you like to tell us?").fill(script)
        page.get_by_role("button", name="Send feedback").click()
    expect(page.get_by_label("What would you like to tell us?")).to_have_value(script)
    assert page.title() == "Please check: Your feedback"
    assert "429" in complaints.pop()
