"""GET /metrics: the desk's state in the Prometheus text format.

Every figure is read from the database, so each process of each machine answers the same, and each is bounded: a range
of an index, or a count that stops at CAP. Totals since the beginning would cost a scan of every row, so what flows is
told as gauges over the last hour.
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from analyzer import tally
from analyzer.analyses import HEARTBEAT
from analyzer.models import Analysis, AnalyzerVersion, Heartbeat, QueueItem, Review
from analyzer.taxonomy import Severity
from feedback import admin_base
from feedback.ids import first_id_of
from feedback.models import Feedback

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
CAP: Final = 100_000
WINDOW: Final = timedelta(hours=1)
STAGES: Final = (QueueItem.Stage.PENDING, QueueItem.Stage.RUNNING, QueueItem.Stage.FAILED)
# What a fallback reason may start with; another word would make one time series for each.
FALLBACK_KINDS: Final = frozenset(
    {"unreachable", "timeout", "rate-limited", "refused", "malformed", "oversized", "rejected", "paused"}
)
HELD: Final = "held by governance"
# A proxy on this machine connects from loopback for everybody; any of these says that it did.
FORWARDED: Final = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")

Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Gauge:
    """One metric: what it means, and its value for each set of labels."""

    name: str
    meaning: str
    values: dict[Labels, float] = field(default_factory=dict)

    def set(self, value: float, **labels: str) -> Gauge:
        self.values[tuple(labels.items())] = value
        return self

    def lines(self) -> Iterator[str]:
        """As Prometheus reads it; a metric without values has no lines, which is how it says "not known"."""
        if not self.values:
            return
        yield f"# HELP {self.name} {self.meaning}"
        yield f"# TYPE {self.name} gauge"
        for labels, value in self.values.items():
            shown = ",".join(f'{name}="{_escape(text)}"' for name, text in labels)
            yield f"{self.name}{{{shown}}} {value:.15g}" if shown else f"{self.name} {value:.15g}"


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures, for a scraper on this machine or one that carries METRICS_TOKEN; 403 for anybody else."""
    if not (_has_token(request) or _is_local(request)):
        return HttpResponse("Metrics are for this machine, or for METRICS_TOKEN.\n", "text/plain", status=403)
    text = "".join(f"{line}\n" for gauge in collect() for line in gauge.lines())
    return HttpResponse(text, content_type=CONTENT_TYPE)


def collect() -> Iterator[Gauge]:
    """Every metric, read now."""
    now = timezone.now()
    yield Gauge("triage_build_info", "Always 1; the label names the release.").set(1, version=settings.VERSION)
    yield from _queue(now)
    yield from _machine(now)
    yield from _people(now)


def _queue(now: datetime) -> Iterator[Gauge]:
    waiting = Gauge("triage_queue_open", f"Items that need a decision, counted up to {CAP}, by severity.")
    for severity in (*Severity, ""):
        waiting.set(_count(QueueItem.objects.queue().filter(severity=severity)), severity=severity or "unknown")
    yield waiting
    stages = Gauge("triage_items", f"Items whose analysis is not done, counted up to {CAP}, by stage.")
    for stage in STAGES:
        stages.set(_count(QueueItem.objects.filter(stage=stage).order_by("queued_at")), stage=stage.value)
    yield stages
    oldest = QueueItem.objects.unfinished().order_by("queued_at").values_list("queued_at", flat=True).first()
    seconds = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
    yield Gauge("triage_oldest_pending_seconds", "How long the longest waiting analysis has waited.").set(seconds)
    received = Feedback.objects.filter(received_at__gt=now - WINDOW)
    yield Gauge("triage_received_last_hour", f"Submissions of the last hour, counted up to {CAP}.").set(
        _count(received)
    )


def _machine(now: datetime) -> Iterator[Gauge]:
    numbers: dict[UUID, int] = dict(AnalyzerVersion.objects.values_list("pk", "number"))
    recent = Analysis.objects.filter(pk__gte=first_id_of(now - WINDOW)).order_by()
    made = Counter(
        (engine, str(numbers.get(version, "")), _kind(reason))
        for engine, version, reason in recent.values_list("engine", "version_id", "fallback_reason")[:CAP].iterator()
    )
    analyses = Gauge("triage_analyses_last_hour", f"Analyses of the last hour, up to {CAP}, by what answered and why.")
    for (engine, version, fallback), count in sorted(made.items()):
        analyses.set(count, engine=engine, version=version, fallback=fallback)
    yield analyses
    active = AnalyzerVersion.objects.filter(status=AnalyzerVersion.Status.ACTIVE).values_list("number", flat=True)
    yield from _known("triage_active_version", "The number of the version that analyses.", active.first())
    beat = Heartbeat.objects.filter(name=HEARTBEAT).values_list("at", flat=True).first()
    yield from _known(
        "triage_worker_heartbeat_timestamp_seconds",
        "When a worker was last heard of, in seconds since 1970.",
        beat.timestamp() if beat else None,
    )


def _people(now: datetime) -> Iterator[Gauge]:
    recent = Review.objects.filter(created_at__gt=now - WINDOW).order_by()
    made = Counter(recent.values_list("provenance", flat=True)[:CAP].iterator())
    reviews = Gauge("triage_reviews_last_hour", f"Decisions of the last hour, up to {CAP}, by provenance.")
    for provenance in Review.Provenance:
        reviews.set(made[provenance.value], provenance=provenance.value)
    yield reviews
    # The overview shows the same figure, so that page and alarm agree.
    kept = tally.kept()
    yield Gauge("triage_agreement_decisions", "How many of the latest real decisions the agreement is over.").set(
        kept.n
    )
    share = kept.hits / kept.n if kept.n else None
    yield from _known("triage_agreement_ratio", "Share of them that kept the machine's category.", share)


def _known(name: str, meaning: str, value: float | None) -> Iterator[Gauge]:
    if value is not None:
        yield Gauge(name, meaning).set(value)


def _count(rows: QuerySet[QueueItem] | QuerySet[Feedback]) -> int:
    return admin_base.count(rows, most=CAP)


def _kind(reason: str) -> str:
    kind = reason.partition(":")[0]
    if kind == HELD:
        return "held"
    return kind if kind in FALLBACK_KINDS else "other" if kind else "none"


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _has_token(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    token: str = settings.METRICS_TOKEN
    return bool(token) and scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), token.encode())


def _is_local(request: HttpRequest) -> bool:
    """Whether a process of this machine asks without a proxy in between."""
    if any(name in request.headers for name in FORWARDED):
        return False
    meta: Mapping[str, object] = request.META
    try:
        return ip_address(str(meta.get("REMOTE_ADDR", ""))).is_loopback
    except ValueError:
        return False
