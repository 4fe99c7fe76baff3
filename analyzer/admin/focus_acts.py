"""What the buttons of the focus view do; each calls one write function and says what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import normalize_newlines

from analyzer import claims, events, opinions, reviews
from analyzer.admin import badges, decisions, focus_card
from analyzer.admin.decision_form import FIELDS
from analyzer.admin.focus_form import FocusForm, Shown
from analyzer.admin.rounds import FIRST, SECOND, Round
from analyzer.models import TEXT_MAX, Analysis, QueueItem, Review
from analyzer.reviews import Stale
from analyzer.taxonomy import HARMLESS, Category, Severity

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# Where an act leads: to the next one in line, one place on or back, nowhere, or to the near-copies.
ADVANCE, NEXT, PREVIOUS, STAY, SIMILAR = "advance", "next", "previous", "stay", "similar"
# The same decision of the same person again within this time is an answer that got lost on its way.
REPEATED: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody pressed a button on an item; item is as it stands now."""

    request: HttpRequest
    by: User
    item: QueueItem
    around: Round

    @property
    def note(self) -> str:
        """Raises BadRequest for one that is longer than the page lets anybody write."""
        text = normalize_newlines(self.request.POST.get("note", "")).strip()
        if len(text) > TEXT_MAX:
            raise BadRequest(f"A note has at most {TEXT_MAX} characters.")
        return text

    @property
    def excerpt(self) -> str:
        return badges.excerpt(self.item.feedback)


class Overtaken(Exception):
    """Somebody or something was faster; item is as it stands now, mine are the fields that this person chose."""

    def __init__(self, stale: Stale, item: QueueItem, mine: dict[str, Any]) -> None:
        super().__init__(str(stale))
        self.item, self.mine = item, mine


def perform(act: Act) -> str | FocusForm:
    """Do what the button says. Returns where to go, or the form with what is wrong in it.

    Raises BadRequest for what no page of ours sends, PermissionDenied, or Overtaken.
    """
    verb = str(act.request.POST.get("act", "save"))
    if verb not in _VERBS:
        raise BadRequest("There is no such button.")
    return _VERBS[verb](act)


def _save(act: Act) -> str | FocusForm:
    """What is on the card: a validation when nothing was changed, else an override."""
    analysis, after = decisions.shown(act.request, act.item.pk)
    shown = Shown.read(act.request.POST.get("shown", ""), act.item.pk)
    explicit = act.around.mode != FIRST or not shown.visible
    form = FocusForm(analysis, act.request.POST, labels_only=explicit)
    if not form.is_valid():
        return form
    if explicit:
        mine = {name: form.cleaned_data[name] for name in FIELDS[:2]}
    else:
        mine = {**form.overridden(), "reasons": form.reasons()}
    try:
        return _store(act, analysis, after, shown, {**mine, "note": form.cleaned_data["note"]})
    except ValidationError as error:
        form.add_error(None, error)
        return form


def _save_similar(act: Act) -> str | FocusForm:
    """Save, and go on to the near-copies of what was just decided."""
    went = _save(act)
    return SIMILAR if went == ADVANCE else went


def _noise(act: Act) -> str:
    analysis, after = decisions.shown(act.request, act.item.pk)
    shown = Shown.read(act.request.POST.get("shown", ""), act.item.pk)
    mine = {"category": Category.NOISE.value, "severity": Severity.LOW.value, "note": act.note}
    return _store(act, analysis, after, shown, mine)


def _repeat(act: Act) -> str:
    """The category and severity of the last override once more."""
    analysis, after = decisions.shown(act.request, act.item.pk)
    shown = Shown.read(act.request.POST.get("shown", ""), act.item.pk)
    last = focus_card.mine(act.by).override
    if last is None or act.around.mode != FIRST:
        messages.warning(act.request, "There is no override of yours from today to repeat.")
        return STAY
    mine = {"category": last.category, "severity": last.severity, "note": act.note}
    return _store(act, analysis, after, shown, mine)


def _store(act: Act, analysis: Analysis, after: Review | None, shown: Shown, mine: dict[str, Any]) -> str:
    """Raises Overtaken, unless what is in force is this very decision, of which the answer was lost."""
    try:
        review = _decide(act, analysis, after, shown, mine)
    except Stale as stale:
        now = focus_card.items().get(pk=act.item.pk)
        if _is_mine(now.review, act.by, analysis, mine):
            messages.success(act.request, f"“{act.excerpt}” was stored already.")
            return ADVANCE
        if act.around.mode != FIRST or now.analysis is None:
            _keep_note(act)
            messages.warning(act.request, f"“{act.excerpt}”: {stale}")
            return ADVANCE
        raise Overtaken(stale, now, mine) from stale
    _tell(act, review)
    return ADVANCE


def _decide(act: Act, analysis: Analysis, after: Review | None, shown: Shown, mine: dict[str, Any]) -> Review:
    if act.around.mode == FIRST:
        return reviews.override(
            analysis=analysis,
            by=act.by,
            after=after,
            seconds=shown.seconds,
            suggestion_visible=shown.visible,
            **mine,
        )
    # Somebody who did not see the machine's labels means every one that they name.
    if act.around.mode == SECOND:
        return opinions.give(
            analysis=analysis, by=act.by, seconds=shown.seconds, suggestion_visible=shown.visible, **mine
        )
    act.item.analysis, act.item.review = analysis, after
    return opinions.adjudicate(item=act.item, by=act.by, seconds=shown.seconds, **mine)


def _is_mine(review: Review | None, by: User, analysis: Analysis, mine: dict[str, Any]) -> bool:
    if review is None or review.reviewer_id != by.pk or timezone.now() - review.created_at > REPEATED:
        return False
    category = mine.get("category", analysis.category)
    severity = mine.get("severity", Severity.LOW if category in HARMLESS else analysis.severity)
    asked = (category, severity, mine.get("note", ""), mine.get("reasons") or {})
    stored = (review.category, review.severity, review.note, review.reasons)
    return (
        review.analysis_id == analysis.pk
        and stored == asked
        # What was not asked for is as the machine said it, or was not judged.
        and review.action in ((mine["action"],) if "action" in mine else (analysis.action, ""))
        and review.priority in ((mine["priority"],) if "priority" in mine else (analysis.priority, None))
    )


def _tell(act: Act, review: Review) -> None:
    if review.role == Review.Role.FIRST:
        decisions.tell(act.request, review)
        return
    address = act.around.address("undo", act.item.pk)
    first = review.replaces
    if review.role == Review.Role.ADJUDICATION:
        said = "Settled"
    elif first is not None and (first.category, first.severity) == (review.category, review.severity):
        said = "You agree on"
    else:
        said = "You disagree on"
    other = f"; the first decision was {focus_card.labels(first)}" if first else ""
    messages.success(
        act.request,
        format_html(
            "{} “{}” as {}{}. {}",
            said,
            act.excerpt,
            focus_card.labels(review),
            other,
            decisions.undo_button(address, review=review),
        ),
    )


def _skip(act: Act) -> str:
    _keep_note(act)
    if act.around.mode != FIRST:
        return NEXT
    claims.skip(item=act.item, by=act.by)
    _offer(act, f"Skipped “{act.excerpt}”: it comes back after the others.", "return")
    return ADVANCE


def _ask(act: Act) -> str:
    """I do not know: somebody else should decide."""
    try:
        opinions.ask(item=act.item, by=act.by, text=act.note)
    except Stale as stale:
        messages.warning(act.request, f"“{act.excerpt}”: {stale}")
        return STAY
    _offer(act, f"Left “{act.excerpt}” to somebody else.", "withdraw")
    return ADVANCE


def _withdraw(act: Act) -> str:
    try:
        opinions.withdraw(item=act.item, by=act.by)
    except Stale as stale:
        messages.warning(act.request, f"“{act.excerpt}”: {stale}")
    return STAY


def _note(act: Act) -> str:
    if not act.note:
        messages.warning(act.request, "The note is empty.")
    else:
        _keep_note(act)
        messages.success(act.request, "Note kept; the history shows it.")
    return STAY


def _take_over(act: Act) -> str:
    if not claims.take_over(item=act.item, by=act.by):
        messages.warning(act.request, "Somebody else was faster.")
    return STAY


def _keep_theirs(act: Act) -> str:
    messages.success(act.request, f"“{act.excerpt}” stays as it is.")
    return ADVANCE


def _go(where: str) -> Callable[[Act], str]:
    def go(act: Act) -> str:
        _keep_note(act)
        return where

    return go


def _keep_note(act: Act) -> None:
    """What was written and not sent is kept with the item rather than lost."""
    if act.note:
        events.add_note(item=act.item, by=act.by, text=act.note)


def _offer(act: Act, said: str, undo: str) -> None:
    """Say what happened, with a button that takes it back."""
    address = act.around.address("focus", act.item.pk)
    messages.success(act.request, format_html("{} {}", said, decisions.undo_button(address, act="act", value=undo)))


_VERBS: Final[dict[str, Callable[[Act], str | FocusForm]]] = {
    "save": _save,
    "save-similar": _save_similar,
    "noise": _noise,
    "repeat": _repeat,
    "skip": _skip,
    "ask": _ask,
    "withdraw": _withdraw,
    "return": _go(STAY),
    "note": _note,
    "next": _go(NEXT),
    "previous": _go(PREVIOUS),
    "take-over": _take_over,
    "keep-theirs": _keep_theirs,
}
