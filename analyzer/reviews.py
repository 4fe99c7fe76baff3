"""What people decide: each decision is a new row with its reward; nothing the machine does changes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from analyzer import priority, rewards, roles
from analyzer.models import Analysis, QueueItem, Review, rank
from analyzer.taxonomy import Category, Severity
from feedback.ids import new_id
from feedback.models import Feedback

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# Praise and noise hold nobody up: their severity is low by definition.
HARMLESS = frozenset({Category.POSITIVE, Category.NOISE})


class Stale(Exception):
    """The item changed after the person saw it; the message says how, and nothing was stored."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Decisions made together: their id, how many, and which items were left out with the reason."""

    id: UUID
    reviews: list[Review]
    skipped: list[tuple[Analysis, str]]


def validate(
    *,
    analysis: Analysis,
    by: User,
    after: Review | None = None,
    note: str = "",
    seconds: float | None = None,
    suggestion_visible: bool = True,
    batch: UUID | None = None,
) -> Review:
    """Accept every field of an analysis. after is the decision the person saw on the item, if there was one.

    Raises PermissionDenied, or Stale when another analysis or decision came in between.
    """
    return _decide(
        analysis=analysis,
        by=by,
        after=after,
        provenance=Review.Provenance.BULK if batch else Review.Provenance.VALIDATED,
        category=analysis.category,
        severity=analysis.severity,
        action=analysis.action,
        points=analysis.priority,
        note=note,
        seconds=seconds,
        suggestion_visible=suggestion_visible,
        batch=batch,
    )


def override(
    *,
    analysis: Analysis,
    by: User,
    category: str | None = None,
    severity: str | None = None,
    action: str | None = None,
    priority: int | None = None,
    reasons: dict[str, str] | None = None,
    after: Review | None = None,
    note: str = "",
    seconds: float | None = None,
    suggestion_visible: bool = True,
    batch: UUID | None = None,
) -> Review:
    """Correct an analysis; a field that is not given is kept as the machine had it.

    An action is only kept with its category: for another category it was never judged. Giving back exactly what the
    machine said is a validation. Raises ValidationError by field, PermissionDenied, or Stale.
    """
    new_category = category or analysis.category
    new_severity = severity or (Severity.LOW if new_category in HARMLESS else analysis.severity)
    changed = (
        new_category != analysis.category
        or new_severity != analysis.severity
        or (action is not None and action.strip() != analysis.action)
        or (priority is not None and priority != analysis.priority)
    )
    if not changed:
        return validate(
            analysis=analysis,
            by=by,
            after=after,
            note=note,
            seconds=seconds,
            suggestion_visible=suggestion_visible,
        )
    if action is None:
        action = analysis.action if new_category == analysis.category else ""
    return _decide(
        analysis=analysis,
        by=by,
        after=after,
        provenance=Review.Provenance.OVERRIDDEN,
        category=new_category,
        severity=new_severity,
        action=action.strip(),
        points=priority,
        reasons=reasons,
        note=note,
        seconds=seconds,
        suggestion_visible=suggestion_visible,
        batch=batch,
    )


def undo(*, review: Review, by: User) -> QueueItem:
    """Take a decision back: the one before it counts again, or the item is open as it was.

    Raises PermissionDenied, or Stale when the item was decided anew since.
    """
    _check(by)
    with transaction.atomic():
        item = QueueItem.objects.select_related("feedback", "analysis").get(pk=review.feedback_id)
        before = review.replaces
        taken = QueueItem.objects.filter(pk=item.pk, review=review).update(**_standing(item, before))
        if not taken:
            raise Stale("This decision no longer counts, so there is nothing to undo.")
        review.undone_at, review.undone_by = timezone.now(), by
        review.save(update_fields=("undone_at", "undone_by"))
    item.refresh_from_db()
    return item


def validate_batch(*, items: Iterable[QueueItem], by: User) -> Batch:
    """Accept many analyses at once; critical, flagged and undecidable ones are left out with the reason."""
    _check(by)
    batch, made, skipped = new_id(), [], []
    for item in items:
        analysis = item.analysis
        if analysis is None:
            continue
        reason = unfit_for_bulk(item)
        if reason:
            skipped.append((analysis, reason))
            continue
        try:
            made.append(validate(analysis=analysis, by=by, batch=batch))
        except Stale as error:
            skipped.append((analysis, str(error)))
    return Batch(batch, made, skipped)


def undo_batch(*, batch: UUID, by: User) -> int:
    """Take back what is still in force of a batch; returns how many decisions that were."""
    undone = 0
    for review in Review.objects.filter(batch=batch, undone_at=None).select_related("replaces"):
        try:
            undo(review=review, by=by)
        except Stale:
            continue
        undone += 1
    return undone


def unfit_for_bulk(item: QueueItem) -> str:
    """Why an item must be looked at by itself; empty when it need not."""
    if item.status != QueueItem.Status.OPEN:
        return "already decided"
    if item.analysis is None:
        return "not analysed yet"
    if item.severity == Severity.CRITICAL:
        return "critical"
    if item.flagged:
        return "flagged"
    return ""


def record_imported(*, feedback: Feedback, by: User, category: str, severity: str = "") -> Review:
    """A label that came with an import; it counts as a person's word until somebody decides here.

    Raises ValidationError by field when a label is outside the taxonomy.
    """
    _check(by)
    review = Review(
        feedback=feedback,
        reviewer=by,
        provenance=Review.Provenance.IMPORTED,
        category=category,
        severity=severity,
        suggestion_visible=False,
    )
    review.full_clean()
    with transaction.atomic():
        item = QueueItem.objects.select_related("feedback", "analysis").get(pk=feedback.pk)
        if item.review_id is not None:
            raise Stale("The item has a decision already.")
        review.save(force_insert=True)
        QueueItem.objects.filter(pk=item.pk).update(**_standing(item, review))
    return review


def _decide(
    *,
    analysis: Analysis,
    by: User,
    after: Review | None,
    provenance: str,
    category: str,
    severity: str,
    action: str,
    points: int | None,
    reasons: dict[str, str] | None = None,
    note: str = "",
    seconds: float | None = None,
    suggestion_visible: bool = True,
    batch: UUID | None = None,
) -> Review:
    _check(by)
    judged = rewards.Judged(category=category, severity=severity, action=action or None, priority=points)
    review = Review(
        feedback_id=analysis.feedback_id,
        analysis=analysis,
        reviewer=by,
        provenance=provenance,
        category=category,
        severity=severity,
        action=action,
        priority=points,
        reasons=reasons or {},
        note=note,
        seconds=seconds,
        suggestion_visible=suggestion_visible,
        batch=batch,
        replaces=after,
    )
    review.full_clean(exclude=("feedback", "analysis", "reviewer", "replaces"))
    review.reward = rewards.reward(judged_of(analysis), judged)
    review.reward_total = review.reward["total"]
    with transaction.atomic():
        item = QueueItem.objects.select_related("feedback", "analysis").get(pk=analysis.feedback_id)
        review.save(force_insert=True)
        # One conditional UPDATE decides who was first, on every database.
        taken = QueueItem.objects.filter(pk=item.pk, analysis=analysis, review=after).update(**_standing(item, review))
        if not taken:
            raise Stale(_what_happened(item))
    return review


def judged_of(analysis: Analysis) -> rewards.Judged:
    """The four fields of an analysis, as the reward reads them."""
    return rewards.Judged(
        category=analysis.category,
        severity=analysis.severity,
        action=analysis.action,
        priority=analysis.priority,
    )


def _standing(item: QueueItem, review: Review | None) -> dict[str, Any]:
    """The item's columns when this review counts, or when none does and the machine's word stands."""
    said, analysis = item.feedback, item.analysis
    if review is None:
        points = analysis.priority if analysis else priority.UNKNOWN
        return {
            "status": QueueItem.Status.OPEN,
            "review": None,
            "category": analysis.category if analysis else "",
            "severity": analysis.severity if analysis else "",
            "priority": points,
            "rank": rank(points, item.received_at),
        }
    severity = review.severity or (analysis.severity if analysis else "")
    if review.priority is not None:
        points = review.priority
    elif severity:
        points, _ = priority.score(
            severity=severity,
            category=review.category,
            rating=said.rating,
            similar=item.similar,
            form_type=said.type,
        )
    else:
        points = item.priority
    return {
        "status": QueueItem.Status.DECIDED,
        "review": review,
        "category": review.category,
        "severity": severity,
        "priority": points,
        "rank": rank(points, item.received_at),
    }


def _what_happened(item: QueueItem) -> str:
    if item.review is not None:
        return (
            f"{item.review.reviewer} decided this item meanwhile: {item.review.category}, "
            f"{item.review.severity or 'no severity'}. Your decision was not stored."
        )
    return "The item was analysed anew while you looked at it. Your decision was not stored; please look again."


def _check(by: User) -> None:
    if not by.has_perm(roles.DECIDE):
        raise PermissionDenied("Only a reviewer may decide.")
