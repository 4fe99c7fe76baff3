"""Numbers of the overview, each with the list of the rows behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from feedback import admin_base

HEATS: Final = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with the list that shows its rows; counted no further than CAP, and said so."""

    label: str
    number: int
    address: str

    @property
    def any(self) -> bool:
        return self.number > 0

    @property
    def count(self) -> str:
        cap = admin_base.CAP
        return f"{cap:,}+" if self.number > cap else f"{self.number:,}"


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure in a table; heat is 0 for none to HEATS for the most, mark names what is special about it."""

    figure: Figure
    heat: int = 0
    mark: str = ""
    text: str = ""

    @property
    def shown(self) -> str:
        return self.text or self.figure.count


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: its name, its cells, and where it makes sense all of them together."""

    label: str
    key: str
    cells: tuple[Cell, ...]
    total: Cell | None = None


def heat(part: float, whole: float) -> int:
    """1 to HEATS for what is there at all, in equal steps of the share."""
    return min(HEATS, 1 + int(HEATS * part / whole)) if part > 0 and whole > 0 else 0


def heated(lines: Sequence[Line]) -> list[Line]:
    """The lines with each cell as dark as its number is large beside the largest."""
    most = max((cell.figure.number for line in lines for cell in line.cells), default=0)
    return [
        replace(line, cells=tuple(replace(cell, heat=heat(cell.figure.number, most)) for cell in line.cells))
        for line in lines
    ]


def queue(**filters: str) -> str:
    """The address of the queue's list with these filters."""
    return _with(reverse("admin:analyzer_queueitem_changelist"), filters)


def decisions(since: datetime, **filters: str) -> str:
    """The address of the list of decisions since then with these filters."""
    since_then = {"created_at__gte": since.isoformat(timespec="seconds")}
    return _with(reverse("admin:analyzer_review_changelist"), filters | since_then)


def on_day(start: datetime, **filters: str) -> str:
    """The same for the day that begins then."""
    return decisions(start, **filters, created_at__lt=(start + timedelta(days=1)).isoformat(timespec="seconds"))


def address(name: str) -> str:
    """Of a page that this desk may have or not; empty where it has none."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _with(path: str, filters: dict[str, str]) -> str:
    return f"{path}?{urlencode(filters)}" if filters else path
