"""The front page of the admin: what is waiting, whether the machine runs, and how often people agree with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Avg, Case, Count, F, IntegerField, QuerySet, Sum, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from analyzer import analyses
from analyzer.admin.rows import SEVERITY_LABELS
from analyzer.models import AnalyzerVersion, Heartbeat, QueueItem, Review
from feedback.admin_base import CAP

# The latest decisions say how good the machine is now, and reading them costs the same on a desk of any size.
AGREEMENT_OVER = 1_000


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of rows, counted no further than CAP, with the list that shows them."""

    label: str
    count: str
    address: str
    any: bool


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often people kept the machine's category, and the mean reward, over n decisions in force."""

    n: int
    kept: int
    reward: float | None
    bulk: int
    demo: int

    @property
    def share(self) -> str:
        return f"{self.kept / self.n:.0%}".replace("%", " %") if self.n else "–"


def context(request: HttpRequest) -> dict[str, Any]:
    """For the index template; empty for somebody who may not see the queue."""
    if not request.user.has_perm("analyzer.view_queueitem"):
        return {}
    waiting = QueueItem.objects.queue()
    unfinished = QueueItem.objects.unfinished()
    failed = QueueItem.objects.filter(stage=QueueItem.Stage.FAILED)
    return {
        "desk": {
            "waiting": figure("need a decision", waiting),
            "severities": [
                (value, figure(label, waiting.filter(severity=value), severity=value))
                for value, label in SEVERITY_LABELS.items()
            ],
            "unknown": figure("Not analysed", waiting.filter(severity=""), severity="none"),
            "pending": figure("waiting for analysis", unfinished, status="all", stage="pending"),
            "failed": figure("failed", failed, status="all", stage="failed"),
            "agreement": agreement(),
            "version": AnalyzerVersion.objects.defer("weights", "prompt").filter(status="active").first(),
            "worker": late_worker(),
        }
    }


def figure(label: str, rows: QuerySet[QueueItem], **filters: str) -> Figure:
    """A count that is capped, and the queue filtered the same way."""
    count = rows.order_by()[: CAP + 1].count()
    address = reverse("admin:analyzer_queueitem_changelist")
    return Figure(
        label,
        f"{CAP:,}+" if count > CAP else f"{count:,}",
        f"{address}?{urlencode(filters)}" if filters else address,
        any=count > 0,
    )


def agreement() -> Agreement:
    """Over the latest decisions that are in force, were made on an analysis, and are about real feedback."""
    in_force = Review.objects.filter(analysis__isnull=False, feedback__queue_item__review=F("pk")).order_by(
        "-created_at"
    )
    was_kept = Case(When(category=F("analysis__category"), then=1), default=0, output_field=IntegerField())
    was_bulk = Case(When(provenance=Review.Provenance.BULK, then=1), default=0, output_field=IntegerField())
    real = in_force.filter(feedback__synthetic=False).annotate(was_kept=was_kept, was_bulk=was_bulk)[:AGREEMENT_OVER]
    found = real.aggregate(n=Count("pk"), kept=Sum("was_kept"), reward=Avg("reward_total"), bulk=Sum("was_bulk"))
    return Agreement(
        n=found["n"],
        kept=found["kept"] or 0,
        reward=found["reward"],
        bulk=found["bulk"] or 0,
        demo=in_force.filter(feedback__synthetic=True).order_by()[:AGREEMENT_OVER].count(),
    )


def late_worker() -> timedelta | None:
    """How long no worker has been heard of while items wait for their analysis; None when all is well."""
    now = timezone.now()
    seen = Heartbeat.objects.filter(name=analyses.HEARTBEAT).values_list("at", flat=True).first()
    if seen and now - seen <= analyses.HEARTBEAT_LATE:
        return None
    oldest = QueueItem.objects.unfinished().order_by("queued_at").values_list("queued_at", flat=True).first()
    if oldest is None:
        return None
    silent = now - (seen or oldest)
    # A desk that has just been started has had no time to be heard of.
    return silent if silent > analyses.HEARTBEAT_LATE else None
