"""A worker's rollouts through the shared LightningStore, and what happens to an analysis when that store fails."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pytest_django import Settings

from analyzer import rollout, shared_store, tasks
from analyzer.engines import EngineError, Spec
from analyzer.models import QueueItem
from analyzer.rollout import Outcome
from analyzer.schema import Task
from tests import llm_server, make
from tests.llm_server import LLMServer
from tests.store_process import TOKEN, Store, free_port
from training import lightning
from training.watch import Control

TASK = Task(id="1", comment="The checkout button does nothing and I cannot pay", type="bug", rating=1, page="/checkout")
SPANS = ["message", "object", "annotation"]


@pytest.fixture(scope="module")
def running() -> Iterator[Store]:
    store = Store()
    yield store
    store.kill()


@pytest.fixture
def store(running: Store, settings: Settings) -> Store:
    """A store that wants a token, and workers that know both."""
    use(running, settings)
    return running


@pytest.fixture(autouse=True)
def fresh_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner as a process that has just started has it: none yet."""
    monkeypatch.setattr(rollout, "_desk", None)


def use(store: Store, settings: Settings) -> None:
    settings.LIGHTNING_STORE_URL, settings.LIGHTNING_STORE_TOKEN = store.url, store.token


def spec(url: str = "", **values: Any) -> Spec:
    engine = "llm" if url else "local"
    weights, _ = make.cold_start_weights()
    return Spec(
        **{"engine": engine, "weights": weights, "weights_digest": "cold", "base_url": url, "model": "m"} | values
    )


def task(key: str) -> Task:
    return TASK.model_copy(update={"id": key})


def of(store: Store, *keys: str) -> list[dict[str, Any]]:
    return [one for one in store.rollouts() if one["input"]["id"] in keys]


def names(outcome: Outcome) -> list[str]:
    return [span["name"].removeprefix("agentlightning.") for span in outcome.spans]


@pytest.mark.django_db
def test_an_analysis_goes_through_the_shared_store_and_its_spans_come_back(store: Store) -> None:
    make.working_version()
    said = make.feedback("The pay button crashes the page", page="/pay")
    assert tasks.analyze_feedback(str(said.pk)) is True
    (one,) = of(store, str(said.pk))
    assert one["status"] == "succeeded"
    analysis = QueueItem.objects.get(pk=said.pk).analysis
    assert analysis is not None
    arrived = store.spans(one["rollout_id"])
    assert [span["name"].removeprefix("agentlightning.") for span in arrived] == SPANS
    assert [span["attributes"] for span in analysis.trace] == [span["attributes"] for span in arrived]


def test_a_version_s_resources_are_sent_once(store: Store) -> None:
    before = store.get("/v1/agl/statistics")["total_resources"]
    for number in range(3):
        rollout.run(task(f"r{number}"), spec(prompt="A prompt of this test's own"))
    assert len({one["resources_id"] for one in of(store, "r0", "r1", "r2")}) == 1
    assert store.get("/v1/agl/statistics")["total_resources"] == before + 1


def test_a_worker_s_rollouts_and_those_of_training_are_never_taken_for_each_other(store: Store) -> None:
    rollout.run(task("ours"), spec())
    store.start_rollout({"id": "theirs"})
    keys = [f"t{number}" for number in range(5)]
    decided = [task(key).model_copy(update={"decision": {"category": "website-bug"}}) for key in keys]
    probe = lightning.Probe(spec(), Control(say=print))
    lightning.fit(
        probe,
        lightning.feedback_agent,
        validation=[one.model_dump(mode="json") for one in decided],
        runners=2,
        store_url=store.url,
    )
    assert [(one.task["id"], one.spans) for one in probe.rolled] == [(key, 3) for key in keys]
    statuses = {one["input"]["id"]: one["status"] for one in of(store, "ours", "theirs", *keys)}
    assert statuses == {"ours": "succeeded", "theirs": "preparing"} | dict.fromkeys(keys, "succeeded")


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
def test_a_store_with_a_token_answers_nobody_who_does_not_show_it(store: Store, shown: str) -> None:
    headers = {"Authorization": shown} if shown else {}
    for address in ("/v1/agl/rollouts", "/v1/agl/statistics", "/v1/agl/rollouts/../x", "/v1/traces", "/docs", "/"):
        for method in ("GET", "POST"):
            answer = requests.request(method, f"{store.url}{address}", headers=headers, timeout=10)
            assert (answer.status_code, "LIGHTNING_STORE_TOKEN" in answer.text) == (401, True), address
    assert requests.get(f"{store.url}/v1/agl/health", timeout=10).json() == {"status": "ok"}


def test_a_worker_that_is_refused_keeps_its_rollouts_and_says_so_once(
    store: Store, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LIGHTNING_STORE_TOKEN = "not the token"
    with caplog.at_level(logging.WARNING, "analyzer.shared_store"):
        outcomes = [rollout.run(task("refused"), spec()) for _ in range(2)]
    assert [names(one) for one in outcomes] == [SPANS] * 2
    assert [record.getMessage() for record in caplog.records if record.name == "analyzer.shared_store"] == [
        f"LightningStore at 127.0.0.1:{store.port} failed (HTTP 401); rollouts stay in this worker's memory, "
        "next try in 30 s"
    ]
    assert "not the token" not in caplog.text
    assert of(store, "refused") == []


def test_a_store_that_is_down_costs_no_analysis_and_one_that_is_back_is_used_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    settings.LIGHTNING_STORE_URL = f"http://127.0.0.1:{port}"
    monkeypatch.setattr(shared_store, "PAUSE", 0.0)
    without = rollout.run(task("without"), spec())
    store = Store(port=port, token="")
    try:
        with_it = rollout.run(task("with"), spec())
        assert [one["input"]["id"] for one in store.rollouts()] == ["with"]
    finally:
        store.kill()
    after = rollout.run(task("after"), spec())
    assert [names(one) for one in (without, with_it, after)] == [SPANS] * 3
    assert without.verdict == with_it.verdict == after.verdict


def test_a_store_that_dies_while_the_model_answers_costs_neither_the_answer_nor_a_second_request(
    settings: Settings,
) -> None:
    store = Store()
    use(store, settings)

    def answer(request: dict[str, Any], number: int) -> llm_server.Scripted:
        store.kill()
        return llm_server.ok()

    with LLMServer(answer) as model:
        outcome = rollout.run(TASK, spec(model.url))
    assert len(model.requests) == 1
    assert (outcome.verdict.engine, outcome.verdict.fallback_reason) == ("llm", "")
    assert names(outcome) == SPANS


def test_a_store_that_was_restarted_meanwhile_and_knows_nothing_costs_nothing_either(settings: Settings) -> None:
    stores = [Store()]
    use(stores[0], settings)

    def answer(request: dict[str, Any], number: int) -> llm_server.Scripted:
        stores[0].kill()
        stores.append(Store(port=stores[0].port))
        return llm_server.ok()

    try:
        with LLMServer(answer) as model:
            outcome = rollout.run(TASK, spec(model.url, timeout=120.0))
        assert (len(model.requests), outcome.verdict.engine, names(outcome)) == (1, "llm", SPANS)
        assert stores[1].rollouts() == []
    finally:
        for store in stores:
            store.kill()


def test_an_agent_that_fails_is_not_taken_for_a_store_that_fails(store: Store) -> None:
    with pytest.raises(EngineError, match="weights of this version cannot be used"):
        rollout.run(task("broken"), spec(weights=b"not weights", weights_digest="broken"))
    (one,) = of(store, "broken")
    assert one["status"] == "failed"
