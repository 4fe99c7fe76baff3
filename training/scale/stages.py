"""What is measured on one desk: each page and task once to warm up, with its queries counted, then some times over."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pymongo import MongoClient

from analyzer import analyses, claims, memory, reviews, similar
from analyzer.admin import seen
from analyzer.admin.filters import QUEUE_FILTERS, StatusFilter
from analyzer.admin.focus_form import Shown
from analyzer.models import Fingerprint, QueueItem, Review
from feedback import intake, mirror
from feedback.forms import FeedbackForm
from feedback.website import Website
from training.scale import scratch
from training.scale.rows import COMMON, RARE, REVIEWER

QUEUE: Final = "admin:analyzer_queueitem_changelist"
EXPORTED: Final = 1_000
SYNCED: Final = 1_000
# Only decided items have these, so with them the list of decided ones is measured.
_OF_DECIDED: Final = ("second", "decision", "outcome")


@dataclass(slots=True)
class Sample:
    """One page or task: what it sends and asks, and how many milliseconds each repeat took."""

    name: str
    queries: int
    bytes: int
    ms: list[float] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


# Does the thing once and returns how many bytes it sent.
Act = Callable[[], int]


def measure(
    *, repeats: int, mongo: str = "", only: str = "", progress: Callable[[str], None] = lambda name: None
) -> list[Sample]:
    """Every stage on the desk that DATABASE_URL names, which must be a scratch one: items are added and decided.

    only: those whose name begins like this.
    """
    scratch.require()
    # A development server keeps every query in memory, which is not what is to be measured.
    settings.DEBUG = False
    found = []
    for name, act in _stages(mongo, repeats + 1):
        if not name.startswith(only):
            continue
        progress(name)
        with CaptureQueriesContext(connection) as captured:
            size = act()
        sample = Sample(name, len(captured), size)
        for _ in range(repeats):
            started = time.perf_counter()
            act()
            sample.ms.append((time.perf_counter() - started) * 1000)
        found.append(sample)
    return found


def _stages(mongo: str, calls: int) -> Iterator[tuple[str, Act]]:
    desk = _Desk(User.objects.get(username=REVIEWER))
    queue = reverse(QUEUE)
    yield "submission by the API", desk.submit
    yield "near-copies of a new item", desk.find_copies
    yield "queue", desk.page(queue)
    yield "queue, page 400", desk.page(queue, p="400")
    yield "queue, decided", desk.page(queue, status="decided")
    yield "queue, all", desk.page(queue, status="all")
    for name, text in searches().items():
        yield f"search: {name}", desk.page(queue, q=text)
    yield "search: common word, critical", desk.page(queue, q=COMMON, severity="critical")
    yield "search among feedback: common word", desk.page(reverse("admin:feedback_feedback_changelist"), q=COMMON)
    for filters in filter_options():
        yield f"filter: {urlencode(filters)}", desk.page(queue, **filters)
    yield "focus: the next item", desk.focus
    yield "focus: validate, and the next item", desk.validate
    yield "list: one click on a category", desk.click
    yield "item page", desk.item
    yield "overview", desk.page(reverse("admin:index"))
    yield "decisions", desk.page(reverse("admin:analyzer_review_changelist"))
    yield "feedback", desk.page(reverse("admin:feedback_feedback_changelist"))
    yield f"export, first {EXPORTED:,} rows", desk.export
    yield "few-shot memory", lambda: len(memory.remember()) * 0
    yield "sweep", lambda: analyses.sweep() * 0
    yield "healthz", desk.page(reverse("healthz"))
    yield "metrics", desk.page(reverse("metrics"))
    if mongo:
        with _website(mongo, SYNCED * calls) as website:
            yield f"sync of {SYNCED:,} documents", lambda: _sync(website)


def searches() -> dict[str, str]:
    """A word in ten comments, one in a tenth of them, one in most, two words, a phrase, a beginning."""
    return {
        "rare word": RARE,
        "common word": COMMON,
        "word in most": '"the"',
        "two words": f'{COMMON} "not"',
        "phrase": '"the page"',
        "begun word": "check",
        "no match": "nowhereatall",
    }


def filter_options() -> Iterator[dict[str, str]]:
    """Each choice of each filter of the queue that is not tied to another page."""
    for each in QUEUE_FILTERS:
        name = str(each.parameter_name)
        for value in each.options if each is not StatusFilter else ():
            status = {"status": "decided"} if name in _OF_DECIDED else {}
            yield status | {name: value}


class _Desk:
    """One reviewer's browser and what it does."""

    def __init__(self, by: User) -> None:
        self.by = by
        host = next((name for name in settings.ALLOWED_HOSTS if "*" not in name), "localhost")
        self.client = Client(SERVER_NAME=host.strip("[].") or "localhost")
        self.client.force_login(by, backend="django.contrib.auth.backends.ModelBackend")
        self.secure = bool(settings.SECURE_SSL_REDIRECT)

    def page(self, address: str, /, **query: str) -> Act:
        """GET an address; raises when it does not answer as it should. healthz says 503, since no worker runs."""
        good = (200, 503) if address == reverse("healthz") else (200,)
        return lambda: self._sent(self.client.get(address, query, secure=self.secure), good)

    def submit(self) -> int:
        said = {"type": "bug", "rating": 2, "comment": f"Report {secrets.token_hex(8)} about the pay button"}
        address = reverse("feedback:api")
        answer = self.client.post(address, said, content_type="application/json", secure=self.secure)
        return self._sent(answer, (202,))

    def find_copies(self) -> int:
        """As a worker does before it analyses; what it stores is taken back, so that the next one is as new."""
        form = FeedbackForm({"comment": "The page of the pay button does not load in my browser since yesterday"})
        item = intake.receive(form=form, source="benchmark-copies").feedback.queue_item
        similar.find(item)
        Fingerprint.objects.filter(pk=item.pk).delete()
        item.feedback.delete()
        return 0

    def focus(self) -> int:
        return self._sent(self.client.get(reverse(f"{_FOCUS}review"), follow=True, secure=self.secure), (200,))

    def validate(self) -> int:
        item = self._next()
        analysis = item.analysis
        if analysis is None:
            raise RuntimeError("No item of this desk is analysed.")
        told = {
            "act": "save",
            "shown": Shown.now(item.pk, visible=True).written,
            seen.field(item.pk): seen.Seen.of(item).written,
            "category": analysis.category,
            "severity": analysis.severity,
            "action": analysis.action,
            "priority": analysis.priority,
        }
        address = reverse(f"{_FOCUS}focus", args=(item.pk,))
        sent = self._sent(self.client.post(address, told, follow=True, secure=self.secure), (200,))
        self._must_be_decided(item)
        return sent

    def click(self) -> int:
        item = self._next()
        told = {"category": "noise", seen.field(item.pk): seen.Seen.of(item).written}
        address = reverse(f"{_FOCUS}decide", args=(item.pk,))
        sent = self._sent(self.client.post(address, told, secure=self.secure), (302,))
        self._must_be_decided(item)
        return sent

    def item(self) -> int:
        address = reverse(f"{_FOCUS}change", args=(self._next().pk,))
        return self._sent(self.client.get(address, secure=self.secure), (200,))

    def export(self) -> int:
        address = reverse(f"{_FOCUS}export")
        answer = self.client.get(address, {"format": "jsonl", "status": "all"}, secure=self.secure)
        sent = sum(map(len, islice(cast("Iterator[bytes]", answer), EXPORTED)))
        # As when the reader hangs up; ends the request in the test client's way, which leaves the connection open.
        # Left to the garbage collector, PostgreSQL's cursor is closed within another one's fetch, and waits for itself.
        cast("Any", answer)._iterator.close()
        return sent

    def _next(self) -> QueueItem:
        """The first item that can be decided; asking for it is part of what is measured, and cheap."""
        item = claims.ready().select_related("analysis").filter(claimed_by=None).first()
        if item is None:
            raise RuntimeError("Everything on this desk is decided.")
        return item

    def _must_be_decided(self, item: QueueItem) -> None:
        review = Review.objects.filter(feedback=item.pk, reviewer=self.by).first()
        if review is None:
            raise RuntimeError("The decision was not stored.")
        reviews.undo(review=review, by=self.by)

    def _sent(self, answer: Any, status: tuple[int, ...]) -> int:
        if answer.status_code not in status:
            raise RuntimeError(f"{answer.request['PATH_INFO']} answered {answer.status_code}.")
        return len(answer.content)


_FOCUS: Final = "admin:analyzer_queueitem_"


@contextmanager
def _website(uri: str, count: int) -> Iterator[Website]:
    """A collection of documents that the desk has not seen; dropped in the end."""
    now, name = datetime.now(UTC), f"benchmark-{secrets.token_hex(4)}"
    with MongoClient[dict[str, Any]](uri) as client:
        collection = client[name]["feedback"]
        collection.create_index([("updatedAt", 1), ("_id", 1)])
        collection.insert_many(
            {
                "comment": f"Document {secrets.token_hex(8)}",
                "rating": 3,
                "createdAt": now,
                "updatedAt": now - timedelta(seconds=count - number),
            }
            for number in range(count)
        )
        try:
            yield Website(collection)
        finally:
            client.drop_database(name)


def _sync(website: Website) -> int:
    tally = mirror.catch_up(website=website, limit=SYNCED)
    if tally.stored != SYNCED:
        raise RuntimeError(f"{tally.stored} of {SYNCED} documents were stored.")
    return 0
