"""Where an item stands: its columns, rebuilt from the analysis and the decision that count now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.conf import settings

from analyzer import priority
from analyzer.models import Analysis, Aside, QueueItem, Review, rank
from analyzer.schema import Reason
from analyzer.taxonomy import Severity
from analyzer.verdict import DEFAULT_THRESHOLD
from feedback.choices import ComplianceOutcome
from feedback.models import Feedback


def columns(item: QueueItem, review: Review | None) -> dict[str, Any]:
    """What an item's row says when this decision counts, or when none does and the machine's word stands."""
    analysis = item.analysis
    if review is None:
        points, _ = priority_of(item, None)
        asked = Aside.objects.filter(feedback=item.pk, passed_on=True).exists()
        return {
            "status": QueueItem.Status.OPEN,
            "review": None,
            "provenance": "",
            "decided_by": None,
            "edited": False,
            "category": analysis.category if analysis else "",
            "severity": analysis.severity if analysis else "",
            "priority": points,
            "rank": rank(points, item.received_at),
            "second": QueueItem.Second.WANTED if asked else QueueItem.Second.NONE,
            "outcome": "",
            "duplicate_of": None,
            "closed_at": None,
        }
    points, _ = priority_of(item, review)
    return {
        "status": QueueItem.Status.DECIDED,
        "review": review,
        "provenance": review.provenance,
        "decided_by": review.reviewer_id,
        # By whoever decided just now; reviews.undo knows better of an earlier decision.
        "edited": False,
        "category": review.category,
        "severity": _severity(item, review),
        "priority": points,
        "rank": rank(points, item.received_at),
        "second": second_opinion(item, review),
    }


def said(feedback: Feedback) -> dict[str, Any]:
    """What the filters of the queue ask of a feedback."""
    held = feedback.compliance == ComplianceOutcome.HOLD
    return {"type": feedback.type, "rating": feedback.rating, "held": held}


def marks(analysis: Analysis) -> dict[str, bool]:
    """What the filters of the queue ask of an analysis. Its version's thresholds should be at hand."""
    limits = analysis.version.thresholds
    sure = {"category": analysis.category_confidence, "severity": analysis.severity_confidence}
    return {
        "needs_person": analysis.needs_person,
        "fallback": bool(analysis.fallback_reason),
        "unsure": any(share < limits.get(field, DEFAULT_THRESHOLD) for field, share in sure.items()),
    }


def priority_of(item: QueueItem, review: Review | None) -> tuple[int, tuple[Reason, ...]]:
    """The priority and its summands with the number of similar reports that there are now.

    An analysis keeps the sum that it was made with; reports that come later move the item all the same.
    """
    said, analysis = item.feedback, item.analysis
    if review is not None and review.priority is not None and not _kept_priority(review):
        return review.priority, (Reason(label=f"set by {review.reviewer}", points=review.priority),)
    severity = _severity(item, review)
    if not severity:
        held = review is None and said.compliance == ComplianceOutcome.HOLD
        points = priority.HELD if held else item.priority if review else priority.UNKNOWN
        return points, (Reason(label="held by governance" if held else "severity not known", points=points),)
    return priority.score(
        severity=severity,
        category=review.category if review else analysis.category if analysis else "",
        rating=said.rating,
        similar=item.similar,
        form_type=said.type,
        held=review is None and said.compliance == ComplianceOutcome.HOLD,
    )


def second_opinion(item: QueueItem, review: Review) -> str:
    """Where the second opinion stands once this decision counts: an opinion is about a decision and what replaced it.

    So a dispute does not go away by deciding anew, but by somebody coming round. Costs a query and one per replaced
    decision.
    """
    if review.role == Review.Role.ADJUDICATION:
        return QueueItem.Second.SETTLED
    opinions = Review.objects.filter(feedback=item.pk, role=Review.Role.SECOND, undone_at=None)
    opinion = opinions.order_by("-created_at").first()
    if opinion is not None and any(opinion.replaces_id == key for key in _with_replaced(review)):
        agreed = same(opinion, review) and opinion.reviewer_id != review.reviewer_id
        return QueueItem.Second.AGREED if agreed else QueueItem.Second.DISPUTED
    return QueueItem.Second.WANTED if must_be_checked(review) else QueueItem.Second.NONE


def same(one: Review, other: Review) -> bool:
    """Whether two opinions name the same category and severity."""
    return (one.category, one.severity) == (other.category, other.severity)


def must_be_checked(review: Review) -> bool:
    """Whether a second person should look: always when something critical was made less, else by chance.

    The chance lies in the id, so that asking again gives the same answer. An imported label was never decided here.
    """
    if review.provenance == Review.Provenance.IMPORTED:
        return False
    return lowers_critical(review) or _draw(review.pk) < settings.SECOND_OPINION_SHARE


def lowers_critical(review: Review) -> bool:
    """Whether the machine or an earlier decision had said critical and this one says less."""
    before = [opinion.severity for opinion in (review.analysis, review.replaces) if opinion is not None]
    return Severity.CRITICAL in before and review.severity not in ("", Severity.CRITICAL)


def _with_replaced(review: Review | None) -> Iterator[UUID]:
    while review is not None:
        yield review.pk
        review = review.replaces


def _draw(key: UUID) -> float:
    """A number in [0, 1) that is always the same for the same key and uniform over keys."""
    return int.from_bytes(hashlib.sha256(key.bytes).digest()[:8], "big") / 2**64


def _severity(item: QueueItem, review: Review | None) -> str:
    """An imported label may know the category only; then the machine's severity stands."""
    return (review.severity if review else "") or (item.analysis.severity if item.analysis else "")


def _kept_priority(review: Review) -> bool:
    return review.analysis is not None and review.priority == review.analysis.priority
