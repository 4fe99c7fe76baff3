"""The public pages: the form, its thanks, and the widget on show."""

from __future__ import annotations

import logging
import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import normalize_newlines
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from feedback import client, intake, limits, outages, pages
from feedback.forms import RATINGS, FeedbackForm
from feedback.models import COMMENT_MAX

logger = logging.getLogger(__name__)


# Private: each copy of the form has its own identity, and a shared one would merge what two visitors say.
@cache_control(private=True)
@require_http_methods(["GET", "HEAD", "POST"])
def form(request: HttpRequest) -> HttpResponse:
    """Shows the form and takes it; what was typed survives every error."""
    if request.method != "POST":
        return _show(request, FeedbackForm(initial={"page": pages.detect(request)}))

    said = request.POST.copy()
    # Browsers send a line break as two characters; the visitor was shown, and typed, one.
    said["comment"] = normalize_newlines(said.get("comment", ""))
    filled = FeedbackForm(said)
    try:
        return _take(request, said, filled)
    except Exception as error:
        if not outages.is_one(error):
            raise
        logger.exception("a submission could not be stored")
        filled.add_error(None, f"{outages.SENTENCE} Your text is kept below.")
        return outages.mark(_show(request, filled, status=503))


def _take(request: HttpRequest, said: QueryDict, filled: FeedbackForm) -> HttpResponse:
    client_key = client.daily_key(request)
    if wait := limits.check(client_key):
        filled.add_error(None, f"{limits.explain(wait)} Your text is kept below.")
        response = _show(request, filled, status=429)
        response["Retry-After"] = str(wait)
        return response
    try:
        once = _once(said)
        receipt = intake.receive(form=filled, source="form", external_id=str(once), client_key=client_key)
        if not receipt.same:
            # Sent, then changed after going back: another thing to say. A second click on it is not.
            changed = uuid.uuid5(once, receipt.digest)
            intake.receive(form=filled, source="form", external_id=str(changed), client_key=client_key)
    except intake.Refused:
        return _show(request, filled, status=422)
    page = _page(filled, request)
    return redirect(reverse("feedback:thanks", query={"page": page} if page else None))


@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    """Says that it arrived, and leads back to where the visitor was."""
    page = pages.address(request.GET.get("page", ""), own_host=request.get_host())
    return render(request, "feedback/thanks.html", {"page": page, "way_back": pages.way_back(page, request)})


@require_safe
def widget(request: HttpRequest) -> HttpResponse:
    """The widget at work on a page of ours, with the line that puts it on another."""
    # Never through {% static %}: the name with a hash changes at each release, the line on other sites does not.
    address = request.build_absolute_uri(f"{settings.STATIC_URL}feedback/widget.js")
    origin = f"{request.scheme}://{request.get_host()}"
    return render(request, "feedback/widget.html", {"address": address, "origin": origin})


def _show(request: HttpRequest, form: FeedbackForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "page": _page(form, request),
        "ratings": sorted(RATINGS),
        "comment_max": COMMENT_MAX,
        "once": form.data.get("once") or uuid.uuid4(),
    }
    return render(request, "feedback/form.html", context, status=status)


def _page(form: FeedbackForm, request: HttpRequest) -> str:
    return pages.address(form["page"].value() or "", own_host=request.get_host())


def _once(said: QueryDict) -> uuid.UUID:
    """The identity this copy of the form was given when it was shown, so that a double click stores one row."""
    try:
        return uuid.UUID(said.get("once", ""))
    except ValueError:
        return uuid.uuid4()
