"""The pages nobody wants to see: they are ours, say what to do, and need nothing that could be broken."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.test import Client
from pytest_django import Settings


def test_an_unknown_address_leads_to_the_form(client: Client) -> None:
    response = client.get("/no-such-page/")
    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()


def test_a_form_without_its_token_says_how_to_send_it_after_all(db: None) -> None:
    response = Client(enforce_csrf_checks=True).post("/feedback/", {"comment": "Hello there"})
    assert response.status_code == 403
    assert "your text is still there" in response.content.decode()


def test_a_body_that_is_too_large_gets_a_page_that_says_so(client: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    response = client.post("/feedback/", "comment=" + "x" * 2_000, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 400
    assert "too large" in response.content.decode()


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500"])
def test_an_error_page_needs_no_request_and_no_database(name: str) -> None:
    assert "<h1>" in render_to_string(f"{name}.html")
