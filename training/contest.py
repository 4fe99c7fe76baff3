"""Algorithms against each other on validation items, and the winner against the active version on the held-out ones.

Free of the ORM, because it works in a thread; runs.py stores what comes out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from analyzer.engines import Spec
from analyzer.engines.endpoint import OUTAGES
from analyzer.schema import Task, Verdict
from training import evaluation, gate
from training.algorithms import (
    APO,
    HOSTED,
    LOCAL,
    REINFORCE,
    TUNING,
    Lesson,
    Proposal,
    finetune,
    hosted,
    local,
    prompt,
    reinforce,
    total,
)
from training.dataset import Example
from training.served import reaching, served
from training.watch import Unusable

LEARNERS: Final[dict[str, Callable[[Lesson], Proposal]]] = {
    LOCAL: local.learn,
    APO: prompt.learn,
    REINFORCE: reinforce.learn,
    **{method: partial(finetune.learn, method=method) for method in TUNING},
    HOSTED: hosted.learn,
}
# By how many items of the examination, or which share of them, an outage may hit one version more than the other.
FEW: Final = 2
SHARE: Final = 0.05
# Items judged between two looks at whether the run is to stop: few where each asks a model.
CHUNK: Final = {"local": 512, "llm": 8, "cascade": 8}


@dataclass(slots=True)
class Learned:
    """What the algorithms came up with so far; filled while they work, so that a stopped run keeps it."""

    proposals: list[Proposal] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    curve: list[dict[str, Any]] = field(default_factory=list)

    @property
    def best(self) -> Proposal | None:
        """The proposal whose reward on validation items rose most; None when no algorithm would change anything."""
        changing = [proposal for proposal in self.proposals if proposal.changes]
        return max(changing, key=lambda proposal: proposal.gain, default=None)

    def as_dict(self) -> dict[str, Any]:
        proposed = {proposal.algorithm: proposal.as_dict() for proposal in self.proposals}
        return proposed | {name: {"error": reason} for name, reason in self.failures.items()}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Candidate and active version on the same held-out items."""

    candidate: evaluation.Report
    active: evaluation.Report
    judgement: gate.Judgement
    # How many items the local engine answered because the model did not.
    fallbacks: dict[str, int]


def learn(names: Sequence[str], lesson: Lesson, learned: Learned) -> None:
    """Every algorithm in turn. Of several one may fail, which is told; raises Stopped, and Unusable when all fail."""
    for name in names:
        lesson.control.check()
        lesson.control.say(f"{name} begins")
        try:
            learned.proposals.append(LEARNERS[name](lesson))
        except Unusable as error:
            learned.failures[name] = str(error)
            lesson.control.say(f"{name} failed: {error}")
    if len(learned.failures) == len(names):
        raise Unusable(" ".join(learned.failures.values()))
    if LOCAL in names and lesson.options.curve:
        learned.curve = local.curve(lesson)


def compare(lesson: Lesson, proposal: Proposal, *, number: int) -> Comparison:
    """The candidate and the active version (with this number) on the test items, each asked once.

    Raises Stopped, and Unusable when a prompt or a model is to be judged that did not answer half of the items, or
    when the endpoint was there for one of the two only.
    """
    test, seed = lesson.dataset.test, lesson.options.seed
    new = spec_of(proposal, lesson.active)
    shown = int(proposal.calibration.get("examples", lesson.examples))
    with ExitStack() as stack:
        # Adapters are served here for as long as the comparison takes, whatever is served elsewhere.
        tuned = lesson.adapter if proposal.adapter is None else proposal.adapter
        new = reaching(new, tuned, stack.enter_context(served(tuned, lesson.adapters)))
        candidate = _verdicts(lesson, new, shown, "candidate")
    with ExitStack() as stack:
        url = stack.enter_context(served(lesson.adapter, lesson.adapters))
        old = reaching(lesson.active, lesson.adapter, url)
        active = _verdicts(lesson, old, lesson.examples, "active version")
    fallbacks = {"candidate": _fallbacks(lesson, candidate), "active": _fallbacks(lesson, active)}
    changed = (new.prompt, new.model) != (lesson.active.prompt, lesson.active.model)
    if changed and max(fallbacks.values()) > len(test) / 2:
        reason = next(verdict.fallback_reason for verdict in (*candidate, *active) if verdict.fallback_reason)
        raise Unusable(
            f"The model did not answer most of the {len(test)} held-out items, so nothing can be judged: {reason}"
        )
    _refuse_outage(candidate, active)
    return Comparison(
        candidate=evaluation.evaluate(test, candidate, version="candidate", seed=seed),
        active=evaluation.evaluate(test, active, version=number, seed=seed),
        judgement=gate.judge(test, active, candidate, seed=seed),
        fallbacks=fallbacks,
    )


def spec_of(proposal: Proposal, active: Spec) -> Spec:
    """What the proposed version would be built from."""
    return replace(
        active,
        engine=proposal.engine,
        weights=proposal.weights,
        weights_digest=hashlib.sha256(proposal.weights).hexdigest(),
        prompt=proposal.prompt,
        model=active.model if proposal.model is None else proposal.model,
        thresholds=tuple(sorted(proposal.thresholds.items())),
        llm_trust=float(proposal.calibration.get("llm_trust", active.llm_trust)),
    )


def _verdicts(lesson: Lesson, spec: Spec, shown: int, who: str) -> list[Verdict]:
    test, control = lesson.dataset.test, lesson.control
    memory = lesson.memory() if spec.engine != "local" and shown else None

    def task_of(example: Example) -> Task:
        task = example.task()
        return task if memory is None else task.model_copy(update={"examples": memory.similar(task, shown=shown)})

    verdicts: list[Verdict] = []
    step = CHUNK[spec.engine]
    for first in range(0, len(test), step):
        control.check()
        said = evaluation.predict(spec, test[first : first + step], task_of=task_of, progress=False)
        control.usage = total((control.usage, *(verdict.usage for verdict in said)))
        verdicts += said
        if spec.engine != "local":
            control.say(f"{who}: {len(verdicts)} of {len(test)} held-out items")
    return verdicts


def _refuse_outage(candidate: Sequence[Verdict], active: Sequence[Verdict]) -> None:
    """Raises Unusable when an outage hit one version on items where the model answered for the other.

    An endpoint that fails now and then hits both alike, and one that is gone all along leaves two local halves to
    judge. What the model itself did wrong (malformed, refused, oversized) is its version's own.
    """
    pairs = list(zip(candidate, active, strict=True))
    lost = [new for new, old in pairs if _out(new) and old.engine == "llm"]
    spared = [old for new, old in pairs if _out(old) and new.engine == "llm"]
    unequal = abs(len(lost) - len(spared))
    if unequal > max(FEW, SHARE * len(pairs)):
        reason = max(lost, spared, key=len)[0].fallback_reason
        raise Unusable(
            f"The endpoint went away meanwhile: the model answered for one of the two only on {unequal} of the "
            f"{len(pairs)} held-out items, so nothing can be judged: {reason}"
        )


def _out(verdict: Verdict) -> bool:
    """Whether the endpoint gave no answer, whoever asked it."""
    return verdict.fallback_reason.partition(":")[0] in {*OUTAGES, "paused"}


def _fallbacks(lesson: Lesson, verdicts: Sequence[Verdict]) -> int:
    """How many answers are the local engine's because the model gave none; a held item was never to be sent."""
    pairs = zip(lesson.dataset.test, verdicts, strict=True)
    return sum(bool(verdict.fallback_reason) and not example.held for example, verdict in pairs)
