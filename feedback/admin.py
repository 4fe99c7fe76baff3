"""What people said, to read: nothing here can be edited, because decisions were made about exactly these words."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from feedback import search
from feedback.admin_base import ReadOnlyAdmin, moment
from feedback.models import Feedback


class RatingFilter(admin.SimpleListFilter):
    """One to five: asking the rows which ratings there are would read all of them."""

    title = "rating"
    parameter_name = "rating"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [*((str(stars), f"★ {stars}/5") for stars in range(1, 6)), ("none", "Not rated")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value not in dict(self.lookup_choices):
            return queryset
        return queryset.filter(rating=None if value == "none" else value)


@admin.register(Feedback)
class FeedbackAdmin(ReadOnlyAdmin):
    list_title = "Feedback"
    list_display = ("when", "said", "type", "stars", "page", "source", "compliance")
    list_display_links = ("said",)
    list_filter = ("compliance", "type", RatingFilter, "synthetic", "received_at")
    search_fields = ("comment", "page")
    search_help_text = search.HELP
    fields = (
        "comment",
        "type",
        "stars",
        "page",
        "page_title",
        "viewport",
        "when",
        "source",
        "external_id",
        "compliance",
        "reasons",
        "redacted",
        "sentiment",
        "synthetic",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Feedback]:
        return Feedback.objects.defer("client_key", "digest")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Feedback], search_term: str
    ) -> tuple[QuerySet[Feedback], bool]:
        every = self.get_queryset(request)
        return search.narrow(queryset, search_term, of=every) if search_term else queryset, False

    @admin.display(description="received")
    def when(self, feedback: Feedback) -> str:
        return moment(feedback.received_at)

    @admin.display(description="what was said")
    def said(self, feedback: Feedback) -> str:
        return Truncator(" ".join(feedback.comment.split())).chars(120) or "no comment"

    @admin.display(description="rating")
    def stars(self, feedback: Feedback) -> str:
        return f"★ {feedback.rating}/5" if feedback.rating else "–"

    @admin.display(description="rules that fired")
    def reasons(self, feedback: Feedback) -> SafeString | str:
        rows = ((found["rule"], found["reason"]) for found in feedback.findings)
        return format_html_join("", "<p><b>{}</b>: {}</p>", rows) or "none"

    @admin.display(description="redacted")
    def redacted(self, feedback: Feedback) -> str:
        return ", ".join(f"{count} × {kind}" for kind, count in sorted(feedback.pii.items())) or "nothing"
