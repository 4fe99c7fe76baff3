"""A fitted model: two linear heads over the same features, as probabilities and as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from analyzer.engines.local import calibration, weights
from analyzer.engines.local.features import CUE_NAMES, Encoded, Features, Floats
from analyzer.taxonomy import Category, Severity, inside_map

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

CATEGORIES: Final = tuple(Category)
SEVERITIES: Final = tuple(Severity)

# Leaving what the form type promises must be earned by the text.
OUTSIDE_TYPE_FACTOR: Final = 0.3
# Praise and noise hold nobody up, so the severity head learns from the rest alone.
CALM: Final = (Category.POSITIVE, Category.NOISE)
CALM_SEVERITY: Final = (0.01, 0.01, 0.03, 0.95)
# Assumed, critical to low, where too few people judged severity to learn from.
ASSUMED_SEVERITY: Final = {
    Category.WEBSITE_BUG: (0.1, 0.35, 0.4, 0.15),
    Category.FRAMEWORK_ISSUE: (0.1, 0.35, 0.4, 0.15),
    Category.CONTENT_GAP: (0.02, 0.13, 0.6, 0.25),
    Category.FEATURE_REQUEST: (0.01, 0.04, 0.2, 0.75),
}
# Assumed: what four or five stars without a word mean. With fewer stars it stays at "not sure".
SILENT_PRAISE: Final = tuple(0.6 if category is Category.POSITIVE else 0.08 for category in CATEGORIES)
SILENT_PRAISE_STARS: Final = 4


@dataclass(frozen=True)
class Head:
    """One linear judgement: a column per label, a row per n-gram and per cue."""

    text: NDArray[np.float16]
    cues: NDArray[np.float16]
    bias: NDArray[np.float16]
    temperature: float = 1.0

    def logits(self, rows: Encoded) -> Floats:
        """A text of unknown words says nothing, so that only cues such as the rating are left."""
        text, cues, bias = self._used
        said = np.asarray(rows.text @ text) + bias
        return np.asarray(rows.trust[:, None] * said + rows.cues @ cues)

    @cached_property
    def _used(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Converting takes as long as judging a comment, so it is done once."""
        return self.text.astype(np.float32), self.cues.astype(np.float32), self.bias.astype(np.float32)


@dataclass(frozen=True, slots=True)
class LocalModel:
    """What fitting leaves behind; calibration says on which data the confidence was checked, and on how many."""

    features: Features
    category: Head
    severity: Head | None
    calibration: dict[str, Any]

    def probabilities(
        self,
        comments: Sequence[str],
        types: Sequence[str],
        ratings: Sequence[int | None],
        *,
        text: csr_matrix | None = None,
    ) -> tuple[Floats, Floats]:
        """A row per comment over CATEGORIES and one over SEVERITIES, each summing to one."""
        rows = self.features.encode(comments, ratings, text=text)
        category = calibration.probabilities(self.category.logits(rows), self.category.temperature, form_prior(types))
        for index, (comment, rating) in enumerate(zip(comments, ratings, strict=True)):
            if not comment.strip() and (rating or 0) >= SILENT_PRAISE_STARS:
                category[index] = SILENT_PRAISE
        return category, self._severity(rows, category)

    def _severity(self, rows: Encoded, category: Floats) -> Floats:
        calm = np.array([label in CALM for label in CATEGORIES])
        share = category[:, calm].sum(axis=1, keepdims=True)
        if self.severity is not None:
            judged = calibration.probabilities(self.severity.logits(rows), self.severity.temperature)
        else:
            assumed = np.array([ASSUMED_SEVERITY[label] for label in CATEGORIES if label not in CALM])
            lively = category[:, ~calm] + np.finfo(np.float64).tiny
            judged = lively @ assumed / lively.sum(axis=1, keepdims=True)
        return np.asarray(share * np.array(CALM_SEVERITY) + (1 - share) * judged)

    def to_bytes(self) -> bytes:
        """Equal models give equal bytes, and from_bytes gives equal probabilities."""
        heads = {"category": self.category} | ({"severity": self.severity} if self.severity else {})
        arrays: dict[str, NDArray[Any]] = {
            "words_idf": self.features.words_idf,
            "chars_idf": self.features.chars_idf,
        }
        for name, head in heads.items():
            arrays |= {f"{name}_text": head.text, f"{name}_cues": head.cues, f"{name}_bias": head.bias}
        meta = _vocabulary_of_this_release() | {
            "words": self.features.words,
            "chars": self.features.chars,
            "temperatures": {name: head.temperature for name, head in heads.items()},
            "calibration": self.calibration,
        }
        return weights.pack(meta, arrays)

    @classmethod
    def from_bytes(cls, data: bytes) -> LocalModel:
        """Raises EngineError, kind malformed, with a sentence for staff, unless the bytes are what to_bytes gave."""
        meta, arrays = weights.unpack(data)
        if any(meta.get(name) != names for name, names in _vocabulary_of_this_release().items()):
            raise weights.refusal("another release of this software made them; train a new version")
        try:
            features = Features(
                words=meta["words"],
                words_idf=arrays["words_idf"],
                chars=meta["chars"],
                chars_idf=arrays["chars_idf"],
            )
            temperatures = meta["temperatures"]
            heads = {
                name: Head(
                    arrays[f"{name}_text"],
                    arrays[f"{name}_cues"],
                    arrays[f"{name}_bias"],
                    float(temperatures[name]),
                )
                for name in temperatures
            }
            category, severity = heads["category"], heads.get("severity")
            calibrated = dict(meta["calibration"])
        except (KeyError, TypeError, ValueError) as error:
            raise weights.refusal("a part is missing or of the wrong kind") from error
        if not all(np.isfinite(idf).all() for idf in (features.words_idf, features.chars_idf)):
            raise weights.refusal("a number in them is not finite")
        _check(category, features=len(features), labels=len(CATEGORIES))
        if severity is not None:
            _check(severity, features=len(features), labels=len(SEVERITIES))
        return cls(features, category, severity, calibrated)


def form_prior(types: Sequence[str]) -> Floats:
    """Log factors, a row per form type and a column per category."""
    outside = float(np.log(OUTSIDE_TYPE_FACTOR))
    rows = [[0.0 if inside_map(kind, category) else outside for category in CATEGORIES] for kind in types]
    return np.array(rows).reshape(len(types), len(CATEGORIES))


def _vocabulary_of_this_release() -> dict[str, list[str]]:
    return {
        "cues": list(CUE_NAMES),
        "categories": [str(category) for category in CATEGORIES],
        "severities": [str(severity) for severity in SEVERITIES],
    }


def _check(head: Head, *, features: int, labels: int) -> None:
    parts = (head.text, head.cues, head.bias)
    shapes = ((features, labels), (len(CUE_NAMES), labels), (labels,))
    if any(part.dtype != np.float16 or part.shape != shape for part, shape in zip(parts, shapes, strict=True)):
        raise weights.refusal("the parts do not fit together")
    if not all(np.isfinite(part).all() for part in parts) or not head.temperature > 0:
        raise weights.refusal("a number in them is not finite")
