"""A made-up desk of any size, written in bulk: every row consistent with the others, none of them anybody's.

The rows are not marked synthetic, since the pages that leave those out would then have nothing to do; they exist in
scratch databases only, which scratch holds to. Comments are drawn word by word from the vocabulary of the cold-start
examples with its frequencies. Two words that are in no example stand in known shares: RARE in ten comments of any desk,
COMMON in every tenth.
"""

from __future__ import annotations

import json
import math
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from analyzer import cold_start, priority, similar, versions
from analyzer.models import Analysis, Fingerprint, QueueItem, Review, rank
from analyzer.taxonomy import Category, Outcome, Severity
from feedback import statistics
from feedback.models import Feedback
from training.scale import scratch

SOURCE: Final = "benchmark"
REVIEWER: Final = "benchmark-reviewer"
RARE: Final = "zyzzyva"
COMMON: Final = "marzipan"
BATCH: Final = 2_000
YEARS: Final = timedelta(days=730)
_PEOPLE: Final = 5
# Every so manyth comment nearly repeats the one before it.
_COPIES: Final = 50

_CATEGORIES: Final = dict(zip(Category, (30, 15, 20, 20, 10, 5), strict=True))
_SEVERITIES: Final = dict(zip(Severity, (2, 13, 45, 40), strict=True))
_TYPES: Final = {"bug": 35, "technical_question": 15, "feature": 20, "general": 24, "research": 2, "commercial": 4}
_RATINGS: Final = {None: 30, 1: 15, 2: 10, 3: 12, 4: 15, 5: 18}
_COMPLIANCE: Final = {"accept": 988, "flag": 10, "hold": 2}
_OUTCOMES: Final = {"": 50} | dict.fromkeys(Outcome, 7)
_SECOND: Final = {"": 930, "wanted": 10, "agreed": 50, "disputed": 5, "settled": 5}

Row = dict[str, Any]


def people() -> list[User]:
    """Those who decided; the first is the one whose pages are measured."""
    found = []
    for number in range(_PEOPLE):
        name = REVIEWER if not number else f"{REVIEWER}-{number}"
        user, made = User.objects.get_or_create(username=name, defaults={"is_staff": True})
        if made:
            user.set_unusable_password()
            user.save()
            user.groups.add(Group.objects.get(name="Manager"))
        found.append(user)
    return found


def fill(size: int, *, seconds: float | None = None, progress: Callable[[int], None] = lambda rows: None) -> int:
    """Bring the desk to this size, batch by batch, each in a transaction; goes on where it stopped.

    Stops after so many seconds; returns how many items there are.
    """
    scratch.require()
    mine, until = Feedback.objects.filter(source=SOURCE), time.monotonic() + (seconds or math.inf)
    there, oldest = mine.count(), mine.order_by("received_at").first()
    if there >= size:
        return there
    desk = _Desk(size, began=oldest.received_at if oldest else timezone.now() - YEARS)
    while there < size and time.monotonic() < until:
        with transaction.atomic():
            desk.write(range(there, min(size, there + BATCH)))
        there = min(size, there + BATCH)
        if there % (10 * BATCH) == 0:
            progress(there)
    settle()
    return there


def settle() -> None:
    """What a database does by itself, or the worker every hour, once many rows have come."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    statistics.refresh()


class _Desk:
    """Draws the rows of one desk; the same size and number give the same comment."""

    def __init__(self, size: int, *, began: datetime) -> None:
        self.size, self.began, self.step = size, began, (timezone.now() - began) / size
        self.version = versions.active()
        self.people = [user.pk for user in people()]
        words = Counter(word for each in cold_start.load() for word in re.findall(r"[^\W_]+", each.comment.lower()))
        self.words, self.weights = list(words), list(accumulate(words.values()))
        self.pages = [f"/{one}/{other}" for one in self.words[:60:3] for other in self.words[1:60:3]]

    def write(self, numbers: Iterable[int]) -> None:
        made: dict[type[Model], list[Row]] = {}
        before: tuple[str, Row] | None = None
        for number in numbers:
            rnd = random.Random(number)  # noqa: S311 (made-up rows)
            copied = before if before and number % _COPIES == _COPIES - 1 else None
            rows = self._item(number, rnd, copied)
            for model, row in rows:
                made.setdefault(model, []).append(row)
            before = (rows[0][1]["comment"], rows[-1][1])
        for model in (Feedback, Analysis, Review, QueueItem, Fingerprint):
            insert(model, made.get(model, []))

    def _item(self, number: int, rnd: random.Random, copied: tuple[str, Row] | None) -> list[tuple[type[Model], Row]]:
        """The rows of one item, its place in the queue last."""
        at = self.began + self.step * number
        comment = f"{copied[0]} again" if copied else self._comment(number, rnd)
        said, analysed = self._said(at, comment, rnd), _draw(rnd, _STAGES)
        rows: list[tuple[type[Model], Row]] = [(Feedback, said)]
        if not copied:
            rows.append((Fingerprint, {"feedback": said["id"], **_bands(comment, rnd, number)}))
        analysis = self._analysis(at, said, rnd) if analysed == "done" else None
        if analysis:
            rows.append((Analysis, analysis))
        review = self._review(at, said, analysis, rnd) if analysis and rnd.random() < 0.6 else None
        if review:
            rows.append((Review, review))
        item = _place(said, analysed, analysis, review, rnd)
        if copied:
            copied[1]["group"] = item["group"] = copied[1]["feedback"]
            copied[1]["similar"] = item["similar"] = 1
        rows.append((QueueItem, item))
        return rows

    def _comment(self, number: int, rnd: random.Random) -> str:
        words = rnd.choices(self.words, cum_weights=self.weights, k=rnd.randint(6, 30))
        if number % 10 == 3:
            words.insert(rnd.randint(0, len(words)), COMMON)
        if number % max(1, self.size // 10) == 5:
            words.insert(rnd.randint(0, len(words)), RARE)
        return " ".join(words).capitalize() + "."

    def _said(self, at: datetime, comment: str, rnd: random.Random) -> Row:
        compliance = _draw(rnd, _COMPLIANCE)
        finding = {"rule": "legal-threat", "outcome": compliance, "reason": "Made up.", "evidence": ""}
        return {
            "id": _id(at, rnd),
            "source": SOURCE,
            "external_id": None,
            "type": _draw(rnd, _TYPES),
            "rating": _draw(rnd, _RATINGS),
            "comment": comment,
            "page": rnd.choice(self.pages),
            "page_title": "",
            "viewport": "1280x800",
            "received_at": at,
            "pii": {"email": 1} if rnd.random() < 0.03 else {},
            "sentiment": round(rnd.uniform(-1, 1), 4),
            "compliance": compliance,
            "findings": [] if compliance == "accept" else [finding],
            "client_key": f"{rnd.getrandbits(128):032x}",
            "digest": f"{rnd.getrandbits(256):064x}",
            "synthetic": False,
            "revised_at": None,
        }

    def _analysis(self, at: datetime, said: Row, rnd: random.Random) -> Row:
        category, severity = str(_draw(rnd, _CATEGORIES)), str(_draw(rnd, _SEVERITIES))
        points, reasons = priority.score(
            severity=severity, category=category, rating=said["rating"], similar=0, form_type=said["type"], held=False
        )
        at += timedelta(seconds=rnd.uniform(0.1, 30))
        sure, sure_too = round(rnd.uniform(0.3, 1), 4), round(rnd.uniform(0.4, 1), 4)
        verdict = {
            "category": category,
            "severity": severity,
            "action": f"Reproduce “{said['comment'][:60]}” on {said['page']} and fix what fails.",
            "priority": points,
            "priority_reasons": [reason.model_dump() for reason in reasons],
            "category_confidence": sure,
            "severity_confidence": sure_too,
            "category_probabilities": {each.value: round((1 - sure) / 5, 4) for each in Category} | {category: sure},
            "severity_probabilities": {each.value: round((1 - sure_too) / 3, 4) for each in Severity}
            | {severity: sure_too},
            "evidence": [said["comment"][:40]],
            "findings": [],
            "needs_person": rnd.random() < 0.005,
            "route": "desk",
            "fallback_reason": "timeout: no answer" if rnd.random() < 0.002 else "",
        }
        quality = {"formed": 1.0, "mapped": 1.0, "concrete": 1.0, "floor": 1.0, "total": 1.0}
        return {
            "id": _id(at, rnd),
            "feedback": said["id"],
            "version": self.version.pk,
            "request": 1,
            "created_at": at,
            **verdict,
            "engine": "local",
            "quality": quality,
            "duration_ms": 12.5,
            "usage": {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0},
            "trace": _trace(said, verdict, quality),
        }

    def _review(self, at: datetime, said: Row, analysis: Row, rnd: random.Random) -> Row:
        kept = rnd.random() < 0.75
        reward = {"category": float(kept), "severity": 1.0, "action": 1.0, "priority": 1.0}
        at = min(timezone.now(), at + timedelta(hours=rnd.expovariate(1 / 30)))
        return {
            "id": _id(at, rnd),
            "feedback": said["id"],
            "analysis": analysis["id"],
            "reviewer": rnd.choice(self.people),
            "role": Review.Role.FIRST.value,
            "provenance": (Review.Provenance.VALIDATED if kept else Review.Provenance.OVERRIDDEN).value,
            "created_at": at,
            "category": analysis["category"] if kept else str(_draw(rnd, _CATEGORIES)),
            "severity": analysis["severity"],
            "action": analysis["action"],
            "priority": analysis["priority"],
            "reasons": {},
            "note": "",
            "reward": reward,
            "reward_total": 1.0 if kept else 0.5,
            "seconds": round(rnd.uniform(2, 60), 1),
            "suggestion_visible": True,
            "batch": None,
            "replaces": None,
            "undone_at": None,
            "undone_by": None,
        }


_STAGES: Final = {"done": 9_980, "pending": 10, "failed": 10}


def _place(said: Row, stage: str, analysis: Row | None, review: Row | None, rnd: random.Random) -> Row:
    counts = review or analysis
    points = counts["priority"] if counts else priority.UNKNOWN
    outcome = str(_draw(rnd, _OUTCOMES)) if review else ""
    return {
        "feedback": said["id"],
        "received_at": said["received_at"],
        "synthetic": False,
        "status": (QueueItem.Status.DECIDED if review else QueueItem.Status.OPEN).value,
        "stage": stage,
        "request": 1,
        "attempts": 0,
        "lease_until": None,
        "queued_at": said["received_at"],
        "error": "Made up." if stage == "failed" else "",
        "analysis": analysis["id"] if analysis else None,
        "review": review["id"] if review else None,
        "category": counts["category"] if counts else "",
        "severity": counts["severity"] if counts else "",
        "priority": points,
        "rank": rank(points, said["received_at"]),
        "flagged": said["compliance"] != "accept" or bool(analysis and analysis["needs_person"]),
        "group": None,
        "similar": 0,
        "claimed_by": None,
        "claimed_until": None,
        "second": _draw(rnd, _SECOND) if review else "",
        "outcome": outcome,
        "duplicate_of": None,
        "closed_at": review["created_at"] if review and outcome else None,
    }


def _trace(said: Row, verdict: Row, quality: Row) -> list[Row]:
    """Spans as a rollout leaves them, about as long."""
    asked = f"Asked the local engine (built-in prompt) about a comment of {len(said['comment'])} characters."
    told = json.dumps({"verdict": verdict, "reward": quality})
    rewards = {f"agentlightning.reward.{number}.name": name for number, name in enumerate(quality)}
    return [
        {"name": "agentlightning.message", "status": "UNSET", "ms": 0.01, "attributes": {"body": asked}},
        {"name": "agentlightning.object", "status": "OK", "ms": 0.02, "attributes": {"json": told}},
        {"name": "agentlightning.annotation", "status": "OK", "ms": 0.01, "attributes": rewards},
    ]


def _bands(comment: str, rnd: random.Random, number: int) -> Row:
    """The fingerprint of a comment that another one repeats; of the others, random numbers, which it is made of."""
    if number % _COPIES == _COPIES - 2:
        return dict(similar.fingerprint(comment) or {})
    return {f"band_{band}": rnd.getrandbits(64) - 2**63 for band in range(1, 9)}


def _id(moment: datetime, rnd: random.Random) -> UUID:
    """A UUIDv7 of that moment, since much is read in the order of the keys."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 7 << 76 | rnd.getrandbits(12) << 64 | 2 << 62 | rnd.getrandbits(62))


def _draw(rnd: random.Random, shares: dict[Any, int]) -> Any:
    value = rnd.choices(list(shares), weights=list(shares.values()))[0]
    return getattr(value, "value", value)


def insert(model: type[Model], rows: Sequence[Row]) -> None:
    """Rows with every column, by field name. bulk_create would take three times as long for a million."""
    if not rows:
        return
    columns = {each.name: each.column for each in model._meta.concrete_fields}
    quoted = ", ".join(connection.ops.quote_name(columns[name]) for name in rows[0])
    marks = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({quoted}) VALUES ({marks})",  # noqa: S608
            list(_values(rows)),
        )


def _values(rows: Iterable[Row]) -> Iterator[list[Any]]:
    """As the drivers of SQLite and PostgreSQL take them."""
    sqlite = connection.vendor == "sqlite"
    for row in rows:
        yield [_value(value, sqlite) for value in row.values()]


def _value(value: Any, sqlite: bool) -> Any:
    kind = type(value)
    if kind is dict or kind is list:
        return json.dumps(value)
    if sqlite and kind is UUID:
        return value.hex
    if sqlite and kind is datetime:
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    return value
