"""Two machines that migrate an empty database at the same moment: both end well, and the schema is whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.on_mongodb import database_url
from tests.servers import make_postgres_database
from tests.worker import ROOT


def migrate(url: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "migrate", *arguments],
        cwd=ROOT,
        env=os.environ | {"DEBUG": "1", "DJANGO_SETTINGS_MODULE": "triage_site.settings", "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def check_two(url: str) -> None:
    pair = [migrate(url, "--noinput") for _ in range(2)]
    said = [process.communicate(timeout=300)[0] for process in pair]
    assert [process.returncode for process in pair] == [0, 0], "\n".join(said)
    # One of them did it all, and the other found it done.
    assert sorted("No migrations to apply" in text for text in said) == [False, True]
    after = migrate(url, "--check")
    assert after.communicate(timeout=300)
    assert after.returncode == 0


def test_on_sqlite_the_second_waits_for_the_first(tmp_path: Path) -> None:
    check_two(f"sqlite:///{tmp_path / 'desk.sqlite3'}")


@pytest.mark.servers
def test_on_postgres_the_second_waits_for_the_first() -> None:
    with make_postgres_database(f"test_two_migrations_{os.getpid()}") as url:
        check_two(url)


def test_on_mongodb_the_second_waits_for_the_first(mongo_uri: str, mongo_database: Database[dict[str, Any]]) -> None:
    check_two(database_url(mongo_uri, mongo_database.name))
