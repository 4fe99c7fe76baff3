"""What people decided lately, read once and counted in every way that the overview shows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import fmean, median
from typing import Final, NamedTuple

from django.db.models import BooleanField, Case, Count, F, IntegerField, QuerySet, Sum, Value, When
from django.utils import timezone

from analyzer.models import Review

# So many decisions are read at most, the latest first: on a desk of any size the overview costs the same.
MOST: Final = 5_000
DAYS: Final = 30


class Opinion(NamedTuple):
    """One opinion of a person that was not taken back; machine_… and reward are None without an analysis."""

    at: datetime
    reviewer: int
    name: str
    provenance: str
    category: str
    severity: str
    machine_category: str | None
    machine_severity: str | None
    reward: float | None
    seconds: float | None
    in_force: bool

    @property
    def counts(self) -> bool:
        """Whether it says how good the machine is: it is what the item stands for now, and judged an analysis."""
        return self.in_force and self.machine_category is not None

    @property
    def kept(self) -> bool:
        return self.category == self.machine_category


@dataclass(frozen=True, slots=True)
class Share:
    """How many of n."""

    hits: int
    n: int

    @property
    def percent(self) -> str:
        return f"{100 * self.hits / self.n:.0f} %" if self.n else "–"


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean or a median of n values; None of none."""

    value: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often people kept what the machine said, what that was worth, and how long they took."""

    n: int
    category: Share
    severity: Share
    reward: Mean
    bulk: int


@dataclass(frozen=True, slots=True)
class Work:
    """What one person did day by day, oldest first."""

    reviewer: int
    name: str
    days: tuple[int, ...]
    seconds: Mean

    @property
    def total(self) -> int:
        return sum(self.days)


def work(reviews: QuerySet[Review]) -> QuerySet[Review]:
    """What people did on real items and did not take back; an imported label was not decided here."""
    done = reviews.filter(undone_at=None, feedback__queue_item__synthetic=False)
    return done.exclude(provenance=Review.Provenance.IMPORTED)


def counted(reviews: QuerySet[Review]) -> QuerySet[Review]:
    """Of that, what items stand for now and was made on an analysis."""
    return work(reviews).filter(analysis__isnull=False, feedback__queue_item__review=F("pk"))


def read(since: datetime) -> list[Opinion]:
    """The latest MOST opinions since then, newest first, in one query that an index by time serves."""
    in_force = Case(
        When(feedback__queue_item__review=F("pk"), then=Value(True)), default=Value(False), output_field=BooleanField()
    )
    rows = work(Review.objects.filter(created_at__gte=since)).annotate(in_force=in_force).order_by("-created_at")
    found = rows.values_list(
        "created_at",
        "reviewer",
        "reviewer__username",
        "provenance",
        "category",
        "severity",
        "analysis__category",
        "analysis__severity",
        "reward_total",
        "seconds",
        "in_force",
    )[:MOST]
    return [Opinion(*row) for row in found.iterator()]


def kept() -> Share:
    """How many of the decisions that count kept the machine's category: agreement's figure alone, in one query."""
    was_kept = Case(When(category=F("analysis__category"), then=1), default=0, output_field=IntegerField())
    lately = counted(Review.objects.filter(created_at__gte=start())).order_by("-created_at")
    found = lately.annotate(was_kept=was_kept)[:MOST].aggregate(n=Count("pk"), hits=Sum("was_kept"))
    return Share(found["hits"] or 0, found["n"])


def agreement(opinions: Iterable[Opinion]) -> Agreement:
    """Over those that count. A severity that was not judged neither agrees nor disagrees."""
    those = [each for each in opinions if each.counts]
    judged = [each for each in those if each.severity]
    return Agreement(
        n=len(those),
        category=Share(sum(each.kept for each in those), len(those)),
        severity=Share(sum(each.severity == each.machine_severity for each in judged), len(judged)),
        reward=_mean([each.reward for each in those if each.reward is not None]),
        bulk=sum(each.provenance == Review.Provenance.BULK for each in those),
    )


def changes(opinions: Iterable[Opinion]) -> Counter[tuple[str, str]]:
    """How often the machine said one category and people another, or the same: (machine, people) -> count."""
    return Counter((each.machine_category or "", each.category) for each in opinions if each.counts)


def pace(opinions: Iterable[Opinion]) -> Mean:
    """The median of the seconds from seeing an item to deciding it; in bulk nobody saw each."""
    seconds = [
        each.seconds for each in opinions if each.seconds is not None and each.provenance != Review.Provenance.BULK
    ]
    return Mean(median(seconds) if seconds else None, len(seconds))


def by_person(opinions: Iterable[Opinion], *, days: Sequence[date]) -> list[Work]:
    """Who did how much on each of these days (UTC), by name."""
    done: defaultdict[tuple[str, int], list[Opinion]] = defaultdict(list)
    for each in opinions:
        if each.at.astimezone(UTC).date() in days:
            done[each.name, each.reviewer].append(each)
    found = []
    for (name, reviewer), theirs in sorted(done.items()):
        daily = Counter(each.at.astimezone(UTC).date() for each in theirs)
        found.append(Work(reviewer, name, tuple(daily[day] for day in days), pace(theirs)))
    return found


def latest_days(number: int) -> list[date]:
    """Today (UTC) and the days before it, oldest first."""
    today = timezone.now().astimezone(UTC).date()
    return [today - timedelta(days=ago) for ago in reversed(range(number))]


def start() -> datetime:
    """From when on decisions are read: the begin (UTC) of the first of the last DAYS, today being one."""
    return start_of(latest_days(DAYS)[0])


def days_covered(most: int) -> int:
    """How many days back, most at most and one at least, the latest MOST opinions reach: for who groups in SQL."""
    latest = Review.objects.order_by("-created_at").values_list("created_at", flat=True)
    reached = list(latest[MOST - 1 : MOST])
    return max(1, min(most, (timezone.now() - reached[0]).days)) if reached else most


def start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _mean(values: Sequence[float]) -> Mean:
    return Mean(fmean(values) if values else None, len(values))
