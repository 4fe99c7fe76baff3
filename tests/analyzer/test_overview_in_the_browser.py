"""The front page, saved views and the export as a browser has them: on a phone, without a complaint, by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from analyzer import reviews
from analyzer.models import SavedView
from tests import make
from tests.browser import sign_in

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "/admin/analyzer/queueitem/"


@pytest.fixture
def desk(page: Page, live_server: LiveServer, mia: User) -> Page:
    for category in ("website-bug", "content-gap", "noise"):
        reviews.override(analysis=make.item(category=category).analysis, by=mia, category="website-bug", seconds=4)
        make.item(f"Waits as {category}", category=category)
    sign_in(page, live_server.url, mia)
    return page


def test_the_front_page_fits_a_phone_and_what_is_wider_scrolls_inside(desk: Page, live_server: LiveServer) -> None:
    desk.set_viewport_size({"width": 360, "height": 740})
    desk.goto(f"{live_server.url}/admin/")
    assert desk.evaluate("document.documentElement.scrollWidth") == 360
    matrix = desk.get_by_role("region", name="What people changed", exact=True).last
    assert matrix.evaluate("(each) => each.scrollWidth > each.clientWidth")
    expect(desk.get_by_role("table", name="Rows: what the machine said").get_by_role("rowheader")).to_have_text(
        ["Bug", "Framework", "Content", "Feature", "Positive", "Noise"]
    )


def test_from_the_front_page_to_the_first_item_is_one_click(desk: Page, live_server: LiveServer) -> None:
    desk.goto(f"{live_server.url}/admin/")
    desk.get_by_role("link", name="Review 3 waiting").click()
    expect(desk).to_have_url(re.compile(f"{QUEUE}review/[0-9a-f-]{{36}}/"))
    expect(desk.get_by_role("button", name="Validate Bug")).to_be_visible()


def test_administration_is_folded_away(desk: Page, live_server: LiveServer) -> None:
    desk.goto(f"{live_server.url}/admin/")
    tables = desk.get_by_role("link", name="Analyzer versions")
    expect(tables).to_be_hidden()
    desk.get_by_text("Administration").click()
    expect(tables).to_be_visible()


def test_a_view_is_saved_used_and_deleted_by_hand(desk: Page, live_server: LiveServer) -> None:
    desk.goto(f"{live_server.url}{QUEUE}?category=noise")
    desk.get_by_text("Save this view").click()
    desk.get_by_label("Name of these filters").fill("Only noise")
    desk.get_by_label("Show it to everybody").check()
    desk.get_by_role("button", name="Save view").click()
    desk.goto(f"{live_server.url}{QUEUE}")
    saved = desk.get_by_role("navigation", name="Saved views")
    saved.get_by_role("link", name="Only noise").click()
    expect(saved.get_by_role("link", name="Only noise")).to_have_attribute("aria-current", "page")
    expect(desk.get_by_role("link", name="Waits as noise")).to_be_visible()
    desk.get_by_text("Save this view").click()
    desk.get_by_role("button", name="Delete the view “Only noise”").click()
    expect(saved).to_be_hidden()
    assert not SavedView.objects.exists()


def test_the_list_is_taken_along_as_a_file(desk: Page, live_server: LiveServer, tmp_path: Path) -> None:
    desk.goto(f"{live_server.url}{QUEUE}?category=noise")
    desk.get_by_text("Export").click()
    with desk.expect_download() as started:
        desk.get_by_role("link", name="JSON lines").click()
    started.value.save_as(tmp_path / "queue.jsonl")
    assert started.value.suggested_filename == "queue.jsonl"
    (line,) = (tmp_path / "queue.jsonl").read_text(encoding="utf-8").splitlines()
    assert "Waits as noise" in line
