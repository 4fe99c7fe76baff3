"""A client that heard no answer may send again, and nothing is stored twice."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from feedback.models import Feedback

pytestmark = pytest.mark.django_db


def send(client: Client, key: str, **fields: Any) -> Any:
    return client.post("/api/feedback/", fields, content_type="application/json", headers={"Idempotency-Key": key})


def test_the_same_again_is_answered_with_the_same_id(client: Client) -> None:
    first = send(client, "order-17", comment="The invoice is empty", rating=2)
    again = send(client, "order-17", comment="The invoice is empty", rating="2")
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert Feedback.objects.get().external_id == "order-17"


def test_the_same_again_with_personal_details_is_still_the_same(client: Client) -> None:
    for _ in range(2):
        response = send(client, "order-18", comment="Write to mara.voss@mail.example please")
        assert response.status_code == 202
    assert Feedback.objects.count() == 1


def test_other_content_under_the_same_key_is_a_conflict(client: Client) -> None:
    send(client, "order-17", comment="The invoice is empty")
    response = send(client, "order-17", comment="The invoice is wrong")
    assert response.status_code == 409
    assert list(response.json()["errors"]) == ["Idempotency-Key"]
    assert Feedback.objects.get().comment == "The invoice is empty"


def test_widget_and_api_do_not_share_their_keys(client: Client) -> None:
    send(client, "17", comment="Said by a program")
    assert send(client, "17", comment="Said by a visitor", source="widget").status_code == 202
    assert Feedback.objects.count() == 2


def test_what_was_refused_leaves_its_key_free(client: Client) -> None:
    assert send(client, "17", rating=9).status_code == 400
    assert send(client, "17", rating=5).status_code == 202


@pytest.mark.parametrize("key", ["", "a" * 201, "tab\there", "naïve", "\x7f"])
def test_a_key_that_is_none_is_refused(client: Client, key: str) -> None:
    response = send(client, key, rating=5)
    assert response.status_code == 400
    assert list(response.json()["errors"]) == ["Idempotency-Key"]


def test_a_key_may_have_two_hundred_characters(client: Client) -> None:
    assert send(client, "k" * 200, rating=5).status_code == 202
