"""The commands of docs/backup.md, run as they stand there: what comes back is what was there."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.servers import make_postgres_database
from tests.worker import ROOT, Desk

DOCUMENT = (ROOT / "docs" / "backup.md").read_text(encoding="utf-8")
COMMENTS = [f"The button number {number} “does” nothing\nat all – 日本" for number in range(20)]


def run(name: str, **environment: str) -> None:
    """A block of the document."""
    found = re.search(rf"```bash {name}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found, name
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", found[1]],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def sqlite_rows(path: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
        ).fetchall()
        return {name: connection.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall() for (name,) in tables}


def postgres_rows(url: str) -> dict[str, list[Any]]:
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {name: connection.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall() for (name,) in tables}


def test_a_sqlite_desk_comes_back_as_it_was_although_somebody_was_writing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.submit(COMMENTS)
    backup = tmp_path / "backup.sqlite3"
    paths = {"DESK": str(desk.database), "BACKUP": str(backup)}
    environment = desk.environment | paths
    before = sqlite_rows(desk.database)
    assert len(before["feedback_feedback"]) == len(COMMENTS)
    with closing(sqlite3.connect(desk.database, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM analyzer_queueitem")
        run("backup-sqlite", **environment)
        writer.execute("COMMIT")
    assert sqlite_rows(desk.database) != before

    # The newest rows of the damaged desk are in its -wal file, which must not be read into the restored one.
    run("restore-sqlite", **environment)
    assert sqlite_rows(desk.database) == before


@pytest.mark.servers
def test_a_postgres_desk_comes_back_as_it_was(tmp_path: Path) -> None:
    with make_postgres_database(f"test_backup_{os.getpid()}") as url:
        desk = Desk(tmp_path, DATABASE_URL=url)
        desk.submit(COMMENTS)
        before = postgres_rows(url)
        assert len(before["feedback_feedback"]) == len(COMMENTS)
        run("backup-postgres", DATABASE_URL=url, BACKUP=str(tmp_path / "backup"))
        with make_postgres_database(f"test_restore_{os.getpid()}") as other:
            run("restore-postgres", **(desk.environment | {"DATABASE_URL": other, "BACKUP": str(tmp_path / "backup")}))
            assert postgres_rows(other) == before
