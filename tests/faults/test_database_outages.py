"""The database locked, its disk full, or its server killed: a clear 503, nothing half written, nothing stored twice.

A deployed web server over a real database; each outage begins and ends while it runs.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest

from tests.faults.people import PASSWORD, QUEUE, Answer, Browser
from tests.faults.postgres import run_postgres
from tests.faults.site import Site
from tests.pages import Page
from tests.worker import until

WORDS = {"comment": "The “pay” button\ndoes nothing", "type": "bug", "rating": "2", "page": "/pay"}
LOCKED, FULL, AWAY = "locked", "full", "away"


class Stand:
    """A deployed desk with an analysed item for each kind of outage that its database can have."""

    def __init__(self, stack: ExitStack, folder: Path, *, postgres: bool) -> None:
        self.kind = ""
        self._file = folder / "desk.sqlite3"
        self._postgres = stack.enter_context(run_postgres()) if postgres else None
        url = self._postgres.url if self._postgres else f"sqlite:///{self._file}"
        settings = "tests.faults.impatient_settings"
        self.site = Site(folder, database=url, DJANGO_SETTINGS_MODULE=settings, WEB_CONCURRENCY="1")
        self.site.manage(
            "shell", "-v0", "-c",
            "from tests import make\n"
            "make.user('ada', 'Reviewer')\n"
            "for kind in ('locked', 'full', 'away'):\n"
            "    make.item(f'The page is {kind}')",
        )  # fmt: skip
        self._web = self.site.service("web")
        stack.callback(self._web.kill)
        self._web.start()
        self.site.wait()
        # Somebody keeps the file open, as a worker does: SQLite's shared memory is there.
        self._other = stack.enter_context(closing(sqlite3.connect(self._file, isolation_level=None)))
        self._other.execute("SELECT count(*) FROM sqlite_master").fetchone()

    @contextmanager
    def outage(self) -> Iterator[None]:
        begin, end = {
            LOCKED: (lambda: self._other.execute("BEGIN IMMEDIATE"), lambda: self._other.execute("ROLLBACK")),
            FULL: (lambda: self._web.fill_disk(True), lambda: self._web.fill_disk(False)),
            AWAY: (self._kill, self._revive),
        }[self.kind]
        begin()
        try:
            yield
        finally:
            end()

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        if self._postgres:
            with psycopg.connect(self._postgres.url) as server:
                return server.execute(query.encode()).fetchall()
        with closing(sqlite3.connect(self._file)) as file:
            return file.execute(query).fetchall()

    def count(self, table: str) -> int:
        return int(self.ask(f"SELECT count(*) FROM {table}")[0][0])

    def browser(self) -> Browser:
        return Browser(self.site.port, "203.0.113.9")

    def _kill(self) -> None:
        assert self._postgres
        self._postgres.kill()

    def _revive(self) -> None:
        assert self._postgres
        self._postgres.start()
        self._postgres.wait()


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[bool], Stand]]:
    """One desk for each database, made when it is first asked for."""
    with ExitStack() as stack:
        yield cache(lambda postgres: Stand(stack, tmp_path_factory.mktemp("desk"), postgres=postgres))


@pytest.fixture(params=[LOCKED, FULL, pytest.param(AWAY, marks=pytest.mark.servers)])
def stand(request: pytest.FixtureRequest, desks: Callable[[bool], Stand]) -> Stand:
    stand = desks(request.param == AWAY)
    stand.kind = request.param
    return stand


def send(browser: Browser, key: str) -> Answer:
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    return browser.ask("POST", "/api/feedback/", json.dumps(WORDS).encode(), **headers)


def press(browser: Browser, path: str, **words: str) -> Answer:
    body = urlencode({"csrfmiddlewaretoken": browser.cookies["csrftoken"]} | words).encode()
    return browser.ask("POST", path, body, **{"Content-Type": "application/x-www-form-urlencoded"})


def test_the_api_says_when_to_send_again_and_then_stores_it_once(stand: Stand) -> None:
    browser, before = stand.browser(), stand.count("feedback_feedback")
    with stand.outage():
        refused = send(browser, f"one, {stand.kind}")
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["content-type"] == "application/json"
        assert json.loads(refused.content) == {
            "errors": {"database": ["Your feedback could not be stored just now. Please send it again in a minute."]}
        }
    assert stand.count("feedback_feedback") == before
    taken = [send(browser, f"one, {stand.kind}") for _ in range(2)]
    assert [answer.status_code for answer in taken] == [202, 202]
    assert taken[0].content == taken[1].content
    assert stand.count("feedback_feedback") == stand.count("analyzer_queueitem") == before + 1


def test_the_form_keeps_what_was_typed_and_stores_it_once(stand: Stand) -> None:
    browser, before, once = stand.browser(), stand.count("feedback_feedback"), str(uuid.uuid4())
    with stand.outage():
        assert browser.get("/feedback/").status_code == 200
        refused = press(browser, "/feedback/", once=once, **WORDS)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        again = Page(browser, "/feedback/", response=refused)
        assert "could not be stored just now" in again.html
        (form,) = again.forms.values()
        kept = dict(form["fields"])
        assert {name: kept[name] for name in ("comment", "rating", "page")} == {
            name: WORDS[name] for name in ("comment", "rating", "page")
        }
    assert stand.count("feedback_feedback") == before
    for _ in range(2):
        assert again.press("Send feedback", type="bug").status_code == 302
    assert stand.count("feedback_feedback") == before + 1


def test_a_decision_is_not_stored_in_part_and_can_be_made_afterwards(stand: Stand) -> None:
    browser = stand.browser()
    browser.get("/admin/login/")
    assert press(browser, "/admin/login/", username="ada", password=PASSWORD, next=QUEUE).status_code == 302
    page = Page(browser, QUEUE)
    decided = "analyzer_queueitem WHERE status = 'decided'"
    before = stand.count("analyzer_review")
    with stand.outage():
        refused = page.press(f"Validate “The page is {stand.kind}”")
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert "Not possible just now" in refused.content.decode()
    assert stand.count("analyzer_review") == stand.count(decided) == before
    assert page.press(f"Validate “The page is {stand.kind}”").status_code == 302
    assert f"Validated “The page is {stand.kind}”" in Page(browser, QUEUE).html
    assert stand.count("analyzer_review") == stand.count(decided) == before + 1


def test_monitoring_is_answered(stand: Stand) -> None:
    monitor = Browser(stand.site.port, "127.0.0.1")
    monitor.ask("GET", "/healthz")
    with stand.outage():
        health = monitor.ask("GET", "/healthz")
        assert health.status_code == 503
        if stand.kind == AWAY:
            assert json.loads(health.content) == {"database": "unreachable"}
            assert monitor.ask("GET", "/feedback/").status_code == 200
            assert monitor.ask("GET", "/admin/").status_code in (302, 503)
    until(lambda: json.loads(monitor.ask("GET", "/healthz").content)["database"] == "ok", "the database's return")


@pytest.mark.parametrize("stand", [LOCKED], indirect=True)
def test_who_waits_for_a_short_lock_is_only_answered_later(stand: Stand) -> None:
    before = stand.count("feedback_feedback")
    answers: list[int] = []
    with stand.outage():
        waiting = Thread(target=lambda: answers.append(send(stand.browser(), "late").status_code))
        waiting.start()
        waiting.join(0.5)
        assert not answers
    waiting.join()
    assert answers == [202]
    assert stand.count("feedback_feedback") == before + 1
