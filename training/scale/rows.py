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
from functools import cache
from typing import Any, Final
from uuid import UUID

import numpy as np
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from analyzer import cold_start, priority, similar, versions
from analyzer.models import Analysis, Fingerprint, QueueItem, ReportGroup, Review, rank
from analyzer.taxonomy import Category, Outcome, Severity
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

_WORDS_MAX: Final = 30
_CATEGORIES: Final = dict(zip([each.value for each in Category], (30, 15, 20, 20, 10, 5), strict=True))
_SEVERITIES: Final = dict(zip([each.value for each in Severity], (2, 13, 45, 40), strict=True))
_TYPES: Final = {"bug": 35, "technical_question": 15, "feature": 20, "general": 24, "research": 2, "commercial": 4}
_RATINGS: Final = {None: 30, 1: 15, 2: 10, 3: 12, 4: 15, 5: 18}
_COMPLIANCE: Final = {"accept": 988, "flag": 10, "hold": 2}
_OUTCOMES: Final = {"": 50} | dict.fromkeys([each.value for each in Outcome], 7)
_STAGES: Final = {"done": 9_980, "pending": 10, "failed": 10}
_FINDING: Final = {"rule": "legal-threat", "outcome": "", "reason": "Made up.", "evidence": ""}
_QUALITY: Final = json.dumps({"formed": 1.0, "mapped": 1.0, "concrete": 1.0, "floor": 1.0, "total": 1.0})
_USAGE: Final = json.dumps({"calls": 0, "prompt_tokens": 0, "completion_tokens": 0})
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
    _settle()
    return there


def _settle() -> None:
    """What PostgreSQL does by itself once many rows have come; SQLite plans without statistics."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


class _Desk:
    """Draws the rows of one desk, a batch at a time; the same batch of the same size is drawn alike."""

    def __init__(self, size: int, *, began: datetime) -> None:
        self.size, self.began, self.step = size, began, (timezone.now() - began) / size
        self.version = versions.active().pk
        self.people = [user.pk for user in people()]
        words = Counter(word for each in cold_start.load() for word in re.findall(r"[^\W_]+", each.comment.lower()))
        self.words = np.array(list(words))
        self.shares = np.array(list(words.values())) / words.total()
        self.pages = [f"/{one}/{other}" for one in self.words[:60:3] for other in self.words[1:60:3]]

    def write(self, numbers: range) -> None:
        tables = (Feedback, Analysis, Review, ReportGroup, QueueItem, Fingerprint)
        made: dict[type[Model], list[Row]] = {model: [] for model in tables}
        draw = _Draw(numbers.start, len(numbers))
        comments = self._comments(numbers, draw)
        for place, number in enumerate(numbers):
            at = self.began + self.step * number
            copies = number % _COPIES == _COPIES - 1
            said = self._said(at, comments[place], draw, place)
            stage = draw.stages[place]
            analysis = self._analysis(at, said, draw, place) if stage == "done" else None
            review = self._review(at, said, analysis, draw, place) if analysis and draw.decided[place] else None
            item = _place(said, stage, analysis, review, draw, place)
            if copies:
                first = made[QueueItem][-1]
                first["group"] = item["group"] = first["feedback"]
                made[ReportGroup].append({"id": first["feedback"], "size": 2})
            else:
                made[Fingerprint].append({"feedback": said["id"], **_bands(said["comment"], draw, place, number)})
            made[Feedback].append(said)
            made[Analysis] += [analysis] if analysis else []
            made[Review] += [review] if review else []
            made[QueueItem].append(item)
        for model, rows in made.items():
            insert(model, rows)

    def _comments(self, numbers: range, draw: _Draw) -> list[str]:
        drawn = draw.chance.choice(self.words, p=self.shares, size=(len(numbers), _WORDS_MAX)).tolist()
        made: list[str] = []
        for number, words, length in zip(numbers, drawn, draw.lengths, strict=True):
            if number % _COPIES == _COPIES - 1:
                made.append(f"{made[-1]} Again.")
                continue
            said = words[:length]
            if number % 10 == 3:
                said[length // 2] = COMMON
            if number % (self.size // 10) == 5:
                said[0] = RARE
            made.append(" ".join(said).capitalize() + ".")
        return made

    def _said(self, at: datetime, comment: str, draw: _Draw, place: int) -> Row:
        compliance = draw.compliance[place]
        return {
            "id": draw.id(at),
            "source": SOURCE,
            "external_id": None,
            "type": draw.types[place],
            "rating": draw.ratings[place],
            "comment": comment,
            "page": self.pages[draw.pages[place] % len(self.pages)],
            "page_title": "",
            "viewport": "1280x800",
            "received_at": at,
            "pii": _json({"email": 1} if draw.sure[place] > 0.98 else {}),
            "sentiment": draw.sure[place],
            "compliance": compliance,
            "findings": _json([] if compliance == "accept" else [_FINDING | {"outcome": compliance}]),
            "client_key": draw.hexadecimal(32),
            "digest": draw.hexadecimal(64),
            "synthetic": False,
            "revised_at": None,
        }

    def _analysis(self, at: datetime, said: Row, draw: _Draw, place: int) -> Row:
        category, severity = draw.categories[place], draw.severities[place]
        points, reasons = _score(category, severity, said["rating"], said["type"])
        at += timedelta(seconds=12)
        probabilities, of_severity = (
            _spread(Category, category, draw.sure[place]),
            _spread(Severity, severity, draw.sure_too[place]),
        )
        row = {
            "id": draw.id(at),
            "feedback": said["id"],
            "version": self.version,
            "request": 1,
            "created_at": at,
            "category": category,
            "severity": severity,
            "action": f"Reproduce “{said['comment'][:60]}” on {said['page']} and fix what fails.",
            "priority": points,
            "priority_reasons": reasons,
            "category_confidence": draw.sure[place],
            "severity_confidence": draw.sure_too[place],
            "category_probabilities": probabilities,
            "severity_probabilities": of_severity,
            "evidence": json.dumps([said["comment"][:40]]),
            "findings": "[]",
            "needs_person": draw.needs_person[place],
            "route": "desk",
            "engine": "local",
            "fallback_reason": "timeout: no answer" if draw.fallback[place] else "",
            "quality": _QUALITY,
            "duration_ms": 12.5,
            "usage": _USAGE,
        }
        return row | {"trace": _trace(row)}

    def _review(self, at: datetime, said: Row, analysis: Row, draw: _Draw, place: int) -> Row:
        kept = draw.kept[place]
        at = min(timezone.now(), at + timedelta(hours=draw.hours[place]))
        return {
            "id": draw.id(at),
            "feedback": said["id"],
            "analysis": analysis["id"],
            "reviewer": self.people[draw.pages[place] % len(self.people)],
            "role": Review.Role.FIRST.value,
            "provenance": (Review.Provenance.VALIDATED if kept else Review.Provenance.OVERRIDDEN).value,
            "created_at": at,
            "category": analysis["category"] if kept else draw.other_categories[place],
            "severity": analysis["severity"],
            "action": analysis["action"],
            "priority": analysis["priority"],
            "reasons": "{}",
            "note": "",
            "reward": _json({"category": float(kept), "severity": 1.0, "action": 1.0, "priority": 1.0}),
            "reward_total": 1.0 if kept else 0.5,
            "seconds": 8.5,
            "suggestion_visible": True,
            "batch": None,
            "replaces": None,
            "undone_at": None,
            "undone_by": None,
        }


class _Draw:
    """What chance says of each item of a batch, drawn all at once."""

    def __init__(self, batch: int, rows: int) -> None:
        self.chance = np.random.default_rng(batch)
        self.ids = random.Random(batch)  # noqa: S311 (made-up rows)
        self.categories = self._of(_CATEGORIES, rows)
        self.other_categories = self._of(_CATEGORIES, rows)
        self.severities = self._of(_SEVERITIES, rows)
        self.types = self._of(_TYPES, rows)
        self.ratings = self._of(_RATINGS, rows)
        self.compliance = self._of(_COMPLIANCE, rows)
        self.stages = self._of(_STAGES, rows)
        self.outcomes = self._of(_OUTCOMES, rows)
        self.seconds = self._of(_SECOND, rows)
        self.sure = self.chance.uniform(0.3, 1, rows).round(2).tolist()
        self.sure_too = self.chance.uniform(0.4, 1, rows).round(2).tolist()
        self.lengths = self.chance.integers(6, _WORDS_MAX, rows).tolist()
        self.pages = self.chance.integers(0, 2**20, rows).tolist()
        self.hours = self.chance.exponential(30, rows).tolist()
        self.decided = (self.chance.random(rows) < 0.6).tolist()
        self.kept = (self.chance.random(rows) < 0.75).tolist()
        self.needs_person = (self.chance.random(rows) < 0.005).tolist()
        self.fallback = (self.chance.random(rows) < 0.002).tolist()

    def _of(self, shares: dict[Any, int], rows: int) -> list[Any]:
        values, weights = list(shares), np.array(list(shares.values()), dtype=float)
        return [values[place] for place in self.chance.choice(len(values), p=weights / weights.sum(), size=rows)]

    def hexadecimal(self, digits: int) -> str:
        return f"{self.ids.getrandbits(4 * digits):0{digits}x}"

    def id(self, moment: datetime) -> UUID:
        """A UUIDv7 of that moment, since much is read in the order of the keys."""
        milliseconds, rest = int(moment.timestamp() * 1000), self.ids.getrandbits(74)
        return UUID(int=milliseconds << 80 | 7 << 76 | rest >> 62 << 64 | 2 << 62 | rest & 2**62 - 1)


def _place(said: Row, stage: str, analysis: Row | None, review: Row | None, draw: _Draw, place: int) -> Row:
    counts = review or analysis
    points = counts["priority"] if counts else priority.UNKNOWN
    outcome = draw.outcomes[place] if review else ""
    return {
        "feedback": said["id"],
        "received_at": said["received_at"],
        "synthetic": False,
        "type": said["type"],
        "rating": said["rating"],
        "held": said["compliance"] == "hold",
        "needs_person": bool(analysis and analysis["needs_person"]),
        "fallback": bool(analysis and analysis["fallback_reason"]),
        "unsure": bool(analysis and min(analysis["category_confidence"], analysis["severity_confidence"]) < 0.5),
        "edited": False,
        "provenance": review["provenance"] if review else "",
        "decided_by": review["reviewer"] if review else None,
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
        "claimed_by": None,
        "claimed_until": None,
        "second": draw.seconds[place] if review else "",
        "outcome": outcome,
        "duplicate_of": None,
        "closed_at": review["created_at"] if review and outcome else None,
    }


def _trace(row: Row) -> str:
    """Spans as a rollout leaves them, about as long."""
    verdict = (
        f'{{"category": "{row["category"]}", "severity": "{row["severity"]}", "action": {json.dumps(row["action"])}, '
        f'"priority_reasons": {row["priority_reasons"]}, "category_probabilities": {row["category_probabilities"]}, '
        f'"severity_probabilities": {row["severity_probabilities"]}, "evidence": {row["evidence"]}, "findings": [], '
        f'"engine": "local", "fallback_reason": "", "usage": {_USAGE}, "reward": {_QUALITY}}}'
    )
    return _SPANS % json.dumps(verdict)


_SPANS: Final = json.dumps(
    [
        {
            "name": "agentlightning.message",
            "status": "UNSET",
            "ms": 0.01,
            "attributes": {"agentlightning.message.body": "Asked the local engine (built-in prompt) about a comment."},
        },
        {"name": "agentlightning.object", "status": "OK", "ms": 0.02, "attributes": {"json": "…"}},
        {
            "name": "agentlightning.annotation",
            "status": "OK",
            "ms": 0.01,
            "attributes": {f"agentlightning.reward.{number}.name": "total" for number in range(5)},
        },
    ]
).replace('"\\u2026"', "%s")


@cache
def _score(category: str, severity: str, rating: int | None, form_type: str) -> tuple[int, str]:
    points, reasons = priority.score(
        severity=severity, category=category, rating=rating, similar=0, form_type=form_type, held=False
    )
    return points, json.dumps([reason.model_dump() for reason in reasons])


@cache
def _spread(labels: type[Category] | type[Severity], chosen: str, sure: float) -> str:
    """The chosen label with its share, the others with what is left."""
    left = round((1 - sure) / (len(labels) - 1), 4)
    return json.dumps({each.value: left for each in labels} | {chosen: sure})


def _json(value: Any) -> str:
    return json.dumps(value)


def _bands(comment: str, draw: _Draw, place: int, number: int) -> Row:
    """The fingerprint of a comment that another one repeats; of the others, random numbers, which it is made of."""
    if number % _COPIES == _COPIES - 2:
        return dict(similar.fingerprint(comment) or {})
    bits = draw.ids.getrandbits(512)
    return {f"band_{band}": (bits >> 64 * band - 64 & 2**64 - 1) - 2**63 for band in range(1, 9)}


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
    if sqlite and kind is UUID:
        return value.hex
    if sqlite and kind is datetime:
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    return value
