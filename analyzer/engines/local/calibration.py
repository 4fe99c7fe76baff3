"""Confidence that keeps its word: one temperature fitted on answers that the model had not seen."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Indices = NDArray[np.integer[Any]]

BINS: Final = 10
# Hotter or colder than this is an accident of few examples.
COLDEST, HOTTEST = 0.25, 4.0


def probabilities(logits: Floats, temperature: float, prior: Floats | float = 0.0) -> Floats:
    """Rows that sum to one; prior is a log factor per row and label that no temperature softens."""
    scores = np.asarray(logits, dtype=np.float64) / temperature + prior
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def fit_temperature(logits: Floats, truth: Indices, prior: Floats | float = 0.0) -> float:
    """The temperature under which the true labels are likeliest; logits must be of rows not trained on."""
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(truth))

    def surprise(log_temperature: float) -> float:
        chances = probabilities(logits, float(np.exp(log_temperature)), prior)[rows, truth]
        return float(-np.log(np.maximum(chances, 1e-12)).mean())

    found = minimize_scalar(surprise, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return round(float(np.exp(found.x)), 4)


def expected_error(chances: Floats, truth: Indices) -> float:
    """ECE: how far confidence and accuracy lie apart on average, in [0, 1], over ten bins of confidence."""
    confidence, right = chances.max(axis=1), chances.argmax(axis=1) == truth
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = (abs((confidence[bins == index] - right[bins == index]).sum()) for index in range(BINS))
    return float(sum(gaps) / len(truth))
