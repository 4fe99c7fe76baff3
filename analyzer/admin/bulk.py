"""Deciding many at once, after a page that says what that would mean: what is left out, and how many will be wrong."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from analyzer import reviews
from analyzer.admin import badges, confidence, decisions, seen
from analyzer.models import Analysis, QueueItem

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# The interval leaves out this share on either side.
TAIL: Final = 0.025
LEAST_CERTAIN: Final = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One chosen item: whether it may be decided in bulk, and whether it is ticked to begin with.

    right: the chance that category and severity are both right, if the two err independently.
    """

    item: QueueItem
    excerpt: str
    right: float
    refused: str
    doubt: str
    seen: str

    @property
    def ticked(self) -> bool:
        return not self.refused and not self.doubt

    @property
    def percent(self) -> str:
        return f"{self.right:.0%}".replace("%", " %")


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many of n will be wrong: the mean, and the 95 % interval of the exact distribution."""

    n: int
    mean: float
    low: int
    high: int


def lines(items: Iterable[QueueItem], by: User, changed: Mapping[UUID, str] | None = None) -> list[Line]:
    """The chosen items, least certain last; changed names those that the person did not see as they are, and why."""
    found = []
    for item in items:
        refused = (changed or {}).get(item.pk, "") or reviews.unfit_for_bulk(item, by=by)
        analysis = item.analysis
        right = analysis.category_confidence * analysis.severity_confidence if analysis else 0.0
        doubt = "" if refused or analysis is None else _doubt(item, analysis)
        found.append(Line(item, badges.excerpt(item.feedback), right, refused, doubt, seen.Seen.of(item).written))
    return sorted(found, key=lambda line: (bool(line.refused), bool(line.doubt), -line.right))


def _doubt(item: QueueItem, analysis: Analysis) -> str:
    """Why an item that may be decided in bulk had better be looked at; empty when nothing speaks against it."""
    unsure = [field for field in confidence.FIELDS if not confidence.of(analysis, field).sure]
    if unsure:
        return f"not sure of the {' and '.join(unsure)}"
    if item.feedback.pii:
        return "personal data was removed: look whether all of it"
    return ""


def estimate(right: Sequence[float]) -> Estimate:
    """How many will be wrong when each is right with its own chance (the Poisson binomial distribution)."""
    exactly = [1.0]
    for chance in right:
        wrong = min(1.0, max(0.0, 1 - chance))
        exactly = [
            (exactly[k] if k < len(exactly) else 0.0) * (1 - wrong) + (exactly[k - 1] * wrong if k else 0.0)
            for k in range(len(exactly) + 1)
        ]
    low, high = _quantile(exactly, TAIL), _quantile(exactly, 1 - TAIL)
    return Estimate(len(right), math.fsum(1 - chance for chance in right), low, high)


def _quantile(exactly: Sequence[float], share: float) -> int:
    """The smallest number of which at least this share of the distribution lies at or below."""
    below = 0.0
    for number, chance in enumerate(exactly):
        below += chance
        if below >= share - 1e-12:
            return number
    return len(exactly) - 1


def context(found: Sequence[Line]) -> dict[str, Any]:
    """What the preview shows of chosen items."""
    ticked = [line for line in found if line.ticked]
    return {
        "lines": found,
        "ticked": len(ticked),
        "doubted": sum(bool(line.doubt) for line in found),
        "refused": dict(Counter(line.refused for line in found if line.refused)),
        "estimate": estimate([line.right for line in ticked]),
        "least": sorted(ticked, key=lambda line: line.right)[:LEAST_CERTAIN],
    }


def chosen(request: HttpRequest, items: Iterable[QueueItem]) -> tuple[list[QueueItem], dict[UUID, str]]:
    """Those of the items that the page showed, and which of them changed since."""
    shown = seen.read(request.POST)
    found = [item for item in items if item.pk in shown]
    return found, {item.pk: "changed since you looked" for item in found if seen.Seen.of(item) != shown[item.pk]}


def accept(request: HttpRequest) -> HttpResponse:
    """Validate what was left ticked on the preview, as one batch, and say so with one button that takes it back."""
    by = decisions.person(request)
    keys = request.POST.getlist("_selected_action")
    rows = QueueItem.objects.select_related("feedback", "analysis").defer("analysis__trace")
    wanted = {UUID(key) for key in keys if _is_key(key)}
    items, changed = chosen(request, rows.filter(pk__in=wanted).order_by("rank", "-pk"))
    batch = reviews.validate_batch(items=[item for item in items if item.pk not in changed], by=by)
    tell(request, batch, items, changed)
    return decisions.to_list(request)


def tell(
    request: HttpRequest, batch: reviews.Batch, items: Iterable[QueueItem], changed: Mapping[UUID, str] | None = None
) -> None:
    """What was decided together, with one undo, and what was left for a person to look at."""
    number = len(batch.reviews)
    if number:
        address = reverse("admin:analyzer_queueitem_undo_batch", args=(batch.id,))
        undo = decisions.undo_button(address, label="Undo" if number == 1 else f"Undo all {number}")
        messages.success(request, format_html("Decided {} together. {}", decisions.counted(number, "item"), undo))
    left_out = dict(changed or {}) | {analysis.feedback_id: reason for analysis, reason in batch.skipped}
    if left_out:
        reasons = ", ".join(f"{count} {reason}" for reason, count in Counter(left_out.values()).items())
        names = {item.pk: badges.excerpt(item.feedback) for item in items}
        few = "; ".join(f"“{names.get(key, 'an item')}” ({reason})" for key, reason in list(left_out.items())[:3])
        more = ", …" if len(left_out) > 3 else ""
        messages.warning(request, f"Left for you to look at one by one: {reasons}. {few}{more}")
    elif not number:
        messages.warning(request, "Nothing was ticked, so nothing was decided.")


def _is_key(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
