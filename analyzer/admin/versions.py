"""Analyzer versions: to read, and to activate or roll back behind one page that asks."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from analyzer import adapters, roles, versions
from analyzer.models import Analysis, AnalyzerVersion
from analyzer.versions import NotUsable
from feedback.admin_base import CAP, ReadOnlyAdmin, moment

IDENTITY = ("name", "state", "origin", "parent", "made", "activated")
MEANS = ("engine", "model_name", "tuned", "weights_digest", "told")
TRUST = ("threshold_table", "calibration_table", "metric_table", "analyses_made")


@admin.register(AnalyzerVersion)
class AnalyzerVersionAdmin(ReadOnlyAdmin):
    list_title = "Versions"
    list_display = ("name", "state", "origin", "made", "activated", "calibrated")
    list_display_links = ("name",)
    list_filter = ("status", "engine")
    ordering = ("-number",)
    fieldsets = (
        (None, {"fields": IDENTITY}),
        ("What it analyses with", {"fields": MEANS}),
        ("How far it can be trusted", {"fields": TRUST}),
    )
    readonly_fields = (*IDENTITY, *MEANS, *TRUST)
    change_form_template = "admin/analyzer/analyzerversion/change_form.html"

    class Media:
        css = {"all": ("analyzer/queue.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[AnalyzerVersion]:
        rows = AnalyzerVersion.objects.select_related("parent", "activated_by")
        return rows.defer("weights", "parent__weights", "activated_by__password")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self.activate_view))
        return [
            path("<uuid:version>/activate/", view, name="analyzer_analyzerversion_activate"),
            *super().get_urls(),
        ]

    def has_activate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.ACTIVATE)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "may_activate": self.has_activate_permission(request)}
        return super().change_view(request, object_id, form_url, context)

    def activate_view(self, request: HttpRequest, version: UUID) -> HttpResponse:
        """GET asks, POST does; both for managers only."""
        if not self.has_activate_permission(request):
            raise PermissionDenied("Only a manager may activate a version.")
        chosen = get_object_or_404(self.get_queryset(request), pk=version)
        page = reverse("admin:analyzer_analyzerversion_change", args=(chosen.pk,))
        if request.method == "POST":
            try:
                versions.activate(version=chosen, by=cast("User", request.user))
            except NotUsable as error:
                messages.error(request, str(error))
            else:
                messages.success(request, f"{chosen} is active: the next analysis uses it.")
            return HttpResponseRedirect(page)
        active = self.get_queryset(request).filter(status=AnalyzerVersion.Status.ACTIVE).first()
        return TemplateResponse(
            request,
            "admin/analyzer/analyzerversion/activate.html",
            {
                **self.admin_site.each_context(request),
                "title": f"Activate version {chosen.number}?",
                "opts": self.opts,
                "chosen": chosen,
                "active": active,
                "page": page,
            },
        )

    @admin.display(description="version")
    def name(self, version: AnalyzerVersion) -> str:
        return f"v{version.number} {version.engine}"

    @admin.display(description="status")
    def state(self, version: AnalyzerVersion) -> SafeString:
        return format_html('<span class="badge is-{0}">{0}</span>', version.status)

    @admin.display(description="made")
    def made(self, version: AnalyzerVersion) -> str:
        return moment(version.created_at)

    @admin.display(description="activated")
    def activated(self, version: AnalyzerVersion) -> str:
        if not version.activated_at:
            return "never"
        return f"{moment(version.activated_at)} by {version.activated_by or 'the desk itself'}"

    @admin.display(description="model")
    def model_name(self, version: AnalyzerVersion) -> str:
        if version.engine == AnalyzerVersion.Engine.LOCAL:
            return "none: it runs on this machine"
        return version.model or "the one that TRIAGE_MODEL names"

    @admin.display(description="fine-tuned")
    def tuned(self, version: AnalyzerVersion) -> SafeString | str:
        """The adapter, and whether its files are still those that were evaluated; reads them whole."""
        if not version.adapter:
            return "no: the model is as its maker left it"
        fault = adapters.fault(version.adapter, settings.FINETUNE_DIR)
        return format_html(
            "{} {}",
            _table(version.adapter, ""),
            fault or "Its files are those that were evaluated.",
        )

    @admin.display(description="calibration")
    def calibrated(self, version: AnalyzerVersion) -> str:
        """On what, with how many and how well; the page of the version has the whole record."""
        record = version.calibration
        if not record:
            return "not calibrated"
        parts = [str(record.get("data", "unknown data")), f"n {record.get('n', 'unknown')}"]
        if "ece" in record:
            parts.append(f"ECE {record['ece']}")
        return ", ".join(parts)

    @admin.display(description="prompt")
    def told(self, version: AnalyzerVersion) -> SafeString | str:
        return format_html('<pre class="prompt">{}</pre>', version.prompt) if version.prompt else "the built-in one"

    @admin.display(description="not sure below")
    def threshold_table(self, version: AnalyzerVersion) -> SafeString:
        return _table(version.thresholds, "0.5 for every field")

    @admin.display(description="calibration")
    def calibration_table(self, version: AnalyzerVersion) -> SafeString:
        return _table(version.calibration, "not calibrated")

    @admin.display(description="metrics")
    def metric_table(self, version: AnalyzerVersion) -> SafeString:
        return _table(version.metrics, "not measured")

    @admin.display(description="analyses")
    def analyses_made(self, version: AnalyzerVersion) -> SafeString:
        count = Analysis.objects.filter(version=version).order_by()[: CAP + 1].count()
        address = f"{reverse('admin:analyzer_queueitem_changelist')}?status=all&version={version.number}"
        shown = f"{CAP:,}+" if count > CAP else f"{count:,}"
        return format_html('{} (<a href="{}">items it speaks for now</a>)', shown, address)


def _table(record: dict[str, Any], empty: str) -> SafeString:
    """A JSON record as a table, one level of nesting as rows of "outer · inner"."""
    rows: list[tuple[str, Any]] = []
    for name, value in record.items():
        if isinstance(value, dict):
            rows += [(f"{name} · {inner}", found) for inner, found in value.items()]
        else:
            rows.append((name, value))
    return render_to_string("admin/analyzer/record.html", {"rows": rows, "empty": empty})
