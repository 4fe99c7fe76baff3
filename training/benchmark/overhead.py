"""What the pipeline adds to a call of a model: a rollout by the llm engine beside the bare call, in turns."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import openai

from analyzer import prompts
from analyzer.engines import Spec
from analyzer.engines.endpoint import JSON_SCHEMA, MAX_TOKENS
from analyzer.schema import Task
from training.benchmark import endpoint
from training.benchmark.figures import percentile

serve = endpoint.serve


@dataclass(frozen=True, slots=True)
class Sample:
    """Milliseconds of one repeat: of the bare calls, of the rollouts, and what each rollout took beyond its call."""

    bare: list[float]
    rollout: list[float]

    @property
    def added(self) -> list[float]:
        return [whole - bare for whole, bare in zip(self.rollout, self.bare, strict=True)]

    def as_dict(self) -> dict[str, float]:
        """p50 and p99 of each, in milliseconds."""
        return {
            f"{name}_{label}": percentile(values, share)
            for name, values in (("bare", self.bare), ("rollout", self.rollout), ("added", self.added))
            for label, share in (("p50", 0.5), ("p99", 0.99))
        }


def measure(spec: Spec, comments: Sequence[str], *, url: str) -> Sample:
    """One call and one rollout for each comment, with the same messages and options, of the scripted endpoint at url.

    Raises RuntimeError when a rollout was answered by anybody else.
    """
    from analyzer import rollout

    asked = replace(spec, engine="llm", base_url=url, api_key="scripted", model=endpoint.MODEL)
    client: Any = openai.OpenAI(base_url=url, api_key="scripted", max_retries=0)
    sample = Sample([], [])
    tasks = [Task(id=str(number), comment=comment) for number, comment in enumerate(comments)]
    # Connections are made by the first of each.
    for task in [tasks[0], *tasks]:
        messages = prompts.render("", task)
        begun = time.perf_counter()
        client.chat.completions.create(
            model=asked.model, messages=messages, response_format=JSON_SCHEMA, temperature=0, max_tokens=MAX_TOKENS
        )
        called = time.perf_counter()
        outcome = rollout.run(task, asked)
        ended = time.perf_counter()
        if outcome.verdict.engine != "llm":
            raise RuntimeError(f"The scripted endpoint did not answer: {outcome.verdict.fallback_reason}")
        sample.bare.append((called - begun) * 1000)
        sample.rollout.append((ended - called) * 1000)
    return Sample(sample.bare[1:], sample.rollout[1:])
