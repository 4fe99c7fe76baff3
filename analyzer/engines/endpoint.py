"""Asking an OpenAI-compatible endpoint: bounded in time, size and attempts; every fault is a sentence for staff."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import openai
from pydantic import BaseModel, Field, ValidationError

from analyzer.engines import Completion, EngineError, Spec
from analyzer.engines.breaker import FAILURES, Breaker
from analyzer.schema import Answer, Usage

# An answer takes some 1,000 bytes. What is longer than this is dropped while it arrives, and never parsed.
MAX_BYTES: Final = 64 * 1024
MAX_TOKENS: Final = 600
# Seconds: before an attempt is repeated, and the longest wait that an endpoint may ask for.
PAUSE: Final = 0.25
RETRY_AFTER_MAX: Final = 3.0
CONNECT_MAX: Final = 5.0
# Faults of the endpoint; the others are about one answer, so that the next item may fare better.
OUTAGES: Final = frozenset({"unreachable", "timeout", "rate-limited", "rejected"})

JSON_SCHEMA: Final = {
    "type": "json_schema",
    "json_schema": {"name": "Answer", "strict": True, "schema": Answer.model_json_schema()},
}
JSON_OBJECT: Final = {"type": "json_object"}


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Tokens(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Body(BaseModel):
    """What we read of a chat completion; openai's own classes take any shape without a word."""

    choices: list[_Choice] = Field(min_length=1)
    usage: _Tokens | None = None


class _Dropped(Exception):
    """An answer that is not read to its end, because of what the message says."""


class _Fault(Exception):
    """An attempt that failed; wait is the seconds before another may be made, None when it would not help."""

    def __init__(self, kind: str, message: str, *, wait: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.wait = wait


@dataclass(slots=True)
class Budget:
    """What one item may still cost and has cost: two timeouts in all, and one repeated attempt."""

    timeout: float
    until: float = field(init=False)
    retries: int = 1
    usage: Usage = field(default_factory=Usage)

    def __post_init__(self) -> None:
        self.until = time.monotonic() + 2 * self.timeout

    @property
    def left(self) -> float:
        return self.until - time.monotonic()

    def failure(self, kind: str, message: str) -> EngineError:
        return EngineError(kind, message, usage=self.usage)

    def add(self, *, calls: int = 0, tokens: _Tokens | None = None) -> None:
        tokens = tokens or _Tokens()
        self.usage = Usage(
            calls=self.usage.calls + calls,
            prompt_tokens=self.usage.prompt_tokens + (tokens.prompt_tokens or 0),
            completion_tokens=self.usage.completion_tokens + (tokens.completion_tokens or 0),
        )


class Endpoint:
    """A model behind a URL. Remembers which optional parameters it does not know, so that it is told once."""

    def __init__(self, spec: Spec, breaker: Breaker | None = None) -> None:
        self._spec = spec
        self._breaker = breaker or Breaker()
        self._options: dict[str, Any] = {
            "response_format": JSON_SCHEMA,
            "temperature": 0,
            "max_tokens": MAX_TOKENS,
        }

    def ask(self, messages: list[dict[str, str]], budget: Budget) -> Completion:
        """The model's text; raises EngineError, whose message holds no key, no prompt and nothing a visitor wrote."""
        if self._breaker.open:
            raise budget.failure("paused", f"{self._name} is paused after {FAILURES} failures in a row.")
        while True:
            try:
                completion = self._attempt(messages, budget)
            except _Fault as fault:
                if fault.wait is None or budget.retries == 0 or fault.wait >= budget.left:
                    self._note(fault)
                    # from None, here and below: the cause may quote the comment or the request.
                    raise budget.failure(fault.kind, fault.message) from None
                budget.retries -= 1
                time.sleep(fault.wait)
            else:
                self._breaker.succeed()
                return completion

    def _note(self, fault: _Fault) -> None:
        if fault.kind in OUTAGES:
            self._breaker.fail()
        else:
            self._breaker.succeed()

    @property
    def _name(self) -> str:
        """The endpoint for staff: without the path, and without a password that stands in the URL."""
        try:
            parts = urlsplit(self._spec.base_url)
            where = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
        except ValueError:
            where = None
        return f"The model endpoint {where}" if where else "The model endpoint"

    @cached_property
    def _client(self) -> openai.OpenAI:
        return openai.OpenAI(
            base_url=self._spec.base_url or None,
            api_key=self._spec.api_key or "unset",
            max_retries=0,
            # A compressed answer could be far larger than what arrives.
            default_headers={"Accept-Encoding": "identity"},
            http_client=openai.DefaultHttpxClient(
                # A redirect would carry the comment to a host that nobody configured.
                follow_redirects=False,
                event_hooks={"request": [_start], "response": [_guard]},
            ),
        )

    def _attempt(self, messages: list[dict[str, str]], budget: Budget) -> Completion:
        """One attempt, in as many requests as it takes to find out what the endpoint understands; raises _Fault."""
        options = self._options
        while True:
            try:
                content = self._post({"model": self._spec.model, "messages": messages, **options}, budget)
            except openai.APIStatusError as error:
                simpler = _without_unknown(options, error)
                if simpler is None:
                    raise self._status_fault(error) from None
                options = simpler
                continue
            except openai.APITimeoutError:
                raise _Fault("timeout", f"{self._name} did not answer within {budget.timeout:g} s.", wait=0.0) from None
            except openai.APIConnectionError as error:
                if isinstance(error.__cause__, _Dropped):
                    raise _Fault("oversized", f"{self._name} sent {error.__cause__}.") from None
                raise _Fault("unreachable", f"{self._name} could not be reached.", wait=PAUSE) from None
            except (openai.OpenAIError, httpx.HTTPError, httpx.InvalidURL, ValueError):
                raise _Fault(
                    "rejected", f"{self._name} cannot be asked: check OPENAI_BASE_URL and OPENAI_API_KEY."
                ) from None
            self._options = options
            return self._read(content, budget)

    def _post(self, request: dict[str, Any], budget: Budget) -> bytes:
        seconds = min(budget.timeout, budget.left)
        if seconds <= 0:
            raise _Fault("timeout", f"{self._name} took longer than {2 * budget.timeout:g} s in all.")
        budget.add(calls=1)
        connect = min(CONNECT_MAX, seconds / 4)
        raw = self._client.chat.completions.with_raw_response.create(
            **request, timeout=httpx.Timeout(seconds - connect, connect=connect)
        )
        return raw.content

    def _read(self, content: bytes, budget: Budget) -> Completion:
        try:
            body = _Body.model_validate_json(content)
        except ValidationError:
            raise _Fault("malformed", f"{self._name} sent something that is not a chat completion.") from None
        budget.add(tokens=body.usage)
        choice = body.choices[0]
        if choice.message.refusal or choice.finish_reason == "content_filter":
            raise _Fault("refused", "The model declined to answer.")
        return Completion(text=choice.message.content or "", cut_off=choice.finish_reason == "length")

    def _status_fault(self, error: openai.APIStatusError) -> _Fault:
        status = error.status_code
        if status == 429:
            return _Fault("rate-limited", f"{self._name} asked us to slow down (HTTP 429).", wait=_wait_asked(error))
        if status >= 500 or status in (408, 409):
            return _Fault("unreachable", f"{self._name} is out of order (HTTP {status}).", wait=_wait_asked(error))
        advice = {
            401: "did not accept the key (HTTP 401): check OPENAI_API_KEY",
            403: "did not accept the key (HTTP 403): check OPENAI_API_KEY",
            404: "knows neither this address nor the model (HTTP 404): check OPENAI_BASE_URL and TRIAGE_MODEL",
        }
        return _Fault("rejected", f"{self._name} {advice.get(status, f'did not accept the request (HTTP {status})')}.")


class _Guarded(httpx.SyncByteStream):
    """An answer on its way in: cut when it is too long, and when it drips past the time that was given."""

    def __init__(self, stream: httpx.SyncByteStream, until: float) -> None:
        self._stream = stream
        self._until = until

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if size > MAX_BYTES:
                raise _Dropped(f"more than {MAX_BYTES // 1024} KiB")
            if time.monotonic() > self._until:
                raise httpx.ReadTimeout("the answer arrives too slowly")
            yield chunk

    def close(self) -> None:
        self._stream.close()


def _start(request: httpx.Request) -> None:
    """httpx limits the wait for each piece; this notes when the last one must be here."""
    timeout = request.extensions["timeout"]
    request.extensions["until"] = time.monotonic() + timeout["connect"] + timeout["read"]


def _guard(response: httpx.Response) -> None:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise _Dropped("compressed data that was not asked for")
    if isinstance(response.stream, httpx.SyncByteStream):
        response.stream = _Guarded(response.stream, response.request.extensions["until"])


def _without_unknown(options: dict[str, Any], error: openai.APIStatusError) -> dict[str, Any] | None:
    """The options without the one that the endpoint complains of; None when it complains of something else."""
    if error.status_code not in (400, 422):
        return None
    complaint = error.response.text.lower()
    if "response_format" in options and any(word in complaint for word in ("response_format", "json_schema")):
        if options["response_format"] is JSON_SCHEMA:
            return options | {"response_format": JSON_OBJECT}
        return {name: value for name, value in options.items() if name != "response_format"}
    if "max_tokens" in options and "max_tokens" in complaint:
        kept = {name: value for name, value in options.items() if name != "max_tokens"}
        return kept | {"max_completion_tokens": MAX_TOKENS}
    if "temperature" in options and "temperature" in complaint:
        return {name: value for name, value in options.items() if name != "temperature"}
    return None


def _wait_asked(error: openai.APIStatusError) -> float | None:
    """Seconds until another attempt; None when the endpoint asks for more patience than an analysis has."""
    value = error.response.headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return PAUSE
    if seconds > RETRY_AFTER_MAX:
        return None
    return max(PAUSE, seconds)
