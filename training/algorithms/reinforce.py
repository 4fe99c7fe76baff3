"""A policy learns from rewards alone: REINFORCE with a baseline, over the local engine's kind of features.

It never reads a right answer: it chooses, is told the reward, and leans towards what paid more than usual. That is
worth having where a decision carries a reward but nobody names the right answer, as with what came of an item. Where
people do name it, as in a review, the local algorithm learns far more from as many items.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from analyzer.engines import Reply
from analyzer.engines.local import LocalModel
from analyzer.engines.local.calibration import expected_error, fit_temperature, probabilities
from analyzer.engines.local.features import CUE_NAMES, Encoded, Features, Floats
from analyzer.engines.local.model import CALM, CATEGORIES, SEVERITIES, Head, form_prior
from analyzer.schema import Prediction, Task
from analyzer.taxonomy import Category, Severity
from training import algorithms, lightning
from training.algorithms import Lesson, Proposal
from training.algorithms.local import ROLLED, Trials, spec_of, thresholds
from training.watch import Control, Unusable

if TYPE_CHECKING:
    from training.dataset import Example

ROLLOUTS: Final = 5_000
BATCH: Final = 50
RATE: Final = 0.2
# How much of the usual reward the baseline keeps from one batch to the next.
MEMORY: Final = 0.9
# What keeps the policy trying other labels than its favourite.
ENTROPY: Final = 0.01
SAID_EVERY: Final = 10


@dataclass(slots=True)
class Step:
    """The policy's chances for the items of one batch, by item id, and which row of the features each is."""

    rows: dict[str, int]
    category: Floats
    severity: Floats


class Policy:
    """Two softmax heads over fixed features, trained by ascent on reward with AdaGrad's step sizes."""

    def __init__(self, model: LocalModel, examples: Sequence[Example], *, blank: bool, seed: int) -> None:
        self.model = model
        self.features = _encode(model, examples)
        self.prior = form_prior([example.type for example in examples])
        self.random = np.random.default_rng(seed)
        severity = model.severity or _empty(len(model.features), len(SEVERITIES))
        self.heads = {
            "category": _Weights.of(model.category, blank=blank),
            "severity": _Weights.of(severity, blank=blank),
        }

    def chances(self, rows: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """The chance of every category and severity for some rows."""
        some = _only(self.features, rows)
        category = probabilities(self.heads["category"].logits(some), 1.0, self.prior[rows])
        return category, probabilities(self.heads["severity"].logits(some), 1.0)

    def draw(self, category: Floats, severity: Floats) -> tuple[int, int]:
        """A category by its chance, and a severity; praise and noise are always low."""
        chosen = int(self.random.choice(len(CATEGORIES), p=category))
        if CATEGORIES[chosen] in CALM:
            return chosen, SEVERITIES.index(Severity.LOW)
        return chosen, int(self.random.choice(len(SEVERITIES), p=severity))

    def learn(
        self, rows: NDArray[np.int64], chosen: NDArray[np.int64], levels: NDArray[np.int64], advantage: Floats
    ) -> None:
        """One step towards the choices whose reward was above the baseline, away from those below."""
        some = _only(self.features, rows)
        category, severity = self.chances(rows)
        lively = np.array([CATEGORIES[label] not in CALM for label in chosen], dtype=float)
        self.heads["category"].ascend(some, _direction(category, chosen, advantage))
        self.heads["severity"].ascend(some, _direction(severity, levels, advantage * lively) * lively[:, None])

    def fitted(self, validation: Sequence[Example]) -> LocalModel:
        """The policy as a model that the local engine serves, its confidence checked on validation items."""
        category, severity = (self.heads[name].head() for name in ("category", "severity"))
        rows = _encode(self.model, validation)
        truth = np.array([CATEGORIES.index(Category(example.category)) for example in validation])
        prior = form_prior([example.type for example in validation])
        logits = category.logits(rows)
        temperature = fit_temperature(logits, truth, prior)
        record = {
            "method": "temperature",
            "temperature": temperature,
            "n": len(validation),
            "folds": 0,
            "data": "held-out reviews",
            "ece": round(expected_error(probabilities(logits, temperature, prior), truth), 4),
        }
        return replace(
            self.model,
            category=replace(category, temperature=temperature),
            severity=severity if self.model.severity else None,
            calibration=record,
        )


class Reinforce(lightning.Algorithm):
    """Publishes the policy of each step, has a batch of items rolled out with it, and learns from their rewards."""

    def __init__(self, control: Control, policy: Policy, examples: Sequence[Example], rollouts: int) -> None:
        super().__init__(control)
        self.policy = policy
        self.examples = list(examples)
        self.rollouts = rollouts
        self.rewards: list[float] = []
        self._step = Step({}, np.empty(0), np.empty(0))

    def answer(self, item: Task) -> Reply:
        """What the agent is to say: drawn from the chances of the published step, so that other answers are tried."""
        row = self._step.rows[item.id]
        category, severity = self._step.category[row], self._step.severity[row]
        chosen, level = self.policy.draw(category, severity)
        return Reply(
            Prediction(
                category=CATEGORIES[chosen],
                severity=SEVERITIES[level],
                category_probabilities=dict(zip(CATEGORIES, category.tolist(), strict=True)),
                severity_probabilities=dict(zip(SEVERITIES, severity.tolist(), strict=True)),
            ),
            engine="local",
        )

    async def run(self, train_dataset: Sequence[dict[str, Any]] | None = None, val_dataset: Any = None) -> None:
        """Learn until the rollouts are used up; raises Stopped and Unusable."""
        tasks = list(train_dataset or ())
        weights = np.array([example.weight for example in self.examples])
        baseline: float | None = None
        for number, rows in enumerate(batches(len(tasks), self.rollouts, self.policy.random)):
            category, severity = self.policy.chances(rows)
            keys = [str(tasks[row]["id"]) for row in rows]
            self._step = Step({key: place for place, key in enumerate(keys)}, category, severity)
            resources = {"llm": lightning.policy(f"step-{number}")}
            rolled = await self.roll([tasks[row] for row in rows], resources, mode="train")
            totals = [one.total for one in rolled]
            if any(total is None for total in totals):
                raise Unusable(next(one.error for one in rolled if one.total is None))
            reward = np.array(totals, dtype=float)
            baseline = float(reward.mean()) if baseline is None else baseline
            self.policy.learn(
                rows,
                np.array([one.output["chosen"][0] for one in rolled]),
                np.array([one.output["chosen"][1] for one in rolled]),
                (reward - baseline) * weights[rows],
            )
            baseline = MEMORY * baseline + (1 - MEMORY) * float(reward.mean())
            self.rewards += reward.tolist()
            if number % SAID_EVERY == SAID_EVERY - 1:
                recent = self.rewards[-SAID_EVERY * BATCH :]
                self.control.say(
                    f"{len(self.rewards)} rollouts: mean reward of the last {len(recent)} is "
                    f"{sum(recent) / len(recent):.3f}"
                )


def batches(items: int, rollouts: int, random: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """So many rows in batches, every item once before any comes again, and at most once in a batch."""
    while rollouts > 0:
        order = random.permutation(items)[:rollouts]
        rollouts -= len(order)
        yield from (order[first : first + BATCH] for first in range(0, len(order), BATCH))


def learn(lesson: Lesson) -> Proposal:
    """The active version's weights after so many rollouts of reward; in this process, because the policy is.

    Raises Stopped, and Unusable when rollouts fail.
    """
    data, control, active = lesson.dataset, lesson.control, lesson.active
    rollouts = lesson.options.rollouts or ROLLOUTS
    model = widened(LocalModel.from_bytes(active.weights), [example.comment for example in data.train])
    policy = Policy(model, data.train, blank=lesson.options.blank, seed=lesson.options.seed)
    search = Reinforce(control, policy, data.train, rollouts)
    lightning.fit(search, lightning.policy_agent(search.answer), train=algorithms.tasks(data.train))
    control.say(f"{len(search.rewards)} rollouts done; the policy on {len(data.validation)} validation items")
    fitted = policy.fitted(data.telling or data.validation)
    spec = spec_of(fitted)
    present = replace(active, engine="local", prompt="", model="", base_url="", api_key="")
    trials = Trials(control, {"present": present, algorithms.REINFORCE: spec})
    validation = algorithms.draw(data.validation, ROLLED, seed=lesson.options.seed)
    lightning.fit(trials, lightning.feedback_agent, validation=algorithms.tasks(validation))
    return Proposal(
        algorithm=algorithms.REINFORCE,
        engine=active.engine,
        weights=fitted.to_bytes(),
        prompt=active.prompt,
        thresholds=thresholds(spec, lesson),
        calibration=lesson.calibration | fitted.calibration,
        rewards=trials.rewards[algorithms.REINFORCE],
        before=trials.rewards["present"],
        notes={"rollouts": len(search.rewards), "from": "nothing" if lesson.options.blank else "the active version"},
    )


def widened(model: LocalModel, comments: Sequence[str]) -> LocalModel:
    """The model with the comments' own terms beside its known ones, which say nothing yet."""
    old, found = model.features, Features.fit(comments)
    known = set(old.words), set(old.chars)
    words = [place for place, term in enumerate(found.words) if term not in known[0]]
    chars = [place for place, term in enumerate(found.chars) if term not in known[1]]

    def padded(head: Head) -> Head:
        labels = head.text.shape[1]
        known_words, known_chars = np.split(head.text, [len(old.words)])
        silent = [np.zeros((len(new), labels), np.float16) for new in (words, chars)]
        return replace(head, text=np.vstack([known_words, silent[0], known_chars, silent[1]]))

    return replace(
        model,
        features=Features(
            words=[*old.words, *(found.words[place] for place in words)],
            words_idf=np.concatenate([old.words_idf, found.words_idf[words]]),
            chars=[*old.chars, *(found.chars[place] for place in chars)],
            chars_idf=np.concatenate([old.chars_idf, found.chars_idf[chars]]),
        ),
        category=padded(model.category),
        severity=padded(model.severity) if model.severity else None,
    )


class _Weights:
    """A head in training: sums of squared gradients beside every weight, so that rare terms move as far as common."""

    def __init__(self, text: Floats, cues: Floats, bias: Floats) -> None:
        self.parts = [text, cues, bias]
        self.squares = [np.full_like(part, 1e-3) for part in self.parts]

    @classmethod
    def of(cls, head: Head, *, blank: bool) -> _Weights:
        scale = 0.0 if blank else 1.0 / head.temperature
        return cls(*(part.astype(np.float64) * scale for part in (head.text, head.cues, head.bias)))

    def head(self) -> Head:
        text, cues, bias = (part.astype(np.float16) for part in self.parts)
        return Head(text, cues, bias)

    def logits(self, rows: Encoded) -> Floats:
        text, cues, bias = self.parts
        return np.asarray(rows.trust[:, None] * (rows.text @ text + bias) + rows.cues @ cues)

    def ascend(self, rows: Encoded, direction: Floats) -> None:
        trusted = rows.trust[:, None] * direction
        for part, square, slope in zip(
            self.parts, self.squares, (rows.text.T @ trusted, rows.cues.T @ direction, trusted.sum(axis=0)), strict=True
        ):
            square += slope**2
            part += RATE * slope / np.sqrt(square)


def _direction(chances: Floats, chosen: NDArray[np.int64], advantage: Floats) -> Floats:
    """Where the logits are to go: the policy gradient, and a little towards more even chances."""
    taken = np.eye(chances.shape[1])[chosen]
    logs = np.log(np.maximum(chances, 1e-12))
    entropy = -(chances * logs).sum(axis=1, keepdims=True)
    return np.asarray(advantage[:, None] * (taken - chances) - ENTROPY * chances * (logs + entropy))


def _encode(model: LocalModel, examples: Sequence[Example]) -> Encoded:
    return model.features.encode([one.comment for one in examples], [one.rating for one in examples])


def _only(rows: Encoded, chosen: NDArray[np.int64]) -> Encoded:
    return Encoded(rows.text[chosen], rows.cues[chosen], rows.trust[chosen])


def _empty(features: int, labels: int) -> Head:
    return Head(
        np.zeros((features, labels), np.float16),
        np.zeros((len(CUE_NAMES), labels), np.float16),
        np.zeros(labels, np.float16),
    )
