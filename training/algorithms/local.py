"""The local engine learns: fitted on decisions beside fading synthetic examples, chosen by rewards of rollouts."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer import cold_start
from analyzer.engines import Spec, local
from analyzer.verdict import DEFAULT_THRESHOLD
from training import algorithms, evaluation, lightning
from training.algorithms import Lesson, Proposal
from training.watch import Control, Unusable

if TYPE_CHECKING:
    from training.dataset import Example

# What a synthetic example weighs beside n decisions: FADE / (FADE + n), but never below one of FLOORS, which are tried.
# Measured on 1,525 public comments, accuracy on 525 others from the same sources: fading fast is best (50 decisions:
# .806 against .794 with full weight; 200: .839 against .813). On sources left out of training, none at all is ruin
# (.00 to .74) and a tenth keeps nearly everything (.67 to .87): so they fade to a tenth and stay there.
FADE: Final = 10.0
FLOORS: Final = (0.1, 0.3)
# The learning curve is drawn at these numbers of reviews, and at all; a longer fit is not repeated for a picture.
CURVE: Final = (0, 50, 100, 200, 500, 1_000)
CURVE_MOST: Final = 5_000
CURVE_RESAMPLES: Final = 200
# A field says "not sure" below the confidence from which on this share was right on validation items.
PRECISION: Final = 0.9
TELLING: Final = 50
# Validation items that a setting is rolled out on, at most: more would not tell two settings apart any better.
ROLLED: Final = 500


@dataclass(frozen=True, slots=True)
class Setting:
    """One way of fitting, and the weights that came out."""

    name: str
    floor: float
    model: local.LocalModel
    spec: Spec
    seconds: float


class Trials(lightning.Algorithm):
    """Rolls every setting out over the validation items; what each earned is read from the spans."""

    def __init__(self, control: Control, specs: dict[str, Spec]) -> None:
        super().__init__(control)
        # Made before runners fork, so that each of them knows every engine.
        self.resources = {
            name: {"llm": lightning.register(spec), "prompt": lightning.template("")} for name, spec in specs.items()
        }
        self.rewards: dict[str, dict[str, float]] = {}
        # How many items the local engine answered because the one that was tried did not.
        self.fallbacks: dict[str, int] = {}

    async def run(self, train_dataset: Any = None, val_dataset: Sequence[dict[str, Any]] | None = None) -> None:
        """Publish each setting's engine, have it rolled out, and keep the rewards by item; raises Stopped, Unusable."""
        for name, resources in self.resources.items():
            rolled = await self.roll(val_dataset or (), resources, mode="val")
            self.rewards[name] = {str(one.task["id"]): one.total for one in rolled if one.total is not None}
            self.fallbacks[name] = sum(bool(_verdict(one).get("fallback_reason")) for one in rolled)
            failed = len(rolled) - len(self.rewards[name])
            if failed:
                reasons = sorted({one.error for one in rolled if one.error})
                raise Unusable(f"{failed} of {len(rolled)} rollouts of {name} failed: {'; '.join(reasons)}")
            self.control.say(f"{name}: mean reward {_mean(self.rewards[name]):.4f} over {len(rolled)} rollouts")


def learn(lesson: Lesson) -> Proposal:
    """The best of a few settings, fitted anew on training and validation items together; a few seconds per 1,000.

    The engine, prompt and model of the active version stay: a version that asks a model gets a better local half.
    Raises Stopped, and Unusable when rollouts fail.
    """
    data, control = lesson.dataset, lesson.control
    present = replace(lesson.active, engine="local", prompt="", model="", base_url="", api_key="")
    settings = []
    # Few validation items cannot tell settings apart, they would only choose at random.
    for floor in FLOORS if len(data.validation) >= TELLING else FLOORS[:1]:
        control.check()
        setting = _setting(floor, lesson)
        control.say(f"{setting.name}: fitted on {len(data.train)} decisions in {setting.seconds:.1f} s")
        settings.append(setting)
    trials = Trials(control, {"present": present} | {setting.name: setting.spec for setting in settings})
    lightning.fit(
        trials,
        lightning.feedback_agent,
        validation=algorithms.tasks(algorithms.draw(data.validation, ROLLED, seed=lesson.options.seed)),
        runners=lesson.options.runners or 0,
        store_url=lesson.store_url,
    )
    best = max(settings, key=lambda setting: _mean(trials.rewards[setting.name]))
    control.check()
    final = _again(best, lesson)
    control.say(f"chosen: {best.name}; fitted anew on {len(data.train) + len(data.validation)} decisions")
    return Proposal(
        algorithm=algorithms.LOCAL,
        engine=lesson.active.engine,
        weights=final.to_bytes(),
        prompt=lesson.active.prompt,
        thresholds=thresholds(best.spec, lesson),
        calibration=lesson.calibration | final.calibration,
        rewards=trials.rewards[best.name],
        before=trials.rewards["present"],
        notes={
            "setting": best.name,
            "tried": {name: _mean(rewards) for name, rewards in trials.rewards.items()},
            "seconds": round(sum(setting.seconds for setting in settings), 1),
        },
    )


def curve(lesson: Lesson) -> list[dict[str, Any]]:
    """Quality on the validation items after the first so many decisions; empty where it would take long."""
    train, validation = lesson.dataset.train, lesson.dataset.telling
    if not validation:
        lesson.control.say("no learning curve: every validation item was accepted in bulk")
        return []
    if len(train) > CURVE_MOST:
        lesson.control.say(f"no learning curve: {len(train)} decisions would take minutes")
        return []
    points = []
    for n in sorted({*(n for n in CURVE if n < len(train)), len(train)}):
        lesson.control.check()
        spec = spec_of(fit(train[:n], floor=FLOORS[0], calibration=validation))
        verdicts = evaluation.predict(spec, validation, progress=False)
        report = evaluation.evaluate(validation, verdicts, seed=lesson.options.seed, resamples=CURVE_RESAMPLES)
        points.append(
            {
                "n": n,
                "accuracy": report.accuracy,
                "low": report.intervals["accuracy"]["low"],
                "high": report.intervals["accuracy"]["high"],
                "macro_f1": report.macro_f1,
                "items": report.n,
            }
        )
    lesson.control.say("learning curve: " + ", ".join(f"{point['n']}: {point['accuracy']:.3f}" for point in points))
    return points


def fit(
    examples: Sequence[Example],
    *,
    floor: float = FLOORS[0],
    calibration: Sequence[Example] | None = None,
    seed: int = 0,
) -> local.LocalModel:
    """The local engine fitted on decisions by their weights, beside synthetic examples that fade as decisions grow."""
    return local.fit(
        [*_labelled(examples), *_synthetic(fading(len(examples), floor))],
        calibration_examples=None if calibration is None else list(_labelled(calibration)),
        seed=seed,
    )


def fading(decisions: int, floor: float) -> float:
    """What a synthetic example weighs beside so many decisions: 1 without any, then less and less down to floor."""
    return max(floor, FADE / (FADE + decisions))


def thresholds(spec: Spec, lesson: Lesson) -> dict[str, float]:
    """The active version's, with a field's measured anew where the local engine with this spec is to answer.

    That is the confidence from which on nine of ten answers were right; the usual one where too few tell.
    """
    kept, validation = algorithms.other_thresholds(lesson.active), lesson.dataset.telling
    if lesson.active.engine != "local":
        return kept
    verdicts = evaluation.predict(spec, validation, progress=False)
    pairs = list(zip(validation, verdicts, strict=True))
    category = [(verdict.category_confidence, verdict.category == example.category) for example, verdict in pairs]
    severity = [
        (verdict.severity_confidence, verdict.severity == example.severity)
        for example, verdict in pairs
        if example.severity
    ]
    return kept | {"category": threshold(category), "severity": threshold(severity)}


def threshold(judged: Sequence[tuple[float, bool]]) -> float:
    """The lowest confidence from which on PRECISION of the answers were right, given as (confidence, right)."""
    if len(judged) < TELLING:
        return DEFAULT_THRESHOLD
    confidence, right = (np.array(each) for each in zip(*judged, strict=True))
    found = evaluation.reach(evaluation.coverage_curve(confidence, right), PRECISION)["threshold"]
    return DEFAULT_THRESHOLD if found is None else round(found, 4)


def _setting(floor: float, lesson: Lesson) -> Setting:
    data, started = lesson.dataset, time.perf_counter()
    model = fit(data.train, floor=floor, calibration=data.telling, seed=lesson.options.seed)
    weight = fading(len(data.train), floor)
    spec = spec_of(model)
    return Setting(f"synthetic examples at {weight:.2f}", floor, model, spec, time.perf_counter() - started)


def _again(setting: Setting, lesson: Lesson) -> local.LocalModel:
    """The chosen setting fitted on everything but the held-out items.

    Its confidence is what was measured before, on items that were not among its examples then.
    """
    before, everything = setting.model, [*lesson.dataset.train, *lesson.dataset.validation]
    after = fit(everything, floor=setting.floor, calibration=everything, seed=lesson.options.seed)
    severity = after.severity
    if severity is not None and before.severity is not None:
        severity = replace(severity, temperature=before.severity.temperature)
    return replace(
        after,
        category=replace(after.category, temperature=before.category.temperature),
        severity=severity,
        calibration=before.calibration,
    )


def spec_of(model: local.LocalModel) -> Spec:
    """What the local engine with this model is built from."""
    weights = model.to_bytes()
    return Spec(engine="local", weights=weights, weights_digest=hashlib.sha256(weights).hexdigest())


def _labelled(examples: Sequence[Example]) -> Iterator[local.LabelledText]:
    for example in examples:
        yield local.LabelledText(
            comment=example.comment,
            category=example.category,
            severity=example.severity,
            type=example.type,
            rating=example.rating,
            weight=example.weight,
        )


def _synthetic(weight: float) -> Iterator[local.LabelledText]:
    if not weight:
        return
    for example in cold_start.load():
        yield local.LabelledText(
            comment=example.comment,
            category=example.category.value,
            severity=example.severity.value,
            type=example.type.value,
            rating=example.rating,
            weight=weight,
            synthetic=True,
        )


def _verdict(rolled: lightning.Rolled) -> dict[str, Any]:
    found: dict[str, Any] = rolled.output.get("verdict") or {}
    return found


def _mean(rewards: dict[str, float]) -> float:
    return sum(rewards.values()) / max(1, len(rewards))
