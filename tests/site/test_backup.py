"""The commands of docs/backup.md, run as they stand there: what comes back is what was there."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
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


def block(name: str) -> str:
    found = re.search(rf"```bash {name}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found, name
    return found[1]


def run(name: str, **environment: str) -> None:
    """A block of the document."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block(name)],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        umask=0o022,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def paste(name: str, **environment: str) -> str:
    """A block as somebody pastes it into a shell, which goes on after each error; returns what the shell says."""
    done = subprocess.run(
        ["bash", "--norc", "-i"],
        input=block(name),
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key != "BACKUP"} | {"HISTFILE": ""} | environment,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    return done.stdout + done.stderr


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
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600

    # The newest rows of the damaged desk are in its -wal file, which must not be read into the restored one.
    run("restore-sqlite", **environment)
    assert sqlite_rows(desk.database) == before
    assert stat.S_IMODE(desk.database.stat().st_mode) == 0o600


@pytest.mark.parametrize("backup", ["unset", "wrong path", "empty file", "no database", "another database"])
def test_restoring_from_what_is_no_backup_leaves_the_desk_as_it_was(tmp_path: Path, backup: str) -> None:
    desk = Desk(tmp_path)
    desk.submit(COMMENTS[:2])
    before = sqlite_rows(desk.database)
    file = tmp_path / "backup.sqlite3"
    if backup == "empty file":
        file.touch()
    elif backup == "no database":
        file.write_text("words " * 1000)
    elif backup == "another database":
        with closing(sqlite3.connect(file)) as other:
            other.execute("CREATE TABLE something (x)")
    named = {} if backup == "unset" else {"BACKUP": str(file)}
    with closing(sqlite3.connect(desk.database)) as reader:
        # While somebody has it open its newest rows are in the -wal file, which must stay too.
        reader.execute("SELECT count(*) FROM feedback_feedback").fetchone()
        paste("restore-sqlite", **desk.environment, DESK=str(desk.database), **named)
        assert sqlite_rows(desk.database) == before
    assert sqlite_rows(desk.database) == before


def test_a_restore_that_is_pasted_brings_the_desk_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.submit(COMMENTS[:2])
    before = sqlite_rows(desk.database)
    paths = {"DESK": str(desk.database), "BACKUP": str(tmp_path / "backup.sqlite3")}
    paste("backup-sqlite", **desk.environment | paths)
    desk.database.unlink()
    said = paste("restore-sqlite", **desk.environment | paths)
    assert sqlite_rows(desk.database) == before, said


@pytest.mark.servers
@pytest.mark.parametrize("backup", ["unset", "wrong path", "cut off"])
def test_restoring_postgres_from_what_is_no_backup_leaves_the_database_empty(tmp_path: Path, backup: str) -> None:
    file = tmp_path / "backup"
    with make_postgres_database(f"test_norestore_{os.getpid()}") as url:
        desk = Desk(tmp_path, DATABASE_URL=url)
        if backup == "cut off":
            desk.submit(COMMENTS)
            run("backup-postgres", DATABASE_URL=url, BACKUP=str(file))
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        with make_postgres_database(f"test_empty_{os.getpid()}") as other:
            named = {} if backup == "unset" else {"BACKUP": str(file)}
            paste("restore-postgres", **desk.environment | {"DATABASE_URL": other} | named)
            assert postgres_rows(other) == {}


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
