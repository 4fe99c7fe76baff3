"""The rollout agent: the only file here that knows Agent Lightning.

It is imported where analyses run (the worker, commands), never by the web process: the import takes five seconds and
300 MiB. A dict goes in and an Outcome comes out; the ORM stays outside, because a rollout runs in an event loop.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import analyzer.offline  # noqa: F401

# isort: split
import agentlightning as agl

from analyzer import engines, prompts, rewards, shared_store
from analyzer.engines import EngineError, Reply, Spec
from analyzer.schema import Task, Verdict
from analyzer.verdict import conclude

logging.getLogger("agentlightning").setLevel(logging.ERROR)
# agentlightning's own configuration attaches a handler that repeats every line.
logging.getLogger("agentlightning").propagate = True

TRACE_TEXT_MAX = 4_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """One finished rollout: the verdict, its reward before (quality) or against a decision, and the spans."""

    verdict: Verdict
    reward: dict[str, float]
    spans: list[dict[str, Any]]
    duration_ms: float


# Engines by the name that a resource can carry. Filled before a rollout (and before a runner forks).
_engines: dict[str, Spec] = {}


def register(spec: Spec) -> agl.LLM:
    """Make a spec known to this process and return the resource that names it; no secret or weights travel."""
    _engines[spec.key] = spec
    return agl.LLM(
        endpoint=f"local://{spec.key}",
        model=spec.model or spec.engine,
        sampling_parameters={"thresholds": dict(spec.thresholds)},
    )


@agl.rollout
def feedback_analyzer_agent(task: dict[str, Any], prompt_template: agl.PromptTemplate, llm: agl.LLM) -> None:
    """Analyse one feedback: ask the engine, apply the rules, emit message, object, reward, and exceptions.

    task is a schema.Task as a dict. With task["decision"] the reward is against the person's decision, else quality.
    """
    item = Task.model_validate(task)
    spec = _engines[llm.endpoint.removeprefix("local://")]
    prompt = prompt_template.template
    agl.emit_message(prompts.summarise(item, prompt=prompt, engine=spec.engine), attributes={"feedback.id": item.id})
    reply = ask(item, spec, prompt=prompt)
    verdict = conclude(item, reply, thresholds=dict(spec.thresholds))
    reward = judge(item, verdict)
    agl.emit_object({"verdict": verdict.model_dump(mode="json"), "reward": reward})
    agl.emit_reward(reward, primary_key="total")


def ask(item: Task, spec: Spec, *, prompt: str) -> Reply:
    """The engine's reply, or the local engine's with the reason when the engine fails or the item may not leave."""
    engine = engines.local_of(spec) if item.held else engines.build(spec)
    try:
        reply = engine.predict(item, prompt=prompt)
    except EngineError as error:
        agl.emit_exception(error, attributes={"engine": spec.engine, "kind": error.kind})
        local = engines.local_of(spec).predict(item, prompt="")
        return Reply(local.prediction, local.engine, error.usage, note=f"{error.kind}: {error}"[:300])
    if item.held and spec.engine != "local":
        return Reply(reply.prediction, reply.engine, note="held by governance: not sent to the model")
    return reply


def judge(item: Task, verdict: Verdict) -> dict[str, float]:
    """Reward per part and total; checked here because emit_reward takes NaN without a word."""
    judged = rewards.Judged(
        category=verdict.category, severity=verdict.severity, action=verdict.action, priority=verdict.priority
    )
    decision = item.decision
    reward = rewards.reward(judged, cast(rewards.Judged, decision)) if decision else rewards.quality(judged, item)
    if not all(math.isfinite(value) for value in reward.values()):
        raise ValueError(f"The reward is not finite: {reward}.")
    return reward


class Tracer(agl.OtelTracer):
    """A tracer whose exporter can be told that a rollout is over: by itself it goes on sending spans to that server."""

    def rest(self) -> None:
        if self._otlp_span_exporter is not None:
            self._otlp_span_exporter.disable_store_otlp()


class Desk:
    """A runner with its tracer, one per process: a tracer that was used before a fork blocks the child."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        # Not asyncio.Runner, which installs and removes a signal handler around each rollout.
        self.loop = asyncio.new_event_loop()
        self.tracer = Tracer()
        self.runner: agl.LitAgentRunner[dict[str, Any]] = agl.LitAgentRunner(self.tracer)
        self.link = shared_store.link()
        atexit.register(self.close)

    def close(self) -> None:
        if self.pid == os.getpid():
            self.loop.run_until_complete(self.link.close())

    async def analyse(self, task: dict[str, Any], resources: agl.NamedResources) -> Sequence[agl.Span]:
        """One rollout, through the shared store if there is one; a store that fails costs no analysis and no answer."""
        kept = shared_store.Kept()
        if (client := self.link.client) is not None:
            try:
                spans = await self.step(client, task, resources, kept)
            except Exception as error:
                # After the agent's end it is the store, whatever it raised; before, only what a store raises.
                if not kept.spans and not isinstance(error, shared_store.FAILURES):
                    raise
                self.link.failed(error)
            else:
                if len(spans) >= len(kept.spans):
                    return spans
                self.link.lost(len(spans), len(kept.spans))
            if kept.spans:
                return kept.spans
        return await self.step(agl.InMemoryLightningStore(), task, resources, kept)

    async def step(
        self, store: agl.LightningStore, task: dict[str, Any], resources: agl.NamedResources, kept: shared_store.Kept
    ) -> Sequence[agl.Span]:
        try:
            with self.runner.run_context(agent=feedback_analyzer_agent, store=store, hooks=[kept]):
                rollout = await self.runner.step(task, resources=resources)
                return list(await store.query_spans(rollout.rollout_id))
        finally:
            self.tracer.rest()


_desk: Desk | None = None


def run(task: Task, spec: Spec) -> Outcome:
    """One rollout of the agent in this process; raises whatever the agent raised.

    Not for threads: the active tracer is a process global, so that one rollout runs at a time.
    """
    global _desk
    if _desk is None or _desk.pid != os.getpid():
        _desk = Desk()
    resources: agl.NamedResources = {
        "llm": register(spec),
        "prompt": agl.PromptTemplate(template=spec.prompt, engine="f-string"),
    }
    started = time.perf_counter()
    spans = _desk.loop.run_until_complete(_desk.analyse(task.model_dump(mode="json"), resources))
    duration = (time.perf_counter() - started) * 1000
    return read(spans, duration_ms=duration)


def read(spans: Sequence[agl.Span], *, duration_ms: float = 0.0) -> Outcome:
    """The outcome out of a rollout's spans; raises LookupError when the agent did not get as far as its object."""
    for span in spans:
        value = agl.get_object_value(span) if span.name == "agentlightning.object" else None
        if isinstance(value, dict) and "verdict" in value:
            return Outcome(
                verdict=Verdict.model_validate(value["verdict"]),
                reward=dict(value["reward"]),
                spans=[_readable(span) for span in spans],
                duration_ms=duration_ms,
            )
    raise LookupError("The rollout's spans hold no verdict.")


def _readable(span: agl.Span) -> dict[str, Any]:
    """A span as staff read it: name, status, milliseconds and attributes, long texts cut."""
    return {
        "name": span.name,
        "status": span.status.status_code,
        "ms": round(((span.end_time or 0) - (span.start_time or 0)) * 1000, 2),
        "attributes": {
            key: value[:TRACE_TEXT_MAX] if isinstance(value, str) else value
            for key, value in (span.attributes or {}).items()
        },
    }
