"""Second opinions: a share of decisions, every critical one made less, and what somebody did not know.

The second person sees neither the decision nor who made it. Their opinion is kept beside it and never changes where the
item stands; where the two disagree, a manager settles it by a third row that counts. So people can be measured against
each other, which is the most that a machine can be expected to agree with them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet

from analyzer import claims, events, reviews, roles, standing
from analyzer.models import Analysis, Aside, Event, QueueItem, Review
from analyzer.reviews import Stale
from feedback.transactions import transactional

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# Agreement is read off the latest opinions: what it was years ago is another desk's.
LATEST: Final = 1_000
FIELDS: Final = ("category", "severity")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two people agree on a field over n items; kappa is None where chance alone explains everything, or n is 0."""

    field: str
    n: int
    agreed: int
    kappa: float | None

    @property
    def share(self) -> float | None:
        return self.agreed / self.n if self.n else None


@transactional
def ask(*, item: QueueItem, by: User, text: str = "") -> Event:
    """Leave an open item to somebody else; whoever asks is not handed it again. Raises PermissionDenied, or Stale."""
    roles.require_reviewer(by)
    asked = QueueItem.objects.filter(pk=item.pk, status=QueueItem.Status.OPEN).update(second=QueueItem.Second.WANTED)
    if not asked:
        raise Stale("Somebody decided this item meanwhile, so there is nothing left to ask.", _now(item))
    Aside.objects.update_or_create(user=by, feedback_id=item.pk, defaults={"passed_on": True})
    claims.release(item=item, by=by)
    return events.record(feedback=item.pk, kind=Event.Kind.SECOND_WANTED, by=by, text=text)


@transactional
def withdraw(*, item: QueueItem, by: User) -> None:
    """Take back that one asked. Raises PermissionDenied, or Stale when it was decided meanwhile or never asked."""
    roles.require_reviewer(by)
    mine, _ = Aside.objects.filter(user=by, feedback=item.pk, passed_on=True).delete()
    others = Aside.objects.filter(feedback=item.pk, passed_on=True).exists()
    after = QueueItem.Second.WANTED if others else QueueItem.Second.NONE
    open_items = QueueItem.objects.filter(pk=item.pk, status=QueueItem.Status.OPEN)
    if not mine or not open_items.update(second=after):
        raise Stale("There is no question of yours to take back.", _now(item))
    events.record(feedback=item.pk, kind=Event.Kind.SECOND_WITHDRAWN, by=by)


def next_item(*, by: User) -> QueueItem | None:
    """A decided item that wants a second opinion from somebody who has given none on it yet, claimed; None for none."""
    roles.require_reviewer(by)
    return claims.hand_out(items=waiting_for(by), by=by)


def waiting_for(by: User) -> QuerySet[QueueItem]:
    """Decided items that this person may give a second opinion on, most important first."""
    # Of edited words nobody has given a first one.
    wanted = QueueItem.objects.filter(second=QueueItem.Second.WANTED, status=QueueItem.Status.DECIDED, edited=False)
    # As a list made once: asked item by item, SQLite would read all that this person ever said for each of them.
    theirs = Review.objects.filter(reviewer=by).values("feedback")
    return wanted.exclude(pk__in=theirs).order_by(*claims.FORWARD)


def disputed() -> QuerySet[QueueItem]:
    """What waits for somebody to settle it, most important first."""
    return QueueItem.objects.filter(second=QueueItem.Second.DISPUTED).order_by(*claims.FORWARD)


@transactional
def give(
    *,
    analysis: Analysis,
    by: User,
    category: str,
    severity: str,
    reasons: dict[str, str] | None = None,
    note: str = "",
    seconds: float | None = None,
    suggestion_visible: bool = False,
) -> Review:
    """A second opinion on a decided item. It is stored and compared; the item stands where it stood.

    Raises ValidationError by field, PermissionDenied for whoever decided the item, or Stale when no second opinion is
    wanted any more.
    """
    roles.require_reviewer(by)
    item = QueueItem.objects.select_related("review__reviewer").get(pk=analysis.feedback_id)
    first = item.review
    if first is None or item.second != QueueItem.Second.WANTED:
        raise Stale("No second opinion is wanted on this item any more.", item)
    if item.edited or item.analysis_id != analysis.pk:
        raise Stale("The item was edited or analysed anew meanwhile; your opinion was not stored.", item)
    if first.reviewer_id == by.pk:
        raise PermissionDenied("A second opinion must come from somebody else.")
    kept = (category, severity) == (analysis.category, analysis.severity)
    opinion = reviews.build(
        analysis=analysis,
        by=by,
        after=first,
        role=Review.Role.SECOND,
        provenance=Review.Provenance.VALIDATED if kept else Review.Provenance.OVERRIDDEN,
        category=category,
        severity=severity,
        action="",
        points=None,
        reasons=reasons,
        note=note,
        seconds=seconds,
        suggestion_visible=suggestion_visible,
    )
    opinion.save(force_insert=True)
    agreed = standing.same(first, opinion)
    as_seen = QueueItem.objects.filter(pk=item.pk, review=first, analysis=analysis, second=QueueItem.Second.WANTED)
    given = as_seen.update(
        second=QueueItem.Second.AGREED if agreed else QueueItem.Second.DISPUTED,
        claimed_by=None,
        claimed_until=None,
    )
    if not given:
        raise Stale("Somebody else gave an opinion or decided anew meanwhile; yours was not stored.", _now(item))
    return opinion


def adjudicate(
    *,
    item: QueueItem,
    by: User,
    category: str,
    severity: str,
    reasons: dict[str, str] | None = None,
    note: str = "",
    seconds: float | None = None,
) -> Review:
    """Settle a dispute: this decision counts, and both opinions are kept. item is as the adjudicator saw it.

    Raises ValidationError by field, PermissionDenied without the right or for one of the two, or Stale.
    """
    roles.require_adjudicator(by)
    analysis = item.analysis
    if analysis is None or item.second != QueueItem.Second.DISPUTED:
        raise Stale("There is no dispute about this item.", item)
    if Review.objects.filter(feedback=item.pk, undone_at=None, reviewer=by).exists():
        raise PermissionDenied("A dispute must be settled by somebody who has not decided on the item.")
    return reviews.override(
        analysis=analysis,
        by=by,
        category=category,
        severity=severity,
        reasons=reasons,
        after=item.review,
        note=note,
        seconds=seconds,
        role=Review.Role.ADJUDICATION,
    )


def agreement(*, synthetic: bool = False) -> list[Agreement]:
    """How far two people agree, per field, over the latest pairs in force on real items, or on made-up ones.

    Pairs that are there because something critical was made less are left out: they are the hard ones, not a sample.
    """
    opinions = Review.objects.filter(
        role=Review.Role.SECOND, undone_at=None, replaces__undone_at=None, feedback__synthetic=synthetic
    ).select_related("replaces__analysis", "replaces__replaces")
    opinions = opinions.defer("replaces__analysis__trace").order_by("-created_at")
    pairs = [
        (opinion.replaces, opinion)
        for opinion in opinions[:LATEST]
        if opinion.replaces is not None and not standing.lowers_critical(opinion.replaces)
    ]
    return [_agreement(field, [(getattr(one, field), getattr(two, field)) for one, two in pairs]) for field in FIELDS]


def kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's κ: 1 is full agreement, 0 is what chance would give, below is worse. None when chance explains it all."""
    n = len(pairs)
    if not n:
        return None
    one, other = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    by_chance = math.fsum(one[label] * other[label] for label in one) / n**2
    if by_chance == 1:
        return None
    observed = sum(first == second for first, second in pairs) / n
    return (observed - by_chance) / (1 - by_chance)


def _agreement(field: str, pairs: Sequence[tuple[str, str]]) -> Agreement:
    # An imported label without severity cannot agree or disagree about it.
    judged = [(one, other) for one, other in pairs if one and other]
    return Agreement(field, len(judged), sum(one == other for one, other in judged), kappa(judged))


def _now(item: QueueItem) -> QueueItem:
    return QueueItem.objects.select_related("feedback", "analysis", "review__reviewer").get(pk=item.pk)
