"""What the focus view shows of one item: where it stands in line, the suggestion, the past, what can be repeated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.utils import timezone

from analyzer import claims, events, roles, similar, standing, waiting
from analyzer.admin import badges, detail, outcome_buttons, seen
from analyzer.admin.badges import DANGER, INFO, WARNING, Badge
from analyzer.admin.decision_form import FIELDS
from analyzer.admin.focus_form import REASONS, FocusForm
from analyzer.admin.rounds import DISPUTE, FIRST, SECOND
from analyzer.admin.rows import CATEGORY_LABELS, KEYS, SEVERITY_LABELS, TYPE_LABELS
from analyzer.admin.seen import Seen
from analyzer.models import Analysis, Event, QueueItem, Review
from analyzer.taxonomy import HARMLESS, OUTCOME_NAMES, Outcome, Severity
from feedback.admin_base import CAP

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# What the card shows: something to decide, something that somebody else holds, that is decided, or not analysed yet.
DECIDE, TAKEN, DECIDED, WAITING = "decide", "taken", "decided", "waiting"
# How far back undo and repeat look for one's own last decision.
RECENT = 20
# Near-copies that are listed; the preview of deciding them lists them all.
COPIES = 5


@dataclass(frozen=True, slots=True)
class Place:
    """Which one of how many; counted no further than CAP."""

    number: int
    waiting: int

    @property
    def written(self) -> str:
        if self.number > CAP:
            return f"Item beyond the first {CAP:,}"
        return f"Item {self.number:,} of {min(self.waiting, CAP):,}{'+' if self.waiting > CAP else ''} waiting"


@dataclass(frozen=True, slots=True)
class Option:
    """One value to choose, with the key that chooses it."""

    field: str
    value: str
    label: str
    key: str
    checked: bool
    suggested: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """Category or severity: how sure the machine is, what comes second, the options, and the chips that say why not."""

    name: str
    opinion: detail.Opinion | None
    options: list[Option]
    reasons: list[tuple[str, str, bool]]
    errors: list[str]


@dataclass(frozen=True, slots=True)
class Past:
    """Something that happened to the item: who did what, with a remark."""

    at: datetime
    who: str
    what: str
    text: str = ""
    undone: str = ""


@dataclass(frozen=True, slots=True)
class Mine:
    """What this person did last: what z takes back, and what the full stop repeats."""

    last: Review | None
    override: Review | None


def items() -> QuerySet[QueueItem]:
    """Queue items with all that the focus view shows."""
    found = detail.items().select_related("claimed_by", "duplicate_of__feedback")
    return found.defer("analysis__trace", "claimed_by__password", "review__reviewer__password")


def place(item: QueueItem, line: QuerySet[QueueItem], by: User) -> Place:
    """Where the item stands in a line of waiting items: capped counts, in one query."""
    counts = waiting.count(
        {
            "ahead": line.filter(rank__lt=item.rank),
            # Apart, so that the index by which the line is sorted is all that the other two read.
            "level": line.filter(rank=item.rank, pk__gt=item.pk),
            "all": line,
        },
        by=by,
    )
    return Place(counts["ahead"] + counts["level"] + 1, counts["all"])


def due(item: QueueItem) -> Badge | None:
    """How far the item is from its target, or past it; None when it has none."""
    target = item.due_at
    if target is None:
        return None
    hours = span(target - item.received_at)
    left = target - timezone.now()
    if left < timedelta():
        return Badge(f"{span(-left)} over its target of {hours}", DANGER)
    return Badge(f"target {hours}, {span(left)} left", WARNING if left < (target - item.received_at) / 4 else INFO)


def span(passed: timedelta) -> str:
    """A duration in its two largest units, as one says it: 2 d 4 h."""
    minutes = max(0, int(passed.total_seconds() // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""]
    return " ".join([part for part in parts if part][:2]) or "less than a minute"


def heading(item: QueueItem) -> str:
    """What kind of report it is and about which page, for a title that says what one is looking at."""
    said = item.feedback
    kind = TYPE_LABELS.get(said.type, "report").capitalize()
    return f"{kind} on {said.page}" if said.page else kind


def choices(form: FocusForm, *, blind: bool) -> list[Choice]:
    """Category and severity, ready to choose from; blind, without anything of the machine's."""
    opinions = {} if blind else {opinion.name: opinion for opinion in detail.opinions(form.analysis)}
    found = []
    for name, labels in (("category", CATEGORY_LABELS), ("severity", SEVERITY_LABELS)):
        chosen, suggested = str(form[name].value() or ""), "" if blind else getattr(form.analysis, name)
        options = [
            Option(name, value, label, KEYS[value], value == chosen, value == suggested)
            for value, label in labels.items()
        ]
        reasons = _chips(form, name) if f"{name}_reason" in form.fields else []
        errors = [str(error) for error in form.errors.get(name, ())]
        found.append(Choice(name, opinions.get(name), options, reasons, errors))
    return found


def _chips(form: FocusForm, what: str) -> list[tuple[str, str, bool]]:
    """Each reason with the name that its checkbox sends."""
    field = form[f"{what}_reason"]
    pressed = field.value() or ()
    return [(field.html_name, reason, reason in pressed) for reason in REASONS[what]]


def mine(by: User) -> Mine:
    """One query over the person's latest decisions."""
    latest = Review.objects.filter(reviewer=by, undone_at=None, created_at__gte=since())
    latest = latest.exclude(provenance=Review.Provenance.IMPORTED).select_related("feedback__queue_item")
    found = list(latest.order_by("-created_at")[:RECENT])
    overrides = (
        review
        for review in found
        if review.provenance == Review.Provenance.OVERRIDDEN and review.role == Review.Role.FIRST
    )
    return Mine(next(filter(_counts, found), None), next(overrides, None))


def _counts(review: Review) -> bool:
    """Whether an opinion is in force; one that somebody replaced since cannot be taken back any more."""
    item = review.feedback.queue_item
    if review.role == Review.Role.SECOND:
        given = (QueueItem.Second.AGREED, QueueItem.Second.DISPUTED)
        return item.second in given and item.review_id == review.replaces_id
    return item.review_id == review.pk


def since() -> datetime:
    """When the working day began, in the desk's time zone."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def priority(item: QueueItem) -> dict[str, Any]:
    """The points that count now, with their sum; near-copies that came after the analysis are in it."""
    points, reasons = standing.priority_of(item, item.review)
    return {"points": points, "reasons": [reason.model_dump() for reason in reasons]}


def past(item: QueueItem) -> list[Past]:
    """Every analysis, decision and act, newest first. Three queries, whatever the length."""
    analyses = Analysis.objects.filter(feedback=item.pk).select_related("version")
    analyses = analyses.defer("trace", *detail.VERSION_NOT_SHOWN)
    reviews = Review.objects.filter(feedback=item.pk).select_related("reviewer", "undone_by", "analysis")
    reviews = reviews.defer("analysis__trace", "reviewer__password", "undone_by__password")
    found = [*_of_analyses(analyses), *_of_reviews(reviews), *map(_of_event, events.history(item))]
    return sorted(found, key=lambda one: one.at, reverse=True)


def _of_analyses(analyses: Iterable[Analysis]) -> list[Past]:
    return [
        Past(
            one.created_at,
            f"{one.version} ({one.engine})",
            f"said {one.category}/{one.severity}, {one.category_confidence:.0%} and {one.severity_confidence:.0%} sure",
            one.action,
        )
        for one in analyses
    ]


def _of_reviews(reviews: Iterable[Review]) -> list[Past]:
    found = []
    for one in reviews:
        role = "" if one.role == Review.Role.FIRST else f" ({one.get_role_display()})"
        why = [f"{field}: {reason}" for field, reason in one.reasons.items()]
        undone = f"taken back by {one.undone_by}" if one.undone_at else ""
        what = f"{one.get_provenance_display()} as {labels(one)}{role}"
        found.append(
            Past(one.created_at, str(one.reviewer), what, "; ".join([*why, *filter(None, [one.note])]), undone)
        )
    return found


def _of_event(event: Event) -> Past:
    what = event.get_kind_display()
    if event.kind == Event.Kind.OUTCOME:
        what += f" as {OUTCOME_NAMES[Outcome(event.value['outcome'])].lower()}"
    if event.kind == Event.Kind.TAKE_OVER:
        what += f" from {event.value['from']}"
    return Past(event.at, str(event.by), what, event.text)


def labels(review: Review) -> str:
    """Category and severity as a message says them."""
    return f"{review.category}/{review.severity}" if review.severity else review.category


def marks(item: QueueItem, *, blind: bool) -> list[Badge]:
    """The badges of an item; blind, only what governance found before the machine and people had their say."""
    if blind:
        return badges.of_feedback(item.feedback)
    found = badges.of_item(item)
    if item.status == QueueItem.Status.OPEN and item.second == QueueItem.Second.WANTED:
        found.insert(0, Badge("somebody asked for your opinion", WARNING, "They did not know; the history says who."))
    return found


def refusal(item: QueueItem, by: User, mode: str) -> str:
    """Why this person cannot do on this item what the mode is for; empty when they can."""
    if mode == SECOND and (item.status != QueueItem.Status.DECIDED or item.second != QueueItem.Second.WANTED):
        return "no second opinion is wanted any more."
    if mode == SECOND and item.review is not None and item.review.reviewer_id == by.pk:
        return "a second opinion must come from somebody else."
    if mode == DISPUTE:
        roles.require_adjudicator(by)
        if item.second != QueueItem.Second.DISPUTED:
            return "there is no dispute any more."
        if Review.objects.filter(feedback=item.pk, undone_at=None, reviewer=by).exists():
            return "a dispute must be settled by somebody who has not decided on the item."
    return ""


def state(item: QueueItem, by: User, mode: str) -> str:
    """Which of four things the card shows. Claims the item when it can be decided."""
    if mode == FIRST and item.status == QueueItem.Status.DECIDED:
        return DECIDED
    if item.analysis is None or item.stage != QueueItem.Stage.DONE:
        return WAITING
    return DECIDE if claims.take(item=item, by=by) else TAKEN


def context(item: QueueItem, by: User, *, state: str, form: FocusForm | None, blind: bool) -> dict[str, Any]:
    """What the template of one item needs. The number of queries does not depend on the history."""
    analysis = item.analysis
    return {
        "state": state,
        "item": item,
        "said": item.feedback,
        "analysis": None if blind else analysis,
        "blind": blind,
        "form": form,
        "choices": choices(form, blind=blind) if form else [],
        "comment": detail.highlight(item.feedback.comment, analysis.evidence if analysis and not blind else ()),
        "badges": marks(item, blind=blind),
        "due": due(item),
        "waited": span(item.age),
        "priority": None if blind else priority(item),
        "seen_field": seen.field(item.pk),
        "seen": Seen.of(item).written,
        "past": [] if blind else past(item),
        "opinions": pair(item) if item.second == QueueItem.Second.DISPUTED and not blind else [],
        "mine": mine(by),
        "related": [] if blind or item.status == QueueItem.Status.DECIDED else similar.validated(item),
        "copies": [] if blind else similar.others(item, limit=COPIES),
        **outcome_buttons.context(item, on="focus"),
    }


def pair(item: QueueItem) -> list[Review]:
    """The decision in force and the opinion that disagrees with it."""
    given = Review.objects.filter(feedback=item.pk, role=Review.Role.SECOND, undone_at=None)
    second = given.select_related("reviewer").defer("reviewer__password").order_by("-created_at").first()
    return [review for review in (item.review, second) if review is not None]


def both(item: QueueItem, mine: dict[str, Any]) -> dict[str, Any]:
    """Theirs and mine, field by field, and mine again as a form that fits the item as it stands now."""
    analysis, theirs = item.analysis, item.review or item.analysis
    chosen = {name: getattr(analysis, name) for name in FIELDS} | {name: mine[name] for name in FIELDS if name in mine}
    if chosen["category"] in HARMLESS and "severity" not in mine:
        chosen["severity"] = Severity.LOW.value
    return {
        "item": item,
        "said": item.feedback,
        "comment": detail.highlight(item.feedback.comment, ()),
        "theirs": item.review,
        "fields": [
            (name, getattr(theirs, name), chosen[name]) for name in FIELDS if name in FIELDS[:2] or name in mine
        ],
        "chosen": [
            *chosen.items(),
            ("meant", "severity" if "severity" in mine else ""),
            ("note", mine.get("note", "")),
            *_chosen_reasons(mine),
        ],
        "seen_field": seen.field(item.pk),
        "seen": Seen.of(item).written,
    }


def _chosen_reasons(mine: dict[str, Any]) -> list[tuple[str, str]]:
    reasons: dict[str, str] = mine.get("reasons", {})
    return [(f"{field}_reason", reason) for field, text in reasons.items() for reason in text.split(", ")]
