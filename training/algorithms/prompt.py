"""The prompt learns: Agent Lightning's APO, with budgets, checked templates and failures that are counted."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import openai

from analyzer import engines, prompts
from analyzer.engines import Spec
from analyzer.schema import Usage
from training import algorithms, lightning
from training.algorithms import Lesson, Proposal
from training.dataset import Example
from training.evaluation import predict
from training.lightning import Rolled
from training.watch import Control, Stopped, Unusable

ROLLOUTS: Final = 400
RUNNERS: Final = 4
# Validation items that prompts are compared on: each costs a call per prompt.
VALIDATION: Final = 48
# Of those, what a prompt is tried on before it is compared on all; and how many rollouts a critique reads.
GLANCE: Final = 16
CRITIQUE: Final = 4
# So many failures in a row mean that the endpoint is gone.
SILENT: Final = 12
# Seconds that one critique or edit may take.
PATIENCE: Final = 120.0


@dataclass(slots=True)
class Budget:
    """What a search may cost and has cost. reserve: rollouts that the comparison after it will need.

    Prices are per million tokens; without them only tokens are told.
    """

    rollouts: int = 400
    tokens: int | None = None
    reserve: int = 0
    input_price: float | None = None
    output_price: float | None = None
    done: int = 0
    failed: int = 0
    usage: Usage = field(default_factory=Usage)

    def check(self, upcoming: int) -> None:
        """Raises Stopped when so many more rollouts would go over the limit."""
        if self.done + upcoming > self.rollouts:
            raise Stopped(f"the budget of {self.rollouts} rollouts is used up")
        if self.tokens is not None and self.spent + self.each * (upcoming + self.reserve) > self.tokens:
            raise Stopped(f"the budget of {self.tokens:,} tokens is used up ({self.spent:,} spent)")

    def add(self, usage: Usage) -> None:
        self.usage = algorithms.total((self.usage, usage))

    @property
    def spent(self) -> int:
        return self.usage.prompt_tokens + self.usage.completion_tokens

    @property
    def each(self) -> float:
        """Tokens that a rollout took on average, critiques included."""
        return self.spent / self.done if self.done else 0.0

    def __str__(self) -> str:
        told = f"{self.done} rollouts ({self.failed} failed), {self.usage.calls} calls, {self.spent:,} tokens"
        if self.input_price is None or self.output_price is None:
            return told
        cost = self.usage.prompt_tokens * self.input_price + self.usage.completion_tokens * self.output_price
        return f"{told}, {cost / 1_000_000:.4f} in cost"


@dataclass(frozen=True, slots=True)
class Tried:
    """A prompt on all validation items: the mean reward of the rollouts that did not fail, and each by item id."""

    prompt: str
    score: float
    rewards: dict[str, float]
    failed: int


class MeteredClient:
    """The part of an AsyncOpenAI client that APO asks for critiques and edits; it counts, and stops when told to."""

    def __init__(self, client: openai.AsyncOpenAI, budget: Budget, control: Control) -> None:
        self._client = client
        self._budget = budget
        self._control = control
        # APO calls client.chat.completions.create.
        self.chat = self
        self.completions = self

    async def create(self, **request: Any) -> Any:
        """One completion; raises Stopped when the budget is used up, and openai's own errors."""
        self._budget.check(0)
        answer = await self._control.patiently(self._client.chat.completions.create(**request))
        tokens = answer.usage
        self._budget.add(
            Usage(
                calls=1,
                prompt_tokens=tokens.prompt_tokens if tokens else 0,
                completion_tokens=tokens.completion_tokens if tokens else 0,
            )
        )
        return answer


class PromptSearch(lightning.APO[dict[str, Any]]):
    """APO over the analyzer's prompt; seed and best are known whenever it ends, also when it is stopped."""

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        *,
        model: str,
        control: Control,
        budget: Budget,
        rounds: int,
        beam: int,
        glance: int,
    ) -> None:
        super().__init__(
            MeteredClient(client, budget, control),
            gradient_model=model,
            apply_edit_model=model,
            gradient_batch_size=CRITIQUE,
            val_batch_size=glance,
            beam_width=beam,
            branch_factor=beam,
            beam_rounds=rounds,
        )
        self.control = control
        self.budget = budget
        self.seed: Tried | None = None
        self.best: Tried | None = None
        # The best prompt without few-shot examples, where there were any to leave out.
        self.plain: Tried | None = None
        self.ended = "all rounds done"
        self._everything = 0
        self._silent = 0
        # Mean reward on all validation items, by prompt.
        self._known: dict[str, float] = {}

    async def run(
        self,
        train_dataset: Sequence[dict[str, Any]] | None = None,
        val_dataset: Sequence[dict[str, Any]] | None = None,
    ) -> None:
        """Search until the rounds, the budget or somebody's patience are over; raises Unusable."""
        validation = list(val_dataset or ())
        self._everything = len(validation)
        try:
            await super().run(train_dataset=train_dataset, val_dataset=validation)
            await self._leave_out_examples(validation)
        except Stopped as reason:
            self.ended = str(reason)
        except Unusable as reason:
            if self.best is None:
                raise
            # The endpoint went away in the middle: what was found until then stands.
            self.ended = str(reason)

    async def evaluate_prompt_on_batch(
        self,
        prompt: Any,
        resource_name: str,
        dataset: Sequence[dict[str, Any]],
        mode: str,
        *,
        prefix: str | None = None,
    ) -> tuple[list[Any], float]:
        """The rollouts of one prompt that did not fail, and their mean reward; remembers the best on all items."""
        text, whole = prompt.prompt_template.template, mode == "val" and len(dataset) == self._everything
        if whole and text in self._known:
            # Asked again the same items would cost the same again, and a critic reads training items only.
            return [], self._known[text]
        rollouts, tried = await self._try(text, dataset, mode)
        if whole:
            self._known[text] = tried.score
            if self.best is None or tried.score > self.best.score:
                self.best = tried
                self.seed = self.seed or tried
        return await self.get_rollout_results(rollouts), tried.score

    async def textual_gradient_and_apply_edit(
        self, current_prompt: Any, rollout: list[Any], *, prefix: str | None = None
    ) -> str | None:
        """An edited prompt; None when the critic failed or wrote something that must not be saved."""
        if not rollout:
            self.control.say("no new prompt: every rollout that the critic would have read failed")
            return None
        try:
            edited = await super().textual_gradient_and_apply_edit(current_prompt, rollout, prefix=prefix)
        except openai.OpenAIError as error:
            self.control.say(f"no new prompt: the critic failed ({type(error).__name__})")
            return None
        text = _unfenced(edited or "")
        problems = prompts.check_template(text)
        if problems:
            self.control.say(f"a new prompt was left out: {' '.join(problems)}")
            return None
        if text == current_prompt.prompt_template.template:
            self.control.say("no new prompt: the critic changed nothing")
            return None
        return text

    async def _leave_out_examples(self, validation: Sequence[dict[str, Any]]) -> None:
        if self.best is not None and any(task["examples"] for task in validation):
            self.control.say("the best prompt once more, without few-shot examples")
            bare = [task | {"examples": []} for task in validation]
            _, self.plain = await self._try(self.best.prompt, bare, "val")

    async def _try(self, text: str, dataset: Sequence[dict[str, Any]], mode: str) -> tuple[list[Any], Tried]:
        self.budget.check(len(dataset))
        resources = {"prompt": lightning.template(text)}
        rollouts, rolled = await lightning.roll(
            self.get_store(), list(dataset), resources, mode=mode, control=self.control
        )
        tried = self._count(text, rolled)
        self.control.say(
            f"prompt {prompts.digest(text)} on {len(rolled)} {'validation' if mode == 'val' else 'training'} items: "
            f"mean reward {tried.score:.3f}"
            + (f", {tried.failed} failed" if tried.failed else "")
            + f"; so far {self.budget}"
        )
        return [one for one, read in zip(rollouts, rolled, strict=True) if read.reward], tried

    def _count(self, text: str, rolled: Sequence[Rolled]) -> Tried:
        self.budget.done += len(rolled)
        for one in rolled:
            if "usage" in one.output:
                self.budget.add(Usage.model_validate(one.output["usage"]))
        rewards = {str(one.task["id"]): one.total for one in rolled if one.total is not None}
        failed = len(rolled) - len(rewards)
        self.budget.failed += failed
        self._silent = 0 if rewards else self._silent + failed
        if not rewards and (self.best is None or self._silent >= SILENT):
            reasons = sorted({one.error for one in rolled})
            raise Unusable(f"The last {self._silent} rollouts all failed: {'; '.join(reasons[:3])}")
        score = sum(rewards.values()) / len(rewards) if rewards else 0.0
        return Tried(text, score, rewards, failed)


def _unfenced(text: str) -> str:
    """A prompt without the code fence that models like to put around one."""
    lines = text.strip().splitlines()
    if len(lines) > 2 and lines[0].startswith("```") and lines[-1].strip() == "```":
        lines = lines[1:-1]
    return "\n".join(lines).strip()


def learn(lesson: Lesson) -> Proposal:
    """The best prompt that the budget allowed to find, also when the search was stopped.

    Raises Unusable when the model could not be asked, and Stopped when not even the present prompt was tried.
    """
    options, control = lesson.options, lesson.control
    spec = replace(lesson.active, engine="llm", model=lesson.model, prompt="")
    memory = lesson.memory() if options.few_shot else None
    shown = lesson.examples if memory else 0
    rollouts = options.rollouts or ROLLOUTS
    budget = Budget(
        rollouts=rollouts,
        tokens=options.max_tokens,
        reserve=2 * len(lesson.dataset.test),
        input_price=options.input_price,
        output_price=options.output_price,
    )
    # What is held never leaves this machine; what tries to give orders is not shown to a critic.
    train = [one for one in lesson.dataset.train if not one.held and not one.flagged]
    sendable = [one for one in lesson.dataset.validation if not one.held]
    validation = algorithms.draw(sendable, min(VALIDATION, max(1, rollouts // 4)), seed=options.seed)
    if not train or not validation:
        raise Unusable("Every item to learn from is held or flagged, so that a model must not be asked about it.")
    if options.max_minutes is not None:
        control.deadline = time.monotonic() + 60 * options.max_minutes
    # Built before the runners fork, so that each of them has the imports; the connection is made in each.
    engines.build(spec)
    search = PromptSearch(
        _client(spec),
        model=spec.model,
        control=control,
        budget=budget,
        rounds=options.rounds,
        beam=options.beam,
        glance=min(GLANCE, len(validation)),
    )
    random.seed(options.seed)  # APO draws from the global generator.
    control.say(f"prompt search: {len(validation)} validation items, at most {rollouts} rollouts with {spec.model}")
    try:
        lightning.fit(
            search,
            lightning.prompt_agent(spec),
            train=algorithms.tasks(train, memory, shown),
            validation=algorithms.tasks(validation, memory, shown),
            resources={"prompt": lightning.template(lesson.active.prompt or prompts.BUILT_IN)},
            runners=RUNNERS if options.runners is None else options.runners,
            store_url=lesson.store_url,
        )
    finally:
        control.deadline = None
        control.usage = algorithms.total((control.usage, budget.usage))
    control.say(f"prompt search ended: {search.ended}; {budget}")
    if search.seed is None or search.best is None:
        raise Stopped(search.ended)
    proposal = _proposal(lesson, search, search.seed, search.best, validation)
    if not proposal.changes:
        control.say(f"no prompt was better than the present one ({search.seed.score:.3f})")
    return proposal


def _client(spec: Spec) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        base_url=spec.base_url or None,
        api_key=spec.api_key or "unset",
        timeout=PATIENCE,
        # A critique is one of few, and worth waiting for.
        max_retries=3,
        # A redirect would carry what visitors wrote to a host that nobody configured.
        http_client=openai.DefaultAsyncHttpxClient(follow_redirects=False),
    )


def _proposal(
    lesson: Lesson, search: PromptSearch, seed: Tried, best: Tried, validation: Sequence[Example]
) -> Proposal:
    plain = search.plain
    chosen = plain if plain is not None and plain.score > best.score else best
    bare = chosen is plain
    notes: dict[str, Any] = {
        "rollouts": search.budget.done,
        "failed": search.budget.failed,
        "present": seed.score,
        "ended": search.ended,
    }
    if plain is not None:
        notes["few_shot"] = {"with": best.score, "without": plain.score, "n": len(plain.rewards), "kept": not bare}
    active = lesson.active
    return Proposal(
        algorithm=algorithms.APO,
        engine=lesson.engine,
        weights=active.weights,
        prompt=chosen.prompt,
        model=lesson.model,
        thresholds=algorithms.other_thresholds(active),
        calibration=lesson.calibration | {"examples": 0 if bare else lesson.examples},
        rewards=chosen.rewards,
        before=_standing(active, validation) if active.engine == "local" else seed.rewards,
        notes=notes,
        # A version that asked nobody would ask a model now, if only with the built-in prompt.
        changes=bare or chosen.prompt != seed.prompt or lesson.engine != active.engine,
    )


def _standing(active: Spec, validation: Sequence[Example]) -> dict[str, float]:
    """What the active version gets on the same items, where it asks no model."""
    verdicts = predict(active, validation, progress=False)
    return {
        example.feedback_id: lightning.judge(example.task(), verdict)["total"]
        for example, verdict in zip(validation, verdicts, strict=True)
    }
