"""The front page of the admin: what to do next, how long things wait, and what people made of the machine's word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from analyzer import analyses, opinions, roles, tally, waiting
from analyzer.admin import action_report
from analyzer.admin.figures import Cell, Figure, Line, address, decisions, heated, on_day, queue
from analyzer.admin.rows import CATEGORY_LABELS, SEVERITY_LABELS
from analyzer.models import AnalyzerVersion, Heartbeat, QueueItem

if TYPE_CHECKING:
    from django.contrib.auth.models import User

WORK_DAYS: Final = 14
# Of the drawing of one person's days, in pixels.
BAR_STEP: Final = 11
BAR_HEIGHT: Final = 28

REVIEW: Final = "admin:analyzer_queueitem_review"
UNKNOWN: Final = "none"
SEVERITIES: Final[dict[str, str]] = {**SEVERITY_LABELS, UNKNOWN: "Not analysed"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of one person in the drawing."""

    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Person:
    """One person's days: drawn, and as numbers that lead to the decisions."""

    name: str
    bars: tuple[Bar, ...]
    days: tuple[Cell, ...]
    total: Figure
    seconds: tally.Mean


def context(request: HttpRequest) -> dict[str, Any]:
    """For the index template; empty for who may not see the queue. No row adds a query."""
    by = cast("User", request.user)
    if not by.has_perm("analyzer.view_queueitem"):
        return {}
    desk = {**_waiting(by), "worker": late_worker(), "version": _active()}
    if by.has_perm("analyzer.view_review"):
        desk |= {**_decided(), "actions": action_report.make()}
    return {"desk": desk}


def _active() -> AnalyzerVersion | None:
    return AnalyzerVersion.objects.only("number", "engine", "origin").filter(status="active").first()


def late_worker() -> timedelta | None:
    """How long no worker has been heard of while items wait for their analysis; None when all is well."""
    now = timezone.now()
    seen = Heartbeat.objects.filter(name=analyses.HEARTBEAT).values_list("at", flat=True).first()
    if seen and abs(now - seen) <= analyses.HEARTBEAT_LATE:
        return None
    oldest = QueueItem.objects.unfinished().order_by("queued_at").values_list("queued_at", flat=True).first()
    if oldest is None:
        return None
    # A beat from the future was left by a clock that has been put back, and says nothing about now.
    silent = now - (seen if seen and seen <= now else oldest)
    # A desk that has just been started has had no time to be heard of.
    return silent if silent > analyses.HEARTBEAT_LATE else None


def _waiting(by: User) -> dict[str, Any]:
    """What waits for people and for the machine, all of it counted in one query."""
    real = QueueItem.objects.real().queue()
    spans = waiting.spans()
    rows: dict[str, QuerySet[QueueItem]] = {
        "waiting": real,
        "demo": QueueItem.objects.queue().filter(synthetic__in=(True,)),
        "pending": QueueItem.objects.unfinished(),
        "failed": QueueItem.objects.filter(stage=QueueItem.Stage.FAILED),
        "edited": QueueItem.objects.real().filter(status=QueueItem.Status.DECIDED, edited=True),
        "second": opinions.waiting_for(by).filter(synthetic=False),
        "disputed": opinions.disputed().filter(synthetic=False),
    }
    for severity in SEVERITIES:
        alike = real.filter(severity="" if severity == UNKNOWN else severity)
        rows[severity] = alike
        rows |= {f"{severity} {span.name}": alike.filter(span.condition()) for span in spans}
    counts = waiting.count(rows, by=by)

    def figure(name: str, label: str, **filters: str) -> Figure:
        return Figure(label, counts[name], queue(**filters))

    lines = [
        Line(
            label,
            severity,
            tuple(
                Cell(
                    figure(f"{severity} {span.name}", span.label, severity=severity, age=span.name, source="real"),
                    mark="late" if waiting.beyond_target(severity, span) else "",
                )
                for span in spans
            ),
            Cell(figure(severity, label, severity=severity, source="real")),
        )
        for severity, label in SEVERITIES.items()
        # What is not analysed is rare, and soon gone.
        if severity != UNKNOWN or counts[severity]
    ]
    review = address(REVIEW)
    late = sum(cell.figure.number for line in lines for cell in line.cells if cell.mark)
    return {
        "waiting": figure("waiting", "wait for a decision", source="real"),
        "late": Figure("over target", late, queue(attention="over", source="real")),
        "demo": figure("demo", "made-up", source="demo"),
        "pending": figure("pending", "waiting for analysis", status="all", stage="pending"),
        "failed": figure("failed", "failed", status="all", stage="failed"),
        "edited": figure("edited", "edited since", status="decided", attention="edited", source="real"),
        "second": Figure("second opinions", counts["second"], f"{review}?mode=second" if review else queue()),
        "disputed": Figure("disputes", counts["disputed"], f"{review}?mode=dispute" if review else queue()),
        "review": review or queue(),
        "spans": spans,
        "severities": heated(lines),
        "may_decide": by.has_perm(roles.DECIDE),
        "may_adjudicate": by.has_perm(roles.ADJUDICATE),
    }


def _decided() -> dict[str, Any]:
    """What people made of the machine's word in the last tally.DAYS: one query, and one of those who decided twice."""
    since = tally.start()
    read = tally.read(since)
    days = tally.latest_days(WORK_DAYS)
    work = tally.by_person(read, days=days)
    busiest = max((count for each in work for count in each.days), default=0)
    people = [_person(each, days, busiest) for each in work]
    return {
        "days": tally.DAYS,
        "cut": len(read) == tally.MOST,
        "counted": decisions(since, figures="counted"),
        "agreement": tally.agreement(read),
        "pace": tally.pace(each for each in read if each.counts),
        "pace_kept": tally.pace(each for each in read if each.counts and each.kept),
        "pace_changed": tally.pace(each for each in read if each.counts and not each.kept),
        "people_agree": opinions.agreement(),
        "categories": CATEGORY_LABELS.values(),
        "changes": _changes(tally.changes(read), since),
        "work_days": days,
        "people": people,
        # The newest day first: that is the one that is asked for.
        "daily": heated(
            [
                Line(f"{day.day} {day:%b}", day.isoformat(), tuple(each.days[place] for each in people))
                for place, day in reversed([*enumerate(days)])
            ]
        ),
    }


def _changes(counts: Counter[tuple[str, str]], since: datetime) -> list[Line]:
    """The override matrix: a line for what the machine said, a column for what people said."""

    def cell(machine: str, category: str) -> Cell:
        where = decisions(since, figures="counted", machine=machine, category__exact=category)
        said = f"machine said {CATEGORY_LABELS[machine]}, people {CATEGORY_LABELS[category]}"
        return Cell(Figure(said, counts[machine, category], where), mark="same" if machine == category else "")

    lines = []
    for machine, label in CATEGORY_LABELS.items():
        cells = tuple(cell(machine, category) for category in CATEGORY_LABELS)
        total = sum(each.figure.number for each in cells)
        where = decisions(since, figures="counted", machine=machine)
        lines.append(Line(label, machine, cells, Cell(Figure(f"machine said {label}", total, where))))
    return heated(lines) if counts else []


def _person(work: tally.Work, days: Sequence[date], busiest: int) -> Person:
    who = {"figures": "work", "reviewer": str(work.reviewer)}
    heights = [round(BAR_HEIGHT * count / busiest) if busiest else 0 for count in work.days]
    return Person(
        name=work.name,
        # Who did a little must not look like who did nothing.
        bars=tuple(
            Bar(place * BAR_STEP, BAR_HEIGHT - max(height, 2), max(height, 2))
            for place, (height, count) in enumerate(zip(heights, work.days, strict=True))
            if count
        ),
        days=tuple(
            Cell(Figure(f"{day.day} {day:%b}", count, on_day(tally.start_of(day), **who)))
            for day, count in zip(days, work.days, strict=True)
        ),
        total=Figure(work.name, work.total, decisions(tally.start_of(days[0]), **who)),
        seconds=work.seconds,
    )
