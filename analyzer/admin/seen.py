"""What a person had before their eyes when they pressed a button: the page says it, and the decision checks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import QueryDict

from analyzer.models import QueueItem

PREFIX = "seen-"


@dataclass(frozen=True, slots=True)
class Seen:
    """The analysis and the decision of an item as a page showed them; None where there was none."""

    analysis: UUID | None
    review: UUID | None

    @classmethod
    def of(cls, item: QueueItem) -> Seen:
        return cls(item.analysis_id, item.review_id)

    @property
    def written(self) -> str:
        """As a hidden field carries it."""
        return f"{self.analysis or ''}.{self.review or ''}"


def field(item: UUID) -> str:
    """The name of the hidden field of an item."""
    return f"{PREFIX}{item}"


def read(data: QueryDict) -> dict[UUID, Seen]:
    """Every item that the page showed, in its order. Raises BadRequest for what no page of ours has sent."""
    return dict(_pairs(data))


def neighbour(data: QueryDict, item: UUID) -> UUID | None:
    """The item below on the page that was sent, else the one above: where the person's eyes go next."""
    shown = list(read(data))
    if item not in shown:
        return None
    position = shown.index(item)
    others = shown[position + 1 :] or shown[:position][-1:]
    return others[0] if others else None


def _pairs(data: QueryDict) -> Iterator[tuple[UUID, Seen]]:
    for name, value in data.items():
        if not name.startswith(PREFIX):
            continue
        analysis, _, review = str(value).partition(".")
        try:
            yield UUID(name.removeprefix(PREFIX)), Seen(_key(analysis), _key(review))
        except ValueError as error:
            raise BadRequest(f"{name} is not what the page sent.") from error


def _key(text: str) -> UUID | None:
    return UUID(text) if text else None
