"""Time-ordered primary keys, so that one migration tree serves SQLite, PostgreSQL and MongoDB."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from uuid_utils import compat


def new_id() -> UUID:
    """A UUIDv7: unguessable enough to show, and sorted by time, which keeps index pages hot."""
    return compat.uuid7()


def first_id_of(moment: datetime) -> UUID:
    """The smallest UUIDv7 of a millisecond: the keys carry the time, so rows of a time are found by them.

    Of a moment before 1970, which no key has, that of 1970.
    """
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)
