"""Claims: who has which item open, so that two people do not work on the same one.

A claim is advice, never a lock. It runs out by itself, anybody may decide or take over a claimed item (and the history
says so), and what protects a decision from being overwritten is that reviews refuses a stale one. Taking is one
conditional UPDATE, which every database has, so that two people never hold an item at once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from analyzer import events, roles
from analyzer.models import CLOCKS_DIFFER, Aside, Event, QueueItem
from feedback.transactions import transactional

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# As the list sorts: equals by key, newest first.
FORWARD = ("rank", "-pk")
BACKWARD = ("-rank", "pk")


def take(*, item: QueueItem, by: User) -> bool:
    """Claim an item that is free or mine for CLAIM_MINUTES; False when somebody else holds it."""
    roles.require_reviewer(by)
    return _claim(QueueItem.objects.filter(_free(by), pk=item.pk), item, by)


def renew(*, item: QueueItem, by: User) -> bool:
    """Keep my claim for CLAIM_MINUTES from now, even one that ran out; False when it is not mine any more."""
    roles.require_reviewer(by)
    return _claim(QueueItem.objects.filter(pk=item.pk, claimed_by=by), item, by)


def release(*, item: QueueItem, by: User) -> bool:
    """Give my claim up; False when it was not mine."""
    roles.require_reviewer(by)
    released = QueueItem.objects.filter(pk=item.pk, claimed_by=by).update(claimed_by=None, claimed_until=None)
    if released:
        item.claimed_by, item.claimed_until = None, None
    return bool(released)


@transactional
def take_over(*, item: QueueItem, by: User) -> bool:
    """Claim an item whoever holds it, and log from whom; False when a third person was faster."""
    roles.require_reviewer(by)
    now = QueueItem.objects.select_related("claimed_by").get(pk=item.pk)
    holder = now.claimed_by if now.claimed and now.claimed_by_id != by.pk else None
    taken = _claim(QueueItem.objects.filter(pk=item.pk, claimed_by=now.claimed_by_id), item, by)
    if taken and holder is not None:
        events.record(feedback=item.pk, kind=Event.Kind.TAKE_OVER, by=by, value={"from": str(holder)})
    return taken


@transactional
def skip(*, item: QueueItem, by: User) -> None:
    """Come back to an item after the others; forgotten when somebody decides it."""
    roles.require_reviewer(by)
    Aside.objects.update_or_create(user=by, feedback_id=item.pk, defaults={"at": timezone.now()})
    release(item=item, by=by)


def next_item(
    *,
    by: User,
    after: QueueItem | None = None,
    items: QuerySet[QueueItem] | None = None,
) -> QueueItem | None:
    """The first open and analysed item that nobody else holds, claimed; behind after, else from the front.

    items narrows the choice, as a filtered list does. What one skipped comes when nothing else is left, longest skipped
    first; what one passed on to others never comes. None: nothing is left for this person.
    """
    roles.require_reviewer(by)
    mine = Aside.objects.filter(user=by, feedback__queue_item__status=QueueItem.Status.OPEN).order_by("at")
    aside = list(mine.values_list("feedback", "passed_on"))
    waiting = ready(items).exclude(pk__in=[key for key, _ in aside])
    if after is not None:
        waiting = waiting.filter(Q(rank__gt=after.rank) | Q(rank=after.rank, pk__lt=after.pk))
    found = hand_out(items=waiting, by=by)
    if found is not None or after is not None:
        return found
    for key in [key for key, passed_on in aside if not passed_on]:
        if found := hand_out(items=ready(items).filter(pk=key), by=by):
            return found
    return None


def previous_item(*, by: User, before: QueueItem, items: QuerySet[QueueItem] | None = None) -> QueueItem | None:
    """The last open and analysed item in front of this one that nobody else holds, claimed; skipped ones too."""
    roles.require_reviewer(by)
    passed_on = Aside.objects.filter(user=by, passed_on=True, feedback__queue_item__status=QueueItem.Status.OPEN)
    ahead = ready(items).exclude(pk__in=list(passed_on.values_list("feedback", flat=True)))
    ahead = ahead.filter(Q(rank__lt=before.rank) | Q(rank=before.rank, pk__gt=before.pk))
    return hand_out(items=ahead.order_by(*BACKWARD), by=by)


def hand_out(*, items: QuerySet[QueueItem], by: User) -> QueueItem | None:
    """Claim the first of these items that nobody else holds; somebody who is faster only costs another try."""
    while True:
        found = items.filter(_free(by)).select_related("feedback", "analysis").first()
        if found is None:
            return None
        unchanged = QueueItem.objects.filter(_free(by), pk=found.pk, status=found.status, second=found.second)
        if _claim(unchanged, found, by):
            return found


def ready(items: QuerySet[QueueItem] | None = None) -> QuerySet[QueueItem]:
    """What can be decided now, most important first: open, and no analysis under way that would make it stale."""
    chosen = QueueItem.objects.all() if items is None else items
    return chosen.filter(status=QueueItem.Status.OPEN, stage=QueueItem.Stage.DONE).order_by(*FORWARD)


def _free(by: User) -> Q:
    now = timezone.now()
    wrong = now + timedelta(minutes=settings.CLAIM_MINUTES) + CLOCKS_DIFFER
    return Q(claimed_by=None) | Q(claimed_by=by) | Q(claimed_until__lte=now) | Q(claimed_until__gt=wrong)


def _claim(items: QuerySet[QueueItem], item: QueueItem, by: User) -> bool:
    until = timezone.now() + timedelta(minutes=settings.CLAIM_MINUTES)
    taken = items.update(claimed_by=by, claimed_until=until)
    if taken:
        item.claimed_by, item.claimed_until = by, until
    return bool(taken)
