"""Whatever the endpoint does, an analysis ends: with the local engine's answer, and the reason for staff to read."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from analyzer import cold_start, rollout
from analyzer.engines import Spec, local
from analyzer.rollout import Outcome
from analyzer.schema import Task
from tests import llm_server
from tests.llm_server import LLMServer, Scripted, ok

COMMENT = "The checkout button does nothing and I cannot pay, my name is Zaphod"
TASK = Task(id="1", comment=COMMENT, type="bug", rating=1, page="/checkout")
# One attempt, its repetition and one repair: more requests for one item would be no bounded policy.
REQUESTS_MAX = 3
KINDS = {
    "malformed": "malformed",
    "unknown category": "malformed",
    "extra field": "malformed",
    "truncated": "malformed",
    "refusal": "refused",
    "429": "rate-limited",
    "500": "unreachable",
    "401": "rejected",
    "dropped": "unreachable",
    "half": "unreachable",
    "huge": "oversized",
    "not json": "malformed",
    "wrong shape": "malformed",
    "wrong type": "malformed",
    "compressed": "oversized",
}


@cache
def weights() -> bytes:
    return local.fit_cold_start(cold_start.load()).to_bytes()


def spec(url: str, **values: Any) -> Spec:
    return Spec(
        **(
            {"engine": "llm", "weights": weights(), "weights_digest": "cold", "model": "m", "base_url": url}
            | {"timeout": 5.0}
            | values
        )
    )


@pytest.fixture(scope="module")
def alone() -> Outcome:
    """What the local engine says when nothing else was asked."""
    return rollout.run(TASK, spec("", engine="local"))


def assert_fell_back(outcome: Outcome, alone: Outcome, kind: str) -> None:
    verdict, plain = outcome.verdict, alone.verdict
    assert verdict.fallback_reason.startswith(f"{kind}: ")
    assert verdict.fallback_reason.endswith(".")
    assert "Zaphod" not in verdict.fallback_reason
    assert verdict.engine == "local"
    kept = {"engine", "fallback_reason", "usage"}
    assert verdict.model_dump(exclude=kept) == plain.model_dump(exclude=kept)
    assert "exception" in {span["name"].removeprefix("agentlightning.") for span in outcome.spans}


@pytest.mark.parametrize("engine", ["llm", "cascade"])
@pytest.mark.parametrize("name", llm_server.MISBEHAVIOURS)
def test_a_misbehaving_endpoint_ends_in_the_local_answer(name: str, engine: str, alone: Outcome) -> None:
    # A cascade that is never sure asks the model every time.
    with LLMServer([llm_server.MISBEHAVIOURS[name]()]) as server:
        outcome = rollout.run(TASK, spec(server.url, engine=engine, thresholds=(("cascade", 1.1),)))
    assert 1 <= len(server.requests) <= REQUESTS_MAX
    assert outcome.verdict.usage.calls == len(server.requests)
    assert_fell_back(outcome, alone, KINDS[name])


@pytest.mark.parametrize("late", [llm_server.slow(60), llm_server.dripping(0.05)], ids=["slow", "dripping"])
def test_a_slow_endpoint_ends_in_the_local_answer(late: Scripted, alone: Outcome) -> None:
    with LLMServer([late]) as server:
        outcome = rollout.run(TASK, spec(server.url, timeout=0.3))
    assert_fell_back(outcome, alone, "timeout")


def test_an_endpoint_that_is_down_ends_in_the_local_answer(alone: Outcome) -> None:
    with LLMServer([ok()]) as server:
        pass
    assert_fell_back(rollout.run(TASK, spec(server.url)), alone, "unreachable")


def test_a_held_item_never_reaches_the_endpoint() -> None:
    held = TASK.model_copy(update={"held": True})
    with LLMServer([ok()]) as server:
        for engine in ("llm", "cascade"):
            verdict = rollout.run(held, spec(server.url, engine=engine, thresholds=(("cascade", 1.1),))).verdict
            assert verdict.engine == "local"
            assert verdict.fallback_reason == "held by governance: not sent to the model"
    assert server.requests == []


def test_an_answer_reaches_the_verdict() -> None:
    with LLMServer([llm_server.malformed(), ok()]) as server:
        outcome = rollout.run(TASK, spec(server.url, llm_trust=0.9))
    verdict = outcome.verdict
    assert (verdict.engine, verdict.fallback_reason) == ("llm", "")
    assert (verdict.category, verdict.usage.calls, verdict.usage.prompt_tokens) == ("website-bug", 2, 200)
    assert verdict.evidence == ("The checkout button does nothing",)
    assert verdict.action == llm_server.ANSWER["action"]


def test_the_spans_hold_no_key_and_no_prompt() -> None:
    with LLMServer([llm_server.status(401, message="sk-secret")]) as server:
        outcome = rollout.run(TASK, spec(server.url, api_key="sk-secret", prompt="Be a good analyst. {categories}"))
    kept = str(outcome.spans)
    assert "sk-secret" not in kept
    assert "Be a good analyst" not in kept
