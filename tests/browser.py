"""Chromium for tests: where it is, how it starts, and that a page which makes it complain fails its test."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, WebError

from tests import chromium

HOW_TO_INSTALL = (
    "Chromium is not installed, so the pages were not tested. On Debian or Ubuntu: "
    "apt-get install chromium fonts-dejavu-core. Elsewhere set CHROMIUM to the path of a Chromium or Chrome."
)
# Chromium reports violations on its console too, but not those of report-only policies on every version.
REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP ${event.effectiveDirective} blocked ${event.blockedURI} at ${event.sourceFile}`));
"""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, None, None]:
    """Mark every test that opens a page, before `-m "not browser"` leaves them out, and run the rest of them last.

    Last, because Playwright keeps an event loop running in this thread until the end of the session, and a rollout
    needs one of its own.
    """
    for item in items:
        if {"browser", "page", "context", "new_context"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("browser")
    yield
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Starts the machine's own Chromium; without one the test is skipped, or fails where CI is set."""
    path = chromium.path()
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(HOW_TO_INSTALL)
    return {**browser_type_launch_args, "executable_path": path, "args": chromium.FLAGS}


@pytest.fixture
def complaints(context: BrowserContext) -> list[str]:
    """Console errors, uncaught exceptions and CSP violations so far; a test that provokes one removes it."""
    found: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            found.append(f"{message.text} ({message.location.get('url', '')})")

    def fail(error: WebError) -> None:
        found.append(f"uncaught: {error.error}")

    context.on("console", hear)
    context.on("weberror", fail)
    context.add_init_script(REPORT_VIOLATIONS)
    return found


@pytest.fixture
def page(page: Page, complaints: list[str]) -> Any:
    """A tab; the test fails when the browser complained of anything that the test did not expect."""
    page.set_default_timeout(10_000)
    yield page
    assert complaints == []


def sign_in(page: Page, url: str, user: User) -> None:
    """Gives the tab a session of this user at the live server's address, without the login page."""
    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": url}])
