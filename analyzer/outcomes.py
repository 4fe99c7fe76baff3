"""What came of a report after it was decided: closed with one click, reopened, and what that says of the decision."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.db.models import Count, F
from django.utils import timezone

from analyzer import events, rewards, roles
from analyzer.models import Event, QueueItem, Review
from analyzer.reviews import Stale
from analyzer.taxonomy import OUTCOME_NAMES, Category, Outcome, Severity
from feedback.transactions import transact

if TYPE_CHECKING:
    from django.contrib.auth.models import User

DAYS: Final = 90


@dataclass(slots=True)
class Line:
    """What became of the items of one category and severity that were decided lately."""

    category: str
    severity: str
    decided: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reopened: int = 0

    @property
    def closed(self) -> int:
        return self.outcomes.total()

    @property
    def acted(self) -> int:
        """How many led to something being done."""
        return sum(self.outcomes[outcome] for outcome in rewards.ACTIONS)

    @property
    def share(self) -> float | None:
        """Of the closed ones, how many led to action; None where none is closed."""
        return self.acted / self.closed if self.closed else None


def close(*, item: QueueItem, by: User, outcome: str, duplicate_of: QueueItem | None = None, text: str = "") -> Event:
    """Say what came of a decided item, or correct what was said; item is as the person saw it.

    The event keeps the decision's reward refined by the outcome; the decision itself is left as it is. A duplicate of a
    duplicate points to the first one. Raises PermissionDenied, ValidationError by field, or Stale.
    """
    roles.require_reviewer(by)
    if outcome not in OUTCOME_NAMES:
        raise ValidationError({"outcome": f"Use one of {', '.join(OUTCOME_NAMES)}."})
    original = duplicate_of.duplicate_of or duplicate_of if duplicate_of else None
    if (outcome == Outcome.DUPLICATE) != (original is not None):
        raise ValidationError({"duplicate_of": "A duplicate, and nothing else, needs the item that it repeats."})
    if original is not None and original.pk == item.pk:
        raise ValidationError({"duplicate_of": "An item cannot be a duplicate of itself."})
    return _move(
        item=item, by=by, outcome=outcome, original=original, at=timezone.now(), kind=Event.Kind.OUTCOME, text=text
    )


def reopen(*, item: QueueItem, by: User, text: str = "") -> Event:
    """Say that a closed item came back: it has no outcome any more, and its decision led to less than it seemed.

    It stays decided; a decision is taken back by reviews.undo. Raises PermissionDenied, or Stale.
    """
    roles.require_reviewer(by)
    if not item.outcome:
        raise Stale("The item is not closed, so it cannot be reopened.", item)
    return _move(item=item, by=by, outcome="", original=None, at=None, kind=Event.Kind.REOPENED, text=text)


def undo(*, event: Event, by: User) -> Event:
    """Take back a slip of the hand: what the item said before this event. Nothing counts as reopened.

    Raises PermissionDenied, or Stale when the event is not the last word on the item.
    """
    roles.require_reviewer(by)
    item = QueueItem.objects.select_related("review").get(pk=event.feedback_id)
    kinds = (Event.Kind.OUTCOME, Event.Kind.REOPENED, Event.Kind.OUTCOME_UNDONE)
    last = Event.objects.filter(feedback=event.feedback_id, kind__in=kinds).order_by("-at", "-pk").first()
    before = event.value.get("before")
    if last != event or event.kind == Event.Kind.OUTCOME_UNDONE or item.review is None or before is None:
        raise Stale("Something else happened to the item since, so there is nothing to take back.", item)
    original = QueueItem.objects.filter(pk=before["duplicate_of"]).first() if before["duplicate_of"] else None
    at = datetime.fromisoformat(before["closed_at"]) if before["closed_at"] else None
    return _move(
        item=item,
        by=by,
        outcome=before["outcome"],
        original=original,
        at=at,
        kind=Event.Kind.OUTCOME_UNDONE,
        undoes=event,
    )


def report(*, days: int = DAYS, synthetic: bool = False) -> list[Line]:
    """By category and severity, in their order: what came of real items (or made-up ones) decided in the last days.

    Two queries. Imported labels were never decided here and are left out.
    """
    since = timezone.now() - timedelta(days=days)
    inside = {"feedback__synthetic": synthetic, "feedback__queue_item__review": F("pk"), "created_at__gte": since}
    names = ("feedback__queue_item__category", "feedback__queue_item__severity", "feedback__queue_item__outcome")
    decided = Review.objects.filter(**inside).exclude(provenance=Review.Provenance.IMPORTED).order_by()
    lines: dict[tuple[str, str], Line] = {}
    for category, severity, outcome, n in decided.values_list(*names).annotate(n=Count("pk")):
        line = lines.setdefault((category, severity), Line(category, severity))
        line.decided += n
        if outcome:
            line.outcomes[outcome] += n
    kinds = (Event.Kind.REOPENED, Event.Kind.OUTCOME_UNDONE)
    rows = Event.objects.filter(kind__in=kinds, at__gte=since, feedback__synthetic=synthetic).order_by()
    happened = list(rows.values_list("pk", "kind", "value", "feedback", *names[:2]))
    taken_back = {value.get("undoes") for _, _, value, *_ in happened}
    came_back = {
        (feedback, category, severity)
        for key, kind, _, feedback, category, severity in happened
        if kind == Event.Kind.REOPENED and str(key) not in taken_back
    }
    for _, category, severity in came_back:
        if (category, severity) in lines:
            lines[category, severity].reopened += 1
    order = [(category, severity) for category in Category for severity in (*Severity, "")]
    return [lines[key] for key in order if key in lines]


def _move(
    *,
    item: QueueItem,
    by: User,
    outcome: str,
    original: QueueItem | None,
    at: datetime | None,
    kind: str,
    text: str = "",
    undoes: Event | None = None,
) -> Event:
    """Give the item another outcome, unless it has changed since it was seen, and log what it was before."""
    review = item.review
    before = {
        "outcome": item.outcome,
        "duplicate_of": str(item.duplicate_of_id) if item.duplicate_of_id else None,
        "closed_at": item.closed_at.isoformat() if item.closed_at else None,
    }
    value: dict[str, Any] = {
        "outcome": outcome,
        "duplicate_of": str(original.pk) if original else None,
        "before": before,
    }
    if undoes is not None:
        value["undoes"] = str(undoes.pk)
    if review is not None and review.reward_total is not None:
        led_to = rewards.REOPENED if kind == Event.Kind.REOPENED else outcome
        refined = rewards.refine(review.reward_total, category=review.category, outcome=led_to)
        value |= {"reward": refined, "reward_before": review.reward_total}
    seen = QueueItem.objects.filter(
        pk=item.pk, status=QueueItem.Status.DECIDED, review=review, outcome=item.outcome, closed_at=item.closed_at
    )

    def store() -> Event:
        if review is None or not seen.update(outcome=outcome, duplicate_of=original, closed_at=at):
            now = QueueItem.objects.select_related("feedback", "review__reviewer").get(pk=item.pk)
            raise Stale(_what_happened(now), now)
        return events.record(feedback=item.pk, kind=kind, by=by, text=text, value=value)

    event = transact(store)
    item.outcome, item.duplicate_of, item.closed_at = outcome, original, at
    return event


def _what_happened(item: QueueItem) -> str:
    if item.status == QueueItem.Status.OPEN:
        return "The item needs a decision before it can be closed."
    return f"The item changed meanwhile: it is {item.get_outcome_display() or 'not closed'}. Nothing was stored."
