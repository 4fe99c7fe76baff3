"""Algorithms: each turns decided items into at most one proposal for a new version. Free of the ORM; runs.py stores.

Importing this is cheap; the algorithms themselves bring scikit-learn and Agent Lightning.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from analyzer.schema import Usage

if TYPE_CHECKING:
    from analyzer.engines import Spec
    from analyzer.memory import Memory
    from training.dataset import Dataset, Example
    from training.hosted.shipment import Shipment
    from training.watch import Control

LOCAL: Final = "local"
APO: Final = "apo"
REINFORCE: Final = "reinforce"
SFT: Final = "sft"
GRPO: Final = "grpo"
DPO: Final = "dpo"
HOSTED: Final = "hosted"
AUTO: Final = "auto"
# Those that change the weights of a language model on this machine.
TUNING: Final = (SFT, GRPO, DPO)
ALGORITHMS: Final = (LOCAL, APO, REINFORCE, *TUNING, HOSTED)
# Decisions that a person made about one item; imported ones have no severity to show.
SHOWABLE: Final = frozenset({"validated", "overridden"})


@dataclass(frozen=True, slots=True)
class Options:
    """What a run may do and cost; None is the algorithm's own default. Prices are per million tokens.

    blank has reinforce begin with a policy that knows nothing instead of the active version's. What follows base_model
    is of fine-tuning: start is the version whose adapter it begins with (0 for none), resume the run, or the folder,
    whose work it goes on with. method and training_price are of hosted fine-tuning.
    """

    seed: int = 0
    minimum: int = 50
    promote: bool = False
    dry_run: bool = False
    curve: bool = True
    few_shot: bool = True
    blank: bool = False
    rounds: int = 2
    beam: int = 2
    rollouts: int | None = None
    runners: int | None = None
    max_tokens: int | None = None
    max_minutes: float | None = None
    input_price: float | None = None
    output_price: float | None = None
    base_model: str = ""
    start: int | None = None
    epochs: float | None = None
    batch: int | None = None
    learning_rate: float | None = None
    lora_rank: int | None = None
    group_size: int | None = None
    kl: float | None = None
    max_length: int | None = None
    max_answer: int | None = None
    resume: str = ""
    method: str = "supervised"
    training_price: float | None = None


@dataclass(frozen=True, slots=True)
class Lesson:
    """What an algorithm is given: the data, the version to improve on, and how far to go."""

    dataset: Dataset
    active: Spec
    options: Options
    control: Control
    # The engine and the model that an improved prompt is for, and how many few-shot examples it comes with.
    engine: str = "llm"
    model: str = ""
    examples: int = 0
    # The active version's calibration record, which a proposal that keeps its weights keeps too.
    calibration: dict[str, Any] = field(default_factory=dict)
    store_url: str = ""
    # Where fine-tuning works, the folder that adapters are named from, and the adapters of the active version and of
    # the one to begin with.
    workplace: Path = Path()
    adapters: Path = Path()
    adapter: dict[str, Any] = field(default_factory=dict)
    start: dict[str, Any] = field(default_factory=dict)
    # Of hosted: what somebody confirmed may be sent; the run's number and what marks its files and job at the API.
    shipment: Shipment | None = None
    number: int = 0
    mark: str = ""
    # Of a hosted run that goes on: what is known of its job, and the version whose prompt it was taught with.
    resumed: Mapping[str, Any] = field(default_factory=dict)
    taught: Spec | None = None

    def memory(self) -> Memory:
        """Few-shot examples from what may be learned from; held-out items are not in it."""
        from analyzer.memory import Memory, Remembered, example

        return Memory(
            [
                Remembered(
                    one.feedback_id,
                    example(one.task(), category=one.category, severity=one.severity, action=one.action or ""),
                )
                for one in self.dataset.train
                if one.severity and one.comment and not one.flagged and not one.held and one.provenance in SHOWABLE
            ]
        )


@dataclass(frozen=True)
class Proposal:
    """What an algorithm would change. rewards and before: total reward by validation item, after and before it.

    Both were measured under the same conditions, so that gains of different algorithms can be compared. changes is
    False where nothing better than the active version was found; such a proposal only tells what was tried.
    """

    algorithm: str
    engine: str
    weights: bytes
    prompt: str
    thresholds: dict[str, float]
    calibration: dict[str, Any]
    rewards: dict[str, float]
    before: dict[str, float]
    notes: dict[str, Any] = field(default_factory=dict)
    changes: bool = True
    # None leaves the active version's, or its lack of one.
    model: str | None = None
    adapter: dict[str, Any] | None = None

    @property
    def gain(self) -> float:
        """By how much the mean reward on validation rose, on the items that both were measured on."""
        shared = self.rewards.keys() & self.before.keys()
        return sum(self.rewards[key] - self.before[key] for key in shared) / len(shared) if shared else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The proposal in numbers, for the run's row."""
        n = len(self.rewards)
        reward = sum(self.rewards.values()) / n if n else None
        return {"reward": reward, "n": n, "gain": self.gain} | self.notes


def other_thresholds(active: Spec) -> dict[str, float]:
    """Thresholds of a version that are not a field's, like the cascade's.

    All that a version which asks a model takes over: a field's are measured on the local engine, whose confidence is
    not that of a model's tempered answer.
    """
    return {name: value for name, value in active.thresholds if name not in ("category", "severity")}


def total(usages: Iterable[Usage]) -> Usage:
    """What several answers cost together."""
    calls = prompt_tokens = completion_tokens = 0
    for usage in usages:
        calls += usage.calls
        prompt_tokens += usage.prompt_tokens
        completion_tokens += usage.completion_tokens
    return Usage(calls=calls, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)


def draw(examples: Sequence[Example], most: int, *, seed: int) -> list[Example]:
    """At most so many, every category in its share, in the order they came; the same for the same seed."""
    if len(examples) <= most:
        return list(examples)
    chance = random.Random(seed)  # noqa: S311 (a sample, not a secret)
    shuffled = sorted(examples, key=lambda _: chance.random())
    by_category: dict[str, list[Example]] = {}
    for example in shuffled:
        by_category.setdefault(example.category, []).append(example)
    # Each category's k-th member stands at k / its size, so that any prefix holds all categories in their shares.
    ranked = sorted(
        ((place + 0.5) / len(members), example.feedback_id)
        for members in by_category.values()
        for place, example in enumerate(members)
    )
    chosen = {key for _, key in ranked[:most]}
    return [example for example in examples if example.feedback_id in chosen]


def tasks(examples: Iterable[Example], memory: Memory | None = None, shown: int = 0) -> list[dict[str, Any]]:
    """Examples as rollout tasks, with their decisions for the reward and similar ones for a model to see."""
    made = []
    for example in examples:
        task = example.task()
        if memory is not None and shown:
            task = task.model_copy(update={"examples": memory.similar(task, shown=shown)})
        made.append(task.model_dump(mode="json"))
    return made
