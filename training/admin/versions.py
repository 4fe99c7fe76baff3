"""The page of a version with what a training run measured of it: added from here, as analyzer knows no training."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from analyzer.admin.versions import TRUST, AnalyzerVersionAdmin
from analyzer.models import AnalyzerVersion
from training import evidence
from training.admin import page, story
from training.models import TrainingRun

admin.site.unregister(AnalyzerVersion)


@admin.register(AnalyzerVersion)
class MeasuredVersionAdmin(AnalyzerVersionAdmin):
    """A version with its run and its figures on held-out items, in place of the record that they are stored in."""

    change_form_template = "admin/training/version.html"

    class Media:
        css = {"all": ("training/training.css",)}

    def get_fieldsets(self, request: HttpRequest, obj: AnalyzerVersion | None = None) -> Any:
        """Without the stored metrics where a run wrote them: they are hundreds of numbers, and drawn below."""
        foreign = obj is not None and obj.metrics and "run" not in obj.metrics
        trust = [name for name in TRUST if foreign or name != "metric_table"]
        *others, (title, options) = super().get_fieldsets(request, obj)
        return [*others, (title, {**options, "fields": trust})]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: AnalyzerVersion | None = None,
    ) -> HttpResponse:
        found = evidence.of(obj) if obj else None
        made = TrainingRun.objects.of_weights(obj.weights_digest) if obj and not found else None
        added = {
            "evidence": found,
            "weights_run": made,
            "headline": story.headline(found.run) if found else "",
            "figures": page.figures(found.report) if found else [],
            "charts": page.report_charts(found.report) if found else [],
        }
        return super().render_change_form(request, {**context, **added}, add, change, form_url, obj)
