"""Visitors who send and reviewers who decide, over HTTP; each remembers what the desk acknowledged."""

from __future__ import annotations

import http.client
import json
import random
import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.faults.site import HOST
from tests.pages import Page

PASSWORD = "correct horse battery staple"
QUEUE = "/admin/analyzer/queueitem/"
# How long a client waits for an answer, and before it asks again. The desk waits up to 30 seconds for a lock.
PATIENCE_SECONDS = 45.0
PAUSE_SECONDS = 0.3

OPENINGS = (
    ("The pay button does nothing", "bug", 2),
    ("I lost everything I had typed", "bug", 1),
    ("The guide does not say which version it is for", "technical_question", 3),
    ("Please let us export this as a spreadsheet", "feature", 4),
    ("This is a joy to use, thank you", "general", 5),
    ("How do I connect this without signing in again?", "technical_question", 3),
    ("The colours are hard to tell apart", "general", 2),
)
WORDS = (  # noqa: SIM905 (a list of them is no easier to read)
    "invoice calendar search report profile archive webhook sandbox tablet footer menu window banner spinner filter "
    "table chart language printer password-page map timeline upload preview comment avatar theme billing holiday "
    "checkout basket delivery warehouse teacher student tutorial example screenshot keyboard mouse headline gallery"
).split()


def say(number: int, chance: random.Random) -> dict[str, Any]:
    """A made-up submission, hardly like any other; one in twenty repeats a sentence that others send too."""
    text, kind, rating = chance.choice(OPENINGS)
    rest = "again" if chance.random() < 0.05 else " ".join(chance.choices(WORDS, k=12))
    return {
        "comment": f"Report {number}: {text}: {rest}",
        "type": kind,
        "rating": rating,
        "page": f"/page/{number % 40}",
    }


@dataclass
class Answer:
    status_code: int
    headers: dict[str, str]
    content: bytes


class Browser:
    """Asks as the proxy in front passes it on, and keeps cookies; raises OSError and HTTPException."""

    def __init__(self, port: int, address: str) -> None:
        self._port, self._address = port, address
        self.cookies: dict[str, str] = {}
        self.statuses: Counter[int] = Counter()

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
        try:
            sent = {
                "Host": HOST,
                "X-Forwarded-Proto": "https",
                "X-Forwarded-For": self._address,
                "Referer": f"https://{HOST}{path}",
                "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            }
            connection.request(method, path, body, sent | headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        for name, value in response.getheaders():
            if name.lower() == "set-cookie":
                for cookie in SimpleCookie(value).values():
                    self.cookies[cookie.key] = cookie.value
        self.statuses[response.status] += 1
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, data: dict[str, Any], follow: bool = False) -> Answer:
        body = urlencode(data, doseq=True).encode()
        return self.ask("POST", path, body, **{"Content-Type": "application/x-www-form-urlencoded"})


@dataclass
class Sent:
    """A submission that was acknowledged; id is empty where the form's thanks were the answer."""

    source: str
    key: str
    id: str = ""


@dataclass
class Decided:
    """A decision that the desk said it had stored."""

    reviewer: str
    item: str
    category: str
    severity: str


@dataclass
class Crowd:
    """What all of them remember together."""

    sent: list[Sent] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    surprises: list[str] = field(default_factory=list)
    retries: int = 0
    # How many analyses there are, as far as somebody has counted.
    analysed: int = 0

    @property
    def progress(self) -> int:
        """Submissions that have come through, those at work included: what the analyses are not too far behind."""
        return min(len(self.sent), 2 * self.analysed)


class Person(threading.Thread):
    """One client in a thread; what breaks on the way is tried again, as a person or a program would."""

    def __init__(self, crowd: Crowd, port: int, address: str, ending: threading.Event) -> None:
        super().__init__(daemon=True)
        self.crowd, self.ending = crowd, ending
        self.browser = Browser(port, address)
        self.browser.statuses = crowd.statuses

    def surely(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer | None:
        """An answer other than 503 and a broken connection, however long it takes; None when the day is over."""
        while not self.ending.is_set():
            try:
                answer = self.browser.ask(method, path, body, **headers)
            except (OSError, http.client.HTTPException):
                answer = None
            if answer is not None and answer.status_code != 503:
                return answer
            self.crowd.retries += 1
            time.sleep(PAUSE_SECONDS)
        return None


class Visitor(Person):
    """Sends what the numbers ask for, every tenth by the form; waits while the desk is far behind."""

    def __init__(
        self, *arguments: Any, numbers: Iterator[int], chance: random.Random, pace: float, backlog: int
    ) -> None:
        super().__init__(*arguments)
        self._numbers, self._chance, self._pace, self._backlog = numbers, chance, pace, backlog

    def run(self) -> None:
        due = time.monotonic()
        for number in self._numbers:
            while len(self.crowd.sent) - self.crowd.analysed > self._backlog and not self.ending.wait(0.2):
                pass
            key, words = str(uuid.UUID(int=self._chance.getrandbits(128), version=4)), say(number, self._chance)
            (self._by_form if number % 10 == 0 else self._by_api)(key, words)
            if self.ending.is_set():
                return
            due = max(due + self._pace, time.monotonic() - 1)
            time.sleep(max(0.0, due - time.monotonic()))

    def _by_api(self, key: str, words: dict[str, Any]) -> None:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        answer = self.surely("POST", "/api/feedback/", json.dumps(words).encode(), **headers)
        if answer is None:
            return
        if answer.status_code == 202:
            self.crowd.sent.append(Sent("api", key, json.loads(answer.content)["id"]))
        else:
            self.crowd.surprises.append(f"API {answer.status_code}: {answer.content[:200]!r}")

    def _by_form(self, key: str, words: dict[str, Any]) -> None:
        """The second press of the button goes to the form that came back with the words still in it."""
        if self.surely("GET", "/feedback/") is None:
            return
        words |= {"once": key, "csrfmiddlewaretoken": self.browser.cookies["csrftoken"]}
        body = urlencode(words).encode()
        answer = self.surely("POST", "/feedback/", body, **{"Content-Type": "application/x-www-form-urlencoded"})
        if answer is None:
            return
        if answer.status_code == 302:
            self.crowd.sent.append(Sent("form", key))
        else:
            self.crowd.surprises.append(f"form {answer.status_code}")


class Reviewer(Person):
    """Presses Validate, or another category, on some line of the queue, and reads what the desk says of it."""

    def __init__(self, *arguments: Any, user: str, chance: random.Random, pause: float) -> None:
        super().__init__(*arguments)
        self._user, self._chance, self._pause = user, chance, pause

    def run(self) -> None:
        self._sign_in()
        while not self.ending.wait(self._pause):
            page = self._page(QUEUE)
            if page is not None:
                self._decide(page)

    def _sign_in(self) -> None:
        if self.surely("GET", "/admin/login/") is None:
            return
        token = {"csrfmiddlewaretoken": self.browser.cookies["csrftoken"]}
        body = urlencode({"username": self._user, "password": PASSWORD, "next": QUEUE} | token).encode()
        answer = self.surely("POST", "/admin/login/", body, **{"Content-Type": "application/x-www-form-urlencoded"})
        if answer is not None and answer.status_code != 302:
            self.crowd.surprises.append(f"{self._user} could not sign in: {answer.status_code}")

    def _page(self, path: str) -> Page | None:
        answer = self.surely("GET", path)
        if answer is None:
            return None
        if answer.status_code != 200:
            self.crowd.surprises.append(f"{path} answered {answer.status_code}")
            return None
        return Page(self.browser, path, response=answer)

    def _decide(self, page: Page) -> None:
        ready = [each for each in page.buttons if each.name.startswith("Validate “")]
        if not ready:
            return
        button = self._chance.choice(ready)
        address = button.attributes["formaction"]
        if self._chance.random() < 0.3:
            others = [each for each in page.buttons if each.attributes.get("formaction") == address]
            button = self._chance.choice([each for each in others if each.attributes.get("name") == "category"])
        try:
            answer = page.press(button.name)
        except (OSError, http.client.HTTPException):
            self.crowd.retries += 1
            return
        if answer.status_code not in (302, 503):
            self.crowd.surprises.append(f"decision {answer.status_code}")
        if answer.status_code != 302:
            return
        # The message waits in a cookie for the next page that can be shown.
        after = self._page(QUEUE)
        said = re.findall(r'<li class="success">\w+ “.*?” as ([\w-]+)/(\w+)', after.html if after else "")
        if said:
            category, severity = said[-1]
            item = urlsplit(address).path.removeprefix(QUEUE).partition("/")[0]
            self.crowd.decided.append(Decided(self._user, item, category, severity))
