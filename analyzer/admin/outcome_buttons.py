"""The buttons that say what came of a decided item: one click each, with one to take it back."""

from __future__ import annotations

import re
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from analyzer import outcomes, similar
from analyzer.admin import badges, decisions, seen
from analyzer.models import OUTCOME_CHOICES, Event, QueueItem
from analyzer.reviews import Stale
from analyzer.taxonomy import OUTCOME_NAMES, Outcome

REOPEN: Final = "reopen"
_KEY: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def context(item: QueueItem, *, on: str) -> dict[str, Any]:
    """What the buttons need on the page that on names: "item" or "focus". One query for near-copies, if there are."""
    if item.status != QueueItem.Status.DECIDED:
        return {}
    return {
        "outcome_choices": OUTCOME_CHOICES,
        "outcome_from": on,
        "outcome_seen": seen.Seen.of(item).written,
        "copies": similar.others(item, limit=5),
    }


@require_POST
def close(request: HttpRequest, item: UUID) -> HttpResponse:
    """Close a decided item, or reopen it, as the button says."""
    by = decisions.person(request)
    found = get_object_or_404(QueueItem.objects.select_related("feedback", "review"), pk=item)
    chosen = request.POST.get("outcome", "")
    name = badges.excerpt(found.feedback)
    if seen.read(request.POST).get(item) != seen.Seen.of(found) or request.POST.get("was", "") != found.outcome:
        messages.warning(request, f"“{name}” changed while you looked at it, so nothing was stored. Please look again.")
        return decisions.back(request, item)
    try:
        if chosen == REOPEN:
            event = outcomes.reopen(item=found, by=by)
        else:
            event = outcomes.close(item=found, by=by, outcome=chosen, duplicate_of=_original(request, chosen))
    except Stale as stale:
        messages.warning(request, f"“{name}”: {stale}")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        said = "Reopened" if chosen == REOPEN else f"Closed as {OUTCOME_NAMES[Outcome(chosen)].lower()}:"
        address = reverse("admin:analyzer_queueitem_undo_outcome", args=(event.pk,))
        undo = decisions.undo_button(address, act="from", value=request.POST.get("from", ""))
        messages.success(request, format_html("{} “{}”. {}", said, name, undo))
    return decisions.back(request, item)


@require_POST
def undo(request: HttpRequest, event: UUID) -> HttpResponse:
    """Take a slip of the hand back."""
    by = decisions.person(request)
    found = get_object_or_404(Event.objects.select_related("feedback"), pk=event)
    name = badges.excerpt(found.feedback)
    try:
        outcomes.undo(event=found, by=by)
    except Stale as stale:
        messages.warning(request, f"“{name}”: {stale}")
    else:
        messages.success(request, f"Taken back: “{name}” is as it was before.")
    return decisions.back(request, found.feedback_id)


def _original(request: HttpRequest, outcome: str) -> QueueItem | None:
    """The item that a duplicate repeats, by its id anywhere in what was pasted. Raises ValidationError for none."""
    if outcome != Outcome.DUPLICATE:
        return None
    given = request.POST.get("original", "").strip().lower() or request.POST.get("duplicate_of", "")
    key = _KEY.search(given)
    original = QueueItem.objects.filter(pk=UUID(key[0])).first() if key else None
    if original is None:
        raise ValidationError("Say which item it repeats: choose one, or paste the address of its page.")
    return original
