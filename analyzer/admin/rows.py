"""One line of the queue, ready for its template."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from analyzer.admin import badges, confidence
from analyzer.admin.seen import Seen
from analyzer.models import CATEGORY_CHOICES, SEVERITY_CHOICES, QueueItem
from analyzer.taxonomy import Category

# Short enough for six to stand side by side; the full names are in the taxonomy.
CATEGORY_LABELS: Final[dict[str, str]] = {
    Category.WEBSITE_BUG.value: "Bug",
    Category.FRAMEWORK_ISSUE.value: "Framework",
    Category.CONTENT_GAP.value: "Content",
    Category.FEATURE_REQUEST.value: "Feature",
    Category.POSITIVE.value: "Positive",
    Category.NOISE.value: "Noise",
}
CATEGORY_NAMES: Final[dict[str, str]] = dict(CATEGORY_CHOICES)
SEVERITY_LABELS: Final[dict[str, str]] = dict(SEVERITY_CHOICES)
# The key that chooses a value, in the list and in the focus view.
KEYS: Final[dict[str, str]] = {
    **dict(zip(CATEGORY_LABELS, "123456", strict=True)),
    **dict(zip(SEVERITY_LABELS, "chml", strict=True)),
}
TYPE_LABELS: Final[dict[str, str]] = {
    "bug": "bug report",
    "technical_question": "question",
    "feature": "idea",
    "general": "general",
    "research": "research",
    "commercial": "business",
}


@dataclass(frozen=True, slots=True)
class Chip:
    """One value that a field can have; chosen is the one that counts now."""

    field: str
    value: str
    label: str
    chosen: bool

    @property
    def keys(self) -> str:
        """Those that press its button in the list, where x stands for noise as in the focus view."""
        return f"{KEYS[self.value]} x" if self.value == Category.NOISE else KEYS[self.value]


@dataclass(frozen=True, slots=True)
class Choice:
    """A field with its values and, where the machine's word counts, how sure it is."""

    name: str
    chips: tuple[Chip, ...]
    confidence: confidence.Confidence | None

    @property
    def chosen(self) -> Chip | None:
        return next((chip for chip in self.chips if chip.chosen), None)


@dataclass(frozen=True)
class Row:
    """An item as one person sees it in the list. Reads nothing that the list has not selected."""

    item: QueueItem
    may_decide: bool

    @property
    def state(self) -> str:
        """decided, ready, waiting or failed: which of four things the last column shows."""
        if self.item.status == QueueItem.Status.DECIDED:
            return "decided"
        if self.item.analysis is not None:
            return "ready"
        return "failed" if self.item.stage == QueueItem.Stage.FAILED else "waiting"

    @property
    def may_retry(self) -> bool:
        return self.may_decide and self.item.stage == QueueItem.Stage.FAILED

    @cached_property
    def name(self) -> str:
        return badges.excerpt(self.item.feedback)

    @cached_property
    def badges(self) -> list[badges.Badge]:
        return badges.of_item(self.item)

    @property
    def age(self) -> str:
        return badges.age(self.item.age)

    @property
    def type(self) -> str:
        return TYPE_LABELS.get(self.item.feedback.type, "")

    @property
    def reasons(self) -> list[dict[str, Any]]:
        return self.item.analysis.priority_reasons if self.item.analysis else []

    @property
    def was(self) -> str:
        """What the machine had said where a person said otherwise."""
        analysis, review = self.item.analysis, self.item.review
        if analysis is None or review is None:
            return ""
        changed = [
            getattr(analysis, name)
            for name in ("category", "severity")
            if getattr(review, name) and getattr(review, name) != getattr(analysis, name)
        ]
        return " and ".join(changed)

    @property
    def seen(self) -> str:
        return Seen.of(self.item).written

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        return (
            self._choice("category", self.item.category, CATEGORY_LABELS),
            self._choice("severity", self.item.severity, SEVERITY_LABELS),
        )

    def _choice(self, name: str, value: str, labels: dict[str, str]) -> Choice:
        sure = confidence.of(self.item.analysis, name) if self.item.analysis and self.state == "ready" else None
        chips = tuple(Chip(name, each, label, each == value) for each, label in labels.items())
        return Choice(name, chips, sure)
