"""The local engine: a fitted model's probabilities as a prediction, with quotes and a suggested action."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from analyzer import actions
from analyzer.engines import Reply
from analyzer.engines.local import evidence
from analyzer.engines.local.model import CATEGORIES, SEVERITIES, LocalModel
from analyzer.schema import Prediction, Task

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# Bounds the memory that a backfill of any length takes.
BATCH: Final = 512
MAX_QUOTES: Final = 3
# A further quote must speak at least this much as the first does.
QUOTE_SHARE: Final = 0.4


_Said = tuple[str, str, int | None, str]


class LocalEngine:
    """No network, no prompt, and an opinion on any text; near even chances where it knows nothing."""

    def __init__(self, model: LocalModel) -> None:
        self.model = model
        text = model.category.text.astype(np.float32)
        # What speaks for a class rather than for all of them.
        self._contrast = text - text.mean(axis=1, keepdims=True)
        self._foreseen: dict[_Said, Prediction] = {}

    @classmethod
    def from_bytes(cls, weights: bytes) -> LocalEngine:
        """Raises EngineError, kind malformed, when the bytes are not a model's."""
        return cls(LocalModel.from_bytes(weights))

    def predict(self, task: Task, *, prompt: str = "") -> Reply:
        return Reply(self._foreseen.get(_said(task)) or self.predict_many([task])[0], engine="local")

    def foresee(self, tasks: Sequence[Task]) -> None:
        """Judge a batch before its items are analysed one by one: until the next batch, predict knows the answers."""
        self._foreseen = dict(zip(map(_said, tasks), self.predict_many(tasks), strict=True))

    def predict_many(self, tasks: Sequence[Task]) -> list[Prediction]:
        """The opinions that predict gives one by one, several times faster an item."""
        return [
            prediction
            for start in range(0, len(tasks), BATCH)
            for prediction in self._predict_batch(tasks[start : start + BATCH])
        ]

    def _predict_batch(self, tasks: Sequence[Task]) -> Iterator[Prediction]:
        comments = [task.comment for task in tasks]
        parts = [evidence.clauses(comment) for comment in comments]
        # Whole comments and their clauses in one go, since a call costs more than a text.
        text = self.model.features.encode_text([*comments, *(clause for clauses in parts for clause in clauses)])
        categories, severities = self.model.probabilities(
            comments,
            [task.type for task in tasks],
            [task.rating for task in tasks],
            text=text[: len(comments)],
        )
        quotes = self._quotes(parts, text[len(comments) :], categories.argmax(axis=1))
        for task, category_row, severity_row, quoted in zip(tasks, categories, severities, quotes, strict=True):
            category, severity = CATEGORIES[category_row.argmax()], SEVERITIES[severity_row.argmax()]
            yield Prediction(
                category=category,
                severity=severity,
                action=actions.suggest(task, category=category, severity=severity, evidence=quoted),
                evidence=quoted,
                category_probabilities=dict(zip(CATEGORIES, category_row.tolist(), strict=True)),
                severity_probabilities=dict(zip(SEVERITIES, severity_row.tolist(), strict=True)),
            )

    def _quotes(self, parts: Sequence[list[str]], said: csr_matrix, chosen: NDArray[np.intp]) -> list[tuple[str, ...]]:
        """Per comment those of its clauses that speak most for its chosen category, strongest first.

        said has a row for each clause of each comment.
        """
        owners = np.repeat(chosen, [len(clauses) for clauses in parts])
        scores = iter(np.asarray(said @ self._contrast)[np.arange(len(owners)), owners].tolist())
        return [_strongest([(next(scores), clause) for clause in clauses]) for clauses in parts]


def _said(task: Task) -> _Said:
    """All that an opinion depends on, beside the weights."""
    return task.comment, task.type, task.rating, task.page


def _strongest(scored: list[tuple[float, str]]) -> tuple[str, ...]:
    ranked = sorted(scored, key=lambda pair: pair[0], reverse=True)[:MAX_QUOTES]
    return tuple(clause for score, clause in ranked if score > 0 and score >= QUOTE_SHARE * ranked[0][0])
