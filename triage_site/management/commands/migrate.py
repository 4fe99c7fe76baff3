"""Django's migrate, one at a time: of two that make the same tables together one would fail half way."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from django.core.management.commands.migrate import Command as MigrateCommand
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.sqlite3.base import DatabaseWrapper as SQLite

# Any number that nobody else uses in this database.
LOCK: Final = 0x66656564


class Command(MigrateCommand):
    def handle(self, *args: Any, **options: Any) -> None:
        with _alone(connections[options.get("database") or DEFAULT_DB_ALIAS]):
            super().handle(*args, **options)


@contextmanager
def _alone(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Wait for whoever migrates this database now."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        try:
            yield
        finally:
            # It ends with the connection as well.
            with suppress(Error), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))
    elif isinstance(connection, SQLite) and not connection.is_in_memory_db():
        # The folder's lock: closing the file itself would take SQLite's own locks away.
        folder = os.open(Path(connection.settings_dict["NAME"]).resolve().parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
    elif connection.vendor == "mongodb":
        from triage_site.mongodb import lease
        from triage_site.mongodb.base import DatabaseWrapper

        assert isinstance(connection, DatabaseWrapper)
        with lease.hold(connection.database, "migrate"):
            yield
    else:
        yield
