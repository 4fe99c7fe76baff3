"""Filters of the queue under a name, so that nobody builds the same list twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from analyzer.admin.filters import QUEUE_FILTERS, OneOf
from analyzer.models import SavedView

if TYPE_CHECKING:
    from django.contrib.auth.models import User

SHARE: Final = "analyzer.share_savedview"
# As many as fit above the list; who needs more needs a better filter.
OWN_MAX: Final = 12
SHARED_MAX: Final = 24
SEARCH_MAX: Final = 200

_OPTIONS: Final[dict[str, type[OneOf]]] = {each.parameter_name or "": each for each in QUEUE_FILTERS}


@dataclass(frozen=True, slots=True)
class Tab:
    """One saved view as one person sees it above the list."""

    view: SavedView
    address: str
    current: bool
    mine: bool
    may_delete: bool


def clean(query: str) -> str:
    """The filters and the search of a query string in one order, nothing else of it: no page, no foreign parameter."""
    given = QueryDict(query)
    kept = QueryDict(mutable=True)
    for name, filters in _OPTIONS.items():
        if filters.accepts(value := given.get(name, "")):
            kept[name] = value
    if search := given.get(SEARCH_VAR, "").strip()[:SEARCH_MAX]:
        kept[SEARCH_VAR] = search
    return kept.urlencode()


def context(request: HttpRequest) -> dict[str, Any]:
    """What the list shows of saved views; one query."""
    by = cast("User", request.user)
    now = clean(request.GET.urlencode())
    may_share = by.has_perm(SHARE)
    seen = SavedView.objects.filter(Q(owner=by) | Q(shared=True)).select_related("owner").defer("owner__password")
    address = reverse("admin:analyzer_queueitem_changelist")
    tabs = [
        Tab(
            view=view,
            address=f"{address}?{clean(view.query)}",
            current=view.query == now,
            mine=view.owner_id == by.pk,
            may_delete=_may_delete(by, view, may_share=may_share),
        )
        for view in seen[: OWN_MAX + SHARED_MAX]
    ]
    return {
        "tabs": tabs,
        "deletable": [tab for tab in tabs if tab.may_delete],
        "query": now,
        "may_share": may_share,
    }


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep the filters of the list under a name; a name that one has used already gets the new filters."""
    by = _viewer(request)
    query = clean(request.POST.get("query", ""))
    name = " ".join(request.POST.get("view", "").split())
    shared = request.POST.get("shared") == "on"
    if shared and not by.has_perm(SHARE):
        raise PermissionDenied("Only a manager may show a view to everybody.")
    before = SavedView.objects.filter(owner=by, name=name).first()
    view = before or SavedView(owner=by, name=name)
    view.query, view.shared = query, shared
    try:
        _check(view)
    except ValidationError as error:
        messages.error(request, f"Nothing was saved. {' '.join(error.messages)}")
    else:
        view.save()
        whom = "for everybody" if shared else "for you"
        messages.success(request, f"{'Changed' if before else 'Saved'} the view “{name}” {whom}.")
    return _to_list(query)


@require_POST
def delete(request: HttpRequest, view: UUID) -> HttpResponse:
    """Remove a view of one's own, or a shared one where one may share."""
    by = _viewer(request)
    found = get_object_or_404(SavedView.objects.filter(Q(owner=by) | Q(shared=True)), pk=view)
    if not _may_delete(by, found, may_share=by.has_perm(SHARE)):
        raise PermissionDenied("This view belongs to somebody else.")
    found.delete()
    messages.success(request, f"Deleted the view “{found.name}”.")
    return _to_list(clean(request.POST.get("query", "")))


def _check(view: SavedView) -> None:
    """Raises ValidationError where there is nothing to save, no name, or no room."""
    if not view.query:
        raise ValidationError("Choose a filter or search for something first.")
    view.full_clean(exclude=("owner",), validate_unique=False, validate_constraints=False)
    others = SavedView.objects.exclude(pk=view.pk)
    if others.filter(owner=view.owner).count() >= OWN_MAX:
        raise ValidationError(f"You have {OWN_MAX} views already; delete one first.")
    if view.shared and others.filter(shared=True).count() >= SHARED_MAX:
        raise ValidationError(f"There are {SHARED_MAX} shared views already; delete one first.")


def _viewer(request: HttpRequest) -> User:
    if not request.user.has_perm("analyzer.view_queueitem"):
        raise PermissionDenied
    return cast("User", request.user)


def _may_delete(by: User, view: SavedView, *, may_share: bool) -> bool:
    return view.owner_id == by.pk or (view.shared and may_share)


def _to_list(query: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:analyzer_queueitem_changelist") + (f"?{query}" if query else ""))
