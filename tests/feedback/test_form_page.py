"""The page that feedback is about: how it is found, shown, and linked back to."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from feedback import pages
from feedback.models import PAGE_MAX

ABOUT = "About: <bdi>{}</bdi>"


def shown(client: Client, **asked: str) -> str:
    referer = asked.pop("referer", "")
    return client.get("/feedback/", asked, headers={"referer": referer}).content.decode()


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("/checkout?step=2", "/checkout?step=2"),
        ("/checkout#pay", "/checkout"),
        ("http://testserver/pricing", "/pricing"),
        ("https://shop.example:8443/cart?item=5#top", "https://shop.example:8443/cart?item=5"),
        ("https://ada:secret@shop.example/cart", "https://shop.example/cart"),
        ("HTTPS://Shop.Example", "https://shop.example/"),
        ("http://testserver//evil.example/", "/evil.example/"),
        ("http://[2001:db8::1]:8000/x", "http://[2001:db8::1]:8000/x"),
    ],
)
def test_a_page_is_taken_from_the_address_and_shown(client: Client, named: str, found: str) -> None:
    body = shown(client, page=named)
    assert ABOUT.format(found) in body
    assert f'name="page" value="{found}"' in body


def test_the_page_the_visitor_came_from_is_used_when_none_is_named(client: Client) -> None:
    assert ABOUT.format("/pricing") in shown(client, referer="http://testserver/pricing")
    assert ABOUT.format("https://shop.example/") in shown(client, referer="https://shop.example/")
    assert ABOUT.format("/cart") in shown(client, page="/cart", referer="https://shop.example/")


def test_our_own_form_is_not_a_page_one_came_from(client: Client) -> None:
    assert "About:" not in shown(client, referer="http://testserver/feedback/thanks/?page=/cart")


@pytest.mark.parametrize(
    "named",
    [
        "javascript:alert(1)",
        "JaVaScRiPt://testserver/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "//evil.example/",
        "\\\\evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "http:///evil.example",
        "http://[::1",
        "http://shop.example:99999/",
        "ftp://shop.example/",
        "checkout",
        "/page\u202egpj",
        "/a\x00b",
    ],
)
def test_what_is_no_address_of_a_page_is_ignored(client: Client, named: str) -> None:
    body = shown(client, page=named)
    assert "About:" not in body
    assert 'name="page" value=""' in body


def test_markup_in_the_address_is_shown_as_text(client: Client) -> None:
    body = shown(client, page='/"><script>alert(1)</script>')
    assert "<script>alert" not in body


def test_a_long_address_is_cut_and_does_not_cost_the_feedback(client: Client, db: None) -> None:
    long = "/" + "a" * 3_000
    assert "a" * PAGE_MAX not in shown(client, page=long)
    assert client.post("/feedback/", {"rating": "4", "page": long}).status_code == 302


@pytest.mark.parametrize("named", ["/checkout?step=2", "http://testserver/checkout?step=2"])
def test_thanks_leads_back_to_a_page_of_this_site(client: Client, named: str) -> None:
    body = client.get("/feedback/thanks/", {"page": named}).content.decode()
    assert '<a class="button" href="/checkout?step=2">' in body


@pytest.mark.parametrize(
    "named",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "https:evil.example",
        "http://testserver@evil.example/",
        "http://testserver.evil.example/",
        " //evil.example",
        "/%09/evil.example\t//",
    ],
)
def test_thanks_never_leads_to_a_strangers_site(client: Client, named: str) -> None:
    body = client.get("/feedback/thanks/", {"page": named}).content.decode()
    assert 'class="button"' not in body


def test_thanks_leads_back_to_a_site_that_is_allowed_to_send(client: Client, settings: Settings) -> None:
    settings.API_ALLOWED_ORIGINS = ["https://shop.example"]
    body = client.get("/feedback/thanks/", {"page": "https://shop.example/cart"}).content.decode()
    assert 'href="https://shop.example/cart"' in body


def test_any_site_may_send_does_not_mean_a_link_to_any_site(client: Client, settings: Settings) -> None:
    settings.API_ALLOWED_ORIGINS = ["*"]
    body = client.get("/feedback/thanks/", {"page": "https://evil.example/"}).content.decode()
    assert 'class="button"' not in body


@given(st.text() | st.from_regex(r"(https?:)?[/\\]{0,3}[a-z@.:\[\]]{0,12}[/\\?#].{0,9}", fullmatch=True))
def test_whatever_is_named_an_address_stays_one_and_a_link_back_stays_here(text: str) -> None:
    found = pages.address(text, own_host="testserver")
    assert found == "" or found.startswith(("/", "http://", "https://"))
    assert pages.address(found, own_host="testserver") == found
    link = pages.way_back(found, RequestFactory().get("/"))
    assert link == "" or (link[0] == "/" and link[1:2] not in ("/", "\\"))
