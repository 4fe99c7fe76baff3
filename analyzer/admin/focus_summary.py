"""The end of the line: what one person did today, what is left and why, and the disputes that wait for a third."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from analyzer import opinions, roles
from analyzer.admin import badges, focus_card
from analyzer.models import Aside, QueueItem, Review
from feedback import admin_base

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# Nobody decides more in a day; beyond it the figures are of the latest.
LATEST: Final = 2_000
DISPUTES_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Way:
    """How many of one's decisions went one way, and what they took; seconds is None where nothing was measured."""

    name: str
    n: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Day:
    """One person's decisions of today that are in force."""

    n: int
    ways: list[Way]
    seconds: float | None
    measured: int
    kept: int

    @property
    def agreement(self) -> str:
        return f"{self.kept / self.n:.0%}".replace("%", " %") if self.n else "–"


@dataclass(frozen=True, slots=True)
class Dispute:
    """An item with the two opinions about it; mine when one of them is the reader's."""

    item: QueueItem
    excerpt: str
    first: Review
    second: Review
    mine: bool


def context(by: User, *, waiting: QuerySet[QueueItem]) -> dict[str, Any]:
    """What the summary shows; waiting is what this round could still go through."""
    now = timezone.now()
    waiting = waiting.order_by()
    held = waiting.filter(claimed_until__gt=now).exclude(claimed_by=by)
    asides = Aside.objects.filter(user=by, feedback__queue_item__status=QueueItem.Status.OPEN)
    passed_on = asides.filter(passed_on=True)
    counted, taken, left = _capped(waiting), _capped(held), passed_on.count()
    return {
        "day": today(by),
        "waiting": counted,
        "held": taken,
        "passed_on": left,
        "free": max(0, counted - taken - left),
        "analysing": _capped(QueueItem.objects.unfinished()),
        "second": _capped(opinions.waiting_for(by)),
        "disputed": _capped(opinions.disputed()) if by.has_perm(roles.ADJUDICATE) else 0,
        "mine": focus_card.mine(by),
    }


def today(by: User) -> Day:
    """One query."""
    done = Review.objects.filter(
        Q(role=Review.Role.SECOND) | Q(feedback__queue_item__review=F("pk")),
        reviewer=by,
        undone_at=None,
        created_at__gte=focus_card.since(),
        analysis__isnull=False,
    ).order_by("-created_at")
    names = ("provenance", "role", "seconds", "category", "severity", "analysis__category", "analysis__severity")
    rows = list(done.values_list(*names)[:LATEST])
    ways: dict[str, list[float | None]] = {}
    for provenance, role, seconds, *_ in rows:
        name = Review.Provenance(provenance).label if role == Review.Role.FIRST else Review.Role(role).label
        ways.setdefault(str(name), []).append(seconds)
    timed = [row[2] for row in rows if row[2] is not None]
    return Day(
        n=len(rows),
        ways=[Way(name, len(all_), _median(all_)) for name, all_ in sorted(ways.items(), key=lambda way: -len(way[1]))],
        seconds=_median(timed),
        measured=len(timed),
        kept=sum(row[3:5] == row[5:7] for row in rows),
    )


def disputes(by: User) -> dict[str, Any]:
    """The disputes with both opinions. Two queries."""
    items = list(opinions.disputed().select_related("feedback", "review__reviewer")[:DISPUTES_SHOWN])
    given = Review.objects.filter(feedback__in=[item.pk for item in items], role=Review.Role.SECOND, undone_at=None)
    latest = {review.feedback_id: review for review in given.select_related("reviewer").order_by("created_at")}
    found = [
        Dispute(
            item,
            badges.excerpt(item.feedback),
            item.review,
            latest[item.pk],
            by.pk in (item.review.reviewer_id, latest[item.pk].reviewer_id),
        )
        for item in items
        if item.review is not None and item.pk in latest
    ]
    return {"disputes": found}


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _capped(rows: QuerySet[QueueItem]) -> int:
    return admin_base.count(rows)
