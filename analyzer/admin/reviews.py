"""Every decision as a list; nothing is edited here, a decision is taken back on its item."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from analyzer import tally
from analyzer.admin import badges
from analyzer.admin.rows import CATEGORY_LABELS, SEVERITY_LABELS
from analyzer.models import OUTCOME_CHOICES, Review
from analyzer.taxonomy import OUTCOME_NAMES
from feedback.admin_base import ReadOnlyAdmin, moment

# Characters of a comment that a line of the list has room for.
EXCERPT = 100


class ReviewerFilter(admin.SimpleListFilter):
    """Staff by name: asking the decisions who made them would read all of them."""

    title = "reviewer"
    parameter_name = "reviewer"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> Iterator[tuple[str, str]]:
        staff = User.objects.filter(is_staff=True).order_by("username")
        return ((str(key), name) for key, name in staff.values_list("pk", "username"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        key = self.value() or ""
        # A key of any shape (MongoDB's are no numbers), as long as it is one that was offered.
        return queryset.filter(reviewer=key) if key in {known for known, _ in self.lookup_choices} else queryset


class FiguresFilter(admin.SimpleListFilter):
    """The decisions behind the figures of the overview, so that each number leads to its rows."""

    title = "overview"
    parameter_name = "figures"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("counted", "In force, real, on an analysis"), ("work", "Not taken back, real, made here")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "counted":
            return tally.counted(queryset)
        return tally.work(queryset) if self.value() == "work" else queryset


class MachineFilter(admin.SimpleListFilter):
    title = "what the machine said"
    parameter_name = "machine"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return list(CATEGORY_LABELS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(analysis__category=value) if value in CATEGORY_LABELS else queryset


class SeverityFilter(admin.SimpleListFilter):
    """The severity that the item has now, which a label without one leaves to the machine."""

    title = "severity of the item"
    parameter_name = "severity"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return list(SEVERITY_LABELS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(feedback__queue_item__severity=value) if value in SEVERITY_LABELS else queryset


class OutcomeFilter(admin.SimpleListFilter):
    title = "what came of it"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("closed", "Anything"), *OUTCOME_CHOICES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == "closed":
            return queryset.exclude(feedback__queue_item__outcome="")
        return queryset.filter(feedback__queue_item__outcome=value) if value in OUTCOME_NAMES else queryset


class InForceFilter(admin.SimpleListFilter):
    title = "taken back"
    parameter_name = "undone"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("no", "No"), ("yes", "Yes")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(undone_at__isnull=value == "no") if value in ("no", "yes") else queryset


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    list_title = "Decisions"
    list_display = ("when", "said", "decided", "machine", "provenance", "reviewer", "total", "taken_back")
    list_display_links = None
    list_filter = (
        ReviewerFilter,
        "role",
        "provenance",
        "category",
        MachineFilter,
        SeverityFilter,
        OutcomeFilter,
        InForceFilter,
        FiguresFilter,
        "created_at",
    )
    ordering = ("-created_at",)
    fields = (
        "item",
        "provenance",
        "reviewer",
        "when",
        "decided",
        "machine",
        "action",
        "priority",
        "reasons",
        "note",
        "reward",
        "seconds",
        "suggestion_visible",
        "batch",
        "taken_back",
    )
    readonly_fields = fields

    class Media:
        css = {"all": ("analyzer/queue.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        rows = Review.objects.select_related("feedback", "analysis", "reviewer", "undone_by")
        return rows.defer("analysis__trace", "reviewer__password", "undone_by__password")

    @admin.display(description="what was said")
    def said(self, review: Review) -> SafeString:
        address = reverse("admin:analyzer_queueitem_change", args=(review.feedback_id,))
        return format_html('<a href="{}">{}</a>', address, badges.excerpt(review.feedback, most=EXCERPT))

    item = said

    @admin.display(description="when")
    def when(self, review: Review) -> str:
        return moment(review.created_at)

    @admin.display(description="decided")
    def decided(self, review: Review) -> SafeString:
        return _labels(review.category, review.severity)

    @admin.display(description="machine said")
    def machine(self, review: Review) -> SafeString | str:
        analysis = review.analysis
        if analysis is None:
            return "not asked"
        if (analysis.category, analysis.severity) == (review.category, review.severity):
            return "the same"
        return _labels(analysis.category, analysis.severity)

    @admin.display(description="reward")
    def total(self, review: Review) -> str:
        return "–" if review.reward_total is None else f"{review.reward_total:.2f}"

    @admin.display(description="taken back")
    def taken_back(self, review: Review) -> str:
        return f"{moment(review.undone_at)} by {review.undone_by}" if review.undone_at else ""


def _labels(category: str, severity: str) -> SafeString:
    return render_to_string(
        "admin/analyzer/labels.html",
        {"category": CATEGORY_LABELS[category], "severity": severity, "name": SEVERITY_LABELS.get(severity, "")},
    )
