"""Decided items as a model learns them: the question that the llm engine asks, and the answer that a person gave.

What stands in an answer for a field that nobody judged:
    severity   low for praise and noise, as everywhere; else what the active version's local engine says, floor
               included, so that a missing label moves no model away from what the desk does already
    action     what the desk would suggest for the decided category
    evidence   the comment's first words, as in few-shot examples; nobody ever judges evidence

A held item, one without a comment, and one that gives orders teaches nothing here. Examples come without the few-shot
examples of others, so that a model which learned from them is asked without any.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from analyzer import actions, prompts, schema
from analyzer.schema import Answer, Task
from analyzer.taxonomy import HARMLESS, Category, Severity

if TYPE_CHECKING:
    from analyzer.engines import Spec
    from training.dataset import Example

Message = dict[str, str]


class Row(BaseModel):
    """One decided item: the messages that ask, the answer that a person stands for, and what they decided.

    rejected is the machine's answer where the person corrected it, else empty. task holds the decision too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: Task
    prompt: list[Message]
    answer: str
    rejected: str = ""

    @property
    def decision(self) -> dict[str, Any]:
        return self.task.decision or {}


def teachable(examples: Iterable[Example]) -> list[Example]:
    """Those that a model may be taught: neither held, nor giving orders, nor without words."""
    return [one for one in examples if one.comment and not one.held and not one.injection]


def weighed(examples: Iterable[Example], *, seed: int) -> list[Example]:
    """Those that count full, and of those that count half, as decisions in bulk do, every other one by the seed."""
    chance = random.Random(seed)  # noqa: S311 (a sample, not a secret)
    return [one for one in examples if one.weight >= 1 or chance.random() < one.weight]


def conversations(examples: Sequence[Example], *, prompt: str, active: Spec) -> Iterator[Row]:
    """A row for every example that may be taught; one at a time, since each repeats the prompt."""
    examples = teachable(examples)
    known = severities(examples, active)
    for example in examples:
        yield _row(example, prompt, known)


def pairs(examples: Sequence[Example], *, prompt: str, active: Spec) -> Iterator[Row]:
    """A row with both answers for every override that changed something a model is asked for."""
    examples = [one for one in teachable(examples) if one.overruled is not None]
    known = severities(examples, active)
    for example in examples:
        row, machine = _row(example, prompt, known), example.overruled
        if machine is None:
            continue
        said = replace(example, category=machine.category, severity=machine.severity, action=machine.action)
        rejected = answer(said, severity=Severity(machine.severity)).model_dump_json()
        if rejected != row.answer:
            yield row.model_copy(update={"rejected": rejected})


def question(example: Example, *, prompt: str) -> list[Message]:
    """What the llm engine would ask about an example; an empty prompt is the built-in one."""
    return prompts.render(prompt, example.task())


def answer(example: Example, *, severity: Severity) -> Answer:
    """What a model should have said; severity stands where the person did not judge it."""
    category = Category(example.category)
    level = Severity(example.severity) if example.severity else severity
    action = example.action or actions.suggest(example.task(), category=category, severity=level)
    return prompts.answer(
        schema.Example(comment=example.comment, type=example.type, category=category, severity=level, action=action)
    )


def severities(examples: Sequence[Example], active: Spec) -> dict[str, Severity]:
    """By id, what stands for a severity that nobody judged."""
    from training.evaluation import predict

    local = replace(active, engine="local", prompt="", model="", base_url="", api_key="")
    open_ = [one for one in examples if not one.severity]
    verdicts = predict(local, open_, progress=False) if open_ else []
    return {
        one.feedback_id: Severity.LOW if one.category in HARMLESS else verdict.severity
        for one, verdict in zip(open_, verdicts, strict=True)
    }


def _row(example: Example, prompt: str, known: Mapping[str, Severity]) -> Row:
    # A judged severity goes before the stand-in, so that this one is never read where there is none.
    said = answer(example, severity=known.get(example.feedback_id, Severity.LOW))
    return Row(task=example.task(), prompt=question(example, prompt=prompt), answer=said.model_dump_json())
