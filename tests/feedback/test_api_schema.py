"""docs/openapi.json and the API say the same: what the schema allows is taken, and every answer is one it names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from pytest_django import Settings

from feedback import api
from feedback.choices import FormType
from feedback.models import COMMENT_MAX, PAGE_MAX, TITLE_MAX, Feedback

pytestmark = pytest.mark.django_db

URL = "/api/feedback/"
DOCUMENT = json.loads((Path(__file__).resolve().parents[2] / "docs" / "openapi.json").read_text(encoding="utf-8"))
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
FIELDS: dict[str, Any] = SCHEMAS["Submission"]["properties"]
RESPONSES: dict[str, Any] = DOCUMENT["paths"][URL]["post"]["responses"]

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
# What breaks parsers, databases and pages.
TEXTS = (
    "\x00",
    "\ud800",
    "\u202e",
    "' OR 1=1 --",
    "<script>",
    "{{7*7}}",
    "%s%n",
    "\r\n\r\n",
    "x" * 6_000,
    "١x٢",
    "1e309",
)
NASTY = st.sampled_from([*TEXTS, 1e308, -1, 0, 6, 10**400, True, False, [], {}, [[]], {"$gt": ""}, None])


def allowed(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values of one field, drawn from its schema."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["pattern"].startswith("^[^"):
        longest = min(300, schema.get("maxLength", 300))
        return st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=longest)
    return st.none() | st.from_regex(schema["pattern"], fullmatch=True)


SUBMISSIONS = st.fixed_dictionaries({}, optional={name: allowed(schema) for name, schema in FIELDS.items()})
VALID = SUBMISSIONS.filter(Draft202012Validator(SCHEMAS["Submission"]).is_valid)
MUTATED = st.builds(lambda body, more: body | more, SUBMISSIONS, st.dictionaries(st.sampled_from([*FIELDS]), NASTY))


@pytest.fixture(autouse=True)
def without_limit(settings: Settings) -> None:
    settings.FEEDBACK_RATE_LIMIT = 0


def send(client: Client, body: str | bytes, **headers: str) -> Any:
    return client.post(
        URL, body, content_type="application/json", headers={"Content-Type": "application/json", **headers}
    )


def check(answer: Any) -> None:
    """Raises unless the schema names the status and describes the body."""
    named = RESPONSES[str(answer.status_code)]
    if "$ref" in named:
        named = DOCUMENT["components"]["responses"][named["$ref"].rpartition("/")[2]]
    schema = SCHEMAS[named["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]]
    assert answer["Content-Type"] == "application/json"
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(answer.json())


def test_the_schema_is_one_and_names_what_the_code_names() -> None:
    Draft202012Validator.check_schema(SCHEMAS["Submission"])
    assert set(FIELDS) == set(api.FIELDS)
    assert set(FIELDS["type"]["enum"]) == {"", None, *FormType.values}
    assert tuple(FIELDS["source"]["enum"]) == api.SOURCES
    assert FIELDS["comment"]["maxLength"] == COMMENT_MAX
    assert f"{PAGE_MAX} characters" in FIELDS["page"]["description"]
    assert f"{TITLE_MAX} characters" in FIELDS["page_title"]["description"]
    assert DOCUMENT["paths"][URL]["post"]["parameters"][0]["schema"]["maxLength"] == api.KEY_MAX


@FUZZ
@given(body=VALID)
def test_what_the_schema_allows_is_stored(client: Client, body: dict[str, Any]) -> None:
    before = Feedback.objects.count()
    answer = send(client, json.dumps(body))
    check(answer)
    # Two things a schema cannot say: rules about what a comment means, and characters that nobody can see.
    assert answer.status_code == 202 or set(answer.json()["errors"]) == {"comment"}, answer.content
    assert Feedback.objects.count() == before + (answer.status_code == 202)


@FUZZ
@given(body=MUTATED | JSON_VALUES)
def test_whatever_json_is_sent_the_answer_is_one_that_the_schema_names(client: Client, body: Any) -> None:
    before = Feedback.objects.count()
    answer = send(client, json.dumps(body))
    check(answer)
    assert Feedback.objects.count() == before + (answer.status_code == 202)
    if answer.status_code == 202:
        assert set(body) <= set(FIELDS)


@FUZZ
@given(body=st.binary(max_size=200) | st.text(max_size=50).map(lambda text: f'{{"comment": {text}'.encode()))
def test_whatever_bytes_are_sent_the_answer_is_one_that_the_schema_names(client: Client, body: bytes) -> None:
    check(send(client, body))


@FUZZ
@given(
    headers=st.fixed_dictionaries(
        {},
        optional={
            name: st.text(st.characters(codec="latin-1"), max_size=300)
            for name in ("Idempotency-Key", "Origin", "Content-Type", "X-Forwarded-For", "Accept")
        },
    )
)
def test_whatever_headers_are_sent_the_answer_is_one_that_the_schema_names(
    client: Client, headers: dict[str, str]
) -> None:
    check(client.post(URL, '{"rating": 4}', content_type="application/json", headers=headers))


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"comment": "' + b"\\u0041" * 6_000 + b'"}', b"9" * 5_000, b"\xff\xfe{}", b'{"rating": NaN}'],
    ids=["deep", "long after unescaping", "a long number", "UTF-16", "NaN"],
)
def test_what_breaks_parsers_is_refused(client: Client, body: bytes) -> None:
    answer = send(client, body)
    assert answer.status_code == 400
    check(answer)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "HEAD", "BREW"])
def test_other_methods_are_refused_as_the_schema_says(client: Client, method: str) -> None:
    answer = client.generic(method, URL)
    assert answer.status_code == 405
    if method != "HEAD":
        check(answer)
