"""Everything about one item: what was said, what the machine made of it and why, what people decided."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from analyzer import events
from analyzer.admin import badges, confidence
from analyzer.admin.rows import CATEGORY_NAMES, SEVERITY_LABELS, Row
from analyzer.admin.seen import field
from analyzer.models import Analysis, QueueItem, Review

VERSION_NOT_SHOWN = ("version__weights", "version__prompt", "version__metrics")
FIELDS = ("category", "severity", "action", "priority")


@dataclass(frozen=True, slots=True)
class Opinion:
    """One field as the machine sees it, with what it would have said instead."""

    name: str
    value: str
    confidence: confidence.Confidence
    runner_up: str


@dataclass(frozen=True, slots=True)
class Span:
    """One step of the rollout; attributes are texts as staff read them."""

    name: str
    status: str
    ms: float
    attributes: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a decision: what the machine said, what the person said, and what that gives."""

    field: str
    before: str
    after: str
    reason: str
    reward: float | None

    @property
    def changed(self) -> bool:
        return self.before != self.after


def items() -> QuerySet[QueueItem]:
    """Queue items with all that their page shows."""
    found = QueueItem.objects.select_related(
        "feedback", "group", "analysis__version", "review__reviewer", "duplicate_of__feedback"
    )
    return found.defer(*(f"analysis__{name}" for name in VERSION_NOT_SHOWN), "review__reviewer__password")


def context(item: QueueItem, *, may_decide: bool) -> dict[str, Any]:
    """What the template of an item's page needs. Costs six queries, whatever the length of the history."""
    analysis = item.analysis
    before, after = neighbours(item)
    history = Review.objects.filter(feedback=item.pk).select_related("reviewer", "undone_by", "analysis")
    earlier = Analysis.objects.filter(feedback=item.pk).select_related("version").defer("trace", *VERSION_NOT_SHOWN)
    if item.analysis_id:
        earlier = earlier.exclude(pk=item.analysis_id)
    return {
        "row": Row(item, may_decide),
        "item": item,
        "said": item.feedback,
        "analysis": analysis,
        "may_decide": may_decide,
        "seen_field": field(item.pk),
        "comment": highlight(item.feedback.comment, analysis.evidence if analysis else ()),
        "opinions": opinions(analysis) if analysis else [],
        "spans": [span(step) for step in analysis.trace] if analysis else [],
        "priority_reasons": analysis.priority_reasons if analysis else [],
        "earlier": earlier,
        "decisions": [(review, changes(review)) for review in history.defer("analysis__trace", "reviewer__password")],
        "events": list(events.history(item)),
        "age": badges.age(item.age),
        "before": before,
        "after": after,
    }


def opinions(analysis: Analysis) -> list[Opinion]:
    """Category and severity with confidence and runner-up."""
    return [
        Opinion(
            name,
            names[getattr(analysis, name)],
            confidence.of(analysis, name),
            _runner_up(getattr(analysis, f"{name}_probabilities"), getattr(analysis, name), names),
        )
        for name, names in (("category", CATEGORY_NAMES), ("severity", SEVERITY_LABELS))
    ]


def _runner_up(probabilities: dict[str, float], chosen: str, names: dict[str, str]) -> str:
    others = sorted(((share, label) for label, share in probabilities.items() if label != chosen), reverse=True)
    if not others or others[0][0] <= 0:
        return ""
    share, label = others[0]
    return f"{names.get(label, label)} {share:.0%}".replace("%", " %")


def highlight(comment: str, quotes: Iterable[str]) -> SafeString:
    """The comment, escaped, with every place where a quote stands in <mark>; quotes may overlap or be absent."""
    marked = bytearray(len(comment))
    for quote in quotes:
        start = comment.find(quote) if quote else -1
        while start >= 0:
            marked[start : start + len(quote)] = b"\x01" * len(quote)
            start = comment.find(quote, start + len(quote))
    parts: list[str] = []
    position = 0
    while position < len(comment):
        inside = marked[position]
        end = marked.find(0 if inside else 1, position)
        end = len(comment) if end < 0 else end
        text = comment[position:end]
        parts.append(format_html("<mark>{}</mark>", text) if inside else text)
        position = end
    return format_html_join("", "{}", ((part,) for part in parts))


def span(step: dict[str, Any]) -> Span:
    """A stored span with its attributes made readable: what is JSON is indented."""
    return Span(
        name=str(step.get("name", "")),
        status=str(step.get("status", "")),
        ms=float(step.get("ms") or 0),
        attributes=[(name, _readable(value)) for name, value in (step.get("attributes") or {}).items()],
    )


def _readable(value: object) -> str:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def changes(review: Review) -> list[Change]:
    """The fields of a decision beside the machine's; a field that was not judged is left out."""
    found = []
    for name in FIELDS:
        after = getattr(review, name)
        if after in ("", None):
            continue
        before = getattr(review.analysis, name) if review.analysis else ""
        found.append(Change(name, str(before), str(after), str(review.reasons.get(name, "")), review.reward.get(name)))
    return found


def neighbours(item: QueueItem) -> tuple[UUID | None, UUID | None]:
    """The open items before and behind this one, in the order of the list."""
    waiting = QueueItem.objects.queue()
    # The list sorts equals by key, newest first. The bound on rank alone lets the index find the place.
    behind = waiting.filter(rank__gte=item.rank).exclude(pk=item.pk)
    behind = behind.filter(Q(rank__gt=item.rank) | Q(pk__lt=item.pk)).order_by("rank", "-pk")
    ahead = waiting.filter(rank__lte=item.rank).exclude(pk=item.pk)
    ahead = ahead.filter(Q(rank__lt=item.rank) | Q(pk__gt=item.pk)).order_by("-rank", "pk")
    return ahead.values_list("pk", flat=True).first(), behind.values_list("pk", flat=True).first()


def following(item: QueueItem) -> UUID | None:
    """Where to land in the list after deciding this item."""
    before, after = neighbours(item)
    return after or before
