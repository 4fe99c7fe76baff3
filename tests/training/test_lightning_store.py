"""Rollouts through LightningStoreServer: several runners, no span lost, no failure hidden, no process left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analyzer.schema import Task
from tests import make
from tests.processes import alive, children, wait_for
from training import lightning
from training.watch import Control, Stopped, Unusable

# First the environment, then the library.
from analyzer import rollout  # isort: skip
import agentlightning as agl  # isort: skip


@agl.rollout
def touchy_agent(task: dict[str, Any], prompt_template: agl.PromptTemplate) -> None:
    """Emits as the feedback agent does; some tasks make it fail, and some forget their reward."""
    agl.emit_message(f"task {task['id']}")
    if task.get("fails"):
        agl.emit_exception(RuntimeError("no luck today"))
        raise RuntimeError("no luck today")
    agl.emit_object({"said": task["id"]})
    if not task.get("forgets"):
        agl.emit_reward({"total": task["id"] / 1_000, "part": 1.0}, primary_key="total")


class Once(lightning.Algorithm):
    """Every validation item once."""

    rolled: list[lightning.Rolled]

    async def run(self, train_dataset: Any = None, val_dataset: Any = None) -> None:
        self.rolled = await self.roll(val_dataset, {"prompt": lightning.template("x")}, mode="val")


def roll(tasks: list[dict[str, Any]], *, runners: int = 0, control: Control | None = None) -> list[lightning.Rolled]:
    once = Once(control or Control(say=print))
    lightning.fit(once, touchy_agent, validation=tasks, runners=runners)
    return once.rolled


def test_three_runners_behind_a_server_lose_no_span_of_three_hundred_rollouts() -> None:
    """Newer OpenTelemetry loses them all without an error, while every rollout reads "succeeded"."""
    rolled = roll([{"id": number} for number in range(300)], runners=3)
    assert [one.task["id"] for one in rolled] == list(range(300))
    assert {one.spans for one in rolled} == {3}
    assert [one.reward for one in rolled] == [{"total": number / 1_000, "part": 1.0} for number in range(300)]
    assert [one.output for one in rolled] == [{"said": number} for number in range(300)]


@pytest.mark.parametrize("runners", [0, 2])
def test_a_rollout_that_fails_is_told_with_its_reason(runners: int) -> None:
    rolled = roll([{"id": number, "fails": number % 2} for number in range(8)], runners=runners)
    assert [one.total is None for one in rolled] == [False, True] * 4
    assert {one.error for one in rolled[1::2]} == {"no luck today"}


def test_a_reward_that_never_arrives_is_not_taken_for_a_zero() -> None:
    with pytest.raises(Unusable, match="1 of 3 rollouts succeeded but their reward never reached the store"):
        roll([{"id": 0}, {"id": 1, "forgets": True}, {"id": 2}])


def test_the_feedback_agent_brings_its_verdict_and_reward_back_through_a_server(db: None) -> None:
    from analyzer import versions

    task = Task(id="1", comment="The page crashes", type="bug", decision={"category": "website-bug"})
    probe = lightning.Probe(versions.spec(make.working_version()), Control(say=print))
    lightning.fit(probe, lightning.feedback_agent, validation=[task.model_dump(mode="json")], runners=1)
    (rolled,) = probe.rolled
    direct = rollout.run(task, versions.spec(versions.active()))
    assert rolled.reward == direct.reward == {"category": 1.0, "total": 1.0}
    assert rolled.output["verdict"] == direct.verdict.model_dump(mode="json")


@pytest.mark.parametrize("runners", [0, 2])
def test_a_run_that_is_told_to_stop_stops_and_leaves_no_runner(runners: int) -> None:
    control = Control(say=print)
    control.stop.set()
    with pytest.raises(Stopped):
        roll([{"id": number} for number in range(50)], runners=runners, control=control)
    assert not children(os.getpid())


@pytest.fixture
def shared() -> Iterator[agl.LightningStoreServer]:
    """A store server that several desks could use."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = agl.LightningStoreServer(agl.InMemoryLightningStore(thread_safe=True), host="127.0.0.1", port=port)
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())


def test_a_shared_store_is_used_where_one_is_named(shared: agl.LightningStoreServer) -> None:
    once = Once(Control(say=print))
    lightning.fit(
        once, touchy_agent, validation=[{"id": number} for number in range(20)], runners=2, store_url=shared.endpoint
    )
    assert [one.reward["total"] for one in once.rolled] == [number / 1_000 for number in range(20)]
    assert len(asyncio.run(shared.query_rollouts(status_in=["succeeded"]))) == 20


def test_the_rollouts_of_others_in_a_shared_store_are_left_alone(shared: agl.LightningStoreServer) -> None:
    asyncio.run(shared.enqueue_rollout(input={"id": "theirs"}, mode="train"))
    with pytest.raises(Unusable, match=r"^Somebody else's rollouts are waiting in http://"):
        lightning.fit(Once(Control(say=print)), touchy_agent, validation=[{"id": 1}], store_url=shared.endpoint)
    assert len(asyncio.run(shared.query_rollouts(status_in=["queuing"]))) == 1


def test_a_run_that_is_stopped_takes_back_what_nobody_began(shared: agl.LightningStoreServer) -> None:
    control = Control(say=print)
    control.stop.set()
    many = [{"id": number} for number in range(300)]
    with pytest.raises(Stopped):
        lightning.fit(Once(control), touchy_agent, validation=many, runners=1, store_url=shared.endpoint)
    assert not len(asyncio.run(shared.query_rollouts(status_in=["queuing", "requeuing"])))
    once = Once(Control(say=print))
    lightning.fit(once, touchy_agent, validation=[{"id": 7}], runners=1, store_url=shared.endpoint)
    assert [one.reward["total"] for one in once.rolled] == [0.007]


LONG = """
import django
django.setup()
from tests.training.test_lightning_store import roll
print("ready", flush=True)
roll([{"id": number} for number in range(20_000)], runners=2)
"""


def test_runners_follow_a_parent_that_was_killed() -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", LONG],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "ready\n"
    runners = wait_for(lambda: found if len(found := children(run.pid)) == 2 else [])
    run.send_signal(signal.SIGKILL)
    run.wait(10)
    assert wait_for(lambda: not any(alive(runner) for runner in runners))
