"""Training runs: to read, to follow while they run, and to promote from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from analyzer import roles
from analyzer.models import AnalyzerVersion
from analyzer.versions import NotUsable
from feedback.admin_base import ReadOnlyAdmin, moment
from training import charts, monitoring
from training.admin import page, story
from training.admin.filters import RUN_FILTERS
from training.figures import NOTHING
from training.models import TrainingRun
from training.promotion import promote
from training.refusals import NotPromotable

if TYPE_CHECKING:
    from django.contrib.auth.models import User

REASON_CHARS = 160


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    """Nothing is edited here: a run is what it was. Looking at it first closes runs whose process died."""

    list_title = "Training"
    list_display = ("name", "state", "started", "took", "by", "data", "right", "gained", "why")
    list_display_links = ("name",)
    list_filter = RUN_FILTERS
    list_per_page = 25
    ordering = ("-number",)
    change_list_template = "admin/training/change_list.html"

    class Media:
        css = {"all": ("analyzer/queue.css", "training/training.css")}
        js = ("training/run.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrainingRun]:
        rows = TrainingRun.objects.select_related("candidate", "active", "started_by", "approved_by")
        return rows.defer(
            *(f"{version}__weights" for version in ("candidate", "active")),
            *(f"{version}__metrics" for version in ("candidate", "active")),
            *(f"{person}__password" for person in ("started_by", "approved_by")),
        )

    def get_urls(self) -> list[URLPattern]:
        own = (
            ("<uuid:run>/log/", require_GET(self.log_view), "log"),
            ("<uuid:run>/promote/", require_POST(self.promote_view), "promote"),
            (
                "<uuid:run>/promote-anyway/",
                require_http_methods(["GET", "POST"])(self.promote_anyway_view),
                "promote_anyway",
            ),
        )
        return [
            *(
                path(route, self.admin_site.admin_view(view), name=f"training_trainingrun_{name}")
                for route, view, name in own
            ),
            *super().get_urls(),
        ]

    def has_promote_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.ACTIVATE)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        TrainingRun.objects.reap()
        return super().changelist_view(
            request,
            {"drift": monitoring.drift(), "weeks": charts.over_time(monitoring.by_week()), **(extra_context or {})},
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request) or request.method != "GET":
            raise PermissionDenied
        TrainingRun.objects.reap()
        try:
            run = self.get_queryset(request).get(pk=UUID(unquote(object_id)))
        except (TrainingRun.DoesNotExist, ValueError):
            messages.error(request, "There is no such run; it may have been deleted.")
            return HttpResponseRedirect(reverse("admin:training_trainingrun_changelist"))
        active = AnalyzerVersion.objects.only("number", "engine", "origin").filter(status="active").first()
        return self._page(
            request,
            "admin/training/run.html",
            run,
            page.context(run, active=active, may_promote=self.has_promote_permission(request)),
        )

    def log_view(self, request: HttpRequest, run: UUID) -> JsonResponse:
        """The log from a character on, for a page that follows a run."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        TrainingRun.objects.reap()
        found = get_object_or_404(TrainingRun.objects.only("status", "log"), pk=run)
        start = request.GET.get("from", "")
        news = found.log[int(start) if start.isdecimal() else 0 :]
        running = found.status == TrainingRun.Status.RUNNING
        return JsonResponse({"running": running, "log": news, "end": len(found.log)})

    def promote_view(self, request: HttpRequest, run: UUID) -> HttpResponse:
        """One click, for a candidate that passed the gate."""
        return self._promote(request, run, force=False)

    def promote_anyway_view(self, request: HttpRequest, run: UUID) -> HttpResponse:
        """GET asks, POST promotes whatever the gate said."""
        if request.method == "POST":
            return self._promote(request, run, force=True)
        self._manager(request)
        found = get_object_or_404(self.get_queryset(request), pk=run)
        active = AnalyzerVersion.objects.only("number", "engine", "origin").filter(status="active").first()
        return self._page(
            request, "admin/training/promote.html", found, page.context(found, active=active, may_promote=True)
        )

    def _promote(self, request: HttpRequest, run: UUID, *, force: bool) -> HttpResponse:
        by = self._manager(request)
        found = get_object_or_404(TrainingRun.objects.select_related("candidate", "active"), pk=run)
        try:
            version = promote(run=found, by=by, force=force)
        except (NotPromotable, NotUsable) as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"{version} is active: the next analysis uses it.")
        return HttpResponseRedirect(reverse("admin:training_trainingrun_change", args=(found.pk,)))

    def _manager(self, request: HttpRequest) -> User:
        if not self.has_promote_permission(request):
            raise PermissionDenied("Only a manager may let a version go live.")
        return cast("User", request.user)

    def _page(self, request: HttpRequest, template: str, run: TrainingRun, found: dict[str, Any]) -> TemplateResponse:
        return TemplateResponse(
            request,
            template,
            {
                **self.admin_site.each_context(request),
                **found,
                "title": f"Run {run.number}",
                "opts": self.opts,
                "media": self.media,
            },
        )

    @admin.display(description="run")
    def name(self, run: TrainingRun) -> str:
        return f"{run.number} {run.algorithm}"

    @admin.display(description="status")
    def state(self, run: TrainingRun) -> SafeString:
        return format_html_join(
            " ", '<span class="badge is-{}">{}</span>', ((badge.tone, badge.text) for badge in story.badges(run))
        )

    @admin.display(description="started")
    def started(self, run: TrainingRun) -> str:
        return moment(run.started_at)

    @admin.display(description="took")
    def took(self, run: TrainingRun) -> str:
        return story.duration(run)

    @admin.display(description="by")
    def by(self, run: TrainingRun) -> str:
        return str(run.started_by or "the desk itself")

    @admin.display(description="train / validation / test")
    def data(self, run: TrainingRun) -> str:
        return story.sizes(run)

    @admin.display(description="candidate right")
    def right(self, run: TrainingRun) -> SafeString:
        accuracy, _ = story.gain(run)
        return format_html('{} <span class="note">{}</span>', accuracy.percent, accuracy.span if accuracy.n else "")

    @admin.display(description="points above active")
    def gained(self, run: TrainingRun) -> SafeString:
        _, gain = story.gain(run)
        return format_html('{} <span class="note">{}</span>', gain.points, gain.signed_span if gain.n else "")

    @admin.display(description="why")
    def why(self, run: TrainingRun) -> str:
        return Truncator(" ".join(story.reasons(run))).chars(REASON_CHARS) or NOTHING
