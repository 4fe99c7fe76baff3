"""What every list of rows that nobody edits shares: no buttons that change, and a count that stays cheap."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.admin.options import get_content_type_for_model
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import dateformat, timezone

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    BaseAdmin = admin.ModelAdmin[Any]
    BasePaginator = Paginator[Any]
else:
    BaseAdmin, BasePaginator = admin.ModelAdmin, Paginator

CAP = 10_000


def moment(value: datetime) -> str:
    """A point in time as the desk writes it, in its own time zone."""
    return dateformat.format(timezone.localtime(value), "j M Y, H:i")


def count(rows: QuerySet[Any], *, most: int | None = None) -> int:
    """How many rows there are, counted up to CAP + 1 or most, in no order, which a count does not need.

    What is counted is the column that they are sorted by: the index that sorts them has it, while for the key, which
    Django would count, every row would be looked up.
    """
    order = rows.query.order_by or rows.model._meta.ordering
    column = str(order[0]).lstrip("-") if order else "pk"
    return rows.order_by().values(column)[: CAP + 1 if most is None else most].count()


class CappedPaginator(BasePaginator):
    """Counts no further than CAP, so that a list of a million rows opens as fast as one of a thousand."""

    @cached_property
    def _counted(self) -> int:
        return count(cast("QuerySet[Any]", self.object_list))

    @cached_property
    def count(self) -> int:
        return min(self._counted, CAP)

    @property
    def capped(self) -> bool:
        """Whether there are more rows than the pages show."""
        return self._counted > CAP

    def validate_number(self, number: Any) -> int:
        """A page behind the last one is the last one: deciding its only item must not throw the filters away."""
        return min(max(1, int(number)), self.num_pages)


class StayingChangeList(ChangeList):
    """A change list whose page number exists, which reads no row that it does not show; its filters open like menus."""

    def get_filters(self, request: HttpRequest) -> tuple[list[admin.ListFilter], bool, dict[str, Any], bool, bool]:
        found = super().get_filters(request)
        for spec in found[0]:
            if spec.template == admin.ListFilter.template:
                spec.template = "admin/list_filter.html"
        return found

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.page_num = self.paginator.validate_number(self.page_num)
        shown = self.result_list
        if isinstance(shown, QuerySet):
            # Sorted and cut by their keys alone: whatever else is joined is looked up for the rows of this page only.
            # In two questions, since in one PostgreSQL may join all rows of every table first.
            keys = list(shown.values_list("pk", flat=True))
            self.result_list = self.root_queryset.filter(pk__in=keys).order_by(*shown.query.order_by)


class ReadOnlyAdmin(BaseAdmin):
    """Rows to look at. Only a superuser may delete, for a person who asks to be forgotten."""

    list_title = ""
    change_list_template = "admin/list.html"
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return StayingChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": self.list_title, **(extra_context or {})})

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found: dict[str, Any] = super().get_actions(request)
        # Deleting is for one row at a time, on a page that lists what goes with it.
        found.pop("delete_selected", None)
        return found

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[LogEntry]:
        """That a row was deleted and by whom; not its words, which whoever asked for it wants gone."""
        return [
            LogEntry.objects.create(
                user=cast("User", request.user),
                content_type_id=get_content_type_for_model(row).pk,
                object_id=str(row.pk),
                object_repr=str(row.pk),
                action_flag=DELETION,
            )
            for row in queryset
        ]

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)
