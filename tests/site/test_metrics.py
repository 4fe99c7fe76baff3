"""/metrics: what Prometheus reads, who may read it, and what reading costs."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from pytest_django.fixtures import DjangoAssertNumQueries

from analyzer import reviews, tasks
from analyzer.models import QueueItem
from tests import make

pytestmark = pytest.mark.django_db

LINE = re.compile(r'[a-z_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? -?[0-9.e+-]+')


def read(client: Client) -> dict[str, float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.content.decode().splitlines()
    values = [line for line in lines if not line.startswith("#")]
    assert all(LINE.fullmatch(line) for line in values), values
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in values)}


def test_an_empty_desk_has_metrics_too(client: Client) -> None:
    found = read(client)
    assert found['triage_queue_open{severity="critical"}'] == 0
    assert found["triage_oldest_pending_seconds"] == 0
    # What is not known is absent, not nought.
    assert "triage_agreement_ratio" not in found
    assert "triage_worker_heartbeat_timestamp_seconds" not in found


def test_the_figures_are_those_of_the_desk(client: Client, ada: User) -> None:
    make.item("The first", severity="critical")
    make.item("The second", severity="high", fallback_reason="timeout: The model endpoint did not answer.")
    make.item("The third", severity="high", fallback_reason="held by governance: not sent to the model")
    make.item("The fourth", severity="high", fallback_reason="something that nobody has a name for")
    make.feedback("Nobody has looked at this one")
    reviews.validate(analysis=make.item("The sixth", severity="low").analysis, by=ada)
    tasks.sweep()
    found = read(client)
    assert found['triage_queue_open{severity="critical"}'] == 1
    assert found['triage_queue_open{severity="high"}'] == 3
    assert found['triage_queue_open{severity="low"}'] == 0
    assert found['triage_queue_open{severity="unknown"}'] == 1
    assert found['triage_items{stage="pending"}'] == 1
    assert found['triage_items{stage="failed"}'] == 0
    assert found["triage_received_last_hour"] == 6
    for fallback, count in (("none", 2), ("timeout", 1), ("held", 1), ("other", 1)):
        assert found[f'triage_analyses_last_hour{{engine="local",version="1",fallback="{fallback}"}}'] == count
    assert found['triage_reviews_last_hour{provenance="validated"}'] == 1
    assert (found["triage_agreement_ratio"], found["triage_agreement_decisions"]) == (1, 1)
    assert found["triage_active_version"] == 1
    assert abs(found["triage_worker_heartbeat_timestamp_seconds"] - datetime.now(UTC).timestamp()) < 600


def test_a_waiting_item_makes_the_oldest_pending_older(client: Client) -> None:
    said = make.feedback()
    QueueItem.objects.filter(pk=said.pk).update(queued_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert read(client)["triage_oldest_pending_seconds"] > 24 * 3600


def test_reading_costs_the_same_number_of_queries_on_any_desk(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(8):
        make.item(f"Number {number}", severity=("low", "high")[number % 2])
    with django_assert_num_queries(16):
        client.get("/metrics")


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("203.0.113.9", {}),
        ("10.0.0.7", {}),
        ("", {}),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
        ("127.0.0.1", {"X-Real-IP": "203.0.113.9"}),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.9"}),
        ("203.0.113.9", {"Authorization": "Bearer"}),
        ("203.0.113.9", {"Authorization": "Bearer "}),
        ("203.0.113.9", {"Authorization": "Bearer guess"}),
    ],
)
@pytest.mark.parametrize("token", ["", "a-long-token"])
@pytest.mark.parametrize("behind_proxy", [True, False])
def test_nobody_else_may_read_them(
    client: Client, settings: Settings, token: str, behind_proxy: bool, address: str, headers: dict[str, str]
) -> None:
    settings.METRICS_TOKEN = token
    settings.BEHIND_PROXY = behind_proxy
    answer = client.get("/metrics", REMOTE_ADDR=address, headers=headers)
    assert answer.status_code == 403
    assert "triage_" not in answer.content.decode()


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "::1"])
def test_this_machine_may_read_them(client: Client, address: str) -> None:
    assert client.get("/metrics", REMOTE_ADDR=address).status_code == 200


def test_the_token_opens_them_from_anywhere(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "a-long-token"
    bearer = {"Authorization": "Bearer a-long-token"}
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9", headers=bearer).status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9", headers={"Authorization": "ümlaut"}).status_code == 403


def test_the_metrics_hold_nothing_that_anybody_wrote(client: Client, ada: User) -> None:
    item = make.item("Zaphod was here", fallback_reason="Zaphod: a reason in nobody's format")
    reviews.validate(analysis=item.analysis, by=ada)
    text = client.get("/metrics").content.decode()
    assert "Zaphod" not in text
    assert "ada" not in text


def test_a_metric_cannot_be_written_to(client: Client) -> None:
    assert client.post("/metrics").status_code == 405
