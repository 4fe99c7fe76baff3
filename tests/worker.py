"""A real worker in processes of its own, over a scratch database: for tests that kill it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# Only ever waited for in full when something is wrong; a busy machine imports torch for minutes.
PATIENCE = 300.0


class Desk:
    """A desk in a folder: its database, and whatever manage.py is asked to do with it."""

    def __init__(self, folder: Path, *, migrate: bool = True, **environment: str) -> None:
        self.database = folder / "desk.sqlite3"
        self.folder = folder
        self.environment = (
            {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "TRIAGE_"))}
            | {
                "DEBUG": "1",
                "DATABASE_URL": f"sqlite:///{self.database}",
                "DJANGO_SETTINGS_MODULE": "triage_site.settings",
            }
            | environment
        )
        if migrate:
            self.manage("migrate", "-v0")

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def submit(self, comments: list[str]) -> None:
        file = self.folder / "rows.jsonl"
        rows = [{"id": str(number), "comment": comment} for number, comment in enumerate(comments)]
        file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
        self.manage("import_feedback", str(file))

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self.start("qcluster")

    def start(self, *arguments: str, told: Path | None = None) -> subprocess.Popen[bytes]:
        """manage.py in a session of its own, not waited for; what it complains of goes into the file told."""
        with (told or Path(os.devnull)).open("wb") as complaints:
            return subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=ROOT,
                env=self.environment,
                start_new_session=True,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
            )

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.database, timeout=30)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def count(self, query: str) -> int:
        return int(self.ask(query)[0][0])

    def has(self, query: str, count: int) -> bool:
        return self.count(query) == count


def until(condition: Callable[[], bool], what: str, *, patience: float = PATIENCE) -> None:
    """Wait for something that must come; giving up is a failure that says what was awaited."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {patience:.0f} seconds"
        time.sleep(0.05)
