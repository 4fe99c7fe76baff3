"""What there is to learn from: people's decisions in force, split by time and never between near-copies."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from analyzer import actions
from analyzer.engines.local import LabelledText
from analyzer.models import QueueItem, Review
from analyzer.schema import Task
from analyzer.taxonomy import Category
from feedback.choices import ComplianceOutcome
from training import duplicates
from training.models import TrainingRun

# Oldest first: train on the past, choose on what came then, examine on the newest.
SHARES: Final = {"train": 0.65, "validation": 0.15, "test": 0.20}
# A decision whose provenance is not here teaches nothing.
WEIGHTS: Final[dict[str, float]] = {
    Review.Provenance.VALIDATED: 1.0,
    Review.Provenance.OVERRIDDEN: 1.0,
    Review.Provenance.IMPORTED: 1.0,
    Review.Provenance.BULK: 0.5,
}
# Below this, half of what is split off for the examination would be chance.
MINIMUM: Final = 50
# A category with fewer is not one that can be told apart; two such are needed.
MINIMUM_OF_A_CLASS: Final = 5
MINIMUM_TO_EXAMINE: Final = 5
PROBLEMS_SHOWN: Final = 5
# Items read at once, and of each no more than an example takes.
CHUNK: Final = 2_000
_READ: Final = (
    "received_at",
    "group__size",
    *(f"feedback__{name}" for name in ("comment", "type", "rating", "page", "compliance", "findings")),
    *(f"review__{name}" for name in ("category", "severity", "action", "priority", "provenance", "created_at")),
    "review__undone_at",
    *(f"review__analysis__{name}" for name in ("category", "severity", "action")),
)


class TooLittle(Exception):
    """There is not enough to learn from; the message says how many decisions are missing, and of which classes."""


class BadFile(ValueError):
    """A file that is no data set; the message names the file, the line and the field."""


@dataclass(frozen=True, slots=True)
class Overruled:
    """What the machine had said of an item, where a person overrode it."""

    category: str
    severity: str
    action: str


@dataclass(frozen=True, slots=True)
class Example:
    """One item with what a person decided; None is a field that was not judged.

    The text is redacted, actions too. group is shared by near-copies. flagged (governance noticed something) keeps it
    out of few-shot examples.
    """

    feedback_id: str
    comment: str
    category: str
    type: str = ""
    rating: int | None = None
    page: str = ""
    severity: str | None = None
    action: str | None = None
    priority: int | None = None
    provenance: str = ""
    weight: float = 1.0
    group: int = 0
    received_at: datetime | None = None
    decided_at: datetime | None = None
    similar: int = 0
    held: bool = False
    injection: bool = False
    flagged: bool = False
    overruled: Overruled | None = None

    def decision(self) -> dict[str, Any]:
        """The judged fields, as analyzer.rewards.reward reads them."""
        judged = {
            "category": self.category,
            "severity": self.severity,
            "action": self.action,
            "priority": self.priority,
        }
        return {field: value for field, value in judged.items() if value is not None}

    def task(self) -> Task:
        """The item as the agent sees it, with the decision that its reward is measured against."""
        return Task(
            id=self.feedback_id,
            comment=self.comment,
            type=self.type,
            rating=self.rating,
            page=self.page,
            similar=self.similar,
            held=self.held,
            injection=self.injection,
            decision=self.decision(),
        )

    def labelled(self) -> LabelledText:
        """The item as the local engine learns from it."""
        return LabelledText(
            comment=self.comment,
            category=self.category,
            severity=self.severity,
            type=self.type,
            rating=self.rating,
            weight=self.weight,
        )


@dataclass(frozen=True)
class Dataset:
    """Three parts that share no near-copy. left_out: decisions as new as the test that must not examine.

    Those accepted in bulk, for such a label is the active version's own answer and may only teach a little; and, where
    two versions are to be compared, those that one of them may have learned from (unlearned).
    """

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    test: tuple[Example, ...]
    left_out: tuple[Example, ...]
    digest: str
    summary: dict[str, Any]

    @property
    def telling(self) -> tuple[Example, ...]:
        """What says how sure to be: the validation items that somebody decided one by one."""
        return tuple(example for example in self.validation if example.provenance != Review.Provenance.BULK)

    def splits(self) -> dict[str, tuple[Example, ...]]:
        return {"train": self.train, "validation": self.validation, "test": self.test}


def build(*, minimum: int = MINIMUM) -> Dataset:
    """The data set of this desk; the same rows give the same split and digest. Raises TooLittle."""
    examples = collect()
    _check(examples, minimum)
    dataset = split(examples)
    if len(dataset.test) < MINIMUM_TO_EXAMINE or not dataset.train or not dataset.validation:
        bulk = f", {len(dataset.left_out)} more were accepted in bulk and cannot examine" if dataset.left_out else ""
        raise TooLittle(
            f"The split leaves {len(dataset.train)} decisions to learn from, {len(dataset.validation)} to choose with "
            f"and {len(dataset.test)} to examine with{bulk}. At least {MINIMUM_TO_EXAMINE} of the newest must be "
            "different items that somebody decided one by one."
        )
    return dataset


def collect() -> list[Example]:
    """Every decision in force on a real item, oldest item first, with near-copies grouped; reads the whole desk."""
    return grouped(read())


def read() -> list[Example]:
    """The same before near-copies are looked for. A decision about words that were edited since is left out."""
    decided = (
        QueueItem.objects.filter(review__isnull=False, feedback__synthetic=False, edited=False)
        .select_related("feedback", "group", "review__analysis")
        .only(*_READ)
        .order_by("received_at", "pk")
    )
    return [
        _example(item, item.review)
        for item in decided.iterator(chunk_size=CHUNK)
        if item.review is not None and item.review.undone_at is None and item.review.provenance in WEIGHTS
    ]


def split(examples: Sequence[Example]) -> Dataset:
    """Cut by time, oldest first: a group goes where its middle lies, whole, by when its first member arrived."""
    groups: dict[int, list[Example]] = {}
    for example in examples:
        groups.setdefault(example.group, []).append(example)
    parts: dict[str, list[Example]] = {name: [] for name in SHARES}
    before = 0
    for members in groups.values():
        middle = (before + len(members) / 2) / len(examples)
        parts[_part(middle)].extend(members)
        before += len(members)
    bulk = Review.Provenance.BULK
    left_out = [example for example in parts["test"] if example.provenance == bulk]
    parts["test"] = [example for example in parts["test"] if example.provenance != bulk]
    return _of_parts(parts, left_out)


def unlearned(data: Dataset, runs: Iterable[TrainingRun]) -> Dataset:
    """The data set without test items that these runs may have learned from, and their near-copies; mostly the same.

    The newest fifth begins earlier once older items were decided, so that it reaches into what an earlier run had
    before its own. Raises TooLittle when too few remain.
    """
    fitted = [(run.started_at, datetime.fromisoformat(day)) for run in runs if (day := _examined(run))]
    known = {
        example.group
        for example in data.test
        for started, examined in fitted
        if example.received_at and example.decided_at
        # Not until, as in may_have_learned: a late near-copy that went to train would take all others with it.
        if example.received_at < examined and example.decided_at < started
    }
    if not known:
        return data
    test = [example for example in data.test if example.group not in known]
    learned = [example for example in data.test if example.group in known]
    if len(test) < MINIMUM_TO_EXAMINE:
        raise TooLittle(
            f"Of the {len(data.test)} newest decisions the active version may have learned from all but {len(test)}, "
            f"since older ones were decided after it was trained. At least {MINIMUM_TO_EXAMINE} that it never saw are "
            "needed for the examination: decide more of the newest items."
        )
    parts = {"train": list(data.train), "validation": list(data.validation), "test": test}
    found = _of_parts(parts, [*data.left_out, *learned])
    return replace(found, summary=found.summary | {"learned": len(learned)})


def _of_parts(parts: dict[str, list[Example]], left_out: Sequence[Example]) -> Dataset:
    digest = hashlib.sha256()
    for name, members in parts.items():
        for example in members:
            digest.update(json.dumps([name, *_content(example)], ensure_ascii=False).encode() + b"\n")
    summary = {"digest": digest.hexdigest(), "shares": dict(SHARES)} | _summary(parts, left_out)
    return Dataset(
        train=tuple(parts["train"]),
        validation=tuple(parts["validation"]),
        test=tuple(parts["test"]),
        left_out=tuple(left_out),
        digest=digest.hexdigest(),
        summary=summary,
    )


def seen(examples: Iterable[Example], run: TrainingRun | None) -> int:
    """How many of these a run may have learned from: old enough for that, and decided when it began."""
    if run is None:
        return 0
    return sum(
        example.received_at is not None
        and example.decided_at is not None
        and may_have_learned(run, example.received_at)
        and example.decided_at < run.started_at
        for example in examples
    )


def may_have_learned(run: TrainingRun, received_at: datetime) -> bool:
    """Whether an item that came at this moment may have been among what a run learned from or chose with.

    Those are older than what it was examined on, but for near-copies, which came later and go where the first one is.
    """
    examined, until = _examined(run), run.dataset.get("until")
    before = bool(examined) and received_at < datetime.fromisoformat(examined)
    return before or (bool(until) and received_at <= datetime.fromisoformat(until))


def _examined(run: TrainingRun) -> str:
    """When the first item came that a run was examined on; empty where it never got that far."""
    return str(run.dataset.get("from", {}).get("test") or "")


def _example(item: QueueItem, review: Review) -> Example:
    said = item.feedback
    injection = said.has_finding("prompt-injection")
    machine = review.analysis if review.provenance == Review.Provenance.OVERRIDDEN else None
    return Example(
        feedback_id=str(said.pk),
        comment=said.comment,
        category=review.category,
        type=said.type,
        rating=said.rating,
        page=said.page,
        severity=review.severity or None,
        action=actions.redacted(review.action) or None,
        priority=review.priority,
        provenance=review.provenance,
        weight=WEIGHTS[review.provenance],
        received_at=item.received_at,
        decided_at=review.created_at,
        similar=item.similar,
        held=said.compliance == ComplianceOutcome.HOLD,
        injection=injection,
        flagged=injection or said.compliance != ComplianceOutcome.ACCEPT,
        overruled=Overruled(machine.category, machine.severity, actions.redacted(machine.action)) if machine else None,
    )


def grouped(examples: Sequence[Example]) -> list[Example]:
    numbers = duplicates.groups([example.comment for example in examples])
    return [replace(example, group=number) for example, number in zip(examples, numbers, strict=True)]


def _part(position: float) -> str:
    """Which split lies at this share of the items, from 0 (oldest) to 1 (newest)."""
    end = 0.0
    for name, share in SHARES.items():
        end += share
        if position <= end:
            return name
    return name


def _check(examples: Sequence[Example], minimum: int) -> None:
    counts = Counter(example.category for example in examples)
    there = ", ".join(f"{category} {counts[category]}" for category in Category if counts[category]) or "nothing"
    absent = ", ".join(category for category in Category if not counts[category])
    known = f"Decided so far: {there}." + (f" None yet of {absent}." if absent else "")
    known += " Made-up demo items do not count."
    if len(examples) < minimum:
        raise TooLittle(
            f"Learning needs {minimum} decided items and there are {len(examples)}: {minimum - len(examples)} are "
            f"missing. {known}"
        )
    frequent = [category for category, n in counts.items() if n >= MINIMUM_OF_A_CLASS]
    if len(frequent) < 2:
        raise TooLittle(
            f"Learning needs {MINIMUM_OF_A_CLASS} decided items in each of two categories, and only {len(frequent)} "
            f"has so many. {known}"
        )


def _content(example: Example) -> Iterator[Any]:
    """What makes an example this one, in a fixed order, for the digest."""
    yield from (example.feedback_id, example.comment, example.type, example.rating, example.page)
    yield from (example.category, example.severity, example.action, example.priority)
    yield from (example.provenance, example.weight)


def _summary(parts: dict[str, list[Example]], left_out: Sequence[Example]) -> dict[str, Any]:
    """The data set in numbers, as a training run keeps it."""
    everything = [example for members in parts.values() for example in members]
    learned = [each.received_at for each in (*parts["train"], *parts["validation"]) if each.received_at]
    return {
        "n": {name: len(members) for name, members in parts.items()} | {"left_out": len(left_out)},
        "groups": len({example.group for example in (*everything, *left_out)}),
        "from": {name: _time(members[0].received_at) for name, members in parts.items() if members},
        "until": _time(max(learned, default=None)),
        "classes": {name: _count(example.category for example in members) for name, members in parts.items()},
        "severities": {
            name: _count(example.severity for example in members if example.severity) for name, members in parts.items()
        },
        "provenance": {name: _count(example.provenance for example in members) for name, members in parts.items()},
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _count(labels: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(labels).items()))
