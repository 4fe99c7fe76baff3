"""The queue: the list that staff work in, and the page of one item."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.forms import Script
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import normalize_newlines
from django.views.decorators.http import require_POST

from analyzer import analyses, events, reviews, roles
from analyzer.admin import badges, bulk, decisions, detail, export, outcome_buttons, overview, saved_views, seen
from analyzer.admin.decision_form import DecisionForm
from analyzer.admin.filters import QUEUE_FILTERS
from analyzer.admin.focus import FocusViews, preference
from analyzer.admin.rounds import LIST_FIELD
from analyzer.admin.rows import Row
from analyzer.models import TEXT_MAX, QueueItem
from analyzer.reviews import Stale
from feedback import search
from feedback.admin_base import ReadOnlyAdmin

# What a line does not show is not read: weights and traces are megabytes.
NOT_IN_LIST = (
    "feedback__client_key",
    "feedback__digest",
    "feedback__page_title",
    "feedback__viewport",
    "analysis__trace",
    "analysis__usage",
    "analysis__quality",
    "analysis__evidence",
    "analysis__category_probabilities",
    "analysis__severity_probabilities",
    "analysis__version__weights",
    "analysis__version__prompt",
    "analysis__version__calibration",
    "analysis__version__metrics",
    "review__note",
    "review__reasons",
    "review__reviewer__password",
    "claimed_by__password",
)


@admin.register(QueueItem)
class QueueItemAdmin(ReadOnlyAdmin):
    """Nothing is edited here: the buttons add decisions, which the projection follows."""

    list_title = "Queue"
    change_list_template = "admin/analyzer/queueitem/change_list.html"
    list_per_page = 25
    list_filter = QUEUE_FILTERS
    ordering = ("rank",)
    search_fields = ("feedback__comment", "feedback__page")
    search_help_text = search.HELP
    actions = ("validate_selected", "analyse_again")

    class Media:
        css = {"all": ("analyzer/queue.css", "analyzer/focus.css")}
        js = (Script("analyzer/queue.js", defer=True), Script("analyzer/keys.js", defer=True))

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.DECIDE)

    def get_queryset(self, request: HttpRequest) -> QuerySet[QueueItem]:
        rows = QueueItem.objects.select_related(
            "feedback", "group", "analysis__version", "review__reviewer", "claimed_by"
        )
        return rows.defer(*NOT_IN_LIST)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[QueueItem], search_term: str
    ) -> tuple[QuerySet[QueueItem], bool]:
        if not search_term:
            return queryset, False
        return search.narrow(queryset, search_term, of=self.get_queryset(request), path="feedback__"), False

    def get_urls(self) -> list[URLPattern]:
        own = (
            ("<uuid:item>/decide/", decisions.decide, "decide"),
            ("<uuid:item>/undo/", decisions.undo, "undo"),
            ("<uuid:item>/retry/", decisions.retry, "retry"),
            ("<uuid:item>/close/", outcome_buttons.close, "close"),
            ("undo-outcome/<uuid:event>/", outcome_buttons.undo, "undo_outcome"),
            ("validate-batch/", require_POST(bulk.accept), "validate_batch"),
            ("undo-batch/<uuid:batch>/", decisions.undo_batch, "undo_batch"),
            ("views/save/", saved_views.save, "save_view"),
            ("views/<uuid:view>/delete/", saved_views.delete, "delete_view"),
            ("export/", partial(export.view, model_admin=self), "export"),
        )
        return [
            *FocusViews(self).urls,
            *(
                path(route, self.admin_site.admin_view(view), name=f"analyzer_queueitem_{name}")
                for route, view, name in own
            ),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may_decide = self.has_decide_permission(request)
        response = super().changelist_view(
            request,
            {
                **(extra_context or {}),
                "may_decide": may_decide,
                "list_query": request.GET.urlencode(),
                "worker": overview.late_worker(),
                "views": saved_views.context(request),
                "preference": preference(decisions.person(request)) if may_decide else None,
            },
        )
        if isinstance(response, TemplateResponse) and response.context_data:
            shown = response.context_data.get("cl")
            response.context_data["rows"] = [Row(item, may_decide) for item in shown.result_list] if shown else []
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            item = detail.items().get(pk=UUID(unquote(object_id)))
        except (QueueItem.DoesNotExist, ValueError):
            messages.error(request, "There is no such item; it may have been deleted.")
            return decisions.to_list(request)
        may_decide = self.has_decide_permission(request)
        form = None
        if request.method == "POST":
            decisions.person(request)
        if item.analysis and may_decide:
            form = DecisionForm(item.analysis, item.review, request.POST if request.method == "POST" else None)
            if request.method == "POST" and self._decide(request, item, form):
                return decisions.to_list(request, at=detail.following(item))
        elif request.method == "POST":
            self._refuse(request, item)
        list_query = (request.POST or request.GET).get(LIST_FIELD, "")
        return TemplateResponse(
            request,
            "admin/analyzer/queueitem/change_form.html",
            {
                **self.admin_site.each_context(request),
                **detail.context(item, may_decide=may_decide),
                **outcome_buttons.context(item, on="item"),
                **(extra_context or {}),
                "title": badges.excerpt(item.feedback),
                "opts": self.opts,
                "media": self.media,
                "form": form,
                "list_query": list_query,
                "preference": preference(decisions.person(request)) if may_decide else None,
            },
        )

    @admin.action(description="Validate selected …", permissions=("decide",))
    def validate_selected(self, request: HttpRequest, queryset: QuerySet[QueueItem]) -> HttpResponse:
        by = decisions.person(request)
        query = QueryDict(request.POST.get(LIST_FIELD, "")).urlencode()
        address = reverse("admin:analyzer_queueitem_changelist")
        items, changed = bulk.chosen(request, queryset)
        context = {
            **bulk.context(bulk.lines(items, by, changed)),
            "list_query": query,
            "action": reverse("admin:analyzer_queueitem_validate_batch"),
            "back": f"{address}?{query}" if query else address,
            "back_name": "Queue",
        }
        return FocusViews(self).page(request, "focus_bulk.html", "Validate together?", context)

    @admin.action(description="Analyse again", permissions=("decide",))
    def analyse_again(self, request: HttpRequest, queryset: QuerySet[QueueItem]) -> None:
        chosen = queryset.filter(pk__in=seen.read(request.POST))
        asked = analyses.request(items=chosen)
        if asked:
            messages.success(request, f"{decisions.counted(asked, 'item')} will be analysed again.")
        else:
            messages.warning(request, "They are waiting for their analysis already.")

    def _refuse(self, request: HttpRequest, item: QueueItem) -> None:
        """Say that the analysis is gone which the page showed: the words were edited. A note is kept with the item."""
        if note := normalize_newlines(request.POST.get("note", "")).strip()[:TEXT_MAX]:
            events.add_note(item=item, by=decisions.person(request), text=note)
        messages.warning(request, "The item changed while you looked at it, so nothing was decided. Please look again.")

    def _decide(self, request: HttpRequest, item: QueueItem, form: DecisionForm) -> bool:
        """Store what the form says; False when it must be shown again, with the reasons in it."""
        analysis, by = form.analysis, decisions.person(request)
        shown = seen.read(request.POST).get(item.pk)
        if shown != seen.Seen.of(item):
            form.add_error(None, "The item changed while you looked at it, so nothing was stored. Please look again.")
            return False
        keep = request.POST.get("verdict") == "validate"
        if not form.is_valid() and not (keep and set(form.errors) <= {*form.fields} - {"note"}):
            return False
        note = form.cleaned_data.get("note", "")
        try:
            if keep:
                review = reviews.validate(analysis=analysis, by=by, after=item.review, note=note)
            else:
                review = reviews.override(
                    analysis=analysis, by=by, after=item.review, note=note, reasons=form.reasons(), **form.overridden()
                )
        except Stale as stale:
            form.add_error(None, str(stale))
            return False
        except ValidationError as error:
            form.add_error(None, error)
            return False
        decisions.tell(request, review)
        return True
