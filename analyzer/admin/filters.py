"""What the queue can be narrowed to: few filters, each one click, none that counts rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from analyzer import waiting
from analyzer.admin.rows import CATEGORY_LABELS, SEVERITY_LABELS, TYPE_LABELS
from analyzer.models import OUTCOME_CHOICES, QueueItem, Review

Condition = Callable[[HttpRequest], Q]


class OneOf(admin.SimpleListFilter):
    """A filter over a closed set: value -> (what staff read, the condition). An unknown value filters nothing."""

    options: ClassVar[dict[str, tuple[str, Condition]]]

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(value, label) for value, (label, _) in self.options.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        option = self.options.get(self.value() or "")
        return queryset.filter(option[1](request)) if option else queryset

    @classmethod
    def accepts(cls, value: str) -> bool:
        """Whether it is a value of this filter."""
        return value in cls.options

    @property
    def chosen(self) -> str:
        """What staff read of the value in force; empty for any."""
        option = self.options.get(self.value() or "")
        return option[0] if option else ""


def _is(**conditions: Any) -> Condition:
    return lambda request: Q(**conditions)


def _aged(span: waiting.Span) -> Condition:
    return lambda request: span.condition()


class StatusFilter(OneOf):
    """Whether people have decided; without a choice, what still needs a decision."""

    template = "admin/analyzer/queueitem/tabs.html"
    title = "status"
    parameter_name = "status"
    default = QueueItem.Status.OPEN.value
    options = {
        QueueItem.Status.OPEN.value: ("Needs a decision", _is(status=QueueItem.Status.OPEN)),
        QueueItem.Status.DECIDED.value: ("Decided", _is(status=QueueItem.Status.DECIDED)),
        "all": ("All", _is()),
    }

    def value(self) -> str:
        value = super().value()
        return value if value in self.options else self.default

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        total = f"{changelist.result_count:,}" + ("+" if changelist.paginator.capped else "")
        for value, label in self.lookup_choices:
            named = {self.parameter_name: None if value == self.default else value}
            yield {
                "selected": value == self.value(),
                "query_string": changelist.get_query_string(named),
                "display": label,
                "total": total,
            }


class CategoryFilter(OneOf):
    title = "category"
    parameter_name = "category"
    options = {value: (label, _is(category=value)) for value, label in CATEGORY_LABELS.items()}


class SeverityFilter(OneOf):
    title = "severity"
    parameter_name = "severity"
    options = {
        **{value: (label, _is(severity=value)) for value, label in SEVERITY_LABELS.items()},
        "none": ("None yet", _is(severity="")),
    }


class AttentionFilter(OneOf):
    """What a person should look at with care."""

    title = "attention"
    parameter_name = "attention"
    options = {
        "over": ("Over target", lambda request: waiting.over_target()),
        "unsure": ("Not sure", _is(unsure=True)),
        "flagged": ("Flagged", _is(flagged=True)),
        "held": ("Held", _is(held=True)),
        "person": ("Needs a person", _is(needs_person=True)),
        "fallback": ("Another engine answered", _is(fallback=True)),
        "edited": ("Edited since the decision", _is(edited=True)),
    }

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        found = super().lookups(request, model_admin)
        return found if lists_decided(request) else [option for option in found if option[0] != "edited"]


class StageFilter(OneOf):
    title = "analysis"
    parameter_name = "stage"
    options = {
        "done": ("Analysed", _is(stage=QueueItem.Stage.DONE)),
        "pending": ("Waiting", _is(stage__in=(QueueItem.Stage.PENDING, QueueItem.Stage.RUNNING))),
        "failed": ("Failed", _is(stage=QueueItem.Stage.FAILED)),
    }


class TypeFilter(OneOf):
    title = "form"
    parameter_name = "type"
    options = {value: (label.capitalize(), _is(type=value)) for value, label in TYPE_LABELS.items()}


class RatingFilter(OneOf):
    title = "rating"
    parameter_name = "rating"
    options = {
        **{str(stars): (f"★ {stars}/5", _is(rating=stars)) for stars in range(1, 6)},
        "none": ("Not rated", _is(rating=None)),
    }


class ReceivedFilter(OneOf):
    title = "received"
    parameter_name = "received"
    options = {
        "day": ("Last 24 hours", lambda request: Q(received_at__gte=timezone.now() - timedelta(days=1))),
        "week": ("Last 7 days", lambda request: Q(received_at__gte=timezone.now() - timedelta(days=7))),
        "month": ("Last 30 days", lambda request: Q(received_at__gte=timezone.now() - timedelta(days=30))),
        "older": ("Before that", lambda request: Q(received_at__lt=timezone.now() - timedelta(days=30))),
    }


class AgeFilter(OneOf):
    """How long it has waited, in the steps that the targets make; there where the overview's table led to it."""

    title = "waiting"
    parameter_name = "age"
    options = {span.name: (span.label, _aged(span)) for span in waiting.spans()}

    def has_output(self) -> bool:
        return bool(self.chosen)


class SourceFilter(OneOf):
    """Real or made up; written as IN for the sake of the index, as QueueItemQuerySet.real() is."""

    title = "source"
    parameter_name = "source"
    options = {
        "real": ("Real", _is(synthetic__in=(False,))),
        "demo": ("Demo", _is(synthetic__in=(True,))),
    }


class SecondFilter(OneOf):
    """Where the second opinion stands; only where decided items are listed."""

    title = "second opinion"
    parameter_name = "second"
    options = {value: (label.capitalize(), _is(second=value)) for value, label in QueueItem.Second.choices if value}

    def has_output(self) -> bool:
        return lists_decided(self.request)


class OutcomeFilter(OneOf):
    """What came of it; only where decided items are listed."""

    title = "outcome"
    parameter_name = "outcome"
    options = {
        **{value: (label, _is(outcome=value)) for value, label in OUTCOME_CHOICES},
        "none": ("Not closed", _is(outcome="")),
    }

    def has_output(self) -> bool:
        return lists_decided(self.request)


class DecisionFilter(OneOf):
    """How and by whom it was decided; only where decided items are listed."""

    title = "decision"
    parameter_name = "decision"
    options = {
        "mine": ("By me", lambda request: Q(decided_by=request.user.pk)),
        **{value: (label.capitalize(), _is(provenance=value)) for value, label in Review.Provenance.choices},
    }

    def has_output(self) -> bool:
        return lists_decided(self.request)


class VersionFilter(OneOf):
    """What one version analysed; reached from that version's page, to look through the work of one taken back."""

    title = "version"
    parameter_name = "version"
    options = {}

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        number = request.GET.get(self.parameter_name, "")
        return [(number, f"v{number}")] if self.accepts(number) else []

    @classmethod
    def accepts(cls, value: str) -> bool:
        return value.isdecimal() and value.isascii() and len(value) < 9

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(analysis__version__number=self.value()) if self.chosen else queryset

    @property
    def chosen(self) -> str:
        return str(dict(self.lookup_choices).get(self.value() or "", ""))

    def has_output(self) -> bool:
        return bool(self.chosen)


def lists_decided(request: HttpRequest) -> bool:
    """Whether the list shows decided items too."""
    status = request.GET.get(StatusFilter.parameter_name, "")
    return status in StatusFilter.options and status != StatusFilter.default


QUEUE_FILTERS = (
    StatusFilter,
    CategoryFilter,
    SeverityFilter,
    AttentionFilter,
    StageFilter,
    TypeFilter,
    RatingFilter,
    ReceivedFilter,
    AgeFilter,
    SourceFilter,
    SecondFilter,
    DecisionFilter,
    OutcomeFilter,
    VersionFilter,
)
