"""What the server of a fine-tuned model does not do: other models, odd requests, and anything for a web page."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.training.tiny_server import NAME, Tiny

pytestmark = pytest.mark.finetune

MESSAGES = [{"role": "user", "content": "Zaphod asks"}]
# Thousands of tokens to write.
LONG_LIST = {"type": "array", "items": {"type": "boolean"}, "minItems": 1_000}
ENDLESS = {"type": "json_schema", "json_schema": {"schema": LONG_LIST}}


def post(tiny: Tiny, patience: float = 60, **changes: Any) -> httpx.Response:
    request = {"model": NAME, "messages": MESSAGES, "temperature": 0, "max_tokens": 5} | changes
    return httpx.post(f"{tiny.url}/chat/completions", json=request, timeout=patience)


def error(response: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = response.json()["error"]
    assert found.keys() == {"message", "type", "param", "code"}
    assert "Zaphod" not in response.text, "what a visitor wrote comes back in an error"
    assert len(found["message"]) < 400
    return found


@pytest.mark.parametrize("name", ["gpt-4o-mini", "Qwen/Qwen3-0.6B", "/etc", "", "../base"])
def test_another_model_is_refused_and_never_looked_for(tiny: Tiny, name: str) -> None:
    response = post(tiny, model=name)
    assert response.status_code == 404
    assert error(response)["code"] == "model_not_found"


def test_the_base_model_is_not_to_be_had_by_its_path(tiny: Tiny) -> None:
    assert post(tiny, model=str(tiny.base)).status_code == 404


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "Zaphod"}, "messages"),
        ({"messages": [{"role": "tool", "content": "Zaphod"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "Zaphod"}]}]}, "messages.0"),
        ({"messages": MESSAGES * 65}, "messages"),
        ({"temperature": -1}, "temperature"),
        ({"temperature": "Zaphod"}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"n": 2}, "n"),
        ({"stream": True}, "stream"),
        ({"logit_bias": {"1": 2}}, "logit_bias"),
        ({"z" * 10_000: 1}, "zzz"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "letter"}}}},
            "response_format",
        ),
        ({"response_format": {"type": "json_schema", "json_schema": {"schema": {"$ref": "#/x"}}}}, "response_format"),
    ],
)
def test_a_malformed_request_is_told_which_parameter_is_wrong(tiny: Tiny, changes: dict[str, Any], named: str) -> None:
    response = post(tiny, **changes)
    assert response.status_code == 400
    assert named in error(response)["message"]


@pytest.mark.parametrize("body", [b"", b"Zaphod", b"[]", b"null", b'{"model": ', b"\xff\xfe"])
def test_a_body_that_is_no_request_is_refused(tiny: Tiny, body: bytes) -> None:
    response = httpx.post(f"{tiny.url}/chat/completions", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    error(response)


def test_a_body_that_is_too_large_is_refused(tiny: Tiny) -> None:
    response = post(tiny, messages=[{"role": "user", "content": "x" * 300_000}])
    assert response.status_code == 413
    error(response)


def test_a_conversation_that_the_model_cannot_read_whole_is_refused(tiny: Tiny) -> None:
    response = post(tiny, messages=[{"role": "user", "content": "Zaphod " * 5_000}])
    assert response.status_code == 400
    assert error(response)["code"] == "context_length_exceeded"


def test_a_form_on_a_web_page_cannot_ask(tiny: Tiny) -> None:
    """Only application/json makes a browser ask the server first, which does not answer that."""
    body = json.dumps({"model": NAME, "messages": MESSAGES})
    response = httpx.post(f"{tiny.url}/chat/completions", content=body, headers={"Content-Type": "text/plain"})
    assert response.status_code == 415
    asked_first = httpx.options(f"{tiny.url}/chat/completions", headers={"Origin": "https://example.org"})
    assert "access-control-allow-origin" not in asked_first.headers


def test_a_name_that_somebody_pointed_at_this_machine_is_refused(tiny: Tiny) -> None:
    response = httpx.get(f"{tiny.url}/models", headers={"Host": "evil.example"})
    assert response.status_code == 400


@pytest.mark.parametrize("path", ["/load_model", "/v1/load_lora_adapter", "/v1/completions", "/docs", "/openapi.json"])
def test_nothing_else_is_served(tiny: Tiny, path: str) -> None:
    url = tiny.url.removesuffix("/v1") + path
    assert httpx.get(url).status_code == 404
    assert httpx.post(url, json={"model": "/etc"}).status_code == 404


def test_more_requests_than_may_wait_are_sent_away_while_the_others_are_answered(tiny: Tiny) -> None:
    from training.finetune.completions import MAX_WAITING

    with ThreadPoolExecutor(MAX_WAITING + 8) as threads:
        responses = list(
            threads.map(lambda _: post(tiny, response_format=ENDLESS, max_tokens=100), range(MAX_WAITING + 8))
        )
    found = [response.status_code for response in responses]
    assert found.count(200) >= MAX_WAITING
    assert set(found) == {200, 429}
    assert all(response.headers["Retry-After"] for response in responses if response.status_code == 429)


def test_an_answer_that_nobody_waits_for_is_given_up(tiny: Tiny) -> None:
    """Else a client with a short patience would keep the model busy for everybody after it."""
    health = tiny.url.removesuffix("/v1") + "/health"
    with pytest.raises(httpx.ReadTimeout):
        post(tiny, response_format=ENDLESS, max_tokens=1_900, patience=0.5)
    until = time.monotonic() + 20
    while httpx.get(health).json()["waiting"] and time.monotonic() < until:
        time.sleep(0.05)
    assert httpx.get(health).json() == {"status": "ok", "model": NAME, "waiting": 0}
    assert post(tiny).status_code == 200


def test_an_answer_that_is_given_up_ends_with_the_token_that_is_being_written(tiny: Tiny) -> None:
    from training.finetune.generation import Wish, Writer

    writer = Writer(str(tiny.base), tiny.adapter)
    wish = Wish(MESSAGES, writer.grammar(LONG_LIST), max_tokens=1_900)
    written = writer.write(wish, cancelled=lambda: True)
    assert written.completion_tokens == 1
    assert written.cut_off
