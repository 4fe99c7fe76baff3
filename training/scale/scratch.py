"""Scratch databases, one for each size: made by the benchmark, and told by their name from any desk's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.db import connection
from psycopg import sql

MARK: Final = "scale_scratch"


class NoScratch(Exception):
    """A database that is not to be touched, or cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Scratch:
    """Where the databases of one run lie: a folder for SQLite, else the URL of a PostgreSQL that may make some."""

    folder: Path | None
    server: str = ""

    @property
    def kind(self) -> str:
        return "SQLite" if self.folder else "PostgreSQL"

    def url(self, size: int) -> str:
        if self.folder:
            return f"sqlite:///{self._file(size).resolve()}"
        parts = urlsplit(self.server)
        return urlunsplit(parts._replace(path=f"/{self._name(size)}"))

    def make(self, size: int) -> None:
        """An empty database where there is none yet; one that is there is used as it is."""
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)
            return
        name = self._name(size)
        with self._admin() as admin:
            if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def remove(self, size: int) -> None:
        if self.folder:
            for ending in ("", "-wal", "-shm"):
                self._file(size).with_name(self._file(size).name + ending).unlink(missing_ok=True)
            return
        with self._admin() as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(self._name(size))))

    def _file(self, size: int) -> Path:
        assert self.folder
        return self.folder / f"{MARK}_{size}.sqlite3"

    def _name(self, size: int) -> str:
        return f"{urlsplit(self.server).path.strip('/') or 'desk'}_{MARK}_{size}"

    def _admin(self) -> psycopg.Connection[tuple[object, ...]]:
        try:
            return psycopg.connect(self.server, autocommit=True, connect_timeout=10)
        except psycopg.OperationalError as error:
            raise NoScratch(f"{urlsplit(self.server).hostname} cannot be reached: {error}.") from None


def require() -> None:
    """Raises NoScratch on any database that this benchmark has not made."""
    name = str(connection.settings_dict["NAME"])
    if MARK not in name.rpartition("/")[2]:
        raise NoScratch(f"{name} is not a scratch database of this benchmark, so nothing is written to it.")
