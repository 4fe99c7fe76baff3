"""kill -9 of sync_feedback in mid-pass: the next run goes on, and every document is there once."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from pymongo.collection import Collection
from pytest_django import Settings

from tests.processes import kill_family
from tests.worker import ROOT, Desk, until

COUNT = 2_000
STORED = "SELECT count(*) FROM feedback_feedback"


def test_after_kill_9_every_document_is_there_once(
    shop: Collection[dict[str, Any]], settings: Settings, tmp_path: Path
) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    shop.insert_many(
        {"comment": f"Page {number} is broken", "updatedAt": start + timedelta(seconds=number // 3)}
        for number in range(COUNT)
    )
    desk = Desk(tmp_path, MONGO_MIRROR_URL=settings.MONGO_MIRROR_URL)
    reached = 0
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "manage.py", "sync_feedback"],
            cwd=ROOT,
            env=desk.environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until(partial(_more_than, desk, reached), "the next batch")
        finally:
            kill_family(process)
        reached = desk.count(STORED)
        assert reached < COUNT, "the kill came in mid-pass"

    said = desk.manage("sync_feedback")
    assert f"{COUNT - reached} stored, 0 revised, 0 unchanged, 0 left out: {COUNT - reached} documents" in said
    assert desk.count(STORED) == COUNT
    assert desk.count("SELECT count(DISTINCT external_id) FROM feedback_feedback") == COUNT
    assert desk.count("SELECT count(*) FROM analyzer_queueitem") == COUNT


def _more_than(desk: Desk, count: int) -> bool:
    return desk.count(STORED) > count
