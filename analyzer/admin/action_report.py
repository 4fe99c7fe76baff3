"""What led to action: what came of the reports that people decided, by category and severity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from analyzer import outcomes, tally
from analyzer.admin.figures import Cell, Figure, Line, decisions, heat
from analyzer.admin.rows import CATEGORY_LABELS, SEVERITY_LABELS
from analyzer.taxonomy import OUTCOME_NAMES


@dataclass(frozen=True, slots=True)
class Report:
    """Real reports decided in the last days: how many were closed, as what, and which kinds led to action."""

    days: int
    decided: Figure
    closed: Figure
    acted: int
    reopened: int
    came: tuple[Figure, ...]
    lines: tuple[Line, ...]


def make() -> Report:
    """Three queries. A very busy desk looks back less far, so that the page stays as quick."""
    days = tally.days_covered(outcomes.DAYS)
    since = timezone.now() - timedelta(days=days)
    found = outcomes.report(days=days)
    came = sum((line.outcomes for line in found), start=Counter[str]())
    kinds = [(label, category, {"category__exact": category}) for category, label in CATEGORY_LABELS.items()]
    lines = []
    for label, key, where in [*kinds, ("All", "all", {})]:
        alike = [line for line in found if key in (line.category, "all")]
        if alike:
            cells = tuple(
                _cell([line for line in alike if line.severity == severity], since, **where, severity=severity)
                for severity in SEVERITY_LABELS
            )
            lines.append(Line(label, key, cells, _cell(alike, since, **where)))
    return Report(
        days=days,
        decided=Figure("decided", sum(line.decided for line in found), decisions(since, figures="counted")),
        closed=_closed(found, since),
        acted=sum(line.acted for line in found),
        reopened=sum(line.reopened for line in found),
        came=tuple(
            Figure(label, came[outcome], decisions(since, figures="counted", outcome=outcome))
            for outcome, label in OUTCOME_NAMES.items()
            if came[outcome]
        ),
        lines=tuple(lines),
    )


def _cell(lines: Iterable[outcomes.Line], since: datetime, **where: str) -> Cell:
    """How many of the closed led to action, darker for a larger share; the list behind it shows the closed."""
    those = list(lines)
    closed, acted = _closed(those, since, **where), sum(line.acted for line in those)
    return Cell(closed, heat=heat(acted, closed.number), text=f"{acted:,} of {closed.number:,}")


def _closed(lines: Iterable[outcomes.Line], since: datetime, **where: str) -> Figure:
    number = sum(line.closed for line in lines)
    return Figure("closed", number, decisions(since, figures="counted", outcome="closed", **where))
