"""The buttons: each is a POST that calls one write function, says what happened, and goes back to where one was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from analyzer import analyses, reviews, roles
from analyzer.admin import badges, seen
from analyzer.admin.rounds import DISPUTE, FIRST, LIST_FIELD, SECOND, Round
from analyzer.models import Analysis, QueueItem, Review
from analyzer.reviews import Stale

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# The form in base_site.html that a button in a message belongs to.
FORM = "desk-form"


def person(request: HttpRequest) -> User:
    """Who asks, if they may decide; raises PermissionDenied."""
    if not request.user.has_perm(roles.DECIDE):
        raise PermissionDenied("Only a reviewer may decide.")
    return cast("User", request.user)


def shown(request: HttpRequest, item: UUID) -> tuple[Analysis, Review | None]:
    """The analysis and the decision that the page showed of an item. Raises BadRequest when it did not say."""
    before = seen.read(request.POST).get(item)
    if before is None or before.analysis is None:
        raise BadRequest("The page did not say which analysis was shown.")
    analysis = get_object_or_404(Analysis.objects.select_related("feedback"), pk=before.analysis, feedback=item)
    after = get_object_or_404(Review, pk=before.review, feedback=item) if before.review else None
    return analysis, after


@require_POST
def decide(request: HttpRequest, item: UUID) -> HttpResponse:
    """One click in the list: validate, or override the field that the button names."""
    by = person(request)
    analysis, after = shown(request, item)
    try:
        review = reviews.override(
            analysis=analysis,
            by=by,
            category=request.POST.get("category") or None,
            severity=request.POST.get("severity") or None,
            after=after,
        )
    except Stale as stale:
        tell_stale(request, analysis, stale)
    except ValidationError as error:
        raise BadRequest("; ".join(error.messages)) from error
    else:
        tell(request, review)
    return to_list(request, at=seen.neighbour(request.POST, item))


@require_POST
def undo(request: HttpRequest, item: UUID) -> HttpResponse:
    """Take one decision back."""
    by = person(request)
    try:
        key = UUID(request.POST.get("review", ""))
    except ValueError as error:
        raise BadRequest("The page did not say which decision to take back.") from error
    review = get_object_or_404(Review.objects.select_related("feedback", "replaces"), pk=key, feedback=item)
    try:
        after = reviews.undo(review=review, by=by)
    except Stale as stale:
        messages.warning(request, str(stale))
    else:
        messages.success(request, f"Taken back: “{badges.excerpt(review.feedback)}” {_after_undo(review, after)}.")
    return back(request, item, role=review.role)


def _after_undo(review: Review, item: QueueItem) -> str:
    if review.role == Review.Role.SECOND:
        return "wants a second opinion again"
    if review.role == Review.Role.ADJUDICATION:
        return "is disputed again"
    return "needs a decision again" if item.status == QueueItem.Status.OPEN else "is decided as it was before"


@require_POST
def undo_batch(request: HttpRequest, batch: UUID) -> HttpResponse:
    """Take back what is still in force of decisions that were made together."""
    undone = reviews.undo_batch(batch=batch, by=person(request))
    if undone:
        messages.success(request, f"Taken back: {counted(undone, 'decision')}.")
    else:
        messages.warning(request, "Nothing of it was in force any more, so nothing was taken back.")
    if request.POST.get("from") == "focus":
        return HttpResponseRedirect(Round.of(request.POST).address())
    return to_list(request)


@require_POST
def retry(request: HttpRequest, item: UUID) -> HttpResponse:
    """Ask for another analysis of one item."""
    person(request)
    found = get_object_or_404(QueueItem.objects.select_related("feedback"), pk=item)
    if analyses.request(items=QueueItem.objects.filter(pk=item)):
        messages.success(request, f"“{badges.excerpt(found.feedback)}” will be analysed again.")
    else:
        messages.warning(request, f"“{badges.excerpt(found.feedback)}” is waiting for its analysis already.")
    return back(request, item)


def tell(request: HttpRequest, review: Review) -> None:
    """Say what was decided, with a button that takes it back."""
    analysis = review.analysis
    kept = review.provenance != Review.Provenance.OVERRIDDEN
    messages.success(
        request,
        format_html(
            "{} “{}” as {}/{}{} (reward {}). {}",
            "Validated" if kept else "Overrode",
            badges.excerpt(review.feedback),
            review.category,
            review.severity,
            "" if kept or analysis is None else f", was {analysis.category}/{analysis.severity}",
            f"{review.reward_total:.2f}",
            undo_button(reverse("admin:analyzer_queueitem_undo", args=(review.feedback_id,)), review=review),
        ),
    )


def tell_stale(request: HttpRequest, analysis: Analysis, stale: Stale) -> None:
    """Say that somebody or something was faster, and about which item."""
    messages.warning(request, f"“{badges.excerpt(analysis.feedback)}”: {stale}")


def undo_button(
    address: str, *, review: Review | None = None, label: str = "Undo", act: str = "", value: str = ""
) -> SafeString:
    """A button for a message; it sends the form that every page of the desk has: the review, or another act."""
    return format_html(
        '<button type="submit" class="undo" form="{}" formaction="{}" name="{}" value="{}" data-key="z">{}'
        ' <kbd aria-hidden="true">z</kbd></button>',
        FORM,
        address,
        act or "review",
        review.pk if review else value,
        label,
    )


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def back(request: HttpRequest, item: UUID, *, role: str = Review.Role.FIRST) -> HttpResponse:
    """To the page of the item where the button was there, to the focus view, or to the list.

    role is that of a decision taken back: the focus view then asks for another one of its kind.
    """
    if request.POST.get("from") == "focus":
        mode = {Review.Role.SECOND.value: SECOND, Review.Role.ADJUDICATION.value: DISPUTE}.get(role, FIRST)
        return HttpResponseRedirect(replace(Round.of(request.POST), mode=mode).address("focus", item))
    if request.POST.get("from") == "item":
        return HttpResponseRedirect(with_list(reverse("admin:analyzer_queueitem_change", args=(item,)), request.POST))
    return to_list(request, at=item)


def to_list(request: HttpRequest, *, at: UUID | None = None) -> HttpResponse:
    """To the list with its filters and page, at the line of an item."""
    query = QueryDict(request.POST.get(LIST_FIELD, "")).urlencode()
    address = reverse("admin:analyzer_queueitem_changelist")
    return HttpResponseRedirect(address + (f"?{query}" if query else "") + (f"#item-{at}" if at else ""))


def with_list(address: str, data: QueryDict) -> str:
    """An item's address that remembers which list it was opened from, the way the admin itself writes it."""
    filters = QueryDict(mutable=True)
    if data.get(LIST_FIELD):
        filters[LIST_FIELD] = str(data[LIST_FIELD])
    return f"{address}?{filters.urlencode()}" if filters else address
