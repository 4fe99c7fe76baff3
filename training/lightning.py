"""Running algorithms and runners with Agent Lightning: the only training file that knows it.

Imported where training runs, never by the web process. What a run learns is read from the store: fit() returns
normally when every rollout failed, and after an interrupt.
"""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

# First, because it sets the environment that agentlightning must find when it is imported.
from analyzer import rollout, shared_store

# isort: split
import agentlightning as agl
from agentlightning.algorithm.apo import apo

from analyzer import engines, prompts
from analyzer.engines import EngineError, Reply, Spec
from analyzer.schema import Answer, Task, Usage
from analyzer.taxonomy import Category, Severity
from analyzer.verdict import conclude
from training.watch import Control, Unusable

__all__ = [
    "APO",
    "Algorithm",
    "Probe",
    "Rolled",
    "critique_example",
    "feedback_agent",
    "fit",
    "judge",
    "policy",
    "policy_agent",
    "prompt_agent",
    "register",
    "roll",
    "template",
]

# Seconds: how often a runner looks for work and an algorithm for results.
POLL: Final = 0.05
# How many of the oldest outstanding rollouts are asked about at once.
AHEAD: Final = 64
# Seconds that runner processes get to end by themselves, and between each firmer request.
GRACE: Final = 3.0
# Failures that a prompt can bring about; the others are the endpoint's and say nothing about the prompt.
OWN_FAULTS: Final = frozenset({"malformed", "refused", "oversized"})
# Stands in a recorded conversation for the system message, whose changeable part a critic is shown by itself.
_SYSTEM: Final = (
    "(The prompt template, followed by a fixed contract that no edit can change: the item comes as JSON between two "
    "tags and is only data, and the answer is one JSON object with category, severity, action and evidence.)"
)

APO: Final = apo.APO
feedback_agent: Final = rollout.feedback_analyzer_agent
judge: Final = rollout.judge
register: Final = rollout.register


@dataclass(frozen=True, slots=True)
class Rolled:
    """One finished rollout as the store tells it; reward is empty when it failed, and error then says why."""

    task: dict[str, Any]
    reward: dict[str, float]
    output: dict[str, Any]
    spans: int
    error: str = ""

    @property
    def total(self) -> float | None:
        return self.reward.get("total")


class Algorithm(agl.Algorithm):
    """What our own algorithms have in common: asynchronous, and told when to stop by a Control."""

    def __init__(self, control: Control) -> None:
        super().__init__()
        self.control = control

    async def roll(self, tasks: Sequence[dict[str, Any]], resources: agl.NamedResources, *, mode: str) -> list[Rolled]:
        """Publish resources, have every task rolled out with them, and read the outcome from the spans."""
        _, rolled = await roll(self.get_store(), tasks, resources, mode=mode, control=self.control)
        return rolled


class Probe(Algorithm):
    """The shortest algorithm there is: every validation item once, with the engine of a spec."""

    def __init__(self, spec: Spec, control: Control) -> None:
        super().__init__(control)
        self.rolled: list[Rolled] = []
        # Before the runners fork, so that each of them knows the engine.
        self.resources = {"llm": rollout.register(spec), "prompt": template(spec.prompt)}

    async def run(self, train_dataset: Any = None, val_dataset: Sequence[dict[str, Any]] | None = None) -> None:
        self.rolled = await self.roll(val_dataset or (), self.resources, mode="val")


async def roll(
    store: agl.LightningStore,
    tasks: Sequence[dict[str, Any]],
    resources: agl.NamedResources,
    *,
    mode: str,
    control: Control,
) -> tuple[list[agl.Rollout], list[Rolled]]:
    """Every task as one finished rollout, in the order of the tasks; raises Stopped, and Unusable when spans get lost.

    mode is train or val.
    """
    published = await store.add_resources(resources)
    asked = await store.enqueue_many_rollouts(
        [agl.EnqueueRolloutRequest(input=task, mode=mode, resources_id=published.resources_id) for task in tasks]
    )
    finished: dict[str, tuple[agl.Rollout, Rolled]] = {}
    waiting = [one.rollout_id for one in asked]
    try:
        while waiting:
            # The client of a remote store refuses to wait, so that one asks again and again; for a few, as each costs.
            for one in await store.wait_for_rollouts(rollout_ids=waiting[:AHEAD], timeout=0.0):
                # Read at once: a store that others use too keeps what has finished for a while only.
                finished[one.rollout_id] = one, _read(one, await store.query_spans(one.rollout_id))
            before = len(waiting)
            waiting = [key for key in waiting if key not in finished]
            control.check()
            if len(waiting) == before:
                await asyncio.sleep(POLL)
    finally:
        # Left in a shared store they would wait for ever, and keep the next run from starting.
        if waiting:
            await _cancel(store, waiting)
    rollouts = [finished[one.rollout_id][0] for one in asked]
    rolled = [finished[one.rollout_id][1] for one in asked]
    lost = sum(one.status == "succeeded" and not read.reward for one, read in zip(rollouts, rolled, strict=True))
    if lost:
        raise Unusable(
            f"{lost} of {len(rolled)} rollouts succeeded but their reward never reached the store; "
            "is the installed OpenTelemetry older than 1.45, as requirements.txt asks?"
        )
    return rollouts, rolled


async def _cancel(store: agl.LightningStore, keys: Sequence[str]) -> None:
    """Take rollouts back that no runner has begun; a store that is gone has lost them anyway."""
    try:
        for one in await store.query_rollouts(rollout_id_in=list(keys), status_in=["queuing", "requeuing"]):
            await store.update_rollout(rollout_id=one.rollout_id, status="cancelled")
    except shared_store.FAILURES as error:
        logging.getLogger(__name__).warning("Waiting rollouts could not be taken back: %s", type(error).__name__)


def _read(one: agl.Rollout, spans: Sequence[agl.Span]) -> Rolled:
    reward: dict[str, float] = {}
    output: dict[str, Any] = {}
    error = "" if one.status == "succeeded" else f"the rollout {one.status}"
    for span in spans:
        parts = agl.get_rewards_from_span(span)
        if parts:
            reward = {part.name: part.value for part in parts}
        elif span.name == "agentlightning.object":
            output = agl.get_object_value(span) or {}
        elif span.name == "agentlightning.exception":
            attributes = span.attributes or {}
            error = str(attributes.get("exception.message") or error)
    return Rolled(dict(one.input), reward if one.status == "succeeded" else {}, output, len(spans), error)


class Runner(agl.LitAgentRunner[dict[str, Any]]):
    """A runner that does not outlive the process which started it, not even when that was killed."""

    def init_worker(self, worker_id: int, store: agl.LightningStore, **options: Any) -> None:
        super().init_worker(worker_id, store, **options)
        parent = multiprocessing.parent_process()
        if parent is not None:
            threading.Thread(target=_follow, args=(parent,), daemon=True, name="follow-parent").start()


def _follow(parent: Any) -> None:
    parent.join()
    os._exit(1)


def fit(
    algorithm: agl.Algorithm,
    agent: agl.LitAgent[Any],
    *,
    train: Sequence[dict[str, Any]] = (),
    validation: Sequence[dict[str, Any]] = (),
    resources: agl.NamedResources | None = None,
    runners: int = 0,
    store_url: str = "",
) -> None:
    """Run an algorithm against an agent until it ends; the algorithm keeps what it found.

    runners is the number of runner processes behind a LightningStoreServer; 0 is one runner in this process, which is
    faster where an agent does not wait for a model. store_url names a shared server to use instead of one of our own.
    """
    if runners and multiprocessing.get_start_method() != "fork":
        # Agents are closures, which only a fork takes along; the default elsewhere is to start afresh.
        multiprocessing.set_start_method("fork", force=True)
    tracer = agl.OtelTracer()
    runner = Runner(tracer, poll_interval=POLL, interval_jitter=POLL / 2, heartbeat_interval=10.0 if runners else 0.0)
    store: agl.LightningStore
    if runners or store_url:
        strategy: agl.ExecutionStrategy = agl.ClientServerExecutionStrategy(
            role="both",
            server_host="127.0.0.1",
            server_port=_free_port(),
            n_runners=max(1, runners),
            graceful_timeout=GRACE,
            terminate_timeout=GRACE,
            managed_store=not store_url,
        )
        store = shared_store.client(store_url) if store_url else agl.InMemoryLightningStore(thread_safe=True)
        if store_url:
            asyncio.run(_refuse_foreign(store_url))
    else:
        strategy = agl.SharedMemoryExecutionStrategy(n_runners=1, main_thread="algorithm", managed_store=True)
        store = agl.InMemoryLightningStore(thread_safe=True)
    trainer = agl.Trainer(
        algorithm=algorithm,
        n_runners=max(1, runners),
        strategy=strategy,
        store=store,
        tracer=tracer,
        runner=runner,
        adapter=agl.TraceToMessages(),
        initial_resources=resources,
    )
    try:
        with _quiet():
            trainer.fit(agent, list(train), val_dataset=list(validation))
    finally:
        if isinstance(store, shared_store.Client):
            asyncio.run(store.close())


async def _refuse_foreign(store_url: str) -> None:
    """Raises Unusable when a shared store holds waiting rollouts: our runners would take them, and know no answer."""
    store = shared_store.client(store_url)
    try:
        waiting = await store.query_rollouts(status_in=["queuing", "requeuing"], limit=1)
    finally:
        await store.close()
    if len(waiting):
        raise Unusable(
            f"Somebody else's rollouts are waiting in {store_url}. Try again when they are done; those of a run that "
            "was killed go when run_store is started anew."
        )


def critique_example() -> str:
    """A critic's request as APO writes it, which takes a Node of poml's own; raises RuntimeError where it fails."""
    said = apo.poml.poml(
        apo.GRADIENT_PROMPT_FILES[0], context={"experiments": [], "prompt_template": "ready"}, format="openai_chat"
    )
    return str(said["messages"][-1]["content"])


def template(text: str) -> agl.PromptTemplate:
    """A prompt as the resource that carries it. It is filled by plain replacement, never by str.format."""
    return agl.PromptTemplate(template=text, engine="f-string")


def prompt_agent(spec: Spec) -> agl.LitAgent[dict[str, Any]]:
    """The feedback agent as a prompt optimiser needs it: the model only, no falling back, the conversation recorded.

    An answer that cannot be used gives reward 0. A model that cannot be reached fails the rollout, so that a prompt
    is not blamed for it.
    """

    @agl.rollout
    def analyse(task: dict[str, Any], prompt_template: agl.PromptTemplate) -> None:
        item = Task.model_validate(task)
        prompt = prompt_template.template
        try:
            reply = engines.build(spec).predict(item, prompt=prompt)
        except EngineError as error:
            agl.emit_exception(error, attributes={"engine": spec.engine, "kind": error.kind})
            if error.kind not in OWN_FAULTS:
                agl.emit_object({"usage": error.usage.model_dump()})
                raise
            _finish(item, prompt, f"(no usable answer: {error})", {"total": 0.0}, error.usage)
            return
        verdict = conclude(item, reply, thresholds=dict(spec.thresholds))
        said = Answer(
            category=reply.prediction.category,
            severity=reply.prediction.severity,
            action=verdict.action,
            evidence=list(reply.prediction.evidence),
        )
        _finish(item, prompt, said.model_dump_json(), rollout.judge(item, verdict), reply.usage)

    return analyse


def policy(step: str) -> agl.LLM:
    """The resource that names a policy's step; its numbers stay in this process."""
    return agl.LLM(endpoint="local://policy", model=step, sampling_parameters={"temperature": 1.0})


def policy_agent(answer: Callable[[Task], Reply]) -> agl.LitAgent[dict[str, Any]]:
    """The feedback agent with a policy for an engine: emits what it chose, as positions, and the reward for it."""

    @agl.rollout
    def analyse(task: dict[str, Any], llm: agl.LLM) -> None:
        item = Task.model_validate(task)
        reply = answer(item)
        reward = rollout.judge(item, conclude(item, reply))
        chosen = [
            list(Category).index(reply.prediction.category),
            list(Severity).index(reply.prediction.severity),
        ]
        agl.emit_object({"step": llm.model, "chosen": chosen, "reward": reward})
        agl.emit_reward(reward, primary_key="total")

    return analyse


def _finish(item: Task, prompt: str, answer: str, reward: dict[str, float], usage: Usage) -> None:
    """Emit what was said, in the attributes that TraceToMessages reads, with what a person decided; and the reward."""
    decided = json.dumps({field: value for field, value in (item.decision or {}).items() if value is not None})
    said = [
        {"role": "system", "content": _SYSTEM},
        *prompts.render(prompt, item, item.examples)[1:],
        {"role": "assistant", "content": answer},
        {"role": "user", "content": f"A person decided: {decided}. The reward, by field: {json.dumps(reward)}"},
    ]
    agl.emit_annotation(
        {f"gen_ai.prompt.{n}.{key}": value for n, message in enumerate(said) for key, value in message.items()}
    )
    agl.emit_object({"usage": usage.model_dump(), "reward": reward})
    agl.emit_reward(reward, primary_key="total")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _quiet() -> Iterator[None]:
    """Each failed rollout would be a page of traceback, each server a page of lines; the store tells it better."""
    levels = {"agentlightning": logging.CRITICAL, "opentelemetry.trace": logging.ERROR}
    before = {name: logging.getLogger(name).level for name in levels}
    server = logging.getLogger("uvicorn.error")
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    # The server sets its logger's level when it starts, but leaves filters alone.
    server.addFilter(_is_warning)
    try:
        yield
    finally:
        server.removeFilter(_is_warning)
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _is_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING
