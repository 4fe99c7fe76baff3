"""The LightningStore server that run_store starts: agentlightning's own, of bounded memory, behind a token."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final

import analyzer.offline  # noqa: F401

# isort: split
import agentlightning as agl
from agentlightning.types import ResourcesUpdate
from agentlightning.utils.server_launcher import PythonServerLauncherArgs

# Finished rollouts that are kept. A round of training must fit in, since it reads them when all have finished.
KEEP: Final = 20_000
RESOURCES: Final = 1_000
# Seconds after which a rollout that never finished is taken for abandoned.
ABANDONED: Final = 24 * 3600.0
HEALTH: Final = "/v1/agl/health"

Scope = MutableMapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Any, Send], Awaitable[None]]


class BoundedStore(agl.InMemoryLightningStore):
    """agentlightning's store in memory, which by itself forgets spans at most, and those only when memory runs out.

    Here the oldest finished rollouts beyond keep go, whole, and those whose runner never came back.
    """

    def __init__(self, *, keep: int = KEEP) -> None:
        super().__init__(thread_safe=True)
        self._keep = keep
        # In the order in which they finished, and in which they came with the time of it.
        self._finished: dict[str, None] = {}
        self._unfinished: dict[str, float] = {}
        self._published: dict[str, None] = {}

    async def add_resources(self, resources: agl.NamedResources) -> ResourcesUpdate:
        return await self._bound(await super().add_resources(resources))

    async def update_resources(self, resources_id: str, resources: agl.NamedResources) -> ResourcesUpdate:
        return await self._bound(await super().update_resources(resources_id, resources))

    async def _post_update_rollout(
        self, rollouts: Sequence[tuple[agl.Rollout, Sequence[str]]], skip_enqueue: bool = False
    ) -> None:
        await super()._post_update_rollout(rollouts, skip_enqueue=skip_enqueue)
        for rollout, _ in rollouts:
            if rollout.end_time is None:
                self._unfinished.setdefault(rollout.rollout_id, time.time())
            else:
                self._unfinished.pop(rollout.rollout_id, None)
                self._finished[rollout.rollout_id] = None
        while len(self._finished) > self._keep:
            await self._forget(next(iter(self._finished)))
        while self._unfinished and next(iter(self._unfinished.values())) < time.time() - ABANDONED:
            await self._forget(next(iter(self._unfinished)))

    async def _forget(self, rollout_id: str) -> None:
        self._finished.pop(rollout_id, None)
        self._unfinished.pop(rollout_id, None)
        labels = ["rollouts", "attempts", "spans", "span_sequence_ids"]
        async with self.collections.atomic(mode="rw", snapshot=self._read_snapshot, labels=labels) as collections:
            await collections.span_sequence_ids.pop(rollout_id)
            for rows in (collections.spans, collections.attempts, collections.rollouts):
                found = await rows.query(filter={"rollout_id": {"exact": rollout_id}})
                await rows.delete(found.items)
                # What is left of its index: a mapping by rollout without anything in it.
                rows._items.pop(rollout_id, None)
        self._total_span_bytes -= self._span_bytes_by_rollout.pop(rollout_id, 0)
        self._start_time_by_rollout.pop(rollout_id, None)
        self._completion_events.pop(rollout_id, None)
        self._running_rollout_ids.discard(rollout_id)
        self._evicted_rollout_span_sets.discard(rollout_id)

    async def _bound(self, published: ResourcesUpdate) -> ResourcesUpdate:
        self._published.pop(published.resources_id, None)
        self._published[published.resources_id] = None
        if len(self._published) > RESOURCES:
            oldest = next(iter(self._published))
            del self._published[oldest]
            async with self.collections.atomic(mode="rw", labels=["resources"]) as collections:
                found = await collections.resources.query(filter={"resources_id": {"exact": oldest}})
                await collections.resources.delete(found.items)
        return published


class TokenRequired:
    """ASGI middleware: whoever does not show the token as a bearer learns whether the server lives, and no more."""

    def __init__(self, app: App, *, token: str) -> None:
        self.app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] == "lifespan" or scope.get("path") == HEALTH or self._is_shown(scope):
            await self.app(scope, receive, send)
            return
        await send(
            {
                "type": "http.response.start",
                "status": 401,
                "headers": [(b"www-authenticate", b"Bearer"), (b"content-type", b"text/plain; charset=utf-8")],
            }
        )
        await send({"type": "http.response.body", "body": b"This store wants LIGHTNING_STORE_TOKEN.\n"})

    def _is_shown(self, scope: Scope) -> bool:
        shown = [value for name, value in scope["headers"] if name == b"authorization"]
        return len(shown) == 1 and hmac.compare_digest(shown[0], self._expected)


def build(*, host: str, port: int, token: str = "", keep: int = KEEP) -> agl.LightningStoreServer:
    """A server that is not started yet; with a token it wants it of everybody.

    For a process of its own: FastAPI adds spans to whatever tracer it finds, and would send them to itself.
    """
    launch = PythonServerLauncherArgs(
        host=host,
        port=port,
        access_host=host,
        launch_mode="asyncio",
        healthcheck_url=HEALTH,
        log_level=logging.WARNING,
    )
    server = agl.LightningStoreServer(BoundedStore(keep=keep), launcher_args=launch)
    if token:
        assert server.app is not None
        server.app.add_middleware(TokenRequired, token=token)
    return server


def serve(server: agl.LightningStoreServer) -> None:
    """Run until SIGTERM or Ctrl-C."""
    asyncio.run(server.run_forever())
