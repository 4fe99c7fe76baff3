"""One client may submit so often, by whichever way."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from feedback import limits
from feedback.models import Feedback

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _two_in_ten_minutes(settings: Settings) -> None:
    settings.FEEDBACK_RATE_LIMIT = 2
    settings.FEEDBACK_RATE_WINDOW_SECONDS = 600


def by_form(client: Client, comment: str, **extra: str) -> int:
    return client.post("/feedback/", {"comment": comment}, **extra).status_code


def by_api(client: Client, comment: str) -> int:
    return client.post("/api/feedback/", {"comment": comment}, content_type="application/json").status_code


def test_one_too_many_is_told_how_long_to_wait_and_keeps_the_text(client: Client) -> None:
    by_form(client, "The first thing")
    by_form(client, "The second thing")
    response = client.post("/feedback/", {"comment": "The third thing", "rating": "1"})
    assert response.status_code == 429
    assert 590 < int(response["Retry-After"]) <= 600
    page = response.content.decode()
    assert "Please try again in 10 minutes. Your text is kept below." in page
    assert "The third thing" in page
    assert Feedback.objects.count() == 2


def test_form_and_api_count_together(client: Client) -> None:
    assert (by_form(client, "The first thing"), by_api(client, "The second thing")) == (302, 202)
    assert (by_form(client, "The third thing"), by_api(client, "The third thing")) == (429, 429)


def test_the_api_says_when_to_try_again(client: Client) -> None:
    by_api(client, "The first thing")
    by_api(client, "The second thing")
    response = client.post("/api/feedback/", {"comment": "The third"}, content_type="application/json")
    assert response.status_code == 429
    assert 590 < int(response["Retry-After"]) <= 600
    assert "try again" in response.json()["errors"]["client"][0]


def test_there_is_room_again_as_soon_as_the_oldest_leaves_the_window(client: Client) -> None:
    # Noon, so that the daily key of the client stays the same.
    start = timezone.now().replace(hour=12)
    with time_machine.travel(start, tick=False) as clock:
        by_form(client, "The first thing")
        clock.shift(300)
        by_form(client, "The second thing")
        clock.shift(299)
        assert client.post("/feedback/", {"comment": "Early"})["Retry-After"] == "1"
        clock.shift(1)
        assert by_form(client, "The third thing") == 302
        assert client.post("/feedback/", {"comment": "Again"})["Retry-After"] == "300"


def test_what_was_refused_does_not_count(client: Client) -> None:
    for _ in range(3):
        assert by_form(client, "") == 422
    assert by_form(client, "The first thing") == 302


def test_another_client_is_not_held_back(client: Client) -> None:
    by_form(client, "The first thing")
    by_form(client, "The second thing")
    assert by_form(client, "The third thing", REMOTE_ADDR="192.0.2.7") == 302


def test_a_limit_of_zero_is_none(client: Client, settings: Settings) -> None:
    settings.FEEDBACK_RATE_LIMIT = 0
    assert [by_form(client, f"Thing number {number}") for number in range(5)] == [302] * 5


def test_checking_reads_one_row_however_many_there_are(client: Client, django_assert_num_queries) -> None:
    Feedback.objects.bulk_create(
        Feedback(source="api", rating=3, client_key="k", received_at=timezone.now() - timedelta(seconds=number))
        for number in range(50)
    )
    with django_assert_num_queries(1):
        assert limits.check("k") == 599


@pytest.mark.parametrize(
    ("seconds", "wait"), [(1, "1 second."), (2, "2 seconds."), (89, "89 seconds."), (91, "2 minutes.")]
)
def test_the_wait_is_said_in_words_one_can_use(seconds: int, wait: str) -> None:
    assert limits.explain(seconds).endswith(f"try again in {wait}")
