"""The focus view: one item at a time, decided by a key, without losing one's place or anybody's word.

Every button is a POST that redirects to the item that comes next, so all of it works without JavaScript; with it the
same answers are fetched and put in place of the card.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from analyzer import claims, opinions, roles, similar
from analyzer.admin import badges, bulk, decisions, focus_acts, focus_card, focus_summary, saved_views
from analyzer.admin.filters import StatusFilter
from analyzer.admin.focus_acts import Act, Overtaken
from analyzer.admin.focus_form import FocusForm, Shown
from analyzer.admin.rounds import DISPUTE, FIRST, SECOND, Round
from analyzer.models import DeskPreference, QueueItem

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from analyzer.admin.queue import QueueItemAdmin

# The script asks for the card alone, and puts it where the last one was.
FRAGMENT: Final = "X-Desk-Fragment"
TEMPLATES: Final = "admin/analyzer/queueitem"


class FocusViews:
    """The pages of the focus view; desk is the admin of the queue, whose site and filters they share."""

    def __init__(self, desk: QueueItemAdmin) -> None:
        self.desk = desk

    @property
    def urls(self) -> list[URLPattern]:
        own = (
            ("review/", self.open_next, "review"),
            ("review/done/", self.done, "done"),
            ("review/keys/", self.keys, "keys"),
            ("review/disputes/", self.disputes, "disputes"),
            ("review/<uuid:item>/", self.item, "focus"),
            ("review/<uuid:item>/similar/", self.similar, "similar"),
            ("review/<uuid:item>/renew/", require_POST(self.renew), "renew"),
        )
        wrap = self.desk.admin_site.admin_view
        return [path(route, wrap(never_cache(view)), name=f"analyzer_queueitem_{name}") for route, view, name in own]

    def open_next(self, request: HttpRequest) -> HttpResponse:
        """To the first item that is free, or to the summary."""
        return self._advance(request, decisions.person(request), Round.of(request.GET))

    def item(self, request: HttpRequest, item: UUID) -> HttpResponse:
        """GET shows one item and claims it; POST acts on it and goes on to the next."""
        by = decisions.person(request)
        around = Round.of(request.POST or request.GET)
        found = focus_card.items().filter(pk=item).first()
        if found is None:
            messages.error(request, "There is no such item; it may have been deleted.")
            return self._advance(request, by, around)
        if request.method != "POST":
            return self._show(request, by, found, around)
        act = Act(request, by, found, around)
        try:
            went = focus_acts.perform(act)
        except Overtaken as overtaken:
            return self._show_both(request, found, around, overtaken)
        if isinstance(went, FocusForm):
            return self._show(request, by, found, around, form=went)
        if went == focus_acts.SIMILAR:
            return HttpResponseRedirect(around.address("similar", found.pk))
        if went == focus_acts.STAY:
            return HttpResponseRedirect(around.address("focus", found.pk))
        if went in (focus_acts.NEXT, focus_acts.PREVIOUS):
            return self._move(request, by, found, around, forth=went == focus_acts.NEXT)
        return self._advance(request, by, around, after=found)

    def renew(self, request: HttpRequest, item: UUID) -> HttpResponse:
        """Keep a claim while the person is at work: how many seconds it has now, or 409 and who has it instead."""
        by = decisions.person(request)
        found = focus_card.items().filter(pk=item).first()
        if found is not None and claims.renew(item=found, by=by):
            return JsonResponse({"left": _left(found)})
        held = found.claimed_by if found and found.claimed else None
        said = f"{held} took this item over. " if held else "This item is not yours any more. "
        return JsonResponse({"text": f"{said}Nothing is lost: you can still decide it."}, status=409)

    def similar(self, request: HttpRequest, item: UUID) -> HttpResponse:
        """GET shows which near-copies of a decided item would be decided alike; POST decides what was left ticked."""
        by = decisions.person(request)
        around = Round.of(request.POST or request.GET)
        found = get_object_or_404(focus_card.items(), pk=item)
        if found.review is None:
            messages.warning(
                request, f"“{badges.excerpt(found.feedback)}” is not decided, so there is nothing to repeat."
            )
            return HttpResponseRedirect(around.address("focus", found.pk))
        if request.method == "POST":
            return self._decide_similar(request, by, found, around)
        shown = similar.preview(item=found, by=by)
        if not shown.fit:
            messages.info(request, "None of the similar ones is waiting for a decision that could be made alike.")
            return self._advance(request, by, around, after=found)
        members = [*shown.fit, *(member for member, _ in shown.left_out)]
        context = {
            **bulk.context(bulk.lines(members, by, {member.pk: why for member, why in shown.left_out})),
            "round": around,
            "review": found.review,
            "excerpt": badges.excerpt(found.feedback),
            "action": around.address("similar", found.pk),
            "back": around.address(),
            "back_name": "Next item",
        }
        return self.page(request, "focus_bulk.html", "Decide the similar ones alike?", context)

    def _decide_similar(self, request: HttpRequest, by: User, item: QueueItem, around: Round) -> HttpResponse:
        review = item.review
        if review is None or request.POST.get("review") != str(review.pk):
            messages.warning(request, "The decision to repeat does not count any more, so nothing was stored.")
            return HttpResponseRedirect(around.address("focus", item.pk))
        keys = request.POST.getlist("_selected_action")
        members = similar.preview(item=item, by=by).fit
        chosen, changed = bulk.chosen(request, [member for member in members if str(member.pk) in keys])
        only = {member.pk for member in chosen} - changed.keys()
        bulk.tell(request, similar.decide_all(item=item, by=by, review=review, only=only), chosen, changed)
        return self._advance(request, by, around, after=item)

    def done(self, request: HttpRequest) -> HttpResponse:
        """The end of the line: what this person did today, and what else there is to do."""
        by = decisions.person(request)
        around = Round.of(request.GET)
        waiting = claims.ready(self._chosen(request, around.filters))
        context = focus_summary.context(by, waiting=waiting) | {"round": around}
        return self.page(request, "focus_done.html", "Done for now", context)

    def disputes(self, request: HttpRequest) -> HttpResponse:
        """What two people disagree about, with both opinions, for a third to settle."""
        by = decisions.person(request)
        roles.require_adjudicator(by)
        return self.page(request, "focus_disputes.html", "Disputes", focus_summary.disputes(by))

    def keys(self, request: HttpRequest) -> HttpResponse:
        """Every key, and what one person likes; POST keeps it."""
        by = decisions.person(request)
        if request.method == "POST":
            given = {name: request.POST.get(name) == "on" for name in ("keys", "suggestion")}
            DeskPreference.objects.update_or_create(user=by, defaults=given)
            messages.success(request, "Kept.")
            back = request.POST.get("back", "")
            if not url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
                back = request.get_full_path()
            return HttpResponseRedirect(back)
        return self.page(request, "focus_keys.html", "Keys and preferences", {"preference": preference(by)})

    def _show(
        self,
        request: HttpRequest,
        by: User,
        item: QueueItem,
        around: Round,
        *,
        form: FocusForm | None = None,
    ) -> HttpResponse:
        if refusal := focus_card.refusal(item, by, around.mode):
            messages.warning(request, f"“{badges.excerpt(item.feedback)}”: {refusal}")
            return self._advance(request, by, around)
        liked = preference(by)
        state = focus_card.state(item, by, around.mode)
        hidden = around.mode == SECOND or not (liked.suggestion or request.GET.get("suggestion") == "1")
        # A second opinion is blind in every state: what is read while somebody else has the item is known afterwards.
        blind = hidden and (around.mode == SECOND or (around.mode == FIRST and state == focus_card.DECIDE))
        if state == focus_card.DECIDE and form is None and item.analysis:
            form = FocusForm(item.analysis, labels_only=blind or around.mode != FIRST)
        context = {
            **focus_card.context(item, by, state=state, form=form, blind=blind),
            "place": focus_card.place(item, self._line(request, by, around), by),
            "round": around,
            "shown": Shown.now(item.pk, visible=not blind).written,
            "left": _left(item),
            "preference": liked,
        }
        status = 422 if form is not None and form.errors else 200
        return self.page(request, "focus_item.html", focus_card.heading(item), context, status=status)

    def _show_both(self, request: HttpRequest, item: QueueItem, around: Round, overtaken: Overtaken) -> HttpResponse:
        """What somebody else stored meanwhile beside what this person chose; nothing is lost."""
        context = focus_card.both(overtaken.item, overtaken.mine) | {
            "round": around,
            "why": str(overtaken),
            "shown": request.POST.get("shown", ""),
        }
        return self.page(request, "focus_both.html", "Somebody was faster", context, status=409)

    def _advance(
        self, request: HttpRequest, by: User, around: Round, *, after: QueueItem | None = None
    ) -> HttpResponse:
        """To the item behind after where the person had moved by hand, else to the first; to the summary if none."""
        line = self._line(request, by, around)
        found = _behind(line, after, by, around.mode) if around.moved and after else None
        if found is None:
            around = replace(around, moved=False)
            found = _behind(line, None, by, around.mode)
        if found is None:
            return HttpResponseRedirect(around.address("disputes" if around.mode == DISPUTE else "done"))
        return HttpResponseRedirect(around.address("focus", found.pk))

    def _move(self, request: HttpRequest, by: User, item: QueueItem, around: Round, *, forth: bool) -> HttpResponse:
        """To the next or the previous item without a decision, giving this one free."""
        line = self._line(request, by, around)
        found = (_behind if forth else _in_front)(line, item, by, around.mode)
        if found is None:
            messages.info(request, f"There is nothing {'behind' if forth else 'in front of'} this item.")
            return HttpResponseRedirect(around.address("focus", item.pk))
        claims.release(item=item, by=by)
        return HttpResponseRedirect(replace(around, moved=True).address("focus", found.pk))

    def _line(self, request: HttpRequest, by: User, around: Round) -> QuerySet[QueueItem]:
        """What this round goes through, most important first."""
        if around.mode == SECOND:
            return opinions.waiting_for(by)
        if around.mode == DISPUTE:
            return opinions.disputed().exclude(feedback__reviews__reviewer=by)
        return claims.ready(self._chosen(request, around.filters))

    def _chosen(self, request: HttpRequest, filters: str) -> QuerySet[QueueItem] | None:
        """The items of a filtered list, by the list's own rules; None without filters."""
        query = QueryDict(saved_views.clean(filters), mutable=True)
        query.pop(StatusFilter.parameter_name, None)
        if not query:
            return None
        asked = copy.copy(request)
        asked.GET = QueryDict(query.urlencode())
        return cast("QuerySet[QueueItem]", self.desk.get_changelist_instance(asked).queryset)

    def page(
        self, request: HttpRequest, template: str, title: str, context: dict[str, Any], *, status: int = 200
    ) -> HttpResponse:
        """The whole page, or for the script what changes of it."""
        given = {**context, "title": title, "part": f"{TEMPLATES}/{template}", "opts": self.desk.opts}
        whole = request.headers.get(FRAGMENT) is None
        if whole:
            given = {**self.desk.admin_site.each_context(request), **given, "media": self.desk.media}
            given.setdefault("preference", preference(decisions.person(request)))
        response = TemplateResponse(request, f"{TEMPLATES}/focus{'' if whole else '_part'}.html", given, status=status)
        patch_vary_headers(response, (FRAGMENT,))
        return response


def preference(by: User) -> DeskPreference:
    """What the person likes; nobody needs a row."""
    return DeskPreference.objects.filter(user=by).first() or DeskPreference(user=by)


def _behind(line: QuerySet[QueueItem], item: QueueItem | None, by: User, mode: str) -> QueueItem | None:
    """The first free item behind this one, or of all, claimed."""
    if mode == FIRST:
        return claims.next_item(by=by, after=item, items=line)
    if item is not None:
        line = line.filter(Q(rank__gt=item.rank) | Q(rank=item.rank, pk__lt=item.pk))
    return claims.hand_out(items=line, by=by)


def _in_front(line: QuerySet[QueueItem], item: QueueItem, by: User, mode: str) -> QueueItem | None:
    """The last free item in front of this one, claimed."""
    if mode == FIRST:
        return claims.previous_item(by=by, before=item, items=line)
    ahead = line.filter(Q(rank__lt=item.rank) | Q(rank=item.rank, pk__gt=item.pk))
    return claims.hand_out(items=ahead.order_by(*claims.BACKWARD), by=by)


def _left(item: QueueItem) -> int:
    """Seconds that a claim lasts."""
    return max(0, int((item.claimed_until - timezone.now()).total_seconds())) if item.claimed_until else 0
