"""Which pages may send from a browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from feedback.models import Feedback

pytestmark = pytest.mark.django_db

URL = "/api/feedback/"
SHOP = "https://shop.example"


@pytest.fixture(autouse=True)
def _shop_may_send(settings: Settings) -> None:
    settings.API_ALLOWED_ORIGINS = [SHOP]


def send(client: Client, origin: str) -> Any:
    return client.post(URL, {"rating": 4}, content_type="application/json", headers={"Origin": origin})


def preflight(client: Client, origin: str) -> Any:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return client.options(URL, headers=asked | {"Access-Control-Request-Headers": "content-type,idempotency-key"})


def test_a_page_of_an_allowed_origin_may_ask_and_send(client: Client) -> None:
    asked = preflight(client, SHOP)
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked["Access-Control-Allow-Origin"] == SHOP
    assert asked["Access-Control-Allow-Methods"] == "POST"
    assert asked["Access-Control-Allow-Headers"] == "Content-Type, Idempotency-Key"
    sent = send(client, SHOP)
    assert (sent.status_code, sent["Access-Control-Allow-Origin"]) == (202, SHOP)
    assert "Access-Control-Allow-Credentials" not in sent


def test_errors_can_be_read_by_an_allowed_page_too(client: Client) -> None:
    response = client.post(URL, {}, content_type="application/json", headers={"Origin": SHOP})
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (400, SHOP)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://shop.example",
        "https://shop.example.evil.example",
        "null",
        "https://shop.example:444",
    ],
)
def test_a_page_of_another_origin_is_refused_and_nothing_is_stored(client: Client, origin: str) -> None:
    for response in (preflight(client, origin), send(client, origin)):
        assert response.status_code == 403
        assert list(response.json()["errors"]) == ["Origin"]
        assert "Access-Control-Allow-Origin" not in response
    assert not Feedback.objects.exists()


def test_our_own_pages_and_programs_need_no_permission(client: Client, settings: Settings) -> None:
    settings.API_ALLOWED_ORIGINS = []
    assert send(client, "http://testserver").status_code == 202
    sent = client.post(URL, {"rating": 4}, content_type="application/json")
    assert sent.status_code == 202
    assert "Access-Control-Allow-Origin" not in sent


def test_a_star_allows_every_page(client: Client, settings: Settings) -> None:
    settings.API_ALLOWED_ORIGINS = ["*"]
    assert send(client, "https://anything.example")["Access-Control-Allow-Origin"] == "*"


def test_a_trailing_slash_in_the_setting_is_forgiven(client: Client, settings: Settings) -> None:
    settings.API_ALLOWED_ORIGINS = [f"{SHOP}/"]
    assert send(client, SHOP).status_code == 202


@pytest.mark.parametrize("origin", [SHOP, "https://evil.example", ""])
def test_caches_keep_the_answers_of_origins_apart(client: Client, origin: str) -> None:
    assert "Origin" in send(client, origin)["Vary"]
