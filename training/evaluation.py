"""How good a version is on items that people decided: every figure with its n and an interval, and no row touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from analyzer import engines, rewards
from analyzer.engines import EngineError, Reply, Spec
from analyzer.schema import Prediction, Task, Verdict
from analyzer.taxonomy import Category, Severity
from analyzer.verdict import conclude

if TYPE_CHECKING:
    from training.dataset import Example

Floats = NDArray[np.float64]

CATEGORIES: Final = tuple(category.value for category in Category)
URGENT: Final = frozenset({Severity.CRITICAL.value, Severity.HIGH.value})
PRECISIONS: Final = (0.90, 0.95)
BINS: Final = 15
CURVE_POINTS: Final = 60
RESAMPLES: Final = 1_000
BATCH: Final = 256
# Numbers held at once while resampling: 32 MB of them.
BLOCK: Final = 4_000_000


@runtime_checkable
class Many(Protocol):
    """An engine that is much faster on many tasks together."""

    def predict_many(self, tasks: Sequence[Task]) -> list[Prediction]: ...


@dataclass(frozen=True, slots=True)
class Sample:
    """People's decisions beside a machine's verdicts, as arrays of one length; what every statistic is made of."""

    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    confidence: Floats
    reward: Floats
    # Critical or high by a person's word, and by the machine's: the two of an item without a severity are False.
    urgent: NDArray[np.bool_]
    caught: NDArray[np.bool_]
    group: NDArray[np.int64]

    @property
    def right(self) -> NDArray[np.bool_]:
        return np.equal(self.truth, self.predicted)


@dataclass(frozen=True)
class Report:
    """The figures of one version on one set of items; a figure that nothing speaks for is None.

    accuracy and macro_f1 (the mean F1 of the categories that people used) are of the category. severity_recall is the
    share of the items people called critical or high that the machine called critical or high. ece is the expected
    calibration error over 15 bins of equal mass. coverage says, per precision, the largest share of items, most
    confident first, of which at least that share is right. intervals are 95 % bootstrap percentiles over groups of
    near-copies; that of ece also holds chance, what a perfectly calibrated machine would show on as many items.
    """

    n: int
    accuracy: float
    macro_f1: float
    ece: float
    per_class: dict[str, dict[str, Any]]
    confusion: dict[str, dict[str, int]]
    severity_recall: float | None
    mean_reward: float
    coverage: dict[str, dict[str, Any]]
    version: int | str
    intervals: dict[str, Any] = field(default_factory=dict)
    reliability: list[dict[str, Any]] = field(default_factory=list)
    coverage_curve: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-ready values."""
        return asdict(self)


def predict(
    spec: Spec,
    examples: Sequence[Example],
    *,
    task_of: Callable[[Example], Task] | None = None,
    progress: bool = True,
) -> list[Verdict]:
    """What the version behind a spec says of each example, on the product's own path: engine, then verdict.

    An engine that fails on an item is replaced by the local one with the reason, as in an analysis. task_of gives the
    task where it is more than the item itself (few-shot examples). No engine sees a decision. progress on stderr.
    """
    tasks = [
        (task_of(example) if task_of else example.task()).model_copy(update={"decision": None}) for example in examples
    ]
    thresholds = dict(spec.thresholds)
    bar = tqdm(total=len(tasks), unit="item", desc="Evaluating", disable=None if progress else True)
    verdicts: list[Verdict] = []
    with bar:
        for task, reply in zip(tasks, _replies(spec, tasks), strict=True):
            verdicts.append(conclude(task, reply, thresholds=thresholds))
            bar.update()
    return verdicts


def evaluate(
    examples: Sequence[Example],
    verdicts: Sequence[Verdict],
    *,
    version: int | str = "",
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Report:
    """The report on verdicts about examples, in the same order. Raises ValueError when there are none."""
    data = sample(examples, verdicts)
    n = len(data.truth)
    everything = np.ones((1, n))
    values = {name: float(value[0]) for name, value in _figures(data, everything).items()}
    draws: dict[str, list[Floats]] = {name: [] for name in values}
    for weights in resample(data.group, resamples=resamples, seed=seed):
        for name, drawn in _figures(data, weights).items():
            draws[name].append(drawn)
    counts = _counts(data)
    intervals: dict[str, Any] = {
        name: interval(value, np.concatenate(draws[name]), counts[name]) for name, value in values.items()
    }
    intervals["ece"] = _ece_interval(intervals["ece"], _chance(data, seed=seed))
    per_class, class_intervals = {}, {}
    for category in CATEGORIES:
        parts = {part: intervals.pop(f"{part} {category}") for part in ("precision", "recall", "f1")}
        per_class[category] = {"n": counts[f"recall {category}"]} | {
            name: part["value"] for name, part in parts.items()
        }
        class_intervals[category] = parts
    curve = coverage_curve(data.confidence, data.right)
    return Report(
        n=n,
        accuracy=values["accuracy"],
        macro_f1=values["macro_f1"],
        ece=values["ece"],
        per_class=per_class,
        confusion=_confusion(data),
        severity_recall=intervals["severity_recall"]["value"],
        mean_reward=values["mean_reward"],
        coverage={f"{target:.2f}": reach(curve, target) for target in PRECISIONS},
        version=version,
        intervals=intervals | {"per_class": class_intervals},
        reliability=_reliability(data),
        coverage_curve=_thinned(curve),
    )


def sample(examples: Sequence[Example], verdicts: Sequence[Verdict]) -> Sample:
    """The arrays behind the figures; raises ValueError when there is nothing, or not one verdict per example."""
    if not examples:
        raise ValueError("There is nothing to evaluate on.")
    pairs = list(zip(examples, verdicts, strict=True))
    urgent = np.array([example.severity in URGENT for example in examples])
    index = {category: number for number, category in enumerate(CATEGORIES)}
    return Sample(
        truth=np.array([index[example.category] for example, _ in pairs]),
        predicted=np.array([index[verdict.category.value] for _, verdict in pairs]),
        confidence=np.array([verdict.category_confidence for _, verdict in pairs]),
        reward=np.array([_reward(example, verdict) for example, verdict in pairs]),
        urgent=urgent,
        caught=urgent & np.array([verdict.severity.value in URGENT for verdict in verdicts]),
        group=np.array([example.group for example, _ in pairs]),
    )


def statistics(data: Sample, weights: Floats) -> dict[str, Floats]:
    """Every figure but coverage under each row of weights (resamples x items); NaN where nothing speaks for a figure.

    One definition serves the value (weights of one) and its interval (how often each item was drawn).
    """
    drawn = weights.sum(axis=1)
    right = data.right.astype(float)
    labels = np.arange(len(CATEGORIES))
    truth = (data.truth[:, None] == labels).astype(float)
    predicted = (data.predicted[:, None] == labels).astype(float)
    hits, support, claimed = weights @ (truth * predicted), weights @ truth, weights @ predicted
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall = hits / claimed, hits / support
        f1 = np.where(support > 0, 2 * hits / (support + claimed), np.nan)
        figures = {
            "accuracy": weights @ right / drawn,
            # Categories that nobody used have no F1; what is wrongly put there costs the others their recall.
            "macro_f1": np.nansum(f1, axis=1) / (support > 0).sum(axis=1),
            "ece": _ece(data, weights),
            "mean_reward": weights @ data.reward / drawn,
            "severity_recall": (weights @ data.caught) / (weights @ data.urgent),
        }
    for number, category in enumerate(CATEGORIES):
        figures[f"precision {category}"] = precision[:, number]
        figures[f"recall {category}"] = recall[:, number]
        figures[f"f1 {category}"] = f1[:, number]
    return figures


def resample(group: NDArray[np.int64], *, resamples: int, seed: int) -> Iterator[Floats]:
    """How often each item is drawn in each resample, in blocks of rows; near-copies are drawn together."""
    rng = np.random.default_rng(seed)
    _, member = np.unique(group, return_inverse=True)
    count = int(member.max()) + 1
    rows = max(1, BLOCK // len(group))
    for first in range(0, resamples, rows):
        size = min(rows, resamples - first)
        picks = rng.integers(count, size=(size, count)) + count * np.arange(size)[:, None]
        times = np.bincount(picks.ravel(), minlength=size * count).reshape(size, count)
        yield times[:, member].astype(float)


def interval(value: float, drawn: Floats, n: int) -> dict[str, Any]:
    """A figure with its 95 % percentile interval and n; all None where it has nothing to stand on."""
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or not len(known):
        return {"value": None, "low": None, "high": None, "n": n}
    low, high = np.percentile(known, (2.5, 97.5))
    return {"value": float(value), "low": float(low), "high": float(high), "n": n}


def _figures(data: Sample, weights: Floats) -> dict[str, Floats]:
    return statistics(data, weights) | _coverages(data, weights)


def _replies(spec: Spec, tasks: Sequence[Task]) -> Iterator[Reply]:
    engine = engines.build(spec)
    if isinstance(engine, Many):
        for first in range(0, len(tasks), BATCH):
            for prediction in engine.predict_many(tasks[first : first + BATCH]):
                yield Reply(prediction, spec.engine)
        return
    local = engines.local_of(spec)
    for task in tasks:
        try:
            yield (local if task.held else engine).predict(task, prompt=spec.prompt)
        except EngineError as error:
            reply = local.predict(task, prompt="")
            yield Reply(reply.prediction, reply.engine, error.usage, note=f"{error.kind}: {error}")


def _reward(example: Example, verdict: Verdict) -> float:
    judged = rewards.Judged(
        category=verdict.category, severity=verdict.severity, action=verdict.action, priority=verdict.priority
    )
    decision = rewards.Judged(
        category=example.category, severity=example.severity, action=example.action, priority=example.priority
    )
    return rewards.reward(judged, decision)["total"]


def _bins(data: Sample) -> NDArray[np.int64]:
    """Which of BINS bins of equal mass an item's confidence lies in; equal confidences are never parted."""
    edges = np.unique(np.quantile(data.confidence, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, data.confidence, side="right")


def _ece(data: Sample, weights: Floats) -> Floats:
    bins = _bins(data)
    inside = (bins[:, None] == np.unique(bins)).astype(float)
    gaps = weights @ (inside * (data.right - data.confidence)[:, None])
    return np.asarray(np.abs(gaps).sum(axis=1) / weights.sum(axis=1))


def _ece_interval(percentile: dict[str, Any], chance: Floats) -> dict[str, Any]:
    """The interval of ECE, which noise only ever raises: a resample has noise twice, so its excess is mirrored back.

    It reaches down to 0 where a perfectly calibrated machine would show as much; chance is what that one shows.
    """
    value = percentile["value"]
    perfect = value <= np.percentile(chance, 97.5)
    return percentile | {
        "low": 0.0 if perfect else max(0.0, 2 * value - percentile["high"]),
        "high": max(value, 2 * value - percentile["low"]),
        "chance": float(chance.mean()),
    }


def _chance(data: Sample, *, seed: int, repeats: int = 400) -> Floats:
    """The ECE that sampling alone would show if every confidence were exactly right, in each of some repeats."""
    rng = np.random.default_rng(seed)
    bins = _bins(data)
    inside = (bins[:, None] == np.unique(bins)).astype(float)
    gaps = [
        np.abs(((rng.random(len(bins)) < data.confidence) - data.confidence) @ inside).sum() for _ in range(repeats)
    ]
    return np.array(gaps) / len(bins)


def _coverages(data: Sample, weights: Floats) -> dict[str, Floats]:
    order, ends = _ranking(data.confidence)
    taken = np.cumsum(weights[:, order], axis=1)[:, ends]
    right = np.cumsum(weights[:, order] * data.right[order], axis=1)[:, ends]
    return {
        f"coverage_{target:.2f}": np.where(right >= target * taken - 1e-9, taken, 0.0).max(axis=1) / weights.sum(axis=1)
        for target in PRECISIONS
    }


def _ranking(confidence: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The items, most confident first, and where a threshold can lie: after the last of equal confidences."""
    order = np.argsort(-confidence, kind="stable")
    ordered = confidence[order]
    return order, np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))


def coverage_curve(confidence: Floats, right: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Coverage and precision at every threshold that makes a difference, most confident first."""
    order, ends = _ranking(confidence)
    summed = np.cumsum(right[order])
    return [
        {
            "coverage": float((end + 1) / len(order)),
            "precision": float(summed[end] / (end + 1)),
            "threshold": float(confidence[order[end]]),
            "n": int(end + 1),
        }
        for end in ends
    ]


def reach(curve: Sequence[dict[str, Any]], target: float) -> dict[str, Any]:
    """The point with the largest coverage at this precision or more; without threshold where there is none."""
    nowhere = {"coverage": 0.0, "precision": None, "threshold": None, "n": 0}
    return next((point for point in reversed(curve) if point["precision"] >= target - 1e-12), nowhere)


def _thinned(curve: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    picked = np.unique(np.linspace(0, len(curve) - 1, min(CURVE_POINTS, len(curve))).round().astype(int))
    return [curve[position] for position in picked]


def _reliability(data: Sample) -> list[dict[str, Any]]:
    bins = _bins(data)
    return [
        {
            "low": float(data.confidence[inside].min()),
            "high": float(data.confidence[inside].max()),
            "confidence": float(data.confidence[inside].mean()),
            "accuracy": float(data.right[inside].mean()),
            "n": int(inside.sum()),
        }
        for inside in (bins == number for number in np.unique(bins))
    ]


def _confusion(data: Sample) -> dict[str, dict[str, int]]:
    """How often people said the outer category and the machine the inner one."""
    counts = np.zeros((len(CATEGORIES), len(CATEGORIES)), dtype=int)
    np.add.at(counts, (data.truth, data.predicted), 1)
    return {
        category: dict(zip(CATEGORIES, map(int, row), strict=True))
        for category, row in zip(CATEGORIES, counts, strict=True)
    }


def _counts(data: Sample) -> dict[str, int]:
    """How many items each figure of statistics stands on."""
    n = len(data.truth)
    counts = dict.fromkeys(("accuracy", "macro_f1", "ece", "mean_reward"), n)
    counts |= {f"coverage_{target:.2f}": n for target in PRECISIONS}
    counts["severity_recall"] = int(data.urgent.sum())
    for number, category in enumerate(CATEGORIES):
        support = int((data.truth == number).sum())
        counts |= {f"recall {category}": support, f"f1 {category}": support}
        counts[f"precision {category}"] = int((data.predicted == number).sum())
    return counts
