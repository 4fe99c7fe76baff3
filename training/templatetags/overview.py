"""What the front page shows of training: whether the machine keeps its promise, and how that went week by week."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from analyzer import tally
from training import charts, monitoring

register = template.Library()


@register.inclusion_tag("admin/training/overview.html", takes_context=True)
def machine_promise(context: dict[str, Any]) -> dict[str, Any]:
    """For whoever may see training and decisions; six or seven queries, each bounded by time and number."""
    if not context["request"].user.has_perms(("training.view_trainingrun", "analyzer.view_review")):
        return {}
    whole_weeks = tally.days_covered(7 * monitoring.WEEKS) // 7
    weeks = monitoring.by_week(weeks=max(2, whole_weeks))
    chart = charts.over_time(weeks)
    if chart.rows:
        rows = zip(weeks, chart.rows, strict=True)
        chart = replace(chart, rows=tuple((_to_decisions(week, row[0]), *row[1:]) for week, row in rows))
    return {"drift": monitoring.drift(), "weeks": chart}


def _to_decisions(week: monitoring.Week, name: str) -> SafeString | str:
    if not week.n:
        return name
    start = datetime.combine(week.start, time.min, UTC)
    filters = {
        "figures": "counted",
        "created_at__gte": start.isoformat(),
        "created_at__lt": (start + timedelta(weeks=1)).isoformat(),
    }
    return format_html('<a href="{}?{}">{}</a>', reverse("admin:analyzer_review_changelist"), urlencode(filters), name)
