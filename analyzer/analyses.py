"""Getting an item analysed: queued, claimed, run, stored; every step survives a kill and can be repeated."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from analyzer import memory, priority, similar, standing, versions
from analyzer.models import CLOCKS_DIFFER, Analysis, AnalyzerVersion, Heartbeat, QueueItem, ReportGroup, Review, rank
from analyzer.schema import Task
from feedback.models import Feedback
from feedback.transactions import transact

if TYPE_CHECKING:
    from analyzer.rollout import Outcome

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
# How long an item may wait before the sweeper asks whether its task got lost.
STALE = timedelta(seconds=60)
SWEEP_LIMIT = 2_000
HEARTBEAT = "sweep"
HEARTBEAT_LATE = timedelta(minutes=3)
# A worker that is busy says so this often.
HEARTBEAT_SECONDS = 30.0


class Lost(Exception):
    """Somebody else answered this request meanwhile; nothing was stored."""


def enqueue(*keys: UUID) -> None:
    """Ask the workers for analyses, after the surrounding transaction. A broker that is down costs a minute, no row:
    the sweeper asks again."""

    def send() -> None:
        from django_q.brokers import get_broker
        from django_q.tasks import async_task

        try:
            # Outside a transaction django-q renews an old connection, and with it ends what a caller still reads.
            with transaction.atomic():
                broker = get_broker()
                for key in keys:
                    async_task("analyzer.tasks.analyze_feedback", str(key), broker=broker)
        except Exception:
            # Brokers raise each their own errors; the items are stored as pending and the sweeper will find them.
            named = f"feedback {keys[0]}" + (f" and {len(keys) - 1} more" if len(keys) > 1 else "")
            logger.exception("%s could not be queued; the sweeper will retry", named)

    transaction.on_commit(send)


def request(*, items: QuerySet[QueueItem], queue: bool = True) -> int:
    """Ask for a new analysis of finished or failed items; returns how many. What people decided stays.

    With queue=False the caller performs them itself.
    """
    finished = (QueueItem.Stage.DONE, QueueItem.Stage.FAILED)
    keys = list(items.filter(stage__in=finished).values_list("pk", flat=True))
    asked = 0
    for key in keys:
        with transaction.atomic():
            asked += QueueItem.objects.filter(pk=key, stage__in=finished).update(
                stage=QueueItem.Stage.PENDING,
                request=F("request") + 1,
                attempts=0,
                error="",
                queued_at=timezone.now(),
            )
            if queue:
                enqueue(key)
    return asked


def perform(feedback_id: UUID) -> bool:
    """Claim, analyse and store one item; False when there was nothing to do (done, or another worker has it).

    A failure is written to the item, which stays visible: it is tried again, at most MAX_ATTEMPTS times.
    """
    item = _claim(feedback_id)
    if item is None:
        return False
    from analyzer import rollout

    version = versions.active()
    try:
        similar.find(item)
        outcome = rollout.run(task_of(item, version), versions.cached_spec(version))
        store(item, version, outcome)
    except Lost:
        return False
    except Exception as error:
        # Whatever it is, staff must see it on the item; the next attempt or a person decides.
        logger.exception("feedback %s: analysis attempt %d failed", feedback_id, item.attempts)
        _fail(item, error)
        return False
    return True


def task_of(item: QueueItem, version: AnalyzerVersion) -> Task:
    """What the agent may know of an item: redacted text, the form's fields, similar decisions; no keys of persons."""
    said = item.feedback
    task = Task(
        id=str(said.pk),
        comment=said.comment,
        type=said.type,
        rating=said.rating,
        page=said.page,
        similar=item.similar,
        held=said.compliance == "hold",
        injection=said.has_finding("prompt-injection"),
    )
    return task.model_copy(update={"examples": memory.recall(task, version)})


def store(item: QueueItem, version: AnalyzerVersion, outcome: Outcome) -> Analysis:
    """Write the analysis and move the item on, both or neither; a person's decision is left as it is.

    Raises Lost when this request was answered by somebody else.
    """
    try:
        # The workers of its near-copies count them on this item's row meanwhile.
        return transact(lambda: _write(item, version, outcome))
    except IntegrityError as error:
        raise Lost(str(item.pk)) from error


def beat() -> None:
    """Leave a sign that a worker is at work."""
    transact(lambda: Heartbeat.objects.update_or_create(name=HEARTBEAT, defaults={"at": timezone.now()}))


def sweep() -> int:
    """Bring back what got stuck: cut-off runs, and pending items whose task is gone; returns how many were queued."""
    from django_q.brokers import get_broker

    beat()
    now = timezone.now()
    # Nothing ends or began so far ahead, except by a clock that was wrong.
    wrong = now + CLOCKS_DIFFER
    late = Q(lease_until__lt=now) | Q(lease_until__gt=wrong + timedelta(seconds=settings.ANALYSIS_LEASE_SECONDS))
    cut_off = QueueItem.objects.filter(late, stage=QueueItem.Stage.RUNNING)
    cut_off.filter(attempts__gte=MAX_ATTEMPTS).update(
        stage=QueueItem.Stage.FAILED, lease_until=None, error="The worker was cut off during every attempt."
    )
    cut_off.update(stage=QueueItem.Stage.PENDING, lease_until=None, queued_at=now - STALE)
    if get_broker().queue_size() > 0:
        # A full queue is the usual reason for waiting; asking again would only make it longer.
        return 0
    old = Q(queued_at__lte=now - STALE) | Q(queued_at__gt=wrong)
    waiting = QueueItem.objects.filter(old, stage=QueueItem.Stage.PENDING)
    keys = list(waiting.order_by("queued_at").values_list("pk", flat=True)[:SWEEP_LIMIT])
    for key in keys:
        QueueItem.objects.filter(pk=key).update(queued_at=now)
        enqueue(key)
    return len(keys)


def _claim(feedback_id: UUID) -> QueueItem | None:
    """Take the item by one conditional UPDATE, which every database has; None when there is nothing to take.

    Its fingerprint is stored with it, since each commit waits for the disk.
    """
    now = timezone.now()
    try:
        item = QueueItem.objects.select_related("feedback").get(pk=feedback_id)
    except QueueItem.DoesNotExist:
        return None
    cut_off = item.stage == QueueItem.Stage.RUNNING and item.lease_until is not None and item.lease_until < now
    if item.stage != QueueItem.Stage.PENDING and not cut_off:
        return None
    # Who changes one of these has taken the item or asks for another analysis, so that it may be left alone.
    as_read = QueueItem.objects.filter(
        pk=item.pk, stage=item.stage, request=item.request, attempts=item.attempts, lease_until=item.lease_until
    )
    item.stage, item.attempts = QueueItem.Stage.RUNNING, item.attempts + 1
    item.lease_until = now + timedelta(seconds=settings.ANALYSIS_LEASE_SECONDS)

    def take() -> bool:
        if not as_read.update(stage=item.stage, attempts=item.attempts, lease_until=item.lease_until):
            return False
        similar.mark(item)
        return True

    return item if transact(take) else None


def _write(item: QueueItem, version: AnalyzerVersion, outcome: Outcome) -> Analysis:
    verdict = outcome.verdict
    said = item.feedback
    values = verdict.model_dump(mode="json", exclude={"usage", "engine"})
    analysis = Analysis.objects.create(
        feedback=said,
        version=version,
        request=item.request,
        engine=verdict.engine,
        usage=verdict.usage.model_dump(),
        quality=outcome.reward,
        duration_ms=outcome.duration_ms,
        trace=outcome.spans,
        **values,
    )
    claimed = QueueItem.objects.filter(
        pk=item.pk, stage=QueueItem.Stage.RUNNING, request=item.request, attempts=item.attempts
    )
    finished = {
        "stage": QueueItem.Stage.DONE,
        "analysis": analysis,
        "error": "",
        "lease_until": None,
        "flagged": verdict.needs_person or said.compliance != "accept",
        **standing.marks(analysis),
    }
    item.analysis = analysis
    alone = claimed.filter(status=QueueItem.Status.OPEN, group=None)
    if item.group_id is None and alone.update(**finished, **_stands(item, analysis, None)):
        return analysis
    # Decided, or similar reports came, perhaps meanwhile. Who joins now waits for the group, and finds this one
    # analysed.
    locked = claimed.select_for_update(no_key=True).values_list("group", "review").first()
    if locked is None:
        raise Lost(str(item.pk))
    group, decision = locked
    item.group = ReportGroup.objects.select_for_update(no_key=True).get(pk=group) if group else None
    review = Review.objects.get(pk=decision) if decision else None
    claimed.update(**finished, **_stands(item, analysis, review))
    return analysis


def _stands(item: QueueItem, analysis: Analysis, review: Review | None) -> dict[str, Any]:
    """What an analysis says of where the item stands: all while it is open, then what the decision left to it."""
    if review is not None and review.severity:
        return {}
    points, _ = standing.priority_of(item, review)
    values = {"severity": analysis.severity, "priority": points, "rank": rank(points, item.received_at)}
    return values if review else {"category": analysis.category} | values


def _fail(item: QueueItem, error: Exception) -> None:
    final = item.attempts >= MAX_ATTEMPTS
    QueueItem.objects.filter(pk=item.pk, request=item.request, attempts=item.attempts).update(
        stage=QueueItem.Stage.FAILED if final else QueueItem.Stage.PENDING,
        lease_until=None,
        queued_at=timezone.now(),
        error=f"{type(error).__name__}: {error}"[:500],
    )


def queue(rows: Sequence[Feedback]) -> None:
    """Give stored feedback its place in the queue and ask for its analysis; in the transaction that stores it."""
    items = []
    for said in rows:
        points = priority.HELD if said.compliance == "hold" else priority.UNKNOWN
        items.append(
            QueueItem(
                feedback=said,
                received_at=said.received_at,
                synthetic=said.synthetic,
                **standing.said(said),
                priority=points,
                rank=rank(points, said.received_at),
                flagged=said.compliance != "accept",
            )
        )
    QueueItem.objects.bulk_create(items)
    enqueue(*(said.pk for said in rows))
