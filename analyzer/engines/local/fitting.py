"""Fitting the local engine's model on labelled texts, and checking its confidence on texts it had not seen."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.engines.local import calibration
from analyzer.engines.local.features import CUE_NAMES, Encoded, Features, Floats, without_rating
from analyzer.engines.local.model import CALM, CATEGORIES, SEVERITIES, Head, LocalModel, form_prior

if TYPE_CHECKING:
    from analyzer.cold_start import Example

INVERSE_REGULARISATION: Final = 10.0
# A rare class counts more, but one stray example must not outweigh a hundred others.
BALANCE_MAX: Final = 5.0
# The logit of a class without a single example: never chosen, yet never quite impossible.
UNSEEN: Final = -20.0
# Below this a severity head would know less than the assumptions in model.py.
MIN_SEVERITY_LABELS: Final = 60
MIN_CALIBRATION: Final = 50
FOLDS: Final = 5


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A comment with the labels it is to teach; severity None means that nobody judged it."""

    comment: str
    category: str
    severity: str | None
    type: str = ""
    rating: int | None = None
    weight: float = 1.0
    synthetic: bool = False


def fit(
    examples: Sequence[LabelledText],
    *,
    calibration_examples: Sequence[LabelledText] | None = None,
    seed: int = 0,
) -> LocalModel:
    """A calibrated model; a weight of 0 leaves an example out. Raises ValueError when there is nothing to tell apart.

    With at least MIN_CALIBRATION calibration_examples, which must not be among the examples, confidence is checked on
    those; else by cross-validation, on the reviews alone where there are enough of them.
    """
    used = [example for example in examples if example.weight > 0]
    if len({example.category for example in used}) < 2:
        raise ValueError("Fitting needs examples of at least two categories.")
    model = _fit_heads(used)
    if calibration_examples is not None and len(calibration_examples) >= MIN_CALIBRATION:
        return _calibrate(model, [(model, calibration_examples)], cross_validated=False)
    if len(used) < MIN_CALIBRATION:
        return replace(model, calibration={"method": "none", "n": 0, "data": "too few examples to check confidence"})
    return _calibrate(model, _out_of_fold(used, seed), cross_validated=True)


def fit_cold_start(examples: Sequence[Example]) -> LocalModel:
    """Version 1: what the project's own synthetic examples teach; the same examples give the same bytes."""
    return fit(
        [
            LabelledText(
                comment=example.comment,
                category=example.category,
                severity=example.severity,
                type=example.type,
                rating=example.rating,
                synthetic=True,
            )
            for example in examples
        ]
    )


def _fit_heads(examples: Sequence[LabelledText]) -> LocalModel:
    """Both heads, uncalibrated."""
    features = Features.fit([example.comment for example in examples])
    rows = features.encode([example.comment for example in examples], [example.rating for example in examples])
    given = np.array([example.weight for example in examples])
    truth = np.array([CATEGORIES.index(example.category) for example in examples])
    judged = np.array([example.severity is not None and example.category not in CALM for example in examples])
    severity = None
    if judged.sum() >= MIN_SEVERITY_LABELS:
        levels = np.array([SEVERITIES.index(e.severity) for e in examples if e.severity and e.category not in CALM])
        severity = _fit_head(_only(rows, judged), levels, given[judged], labels=len(SEVERITIES))
    category = _fit_head(rows, truth, given, labels=len(CATEGORIES))
    return LocalModel(features, category, severity, calibration={})


def _fit_head(rows: Encoded, truth: calibration.Indices, given: Floats, *, labels: int) -> Head:
    """Every row with a rating is shown once with and once without it: most real items come without."""
    from scipy.sparse import csr_matrix, hstack, vstack
    from sklearn.linear_model import LogisticRegression

    text = np.zeros((rows.text.shape[1], labels))
    cues = np.zeros((len(CUE_NAMES), labels))
    bias = np.full(labels, UNSEEN)
    present = np.unique(truth)
    bias[present] = 0.0
    if len(present) > 1:
        silent = without_rating(rows.cues)
        rated = (silent != rows.cues).any(axis=1)
        weight = given * _balance(truth, given) * np.where(rated, 0.5, 1.0)
        shown = hstack([rows.text, csr_matrix(rows.cues)]).tocsr()
        hidden = hstack([rows.text[rated], csr_matrix(silent[rated])]).tocsr()
        found = LogisticRegression(C=INVERSE_REGULARISATION, solver="newton-cg", tol=1e-3, max_iter=300).fit(
            vstack([shown, hidden]),
            np.concatenate([truth, truth[rated]]),
            sample_weight=np.concatenate([weight, weight[rated]]),
        )
        # Of two classes scikit-learn keeps one row, the second against the first.
        signs = np.array([[-0.5], [0.5]]) if len(present) == 2 else np.eye(len(present))
        coefficients = signs @ found.coef_
        text[:, present] = coefficients[:, : text.shape[0]].T
        cues[:, present] = coefficients[:, text.shape[0] :].T
        bias[present] = signs @ found.intercept_
    return Head(text.astype(np.float16), cues.astype(np.float16), bias.astype(np.float16))


def _balance(truth: calibration.Indices, given: Floats) -> Floats:
    """A factor per row that gives every class the same say, as far as BALANCE_MAX lets it."""
    totals = np.bincount(truth, weights=given)
    fair = given.sum() / np.count_nonzero(totals)
    return np.asarray(np.minimum(BALANCE_MAX, fair / totals[truth]))


def _only(rows: Encoded, chosen: Any) -> Encoded:
    return Encoded(rows.text[chosen], rows.cues[chosen], rows.trust[chosen])


def _out_of_fold(examples: Sequence[LabelledText], seed: int) -> list[tuple[LocalModel, Sequence[LabelledText]]]:
    """A model per fold with the examples it was not shown; equal comments never stand on both sides."""
    from sklearn.model_selection import StratifiedGroupKFold

    reviews = sum(not example.synthetic for example in examples)
    groups = [" ".join(example.comment.casefold().split()) for example in examples]
    folds = StratifiedGroupKFold(n_splits=FOLDS, shuffle=True, random_state=seed)
    pairs: list[tuple[LocalModel, Sequence[LabelledText]]] = []
    with warnings.catch_warnings():
        # A category with fewer examples than folds is allowed to be missing from some.
        warnings.filterwarnings("ignore", category=UserWarning, module="sklearn.model_selection")
        splits = list(folds.split(examples, [example.category for example in examples], groups))
    for shown, hidden in splits:
        held_out = [examples[index] for index in hidden]
        if reviews >= MIN_CALIBRATION:
            held_out = [example for example in held_out if not example.synthetic]
        if held_out:
            pairs.append((_fit_heads([examples[index] for index in shown]), held_out))
    return pairs


def _calibrate(
    model: LocalModel,
    held_out: Sequence[tuple[LocalModel, Sequence[LabelledText]]],
    *,
    cross_validated: bool,
) -> LocalModel:
    """The model with a temperature per head, and the record of what they were fitted on."""
    examples = [example for _, rows in held_out for example in rows]
    # Our own examples resemble one another more than a site's comments do: they may lower confidence, never raise it.
    least = 1.0 if any(example.synthetic for example in examples) else 0.0

    truth = np.array([CATEGORIES.index(example.category) for example in examples])
    prior = form_prior([example.type for example in examples])
    logits = np.vstack([judge.category.logits(_encode(judge, rows)) for judge, rows in held_out])
    temperature = max(least, calibration.fit_temperature(logits, truth, prior))
    chances = calibration.probabilities(logits, temperature, prior)
    record: dict[str, Any] = {
        "method": "temperature",
        "temperature": temperature,
        "n": len(examples),
        "folds": len(held_out) if cross_validated else 0,
        "data": _describe(examples, cross_validated=cross_validated),
        "ece": round(calibration.expected_error(chances, truth), 4),
    }
    severity = model.severity
    if severity is not None and (found := _severity_temperature(held_out, least=least)):
        severity = replace(severity, temperature=found["temperature"])
        record["severity"] = found
    return replace(
        model, category=replace(model.category, temperature=temperature), severity=severity, calibration=record
    )


def _severity_temperature(
    held_out: Sequence[tuple[LocalModel, Sequence[LabelledText]]], *, least: float
) -> dict[str, Any] | None:
    logits, truth = [], []
    for judge, rows in held_out:
        judged = [row for row in rows if row.severity is not None and row.category not in CALM]
        if judge.severity is not None and judged:
            logits.append(judge.severity.logits(_encode(judge, judged)))
            truth += [SEVERITIES.index(row.severity) for row in judged if row.severity]
    if len(truth) < MIN_CALIBRATION:
        return None
    stacked, levels = np.vstack(logits), np.array(truth)
    temperature = max(least, calibration.fit_temperature(stacked, levels))
    chances = calibration.probabilities(stacked, temperature)
    error = calibration.expected_error(chances, levels)
    return {"temperature": temperature, "n": len(truth), "ece": round(error, 4)}


def _encode(model: LocalModel, rows: Sequence[LabelledText]) -> Encoded:
    return model.features.encode([row.comment for row in rows], [row.rating for row in rows])


def _describe(examples: Sequence[LabelledText], *, cross_validated: bool) -> str:
    synthetic = sum(example.synthetic for example in examples)
    if not synthetic:
        kind = "reviews"
    elif synthetic == len(examples):
        kind = "synthetic examples"
    else:
        kind = "reviews and synthetic examples"
    return f"{kind} (cross-validated)" if cross_validated else f"held-out {kind}"
