"""What people decided about similar items, for a model to see before it answers: few-shot examples from the desk."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import F

from analyzer import actions
from analyzer.models import AnalyzerVersion, Review
from analyzer.schema import Example, Task
from analyzer.taxonomy import Category, Severity
from feedback.choices import ComplianceOutcome

# How far back the desk remembers, and how much of it a model is shown.
RECENT: Final = 2_000
SHOWN: Final = 4
# A comment less alike than this (cosine of TF-IDF) teaches little about another. Of 600 public comments beside 1,525,
# half found one this alike, which had their category in 86 of 100 cases; at 0.1 it was 76 of 100.
ALIKE: Final = 0.15
# Seconds that a process works with what it has read: so long may a decision that was taken back still be shown.
FRESH: Final = 60.0


@dataclass(frozen=True, slots=True)
class Remembered:
    """One decided item and its example; the id keeps it from being shown to itself."""

    id: str
    example: Example


class Memory:
    """Finds the decided items that are most like a task: about a millisecond once fitted."""

    def __init__(self, remembered: Sequence[Remembered]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._remembered = list(remembered)
        self._vectorizer = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), max_features=50_000)
        self._vectors: Any = None
        if self._remembered:
            self._vectors = self._vectorizer.fit_transform([one.example.comment for one in self._remembered])

    def __len__(self) -> int:
        return len(self._remembered)

    def similar(self, task: Task, *, shown: int = SHOWN) -> tuple[Example, ...]:
        """The examples most like the task, least alike first so that the best stands next to the question."""
        if self._vectors is None or not task.comment or not shown:
            return ()
        alike = (self._vectors @ self._vectorizer.transform([task.comment]).T).toarray().ravel()
        found: list[Example] = []
        for position in alike.argsort(kind="stable")[::-1]:
            if alike[position] < ALIKE or len(found) == shown:
                break
            one = self._remembered[position]
            if one.id != task.id and all(one.example.comment != other.comment for other in found):
                found.append(one.example.model_copy(update={"action": actions.redacted(one.example.action)}))
        return tuple(reversed(found))


def recall(task: Task, version: AnalyzerVersion) -> tuple[Example, ...]:
    """Examples for one analysis by this version, out of what this process read at most a minute ago.

    Empty for a version that asks no model, for one that was found better without, and for an item that is held.
    """
    shown = examples_of(version)
    return _recent().similar(task, shown=shown) if shown and not task.held else ()


def examples_of(version: AnalyzerVersion) -> int:
    """How many examples a version shows its model."""
    if version.engine == AnalyzerVersion.Engine.LOCAL:
        return 0
    return int(version.calibration.get("examples", SHOWN))


def remember(*, before: datetime | None = None, without: Collection[str] = ()) -> list[Remembered]:
    """The newest decisions that may be shown, newest first; before and without keep an examination's items out."""
    decided = (
        # From the decisions, newest first, which an index serves; from the items it would be a sort of all of them.
        Review.objects.one_by_one()
        .filter(
            feedback__queue_item__flagged=False,
            feedback__queue_item__edited=False,
            feedback__compliance=ComplianceOutcome.ACCEPT,
            feedback__synthetic=False,
        )
        .exclude(feedback__comment="")
        .exclude(severity="")
        .annotate(in_force=F("feedback__queue_item__review"))
        .select_related("feedback")
    )
    if before is not None:
        decided = decided.filter(feedback__queue_item__received_at__lt=before)
    hidden = set(without)
    return [one for one in _examples(decided[:RECENT].iterator()) if one.id not in hidden]


def example(task: Task, *, category: str, severity: str, action: str = "") -> Example:
    """What a person decided about a task; where they left the action open, the one that the desk would suggest."""
    label, level = Category(category), Severity(severity)
    return Example(
        comment=task.comment,
        type=task.type,
        category=label,
        severity=level,
        action=action or actions.suggest(task, category=label, severity=level),
    )


def _examples(decided: Iterator[Any]) -> Iterator[Remembered]:
    for review in decided:
        said = review.feedback
        if review.in_force != review.pk or said.has_finding("prompt-injection"):
            continue
        task = Task(id=str(said.pk), comment=said.comment, type=said.type, rating=said.rating, page=said.page)
        yield Remembered(
            task.id, example(task, category=review.category, severity=review.severity, action=review.action)
        )


_read: tuple[float, Memory] | None = None


def _recent() -> Memory:
    global _read
    if _read is None or time.monotonic() - _read[0] > FRESH:
        _read = (time.monotonic(), Memory(remember()))
    return _read[1]
