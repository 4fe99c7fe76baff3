"""One at a time on MongoDB, which has no lock to ask for: a document that its holder keeps renewing."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError, PyMongoError

logger = logging.getLogger(__name__)

COLLECTION: Final = "desk_lease"
# A holder that was killed is waited for so long after it last renewed it; the machines' clocks must not differ by more.
LEASE: Final = timedelta(seconds=60)
LOOK_SECONDS: Final = 0.5


@contextmanager
def hold(database: Database[dict[str, Any]], name: str) -> Iterator[None]:
    """Wait until nobody else holds the lease of this name, and hold it meanwhile."""
    leases, holder = database[COLLECTION], secrets.token_hex(8)
    told = False
    while not _take(leases, name, holder):
        if not told:
            logger.warning("%s: somebody else is at it; waiting for them to end", name)
            told = True
        time.sleep(LOOK_SECONDS)
    over = threading.Event()
    renewing = threading.Thread(target=_keep, args=(leases, name, holder, over), daemon=True)
    renewing.start()
    try:
        yield
    finally:
        over.set()
        renewing.join()
        # It would run out by itself.
        with suppress(PyMongoError):
            leases.delete_one({"_id": name, "holder": holder})


def _take(leases: Collection[dict[str, Any]], name: str, holder: str) -> bool:
    """Whether it was free: an upsert, which fails on the _id that is there where the lease has not run out."""
    now = datetime.now(UTC)
    try:
        leases.update_one(
            {"_id": name, "until": {"$lt": now}}, {"$set": {"until": now + LEASE, "holder": holder}}, upsert=True
        )
    except DuplicateKeyError:
        return False
    return True


def _keep(leases: Collection[dict[str, Any]], name: str, holder: str, over: threading.Event) -> None:
    while not over.wait(LEASE.total_seconds() / 4):
        try:
            leases.update_one({"_id": name, "holder": holder}, {"$set": {"until": datetime.now(UTC) + LEASE}})
        except PyMongoError as error:
            logger.warning("%s: the lease was not renewed (%s)", name, error)
