"""How the active version does in real work: by week, and against what its evaluation promised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.db.models import Avg, Case, Count, F, IntegerField, QuerySet, Sum, When
from django.db.models.functions import TruncWeek
from django.utils import timezone

from analyzer.models import AnalyzerVersion, Review
from training import evidence
from training.evidence import Evidence
from training.figures import Figure, minus

WEEKS: Final = 8
RECENT: Final = 50
# Decisions that are read to find them: some are about analyses that an earlier version made.
LOOKED_THROUGH: Final = 1_000
# With fewer decisions an interval spans half the scale, and a comparison says nothing.
ENOUGH: Final = 20


@dataclass(frozen=True, slots=True)
class Week:
    """Decisions of the seven days from start (a Monday, UTC): how many, how many kept the category, mean reward."""

    start: date
    n: int
    kept: int
    reward: float | None

    @property
    def kept_share(self) -> float | None:
        return self.kept / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Drift:
    """How often people lately changed the category of the active version, beside what its evaluation promised.

    overridden is of the latest decisions that were made one by one; accepting many at once looks at none closely.
    """

    version: AnalyzerVersion | None
    overridden: Figure
    promise: Evidence | None

    @property
    def difference(self) -> Figure:
        return minus(self.overridden, self.promise.accuracy.complement) if self.promise else Figure()

    @property
    def state(self) -> str:
        """unmeasured, few, more, fewer or kept: how the two compare."""
        if self.version is None or self.promise is None:
            return "unmeasured"
        apart = self.difference
        if self.overridden.n < ENOUGH or apart.low is None or apart.high is None:
            return "few"
        if apart.low > 0:
            return "more"
        return "fewer" if apart.high < 0 else "kept"

    @property
    def alarming(self) -> bool:
        return self.state in ("more", "fewer")

    @property
    def headline(self) -> str:
        return {
            "unmeasured": "No promise to compare with",
            "few": "Too few decisions to compare",
            "more": "People correct the machine more often than its evaluation promised",
            "fewer": "People correct the machine less often than its evaluation promised",
            "kept": "The machine keeps its promise",
        }[self.state]

    @property
    def sentence(self) -> str:
        """Both rates with interval and n, and what follows."""
        if self.version is None:
            return "There is no active version yet."
        lately = (
            f"In the latest {self.overridden.n} decisions on {self.version} people changed the category of "
            f"{self.overridden.percent} (95 % interval {self.overridden.span})."
            if self.overridden.n
            else f"Nobody has decided on an analysis by {self.version} since it was activated (n = 0)."
        )
        if self.promise is None:
            return f"{lately} No training run has measured {self.version} on held-out items."
        expected = self.promise.accuracy.complement
        promised = (
            f"Its evaluation in run {self.promise.run.number} promised {expected.percent} "
            f"({expected.span}; {expected.n:,} held-out items)."
        )
        return f"{lately} {promised} {self._conclusion()}"

    def _conclusion(self) -> str:
        apart = f"{self.difference.points} points (95 % interval {self.difference.signed_span})"
        return {
            "few": f"From {ENOUGH} decisions on, the two are compared.",
            "more": f"The difference, {apart}, is more than chance: train again on what people decided since.",
            "fewer": f"The difference, {apart}, is more than chance: the items are easier now, or suggestions are "
            "accepted unread.",
            "kept": f"The difference, {apart}, is no more than chance.",
        }[self.state]


def by_week(*, weeks: int = WEEKS, now: datetime | None = None) -> list[Week]:
    """The latest weeks, oldest first, those without a decision too. One query over the decisions of these weeks."""
    today = (now or timezone.now()).astimezone(UTC).date()
    first = today - timedelta(days=today.weekday(), weeks=weeks - 1)
    found = (
        _in_force()
        .filter(created_at__gte=datetime.combine(first, time.min, UTC))
        .annotate(week=TruncWeek("created_at", tzinfo=UTC), was_kept=_kept())
        .values("week")
        .annotate(n=Count("pk"), kept=Sum("was_kept"), mean=Avg("reward_total"))
        .order_by("week")
    )
    known = {row["week"].date(): Week(row["week"].date(), row["n"], row["kept"], row["mean"]) for row in found}
    starts = [first + timedelta(weeks=number) for number in range(weeks)]
    return [known.get(start) or Week(start, 0, 0, None) for start in starts]


def drift() -> Drift:
    """Four queries at most: the active version, its run, and the latest decisions, by an index."""
    version = AnalyzerVersion.objects.defer("weights", "prompt").filter(status=AnalyzerVersion.Status.ACTIVE).first()
    return Drift(version, recent(version), evidence.of(version)) if version else Drift(None, Figure(), None)


def recent(version: AnalyzerVersion) -> Figure:
    """The share of the latest decisions on a version's analyses, made one by one, that changed the category."""
    rows = _in_force().exclude(provenance=Review.Provenance.BULK)
    if version.activated_at:
        rows = rows.filter(created_at__gte=version.activated_at)
    # Which version it was is asked here: a database that is asked may read every analysis of the version first.
    latest = rows.annotate(was_kept=_kept()).order_by("-created_at")[:LOOKED_THROUGH]
    kept = [kept for key, kept in latest.values_list("analysis__version", "was_kept") if key == version.pk][:RECENT]
    return Figure.share(len(kept) - sum(kept), len(kept))


def _in_force() -> QuerySet[Review]:
    """Decisions that count, were made on an analysis, and are about real feedback."""
    return Review.objects.filter(
        analysis__isnull=False, feedback__queue_item__review=F("pk"), feedback__synthetic=False
    )


def _kept() -> Case:
    return Case(When(category=F("analysis__category"), then=1), default=0, output_field=IntegerField())
