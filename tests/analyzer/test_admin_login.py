"""Too many wrong passwords close an account for a while, and the page says so."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from tests.make import PASSWORD

pytestmark = pytest.mark.django_db


def test_five_wrong_passwords_close_the_account_and_the_page_says_for_how_long(
    client: Client, ada: User, settings: Settings
) -> None:
    settings.AXES_ENABLED = True
    for _ in range(4):
        assert client.post("/admin/login/", {"username": "ada", "password": "wrong"}).status_code == 200
    locked = client.post("/admin/login/", {"username": "ada", "password": "wrong"})
    assert locked.status_code == 429
    page = locked.content.decode()
    assert "Too many wrong passwords" in page
    assert "a quarter of an hour" in page
    assert client.post("/admin/login/", {"username": "ada", "password": PASSWORD}).status_code == 429


def test_signing_in_leads_to_the_page_that_was_asked_for(client: Client, ada: User, settings: Settings) -> None:
    settings.AXES_ENABLED = True
    asked = client.get("/admin/analyzer/queueitem/?severity=high")
    response = client.post(asked.url, {"username": "ada", "password": PASSWORD, "next": "/admin/analyzer/queueitem/"})
    assert response.url == "/admin/analyzer/queueitem/"
