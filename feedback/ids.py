"""Time-ordered primary keys, so that one migration tree serves SQLite, PostgreSQL and MongoDB."""

from __future__ import annotations

from uuid import UUID

from uuid_utils import compat


def new_id() -> UUID:
    """A UUIDv7: unguessable enough to show, and sorted by time, which keeps index pages hot."""
    return compat.uuid7()
