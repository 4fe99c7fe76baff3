"""Whether a candidate may replace the active version: only when it is better by more than noise, and nobody loses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.schema import Verdict
from training.evaluation import CATEGORIES, Floats, Sample, interval, resample, sample, statistics

if TYPE_CHECKING:
    from training.dataset import Example

RESAMPLES: Final = 2_000
# A class with fewer held-out items is not judged by itself: one item would be more than ten points.
CLASS_MINIMUM: Final = 10
CLASS_LOSS: Final = 0.05
URGENT_MINIMUM: Final = 10
# With fewer, a lucky handful looks like certainty to a bootstrap.
MINIMUM: Final = 20
_TINY: Final = 1e-9


@dataclass(frozen=True)
class Judgement:
    """The gate's answer. reasons are sentences, those against it alone when it is refused.

    deltas: candidate minus active, each with 95 % interval and n; under "per_class" recall and F1, under
    "over_constant" macro-F1 and accuracy minus those of always saying the most frequent category.
    """

    promote: bool
    reasons: tuple[str, ...]
    deltas: dict[str, Any]
    n: int
    seed: int
    resamples: int

    def as_dict(self) -> dict[str, Any]:
        """The judgement as JSON-ready values."""
        return asdict(self) | {"reasons": list(self.reasons)}


def judge(
    examples: Sequence[Example],
    active: Sequence[Verdict],
    candidate: Sequence[Verdict],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Judgement:
    """Compare two versions' verdicts on the same held-out examples by a paired bootstrap over near-copy groups.

    Promoted is only a candidate whose gain in macro-F1 has a 95 % interval above zero, whose accuracy is not below,
    that beats a constant by more than noise, under which no category loses more than 5 points of recall or F1 (or, of
    fewer than 20 items, more than one item), and which finds as many of the critical and high items.
    """
    now, new = sample(examples, active), sample(examples, candidate)
    constant = _constant(now)
    deltas = _deltas(new, now, seed=seed, resamples=resamples)
    over = _deltas(new, constant, seed=seed, resamples=resamples)
    deltas["over_constant"] = {name: over[name] for name in ("macro_f1", "accuracy")}
    against = [
        *_too_few(len(examples)),
        *_no_gain(deltas),
        *_no_better_than_constant(deltas["over_constant"], CATEGORIES[constant.predicted[0]]),
        *_losers(deltas["per_class"]),
        *_missed(deltas["severity_recall"], now, new),
    ]
    gain = deltas["macro_f1"]
    better = f"Macro-F1 {_points(gain)} on {len(examples)} held-out items; no category and no severity pays for it."
    return Judgement(
        promote=not against,
        reasons=tuple(against) or (better,),
        deltas=deltas,
        n=len(examples),
        seed=seed,
        resamples=resamples,
    )


def _constant(data: Sample) -> Sample:
    """The strongest machine that does not look: it says what people say most on these very items."""
    frequent = np.bincount(data.truth).argmax()
    return replace(data, predicted=np.full_like(data.truth, frequent))


def _deltas(new: Sample, old: Sample, *, seed: int, resamples: int) -> dict[str, Any]:
    n = len(new.truth)
    value = _difference(new, old, np.ones((1, n)))
    blocks = [_difference(new, old, weights) for weights in resample(new.group, resamples=resamples, seed=seed)]
    support = {category: int((new.truth == number).sum()) for number, category in enumerate(CATEGORIES)}

    def delta(name: str, count: int) -> dict[str, Any]:
        return interval(float(value[name][0]), np.concatenate([block[name] for block in blocks]), count)

    return {
        **{name: delta(name, n) for name in ("macro_f1", "accuracy", "mean_reward", "ece")},
        "severity_recall": delta("severity_recall", int(new.urgent.sum())),
        "per_class": {
            category: {part: delta(f"{part} {category}", support[category]) for part in ("recall", "f1")}
            for category in CATEGORIES
            if support[category]
        },
    }


def _difference(new: Sample, old: Sample, weights: Floats) -> dict[str, Floats]:
    before = statistics(old, weights)
    return {name: after - before[name] for name, after in statistics(new, weights).items()}


def _too_few(n: int) -> list[str]:
    return [] if n >= MINIMUM else [f"Only {n} held-out items: at least {MINIMUM} are needed to tell luck from skill."]


def _no_gain(deltas: dict[str, Any]) -> list[str]:
    reasons = []
    if deltas["macro_f1"]["low"] <= _TINY:
        reasons.append(f"The gain in macro-F1 is not more than noise: {_points(deltas['macro_f1'])}.")
    if deltas["accuracy"]["value"] < -_TINY:
        reasons.append(f"Accuracy is lower: {_points(deltas['accuracy'])}.")
    return reasons


def _no_better_than_constant(over: dict[str, Any], constant: str) -> list[str]:
    if over["macro_f1"]["low"] > _TINY and over["accuracy"]["value"] > _TINY:
        return []
    return [
        f"It does not beat always saying {constant} by more than noise: macro-F1 {_points(over['macro_f1'])}, "
        f"accuracy {_points(over['accuracy'])}."
    ]


def _losers(per_class: dict[str, Any]) -> list[str]:
    reasons = []
    for category, parts in per_class.items():
        for part, delta in parts.items():
            # Of fewer than twenty items a single one is more than five points, and says nothing.
            allowed = max(CLASS_LOSS, 1 / delta["n"])
            if delta["n"] >= CLASS_MINIMUM and delta["value"] < -allowed - _TINY:
                word = "F1" if part == "f1" else part
                reasons.append(f"{category} loses too much {word}: {_points(delta)} on {delta['n']} items.")
    return reasons


def _missed(delta: dict[str, Any], now: Sample, new: Sample) -> list[str]:
    if delta["n"] < URGENT_MINIMUM or delta["value"] >= -_TINY:
        return []
    return [
        f"It finds {int(new.caught.sum())} of {delta['n']} critical and high items, the active version "
        f"{int(now.caught.sum())}."
    ]


def _points(delta: dict[str, Any]) -> str:
    """A difference in points of a hundred with its interval, as staff read it."""
    value, low, high = (100 * delta[name] for name in ("value", "low", "high"))
    return f"{value:+.1f} points (95 % interval {low:+.1f} to {high:+.1f})"
