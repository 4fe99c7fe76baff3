"""The LightningStore that LIGHTNING_STORE_URL names, as a client sees it; workers and training use it.

Rollouts in it are for looking at and for runners on other machines: what must last is in the desk's own database.
Workers start their rollouts themselves and training queues its own, so that neither gets the other's to run.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote, urlsplit

from django.conf import settings

import analyzer.offline  # noqa: F401

# isort: split
import agentlightning as agl
import aiohttp
from agentlightning.types import ResourcesUpdate

logger = logging.getLogger(__name__)

# What a store that is down, slow, restarted or closed to us raises.
FAILURES: Final = (aiohttp.ClientError, TimeoutError, OSError)
# Seconds that a worker gives the store: for a connection, an answer, a span with its repetitions, and to recover.
# An analysis waits for all of them in turn at worst, and that once in PAUSE.
CONNECT: Final = 2.0
ANSWER: Final = 10.0
SPAN: Final = 5.0
PAUSE: Final = 30.0
KNOWN_MAX: Final = 100


class Client(agl.LightningStoreClient):
    """A client that shows the token, and sends resources that it has sent before only once."""

    def __init__(self, url: str, *, token: str = "", **options: Any) -> None:
        super().__init__(url, **options)
        self._token = token
        self._known: dict[str, ResourcesUpdate] = {}
        # Spans go by OpenTelemetry's exporter, which a tracer makes later and which reads its headers from here.
        if token:
            os.environ["OTEL_EXPORTER_OTLP_TRACES_HEADERS"] = f"authorization={quote(f'Bearer {token}')}"
        else:
            os.environ.pop("OTEL_EXPORTER_OTLP_TRACES_HEADERS", None)

    async def add_resources(self, resources: agl.NamedResources) -> ResourcesUpdate:
        """Under an id made of what they are: a version's prompt and engine are the same for every item."""
        told = "\n".join(f"{name} {value.model_dump_json()}" for name, value in sorted(resources.items()))
        key = f"desk-{hashlib.sha256(told.encode()).hexdigest()[:32]}"
        if key not in self._known:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            self._known[key] = await self.update_resources(key, resources)
        return self._known[key]

    async def get_resources_by_id(self, resources_id: str) -> ResourcesUpdate | None:
        return self._known.get(resources_id) or await super().get_resources_by_id(resources_id)

    async def _get_session(self) -> aiohttp.ClientSession:
        session: aiohttp.ClientSession = await super()._get_session()
        if self._token:
            session.headers["Authorization"] = f"Bearer {self._token}"
        return session


class Kept(agl.Hook):
    """What a rollout emitted, as this process saw it: good when the store loses it, or is lost itself."""

    def __init__(self) -> None:
        super().__init__()
        self.spans: Sequence[agl.Span] = ()

    async def on_trace_end(self, *, tracer: agl.Tracer, **others: Any) -> None:
        self.spans = list(tracer.get_last_trace())


class Link:
    """A worker's way to the shared store: the client, or None while there is none or it is given time to recover."""

    def __init__(self, url: str, token: str) -> None:
        # The store must not hold up an analysis: one attempt, and then the worker's own memory.
        if url:
            os.environ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"] = str(SPAN)
        self._client = (
            Client(
                url,
                token=token,
                retry_delays=(),
                health_retry_delays=(),
                request_timeout=ANSWER,
                connection_timeout=CONNECT,
            )
            if url
            else None
        )
        self._where = urlsplit(url).netloc.rpartition("@")[2]
        self._rests_until = 0.0

    @property
    def client(self) -> Client | None:
        return self._client if time.monotonic() >= self._rests_until else None

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    def failed(self, error: BaseException) -> None:
        """Leave the store alone for a while, and say so once."""
        self._rests_until = time.monotonic() + PAUSE
        said = f"HTTP {error.status}" if isinstance(error, aiohttp.ClientResponseError) else type(error).__name__
        logger.warning(
            "LightningStore at %s failed (%s); rollouts stay in this worker's memory, next try in %.0f s",
            self._where,
            said,
            PAUSE,
        )

    def lost(self, arrived: int, emitted: int) -> None:
        """Say that spans did not come back from the store; the analysis has them from this process."""
        logger.warning("LightningStore at %s has %d of %d spans of a rollout", self._where, arrived, emitted)


def link() -> Link:
    """The way to the store that the settings name."""
    return Link(settings.LIGHTNING_STORE_URL, settings.LIGHTNING_STORE_TOKEN)


def client(url: str) -> Client:
    """A client for training, which waits and asks again as the library does; the token is the settings' one."""
    return Client(url, token=settings.LIGHTNING_STORE_TOKEN)
