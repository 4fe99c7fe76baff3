"""/healthz tells a working desk from one whose worker stopped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from analyzer import tasks

pytestmark = pytest.mark.django_db


def test_a_desk_without_a_worker_is_not_healthy(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 503
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
