"""The widget on somebody else's page, in Chromium."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, Route, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from feedback.models import Feedback


@pytest.fixture
def shop(live_server: LiveServer, settings: Settings) -> Iterator[str]:
    """The address of another site that embeds the widget under the strictest policy that names the desk."""
    desk = live_server.url
    policy = (
        f"default-src 'none'; script-src {desk}; connect-src {desk}; img-src data:; require-trusted-types-for 'script'"
    )
    body = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Blue mug</title>
        <meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><h1>Blue mug</h1>
        <script src="{desk}/static/feedback/widget.js" defer data-label="Tell us"></script>"""

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the output of the tests is not its place."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_port}"
    settings.API_ALLOWED_ORIGINS = [origin]
    yield origin
    server.shutdown()
    server.server_close()


def open_form(page: Page, shop: str) -> None:
    page.goto(f"{shop}/mugs/blue?colour=2")
    page.get_by_role("button", name="Tell us").click()
    expect(page.get_by_role("dialog", name="Your feedback")).to_be_visible()


def write(page: Page, comment: str) -> None:
    page.get_by_label("What would you like to tell us?").fill(comment)


def send(page: Page) -> None:
    page.get_by_role("button", name="Send feedback").click()


def test_it_sends_from_another_site_under_its_strict_policy(page: Page, shop: str) -> None:
    open_form(page, shop)
    page.get_by_title("2, poor").click()
    page.get_by_label("What is it about?").select_option("bug")
    write(page, "The blue one arrives green")
    send(page)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    row = Feedback.objects.get()
    assert (row.source, row.rating, row.type) == ("widget", 2, "bug")
    assert (row.comment, row.page_title) == ("The blue one arrives green", "Blue mug")
    assert row.page == f"{shop}/mugs/blue?colour=2"
    assert row.viewport == "1280x720"
    assert page.context.cookies() == []


def test_escape_closes_it_and_the_focus_returns(page: Page, shop: str) -> None:
    open_form(page, shop)
    write(page, "Not finished")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Tell us")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("What would you like to tell us?")).to_have_value("Not finished")


def test_the_page_behind_cannot_be_reached_while_it_is_open(page: Page, shop: str) -> None:
    open_form(page, shop)
    for _ in range(12):
        page.keyboard.press("Tab")
        inside = "(root => !root || root.activeElement?.closest('dialog'))(document.activeElement?.shadowRoot)"
        assert page.evaluate(f"document.activeElement === document.body || Boolean({inside})")


def test_errors_stand_beside_their_field(page: Page, shop: str, complaints: list[str]) -> None:
    open_form(page, shop)
    send(page)
    comment = page.get_by_label("What would you like to tell us?")
    expect(comment).to_have_accessible_description("Please write a comment or choose a rating.")
    expect(comment).to_have_attribute("aria-invalid", "true")
    expect(comment).to_be_focused()
    assert "400" in complaints.pop()
    write(page, "Now there is one")
    send(page)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def test_a_lost_answer_keeps_the_text_and_stores_one_row(page: Page, shop: str, complaints: list[str]) -> None:
    """The desk stored it, but the visitor's connection broke before the answer came."""
    open_form(page, shop)
    write(page, "Said once")

    def deliver_and_lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/api/feedback/", deliver_and_lose_the_answer, times=1)
    send(page)
    expect(page.get_by_role("alert")).to_have_text("It could not be sent. Your text is still here: please try again.")
    expect(page.get_by_label("What would you like to tell us?")).to_have_value("Said once")
    assert "Failed to load resource" in complaints.pop()
    send(page)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert Feedback.objects.count() == 1


def test_one_too_many_is_told_to_wait(page: Page, shop: str, settings: Settings, complaints: list[str]) -> None:
    settings.FEEDBACK_RATE_LIMIT = 1
    open_form(page, shop)
    write(page, "The first thing")
    send(page)
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Tell us").click()
    write(page, "The second thing")
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("Please try again in 10 minutes.")
    assert "429" in complaints.pop()


def test_a_site_that_is_not_allowed_cannot_send(
    page: Page, shop: str, settings: Settings, complaints: list[str]
) -> None:
    settings.API_ALLOWED_ORIGINS = []
    open_form(page, shop)
    write(page, "From a stranger's site")
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("It could not be sent")
    assert not Feedback.objects.exists()
    assert any("CORS policy" in complaint for complaint in complaints)
    complaints.clear()


@pytest.mark.browser_context_args(viewport={"width": 390, "height": 600}, has_touch=True, is_mobile=True)
def test_on_a_phone_the_whole_form_can_be_reached(page: Page, shop: str) -> None:
    open_form(page, shop)
    box = page.get_by_role("dialog").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert box["height"] <= 600
    send_button = page.get_by_role("button", name="Send feedback")
    send_button.scroll_into_view_if_needed()
    expect(send_button).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_it_works_on_its_own_page_of_the_desk(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/feedback/widget/")
    page.get_by_role("button", name="Feedback", exact=True).click()
    write(page, "The page about the widget is clear")
    send(page)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert Feedback.objects.get().source == "widget"
