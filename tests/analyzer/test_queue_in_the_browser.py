"""The desk in a real browser: with and without JavaScript, at a desk and on a phone, in light and in dark."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from analyzer import reviews
from analyzer.models import AnalyzerVersion, QueueItem, Review
from tests import make
from tests.browser import sign_in

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "/admin/analyzer/queueitem/"
PHONE = {"width": 390, "height": 844}
# Text against what is painted behind it, for every visible text on the page; WCAG AA asks for 4.5.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = rgba(getComputedStyle(each).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return rgba(getComputedStyle(document.documentElement).colorScheme === "dark" ? "#121212" : "#fff");
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility() || element.closest(".visually-hidden, .skip-to-content-link")) {
      continue;
    }
    const [a, b] = [light(rgba(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.push(`${node.data.trim()}: ${ratio.toFixed(2)}`);
  }
  return faint;
}"""


def addresses() -> list[str]:
    """Every page of the desk, over rows in every state."""
    ada = User.objects.get(username="ada")
    make.version(
        thresholds={"category": 0.7}, calibration={"on": "held-out reviews", "n": 9}, metrics={"accuracy": 0.7}
    )
    other = AnalyzerVersion.objects.create(number=2, engine="llm", origin="apo", weights_digest="ab")
    items = {
        severity: make.item(
            f"A {severity} thing on a page", severity=severity, page="/a" * 60, category_confidence=share
        )
        for severity, share in (("critical", 0.9), ("high", 0.4), ("medium", 0.8), ("low", 0.2))
    }
    long = make.item(
        "Averylongwordwithoutanyspace" * 12 + " " + "and many ordinary words after it " * 20,
        needs_person=True,
        synthetic=True,
        findings=[{"rule": "injection", "reason": "It gives orders."}],
        fallback_reason="timeout: no answer",
        trace=[{"name": "agentlightning.object", "status": "OK", "ms": 1, "attributes": {"k" * 80: "v" * 500}}],
    )
    make.feedback("Waiting")
    failed = make.feedback("Failed").queue_item
    QueueItem.objects.filter(pk=failed.pk).update(stage="failed", error="RuntimeError: " + "x" * 200)
    decided = reviews.override(analysis=make.item("Decided").analysis, by=ada, category="noise", note="n" * 200)
    return [
        QUEUE,
        f"{QUEUE}?status=all&severity=high",
        f"{QUEUE}?status=decided",
        f"{QUEUE}?q=nothing",
        f"{QUEUE}{long.pk}/change/",
        f"{QUEUE}{items['high'].pk}/change/",
        f"{QUEUE}{decided.feedback_id}/change/",
        "/admin/",
        "/admin/analyzer/review/",
        f"/admin/analyzer/review/{decided.pk}/change/",
        "/admin/analyzer/analyzerversion/",
        f"/admin/analyzer/analyzerversion/{other.pk}/change/",
        f"/admin/analyzer/analyzerversion/{other.pk}/activate/",
        "/admin/feedback/feedback/",
    ]


def test_validate_override_and_undo_work_without_javascript(
    browser: Browser, live_server: LiveServer, ada: User
) -> None:
    make.item("First thing", severity="high")
    make.item("Second thing", severity="low")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_server.url, ada)
    page.goto(f"{live_server.url}{QUEUE}?category=website-bug")
    page.get_by_role("button", name="Validate “First thing”").click()
    expect(page.get_by_text("Validated “First thing” as website-bug/high (reward 1.00).")).to_be_visible()
    expect(page.get_by_role("link", name="First thing")).to_have_count(0)
    assert "category=website-bug" in page.url
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="First thing")).to_be_visible()
    page.get_by_role("button", name="Override category of “Second thing” to Noise").click()
    expect(page.get_by_text("Overrode “Second thing” as noise/low, was website-bug/low")).to_be_visible()
    page.get_by_role("navigation", name="Filters").get_by_text("Severity", exact=True).click()
    page.get_by_role("link", name="High", exact=True).click()
    expect(page.get_by_role("link", name="First thing")).to_be_visible()
    context.close()
    assert Review.objects.filter(undone_at=None).get().category == "noise"


def test_the_list_stays_where_it_is_and_the_next_button_has_the_focus(
    page: Page, live_server: LiveServer, ada: User
) -> None:
    for number in range(20):
        make.item(f"Report {number:02}")
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(page, live_server.url, ada)
    page.goto(f"{live_server.url}{QUEUE}?severity=high")
    page.evaluate("scrollTo(0, 400)")
    page.get_by_role("button", name="Validate “Report 10”").click()
    page.wait_for_url(f"{live_server.url}{QUEUE}?severity=high")
    expect(page.get_by_role("button", name="Validate “Report 11”")).to_be_focused()
    assert page.evaluate("scrollY") == 400
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Validate “Report 12”")).to_be_focused()
    assert Review.objects.count() == 2


def test_a_message_moves_no_line(page: Page, live_server: LiveServer, ada: User) -> None:
    make.item("First thing", severity="high")
    make.item("Second thing", severity="high")
    sign_in(page, live_server.url, ada)
    page.goto(f"{live_server.url}{QUEUE}")
    before = page.locator("tr.item").first.bounding_box()
    page.get_by_role("button", name="Validate “First thing”").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    after = page.locator("tr.item").first.bounding_box()
    assert before
    assert after
    assert before["y"] == after["y"]


def test_the_buttons_for_ticked_lines_come_with_the_first_tick(page: Page, live_server: LiveServer, ada: User) -> None:
    make.item("First thing", severity="low")
    make.item("Second thing", severity="low")
    sign_in(page, live_server.url, ada)
    page.goto(f"{live_server.url}{QUEUE}")
    expect(page.get_by_role("button", name="Validate selected")).to_be_hidden()
    page.get_by_role("checkbox", name="Select “Second thing”").check()
    expect(page.get_by_role("button", name="Validate selected")).to_be_visible()
    page.get_by_role("checkbox", name="Select all items on this page").check()
    expect(page.get_by_text("2 of 2 selected")).to_be_visible()
    page.get_by_role("button", name="Validate selected").click()
    page.get_by_role("button", name="Validate the ticked").click()
    expect(page.get_by_text("Decided 2 items together.")).to_be_visible()
    page.get_by_role("button", name="Undo all 2").click()
    expect(page.get_by_text("Taken back: 2 decisions.")).to_be_visible()
    assert QueueItem.objects.queue().count() == 2


def test_what_opens_over_the_list_closes_with_escape_and_a_click_elsewhere(
    page: Page, live_server: LiveServer, ada: User
) -> None:
    make.item("First thing")
    sign_in(page, live_server.url, ada)
    page.goto(f"{live_server.url}{QUEUE}")
    reasons = page.get_by_role("heading", name="Why is this here?")
    page.locator(".why summary").click()
    expect(reasons).to_be_visible()
    page.keyboard.press("Escape")
    expect(reasons).to_be_hidden()
    expect(page.locator(".why summary")).to_be_focused()
    page.locator(".why summary").click()
    page.get_by_role("columnheader", name="What was said").click()
    expect(reasons).to_be_hidden()


def test_the_heading_of_the_list_stays_in_view(page: Page, live_server: LiveServer, ada: User) -> None:
    for number in range(20):
        make.item(f"Report {number:02}")
    page.set_viewport_size({"width": 1440, "height": 700})
    sign_in(page, live_server.url, ada)
    page.goto(f"{live_server.url}{QUEUE}")
    page.evaluate("scrollTo(0, 600)")
    expect(page.get_by_role("columnheader", name="Decision")).to_be_in_viewport()


def test_nine_rows_fit_on_a_laptop(page: Page, live_server: LiveServer, ada: User) -> None:
    for number in range(12):
        make.item(
            f"Report {number:02}: the list forgets the filter that I had chosen when I come back to it from a page."
        )
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(page, live_server.url, ada)
    page.goto(f"{live_server.url}{QUEUE}")
    fitting = (
        "[...document.querySelectorAll('tr.item')].filter((row) => row.getBoundingClientRect().bottom <= 900).length"
    )
    assert page.evaluate(fitting) >= 9


def test_no_page_scrolls_sideways_on_a_phone(page: Page, live_server: LiveServer, ada: User, mia: User) -> None:
    page.set_viewport_size(PHONE)
    sign_in(page, live_server.url, mia)
    for address in addresses():
        page.goto(live_server.url + address)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address


def test_a_decision_is_made_with_a_thumb(page: Page, live_server: LiveServer, ada: User) -> None:
    make.item("First thing", severity="high")
    page.set_viewport_size(PHONE)
    sign_in(page, live_server.url, ada)
    page.goto(f"{live_server.url}{QUEUE}")
    for name in ("Validate “First thing”", "Override category of “First thing” to Noise"):
        box = page.get_by_role("button", name=name).bounding_box()
        assert box
        assert box["height"] >= 36
        assert box["x"] + box["width"] <= PHONE["width"]
    page.get_by_role("button", name="Validate “First thing”").click()
    expect(page.get_by_text("Nothing needs a decision")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Validate “First thing”")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(
    page: Page, live_server: LiveServer, ada: User, mia: User, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    sign_in(page, live_server.url, mia)
    for address in addresses():
        page.goto(live_server.url + address)
        assert page.evaluate(CONTRAST) == [], address
