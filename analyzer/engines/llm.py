"""The llm engine: a model's answer, checked, repaired once, and tempered by the local engine's probabilities."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import ValidationError

from analyzer import prompts
from analyzer.engines import Completion, Engine, Reply, Spec
from analyzer.schema import QUOTE_MAX, Answer, Prediction, Task
from analyzer.taxonomy import Category, Severity

if TYPE_CHECKING:
    from analyzer.engines.endpoint import Budget

LabelT = TypeVar("LabelT", bound=StrEnum)

EVIDENCE_MAX: Final = 3
# Of an unusable answer, what the model is shown again.
REPEATED_CHARS: Final = 2_000
PROBLEMS_SHOWN: Final = 3

# Typographic and plain marks are one: models and keyboards change them.
_SINGLE_QUOTES: Final = "'‘’‚‛`´"
_DOUBLE_QUOTES: Final = '"“”„‟«»'
_DASHES: Final = "-‐‑‒–—"
_ALIKE: Final = {mark: f"[{re.escape(marks)}]" for marks in (_SINGLE_QUOTES, _DOUBLE_QUOTES, _DASHES) for mark in marks}
_AROUND: Final = f"{_SINGLE_QUOTES}{_DOUBLE_QUOTES}…. \t\n"


class Malformed(Exception):
    """An answer that is not what was asked for; the message names the fields but never their content."""


class LLMEngine:
    """Asks a model over the OpenAI protocol.

    A model's own idea of its certainty is not a probability. So it is not asked for one: the probabilities are
    spec.llm_trust parts of the model's answer and the rest the local engine's, and the most probable label wins.
    """

    def __init__(self, spec: Spec, local: Engine) -> None:
        from analyzer.engines.endpoint import Endpoint

        self._local = local
        self._trust = spec.llm_trust
        self._timeout = spec.timeout
        self._endpoint = Endpoint(spec)

    def predict(self, task: Task, *, prompt: str) -> Reply:
        """The tempered answer after at most one repeated attempt and one repair; raises EngineError.

        An item that is held is answered by the local engine: it must not leave this machine, whoever asks.
        """
        from analyzer.engines.endpoint import Budget

        local = self._local.predict(task, prompt="")
        if task.held:
            return replace(local, note="held by governance: not sent to the model")
        budget = Budget(self._timeout)
        answer = self._answer(prompts.render(prompt, task, task.examples), budget)
        return Reply(temper(answer, local.prediction, task, trust=self._trust), engine="llm", usage=budget.usage)

    def _answer(self, messages: list[dict[str, str]], budget: Budget) -> Answer:
        first = self._endpoint.ask(messages, budget)
        try:
            return read(first)
        except Malformed as problem:
            again = [*messages, *prompts.repair(first.text[:REPEATED_CHARS], str(problem))]
        second = self._endpoint.ask(again, budget)
        try:
            return read(second)
        except Malformed as problem:
            raise budget.failure("malformed", f"The model's answer could not be used, twice: {problem}.") from None


def read(completion: Completion) -> Answer:
    """The answer in a model's text, also between code fences or after thoughts; raises Malformed."""
    if completion.cut_off:
        raise Malformed("it was cut off because it was too long")
    text = completion.text
    try:
        return Answer.model_validate_json(text[max(0, text.find("{")) : text.rfind("}") + 1])
    except ValidationError as error:
        # from None: pydantic's message repeats the model's text, which may repeat the comment.
        raise Malformed(_in_words(error)) from None


def temper(answer: Answer, local: Prediction, task: Task, *, trust: float) -> Prediction:
    """The model's answer mixed with the local engine's probabilities; trust in [0, 1] is the model's share.

    Where the local engine carries the category, the model's action speaks of another one; the local one stays.
    """
    categories = _mix(answer.category, local.category_probabilities, Category, trust)
    severities = _mix(answer.severity, local.severity_probabilities, Severity, trust)
    category = max(categories, key=lambda label: (categories[label], label == answer.category))
    severity = max(severities, key=lambda label: (severities[label], label == answer.severity))
    return Prediction(
        category=category,
        severity=severity,
        action=_printable(answer.action) if category == answer.category else local.action,
        evidence=tuple(evidence(answer.evidence, task.comment)),
        category_probabilities=categories,
        severity_probabilities=severities,
    )


def evidence(quotes: Iterable[str], comment: str) -> list[str]:
    """The passages of the comment that the quotes mean, in the comment's own spelling; what nobody said is left out."""
    found: list[str] = []
    for quote in quotes:
        inner = quote.strip(_AROUND)
        # As it stands first: quotation marks around it may be the comment's own or the model's.
        match = inner and (_passage(quote, comment) or _passage(inner, comment))
        if match and len(match) <= QUOTE_MAX and match not in found:
            found.append(match)
    return found[:EVIDENCE_MAX]


def _passage(quote: str, comment: str) -> str:
    words = ("".join(_ALIKE.get(mark, re.escape(mark)) for mark in word) for word in quote.split())
    match = re.search(r"\s+".join(words), comment, re.IGNORECASE)
    return match[0] if match else ""


def _mix(chosen: LabelT, local: Mapping[LabelT, float], labels: Iterable[LabelT], trust: float) -> dict[LabelT, float]:
    parts = {label: trust * (label == chosen) + (1 - trust) * local.get(label, 0.0) for label in labels}
    total = math.fsum(parts.values())
    return {label: part / total for label, part in parts.items()}


def _printable(text: str) -> str:
    """One line without control characters: databases refuse some, and some turn the direction of a page."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _in_words(error: ValidationError) -> str:
    problems = []
    for found in error.errors(include_url=False, include_input=False, include_context=False)[:PROBLEMS_SHOWN]:
        name = str(found["loc"][0]) if found["loc"] else ""
        if name and name not in Answer.model_fields:
            # A name that the model made up is its text too.
            problems.append("it has a field that was not asked for")
        else:
            problems.append(f"{name}: {found['msg']}" if name else "it is not a JSON object")
    return "; ".join(problems)
