"""/healthz tells a working desk from one whose worker stopped."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.test import Client

from analyzer import tasks
from analyzer.models import QueueItem
from tests import make

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.django_db


def test_a_desk_without_a_worker_is_not_healthy(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["worker"] == "silent"


def test_a_web_server_without_a_worker_still_serves(client: Client) -> None:
    answer = client.get("/healthz?web")
    assert answer.status_code == 200
    assert answer.json()["worker"] == "silent"


def test_a_desk_is_healthy_for_three_minutes_after_a_sweep(client: Client) -> None:
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    with time_machine.travel(now, tick=False):
        tasks.sweep()
    with time_machine.travel(now + timedelta(minutes=2), tick=False):
        assert client.get("/healthz").status_code == 200
    with time_machine.travel(now + timedelta(minutes=4), tick=False):
        assert client.get("/healthz").json()["worker_heartbeat_seconds"] == 240
        assert client.get("/healthz").status_code == 503


def test_a_database_that_does_not_answer_is_said_without_its_name(tmp_path: Path) -> None:
    """In a process of its own: the database is chosen when Django starts."""
    script = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "answer = Client().get('/healthz', headers={'host': 'localhost'})\n"
        "print(answer.status_code, answer.content.decode())\n"
    )
    environment = os.environ | {
        "DEBUG": "1",
        "DJANGO_SETTINGS_MODULE": "triage_site.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path}/no/such/folder/desk.sqlite3",
    }
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == '503 {"database": "unreachable"}'


def test_it_says_how_long_the_oldest_item_waits_and_who_analyses(client: Client) -> None:
    make.version()
    said = make.feedback()
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    QueueItem.objects.filter(pk=said.pk).update(queued_at=now)
    with time_machine.travel(now + timedelta(seconds=90), tick=False):
        body = client.get("/healthz").json()
    assert (body["oldest_waiting_seconds"], body["active_version"]) == (90, 1)
