"""Where a person is on the desk: in which list, and in the focus view in which mode; every address carries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode

# Where a form says which list it came from. Only ever a query string after our own path, so it cannot lead away.
LIST_FIELD: Final = "_changelist_filters"
FIRST: Final = ""
SECOND: Final = "second"
DISPUTE: Final = "dispute"


@dataclass(frozen=True, slots=True)
class Round:
    """One person's way through the queue in the focus view.

    moved: they went forth or back by hand, so that what comes next is behind that item, not the first in line.
    """

    mode: str = FIRST
    filters: str = ""
    moved: bool = False

    @classmethod
    def of(cls, data: QueryDict) -> Round:
        """Out of an address or a form; what it does not know, it takes for the ordinary."""
        mode = str(data.get("mode", FIRST))
        filters = QueryDict(str(data.get(LIST_FIELD, ""))).urlencode()
        return cls(mode if mode in (SECOND, DISPUTE) else FIRST, filters, data.get("moved") == "1")

    @property
    def fields(self) -> dict[str, str]:
        """As hidden fields or an address carry it."""
        given = {"mode": self.mode, LIST_FIELD: self.filters, "moved": "1" if self.moved else ""}
        return {name: value for name, value in given.items() if value}

    def address(self, name: str = "review", item: UUID | None = None, **more: str) -> str:
        """Of a page of the focus view, on the same round."""
        base = reverse(f"admin:analyzer_queueitem_{name}", args=(item,) if item else ())
        query = urlencode(self.fields | more)
        return f"{base}?{query}" if query else base

    @property
    def list_address(self) -> str:
        base = reverse("admin:analyzer_queueitem_changelist")
        return f"{base}?{self.filters}" if self.filters else base
