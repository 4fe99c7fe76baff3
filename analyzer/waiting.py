"""What waits for people: how long, against the target of its severity, counted no further than is useful."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Count, IntegerField, Q, QuerySet, Subquery, Value
from django.utils import timezone

from feedback import admin_base

if TYPE_CHECKING:
    from django.contrib.auth.models import User

HOURS_A_DAY: Final = 24


@dataclass(frozen=True, slots=True)
class Span:
    """Ages from so many hours to so many; without an end the rest."""

    start: int
    end: int | None

    @property
    def name(self) -> str:
        """As an address writes it."""
        return f"{self.start}-{self.end or ''}"

    @property
    def label(self) -> str:
        if self.end is None:
            return f"over {_hours(self.start)}"
        if not self.start:
            return f"under {_hours(self.end)}"
        in_days = self.start % HOURS_A_DAY == self.end % HOURS_A_DAY == 0
        return f"{self.start // HOURS_A_DAY if in_days else self.start}–{_hours(self.end, in_days=in_days)}"

    def condition(self) -> Q:
        """Of queue items that were received so long ago."""
        now = timezone.now()
        received = Q(received_at__lte=now - timedelta(hours=self.start)) if self.start else Q()
        return received if self.end is None else received & Q(received_at__gt=now - timedelta(hours=self.end))


class _Counted(Subquery):
    """How many rows a query gives, as a value inside another query."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def spans() -> tuple[Span, ...]:
    """Ages in the steps that the targets make, so that a step lies inside a target or beyond it."""
    edges = [0, *sorted(set(settings.TARGET_HOURS.values()))]
    return tuple(Span(start, end) for start, end in zip(edges, [*edges[1:], None], strict=True))


def beyond_target(severity: str, span: Span) -> bool:
    """Whether everything of this age waits longer than its severity may."""
    hours = settings.TARGET_HOURS.get(severity)
    return hours is not None and span.start >= hours


def over_target() -> Q:
    """Of queue items that wait longer than their severity may."""
    now = timezone.now()
    late = Q(pk__in=())
    for severity, hours in settings.TARGET_HOURS.items():
        late |= Q(severity=severity, received_at__lte=now - timedelta(hours=hours))
    return late


def count(rows: Mapping[str, QuerySet[Any]], *, by: User) -> dict[str, int]:
    """How many rows each query has, counted up to CAP + 1, all in one query that hangs on the row of whoever asks."""
    counted = [_counted(each.order_by().values(one=Value(1))) for each in rows.values()]
    names = [f"count_{place}" for place in range(len(counted))]
    person = get_user_model()._default_manager.filter(pk=by.pk)
    found = person.annotate(**dict(zip(names, counted, strict=True))).values_list(*names).get()
    return {name: min(number or 0, admin_base.CAP + 1) for name, number in zip(rows, found, strict=True)}


def _counted(rows: QuerySet[Any, Any]) -> Subquery:
    if connection.vendor == "mongodb":
        # It counts them all, and says null for none; of a template in SQL it would take the first row for the count.
        return Subquery(rows.annotate(counted=Count("pk")).values("counted"), output_field=IntegerField())
    return _Counted(rows[: admin_base.CAP + 1])


def _hours(hours: int, *, in_days: bool | None = None) -> str:
    """In days where they are whole and more than one."""
    if in_days or (in_days is None and hours > HOURS_A_DAY and hours % HOURS_A_DAY == 0):
        days = hours // HOURS_A_DAY
        return "1 day" if days == 1 else f"{days} days"
    return f"{hours} h"
