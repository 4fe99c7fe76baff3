"""run_store: closed to the network without a token, of bounded memory, and stopped by a signal."""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta
from typing import Any

import pytest
import requests
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from analyzer import store_server
from tests.store_process import Store

# First the environment, then the library.
import agentlightning as agl  # isort: skip


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "store.internal"])
def test_it_does_not_listen_to_other_machines_without_a_token(host: str) -> None:
    with pytest.raises(CommandError, match="Set LIGHTNING_STORE_TOKEN"):
        call_command("run_store", host=host, stdout=io.StringIO())


def test_a_token_that_could_be_guessed_is_refused(settings: Settings) -> None:
    settings.LIGHTNING_STORE_TOKEN = "short"
    with pytest.raises(CommandError, match=r"^LIGHTNING_STORE_TOKEN is short \(5\)") as refused:
        call_command("run_store", host="0.0.0.0", stdout=io.StringIO())
    assert "'short'" not in str(refused.value)


def test_it_serves_other_machines_with_a_token_that_it_never_tells_and_a_signal_stops_it() -> None:
    store = Store(host="0.0.0.0", token="t" * 40)
    try:
        assert store.get("/v1/agl/statistics")["name"] == "BoundedStore"
        assert requests.get(f"{store.url}/v1/agl/statistics", timeout=10).status_code == 401
    finally:
        said = store.stop()
    assert f"LightningStore on http://0.0.0.0:{store.port}, with the token" in said
    assert "t" * 40 not in said
    assert "Traceback" not in said


async def _finish(store: agl.LightningStore, number: int) -> str:
    started = await store.start_rollout(input={"id": number})
    await store.add_span(_span(started.rollout_id, started.attempt.attempt_id))
    await store.update_attempt(started.rollout_id, started.attempt.attempt_id, status="succeeded")
    return started.rollout_id


def _span(rollout_id: str, attempt_id: str) -> agl.Span:
    return agl.Span.from_attributes(
        rollout_id=rollout_id, attempt_id=attempt_id, sequence_id=1, name="said", attributes={"text": "x" * 1_000}
    )


def test_of_finished_rollouts_only_the_newest_stay_with_all_that_is_theirs() -> None:
    async def fill() -> tuple[list[str], store_server.BoundedStore]:
        store = store_server.BoundedStore(keep=5)
        return [await _finish(store, number) for number in range(30)], store

    keys, store = asyncio.run(fill())
    counts = asyncio.run(store.statistics())
    assert {one.rollout_id for one in asyncio.run(store.query_rollouts())} == set(keys[-5:])
    assert [counts[f"total_{rows}"] for rows in ("rollouts", "attempts", "spans")] == [5, 5, 5]
    assert len(asyncio.run(store.query_spans(keys[-1]))) == 1
    assert len(asyncio.run(store.query_spans(keys[0]))) == 0
    assert 5 * 1_000 < counts["total_span_bytes"] < 5 * 4_000
    for held in _held(store):
        assert not set(keys[:-5]) & set(held)


def _held(store: Any) -> list[Any]:
    """Everything in the store that is kept by rollout; without this a new version's new table would grow unseen."""
    tables = [vars(store), *(vars(rows) for rows in vars(store.collections).values() if hasattr(rows, "__dict__"))]
    return [table for owner in tables for table in owner.values() if isinstance(table, dict | set)]


def test_unfinished_rollouts_stay_until_they_are_a_day_old() -> None:
    async def fill() -> tuple[int, list[dict[str, Any]]]:
        store = store_server.BoundedStore(keep=5)
        for number in range(10):
            await store.start_rollout(input={"id": number})
        before = len(await store.query_rollouts())
        with time_machine.travel(timezone.now() + timedelta(days=1, seconds=1)):
            await _finish(store, 10)
            return before, [one.input for one in await store.query_rollouts()]

    assert asyncio.run(fill()) == (10, [{"id": 10}])


def test_resources_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_server, "RESOURCES", 3)

    async def fill() -> list[str]:
        store = store_server.BoundedStore()
        for number in range(8):
            await store.add_resources({"prompt": agl.PromptTemplate(template=str(number), engine="f-string")})
        return [one.resources["prompt"].template for one in await store.query_resources()]

    assert asyncio.run(fill()) == ["5", "6", "7"]
