"""What people decide: each decision is a new row with its reward; nothing the machine does changes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils import timezone

from analyzer import events, rewards, roles, standing
from analyzer.models import Analysis, Aside, Event, QueueItem, Review
from analyzer.taxonomy import HARMLESS, Severity
from feedback.ids import new_id
from feedback.models import Feedback
from feedback.transactions import transactional

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class Stale(Exception):
    """The item changed after the person saw it; the message says how, and nothing was stored.

    item is as it stands now, for a page that shows theirs beside yours.
    """

    def __init__(self, message: str, item: QueueItem | None = None) -> None:
        super().__init__(message)
        self.item = item


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
    role: str = Review.Role.FIRST,
) -> Review:
    """Accept every field of an analysis. after is the decision the person saw on the item, if there was one.

    No claim is needed, and somebody else's is no bar; deciding ends it. role is for opinions.adjudicate.
    Raises PermissionDenied, or Stale when another analysis or decision came in between.
    """
    roles.require_reviewer(by)
    made = build(
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
        role=role,
    )
    return _store(made)


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
    role: str = Review.Role.FIRST,
) -> Review:
    """Correct an analysis; a field that is not given is kept as the machine had it.

    An action is only kept with its category: for another category it was never judged. Giving back exactly what the
    machine said is a validation, and what is decided in a batch is bulk. Raises ValidationError by field,
    PermissionDenied, or Stale.
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
            batch=batch,
            role=role,
        )
    if action is None:
        action = analysis.action if new_category == analysis.category else ""
    roles.require_reviewer(by)
    made = build(
        analysis=analysis,
        by=by,
        after=after,
        provenance=Review.Provenance.BULK if batch else Review.Provenance.OVERRIDDEN,
        category=new_category,
        severity=new_severity,
        action=action.strip(),
        points=priority,
        reasons=reasons,
        note=note,
        seconds=seconds,
        suggestion_visible=suggestion_visible,
        batch=batch,
        role=role,
    )
    return _store(made)


@transactional
def undo(*, review: Review, by: User) -> QueueItem:
    """Take an opinion back: the decision before it counts again, or the item is open as it was.

    Of a second opinion: another one is wanted. A closed item that is open again has no outcome any more.
    Raises PermissionDenied, or Stale when the item was decided anew since.
    """
    roles.require_reviewer(by)
    if review.role == Review.Role.ADJUDICATION:
        roles.require_adjudicator(by)
    before = review.replaces
    item = QueueItem.objects.select_related("feedback", "analysis").get(pk=review.feedback_id)
    if review.role == Review.Role.SECOND:
        given = (QueueItem.Second.AGREED, QueueItem.Second.DISPUTED)
        counts = QueueItem.objects.filter(pk=item.pk, review=before, second__in=given)
        taken = counts.update(second=QueueItem.Second.WANTED)
    else:
        counts = QueueItem.objects.filter(pk=item.pk, review=review)
        edited = before is not None and (item.edited or _edited_since(item, before))
        taken = counts.update(**standing.columns(item, before) | {"edited": edited})
    now = timezone.now()
    # What the item says of a second opinion may be said of another one, given after this one was taken back.
    if not taken or not Review.objects.filter(pk=review.pk, undone_at=None).update(undone_at=now, undone_by=by):
        raise Stale("This decision no longer counts, so there is nothing to undo.", item)
    if item.outcome and before is None:
        events.record(feedback=item.pk, kind=Event.Kind.REOPENED, by=by, value={"outcome": item.outcome})
    review.undone_at, review.undone_by = now, by
    item.refresh_from_db()
    return item


def validate_batch(*, items: Iterable[QueueItem], by: User) -> Batch:
    """Accept many analyses at once; critical, flagged and undecidable ones are left out with the reason."""
    roles.require_reviewer(by)
    batch, made, skipped = new_id(), [], []
    for item in items:
        analysis = item.analysis
        if analysis is None:
            continue
        reason = unfit_for_bulk(item, by=by)
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


def unfit_for_bulk(item: QueueItem, *, by: User | None = None) -> str:
    """Why an item must be looked at by itself, or by somebody else; empty when it need not."""
    if item.status != QueueItem.Status.OPEN:
        return "already decided"
    if item.analysis is None:
        return "not analysed yet"
    if item.severity == Severity.CRITICAL:
        return "critical"
    if item.flagged:
        return "flagged"
    if item.second == QueueItem.Second.WANTED:
        return "somebody asked for a second opinion"
    if by is not None and item.claimed and item.claimed_by_id != by.pk:
        return "somebody is looking at it"
    return ""


@transactional
def record_imported(*, feedback: Feedback, by: User, category: str, severity: str = "") -> Review:
    """A label that came with an import; it counts as a person's word until somebody decides here.

    Raises ValidationError by field when a label is outside the taxonomy.
    """
    roles.require_reviewer(by)
    review = Review(
        feedback=feedback,
        reviewer=by,
        provenance=Review.Provenance.IMPORTED,
        category=category,
        severity=severity,
        suggestion_visible=False,
    )
    review.full_clean()
    item = QueueItem.objects.select_related("feedback", "analysis").get(pk=feedback.pk)
    if item.review_id is not None:
        raise Stale("The item has a decision already.", item)
    review.save(force_insert=True)
    QueueItem.objects.filter(pk=item.pk).update(**standing.columns(item, review))
    return review


def build(
    *,
    analysis: Analysis,
    by: User,
    after: Review | None,
    provenance: str,
    category: str,
    severity: str,
    action: str,
    points: int | None,
    role: str,
    reasons: dict[str, str] | None = None,
    note: str = "",
    seconds: float | None = None,
    suggestion_visible: bool = True,
    batch: UUID | None = None,
) -> Review:
    """An opinion with its reward, checked but not stored. Raises ValidationError by field."""
    review = Review(
        feedback_id=analysis.feedback_id,
        analysis=analysis,
        reviewer=by,
        role=role,
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
    judged = rewards.Judged(category=category, severity=severity, action=action or None, priority=points)
    review.reward = rewards.reward(judged_of(analysis), judged)
    review.reward_total = review.reward["total"]
    return review


@transactional
def _store(review: Review) -> Review:
    """Store a decision that was built, unless the item moved on meanwhile; raises Stale."""
    analysis, by, after = review.analysis, review.reviewer, review.replaces
    item = QueueItem.objects.select_related("feedback", "analysis").get(pk=review.feedback_id)
    review.save(force_insert=True)
    # One conditional UPDATE decides who was first, on every database.
    taken = QueueItem.objects.filter(pk=item.pk, analysis=analysis, review=after).update(
        **standing.columns(item, review), claimed_by=None, claimed_until=None
    )
    if not taken:
        raise _stale(item, after)
    Aside.objects.filter(feedback=item.pk, passed_on=False).delete()
    if item.claimed and item.claimed_by_id != by.pk:
        held_by = {"from": str(item.claimed_by), "decided": True}
        events.record(feedback=item.pk, kind=Event.Kind.TAKE_OVER, by=by, value=held_by)
    return review


def judged_of(analysis: Analysis) -> rewards.Judged:
    """The four fields of an analysis, as the reward reads them."""
    return rewards.Judged(
        category=analysis.category,
        severity=analysis.severity,
        action=analysis.action,
        priority=analysis.priority,
    )


def _edited_since(item: QueueItem, review: Review) -> bool:
    revised_at = item.feedback.revised_at
    return revised_at is not None and review.created_at < revised_at


def _stale(seen: QueueItem, after: Review | None) -> Stale:
    item = QueueItem.objects.select_related("feedback", "analysis", "review__reviewer").get(pk=seen.pk)
    if item.analysis is None:
        return Stale(
            "What was said was edited at its source while you looked at it, and must be analysed anew first. Your "
            "decision was not stored.",
            item,
        )
    if item.review is None or item.review == after:
        return Stale(
            "The item was analysed anew while you looked at it. Your decision was not stored; please look again.", item
        )
    return Stale(
        f"{item.review.reviewer} decided this item meanwhile: {item.review.category}, "
        f"{item.review.severity or 'no severity'}. Your decision was not stored.",
        item,
    )
