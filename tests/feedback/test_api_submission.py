"""POST /api/feedback/: what it takes, and how it says no."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from feedback.models import Feedback

pytestmark = pytest.mark.django_db

URL = "/api/feedback/"
FIELDS = ("type", "rating", "comment", "page", "page_title", "viewport")


def send(client: Client, body: Any, **headers: str) -> Any:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    # In the headers too: the test client drops the content type of an empty body.
    return client.post(
        URL, text, content_type="application/json", headers={"Content-Type": "application/json", **headers}
    )


def errors(response: Any, status: int = 400) -> dict[str, list[str]]:
    assert response.status_code == status, response.content
    return response.json()["errors"]


def test_a_submission_is_accepted_with_its_id(client: Client) -> None:
    body = {
        "type": "bug",
        "rating": 2,
        "comment": "The coupon field is dead",
        "page": "https://shop.example/checkout",
        "page_title": "Checkout",
        "viewport": "1280x800",
    }
    response = send(client, body)
    row = Feedback.objects.get()
    assert response.status_code == 202
    assert response.json() == {"id": str(row.pk), "status": "accepted"}
    assert {name: getattr(row, name) for name in FIELDS} == body
    assert (row.source, row.external_id) == ("api", None)


def test_no_cookie_is_asked_for_or_set(db: None) -> None:
    response = send(Client(enforce_csrf_checks=True), {"rating": 4})
    assert response.status_code == 202
    assert not response.cookies


def test_what_waits_for_a_person_is_called_held(client: Client) -> None:
    response = send(client, {"comment": "I will kill you all if this is not fixed"})
    assert response.json()["status"] == "held"
    assert Feedback.objects.get().compliance == "hold"


def test_the_widget_may_say_that_it_is_the_widget(client: Client) -> None:
    assert send(client, {"rating": 5, "source": "widget"}).status_code == 202
    assert Feedback.objects.get().source == "widget"


@pytest.mark.parametrize("source", ["form", "demo", "import:x", "", 1, None, ["api"], {}])
def test_nobody_may_say_they_are_something_else(client: Client, source: Any) -> None:
    assert errors(send(client, {"rating": 5, "source": source})) == {"source": ["The source is one of: api, widget."]}


@pytest.mark.parametrize("rating", [4, "4"])
def test_a_rating_may_be_a_number_or_its_digits(client: Client, rating: Any) -> None:
    send(client, {"rating": rating})
    assert Feedback.objects.get().rating == 4


@pytest.mark.parametrize("rating", [0, 6, -1, 4.0, 4.5, "4.5", "five", True, False, [4], {"value": 4}, 10**400])
def test_a_rating_that_is_no_star_is_refused(client: Client, rating: Any) -> None:
    assert errors(send(client, {"rating": rating, "comment": "Hello there"})) == {
        "rating": ["A rating is a whole number from 1 to 5."]
    }


@pytest.mark.parametrize("name", ["type", "comment", "page", "page_title", "viewport"])
@pytest.mark.parametrize("value", [5, True, 1.5, ["text"], {"a": "b"}])
def test_a_text_must_be_text(client: Client, name: str, value: Any) -> None:
    assert errors(send(client, {"rating": 4} | {name: value})) == {name: ["This must be text."]}


def test_null_is_nothing(client: Client) -> None:
    assert send(client, dict.fromkeys(FIELDS) | {"rating": 4}).status_code == 202


def test_unknown_fields_are_named(client: Client) -> None:
    found = errors(send(client, {"rating": 4, "colour": "red", "ratings": 4}))
    assert set(found) == {"colour", "ratings"}
    assert "The fields are: type, rating, comment, page, page_title, viewport, source." in found["colour"][0]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "comment"),
        ({"comment": " \n"}, "comment"),
        ({"comment": "a" * 5_001}, "comment"),
        ({"comment": "with \x00 inside"}, "comment"),
        ({"comment": "\x01\x02\x03\x04" * 20}, "comment"),
        ({"rating": 4, "type": "complaint"}, "type"),
        ({"rating": 4, "viewport": "wide"}, "viewport"),
        ({"rating": 4, "page": "/a\x00"}, "page"),
    ],
)
def test_what_the_form_refuses_is_refused_by_field(client: Client, body: dict[str, Any], name: str) -> None:
    assert list(errors(send(client, body))) == [name]
    assert not Feedback.objects.exists()


def test_half_of_a_character_is_refused(client: Client) -> None:
    assert list(errors(send(client, '{"comment": "broken \\ud800 emoji"}'))) == ["comment"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"comment=hello", b'{"comment": "\xff\xfe"}', b"[" * 100_000, '{"rating": 4}'.encode("utf-16")]
)
def test_what_is_no_json_is_refused_as_a_body(client: Client, body: bytes) -> None:
    assert errors(send(client, body)) == {"body": ["The body is not JSON in UTF-8."]}


@pytest.mark.parametrize("body", ["[]", '"text"', "4", "null", "true"])
def test_what_is_no_object_is_refused_as_a_body(client: Client, body: str) -> None:
    assert "must be an object" in errors(send(client, body))["body"][0]


def test_no_error_repeats_the_comment(client: Client) -> None:
    secret = "my neighbour Kunibert " * 300
    for body in (
        {"comment": secret},
        {"comment": secret[:200], "rating": 9},
        {"comment": secret[:200], "type": []},
        {"comment": secret[:200], "colour": 1},
    ):
        assert b"Kunibert" not in send(client, body).content


def test_html_is_stored_as_text(client: Client) -> None:
    comment = "<img src=x onerror=alert(1)> shows up on my profile"
    response = send(client, {"comment": comment})
    assert response["Content-Type"] == "application/json"
    assert Feedback.objects.get().comment == comment


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_another_content_type_is_415(client: Client, content_type: str) -> None:
    response = client.post(URL, b'{"rating": 4}', content_type=content_type)
    assert list(errors(response, 415)) == ["Content-Type"]


def test_a_charset_beside_the_content_type_is_fine(client: Client) -> None:
    response = client.post(URL, '{"rating": 4}', content_type="application/json; charset=utf-8")
    assert response.status_code == 202


def test_a_body_over_the_limit_is_413(client: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    assert errors(send(client, {"comment": "x" * 2_000}), 413) == {"body": ["The body has more than 1,000 bytes."]}


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_another_method_is_405_with_those_that_are_allowed(client: Client, method: str) -> None:
    response = getattr(client, method)(URL)
    assert list(errors(response, 405)) == ["method"]
    assert response["Allow"] == "POST, OPTIONS"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
likely = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["bug", "", "nonsense"]) | anything,
        "rating": st.integers(-1, 7) | anything,
        "comment": st.text() | st.text(st.characters(max_codepoint=0x2FF), max_size=6_000) | anything,
        "page": st.text() | st.from_regex(r"https?://[^ ]{0,30}") | anything,
        "page_title": st.text() | anything,
        "viewport": st.from_regex(r"\d{1,6}x\d{1,6}") | anything,
        "source": st.sampled_from(["api", "widget", "x"]),
    },
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(body=likely.map(json.dumps) | anything.map(json.dumps) | st.binary(), key=st.none() | st.text(max_size=210))
def test_whatever_is_sent_is_accepted_or_refused_with_reasons(
    client: Client, settings: Settings, body: Any, key: Any
) -> None:
    settings.FEEDBACK_RATE_LIMIT = 0
    before = Feedback.objects.count()
    # A server takes headers as latin-1 and without line breaks.
    headers = {} if key is None else {"Idempotency-Key": key.encode("latin-1", "replace").decode("latin-1")}
    response = send(client, body, **headers)
    stored = Feedback.objects.count() - before
    if response.status_code == 202:
        assert stored == 1 or headers
    else:
        assert response.status_code in (400, 409)
        assert stored == 0
        found = response.json()["errors"]
        assert found
        assert all(texts and all(texts) for texts in found.values())
