"""kill -9 of a shared LightningStore server in the middle of its rollouts: the run ends by itself, with an error."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest

from tests.processes import alive, children
from tests.servers import free_port
from tests.training.test_lightning_store import Once, touchy_agent
from tests.worker import ROOT, until
from training import lightning
from training.watch import Control

import agentlightning as agl  # isort: skip


class Store:
    """A store server in a process of its own, as several machines would share it."""

    def __init__(self) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.process = subprocess.Popen(
            [".venv/bin/agl", "store", "--host", "127.0.0.1", "--port", str(self._port)],
            cwd=ROOT,
            env=os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def works(self) -> bool:
        return len(asyncio.run(self._finished())) > 0

    async def _finished(self) -> list[agl.Rollout]:
        client = agl.LightningStoreClient(self.url)
        try:
            return list(await client.query_rollouts(status_in=["succeeded"], limit=1))
        finally:
            await client.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def store() -> Iterator[Store]:
    server = Store()
    try:
        until(server.listens, "the store server")
        yield server
    finally:
        server.kill()


def test_a_run_whose_store_is_killed_raises_and_leaves_no_runner(store: Store) -> None:
    before = children(os.getpid())
    killer = threading.Thread(target=lambda: (until(store.works, "the first rollout"), store.kill()))
    killer.start()
    once = Once(Control(say=print))
    with pytest.raises(Exception, match=r"[Cc]onnect|payload is not completed"):
        lightning.fit(
            once, touchy_agent, validation=[{"id": number} for number in range(5_000)], runners=2, store_url=store.url
        )
    killer.join()
    assert not hasattr(once, "rolled")
    assert not [pid for pid in children(os.getpid()) if pid not in before and alive(pid)]
