"""The part of the OpenAI protocol that the llm engine and the openai client use, over one model with one adapter.

transformers has a server of its own (`transformers serve`), and it was the first choice. As of 5.24 it ignores
response_format, so that a small model would often answer in no schema; its /load_model loads whatever path or name a
request says, also when it was started for one model; and neither the size of a request nor the number of those that
wait is limited. So this is a small one over transformers, llguidance, starlette and uvicorn: one model, one answer at
a time, the schema kept while it is written, and nothing that a request could make it load.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Literal

import uvicorn
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from training.finetune.server import EXPLAINED

MAX_BYTES: Final = 256 * 1024
# Answers that may be asked for at once; they are written one after the other.
MAX_WAITING: Final = 16
DEFAULT_TOKENS: Final = 1024
# Seconds that a stopping server gives to the answer that it is writing.
GRACE_SECONDS: Final = 2
# Of what is wrong with a request, how much it is told.
PROBLEMS_SHOWN: Final = 3
NAME_SHOWN: Final = 40


class Refused(Exception):
    """A request that is answered with an error; code is OpenAI's where it has one."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class _Strict(BaseModel):
    """A parameter that would be ignored is refused: whoever sends it counts on it."""

    model_config = ConfigDict(extra="forbid")


class _Part(_Strict):
    type: Literal["text"]
    text: str


class _Message(_Strict):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[_Part]

    def plain(self) -> dict[str, str]:
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        return {"role": "system" if self.role == "developer" else self.role, "content": text}


class _Schema(_Strict):
    name: str = ""
    description: str | None = None
    definition: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None


class _Format(_Strict):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: _Schema | None = None


class Question(_Strict):
    """A chat completion request, as far as this server knows it."""

    model: str
    messages: list[_Message] = Field(min_length=1, max_length=64)
    response_format: _Format | None = None
    temperature: float = Field(default=1.0, ge=0, le=2)
    seed: int | None = Field(default=None, ge=0, lt=2**63)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    n: Literal[1] | None = None
    stream: Literal[False] | None = None


class Desk:
    """Takes questions, and has them answered one at a time in a thread, so that /health always answers."""

    def __init__(self, writer: Any, name: str) -> None:
        self._writer = writer
        self._name = name
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._waiting = 0
        self._since = int(time.time())

    async def health(self, request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "model": self._name, "waiting": self._waiting})

    async def models(self, request: Request) -> JSONResponse:
        return JSONResponse({"object": "list", "data": [self._card()]})

    async def chat(self, request: Request) -> JSONResponse:
        question = await _read(request)
        if question.model != self._name:
            # Without the name that was asked for: an error may end up in a log.
            raise Refused(404, f"This server has one model, {self._name}.", "model_not_found")
        if self._waiting >= MAX_WAITING:
            raise Refused(429, f"{MAX_WAITING} answers are waited for already.", "rate_limit_exceeded")
        self._waiting += 1
        try:
            return JSONResponse(await self._answer(request, question))
        finally:
            self._waiting -= 1

    async def _answer(self, request: Request, question: Question) -> dict[str, Any]:
        from training.finetune.generation import TooLong

        cancelled = threading.Event()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[dict[str, Any]] = loop.run_in_executor(self._thread, self._write, question, cancelled)
        gone = asyncio.ensure_future(_gone(request))
        try:
            await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise Refused(499, "The client went away.")
            return await answer
        except TooLong as error:
            raise Refused(400, str(error), "context_length_exceeded") from None
        finally:
            cancelled.set()
            gone.cancel()
            answer.cancel()

    def _write(self, question: Question, cancelled: threading.Event) -> dict[str, Any]:
        from training.finetune.generation import Wish

        written = self._writer.write(
            Wish(
                messages=[message.plain() for message in question.messages],
                grammar=self._grammar(question.response_format),
                temperature=question.temperature,
                seed=question.seed,
                max_tokens=question.max_completion_tokens or question.max_tokens or DEFAULT_TOKENS,
            ),
            cancelled=cancelled.is_set,
        )
        return {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": self._name,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": written.text, "refusal": None},
                    "logprobs": None,
                    "finish_reason": "length" if written.cut_off else "stop",
                }
            ],
            "usage": {
                "prompt_tokens": written.prompt_tokens,
                "completion_tokens": written.completion_tokens,
                "total_tokens": written.prompt_tokens + written.completion_tokens,
            },
        }

    def _grammar(self, wanted: _Format | None) -> str:
        if wanted is None or wanted.type == "text":
            return ""
        if wanted.type == "json_schema" and wanted.json_schema is None:
            raise Refused(400, "response_format: json_schema is missing.")
        try:
            return str(self._writer.grammar(wanted.json_schema.definition if wanted.json_schema else None))
        except ValueError as error:
            raise Refused(400, f"response_format: this schema cannot be kept: {error}") from None

    def _card(self) -> dict[str, Any]:
        return {"id": self._name, "object": "model", "created": self._since, "owned_by": "feedback-triage"}


def app(writer: Any, name: str) -> Starlette:
    """The server over anything that writes as generation.Writer does."""
    desk = Desk(writer, name)
    return Starlette(
        routes=[
            Route("/health", desk.health),
            Route("/v1/models", desk.models),
            Route("/v1/chat/completions", desk.chat, methods=["POST"]),
        ],
        # A page in a browser may make any name point at this machine, and would then be let in.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False)],
        exception_handlers={Refused: _refused, HTTPException: _http_error, Exception: _failed},
    )


async def _read(request: Request) -> Question:
    # Which makes a browser ask first, and nobody here says yes.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "Send application/json.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise Refused(413, f"A request has {MAX_BYTES // 1024} KiB at most.")
    try:
        return Question.model_validate_json(bytes(body))
    except ValidationError as error:
        raise Refused(400, _in_words(error)) from None


async def _gone(request: Request) -> None:
    """Until the client hangs up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _in_words(error: ValidationError) -> str:
    """What is wrong with which parameter; never what it held, which a visitor may have written."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)[:PROBLEMS_SHOWN]
    return "; ".join(
        f"{'.'.join(str(part)[:NAME_SHOWN] for part in problem['loc']) or 'the request'}: "
        + ("this server does not know it" if problem["type"] == "extra_forbidden" else problem["msg"])
        for problem in problems
    )


def _error(status: int, message: str, code: str = "") -> JSONResponse:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    headers = {"Retry-After": "1"} if status == 429 else None
    body = {"error": {"message": message, "type": kind, "param": None, "code": code or None}}
    return JSONResponse(body, status, headers)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return _error(error.status, str(error), error.code)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _error(error.status_code, error.detail)


async def _failed(request: Request, error: Exception) -> JSONResponse:
    """Of a fault of ours the client learns the kind; the text may hold what a visitor wrote."""
    return _error(500, f"The model could not answer: {type(error).__name__}.")


def _follow(parent: int) -> None:
    """End this process as soon as the one that started it is gone, however it went."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def main() -> int:
    parser = argparse.ArgumentParser(
        description="One model on a socket of 127.0.0.1; started by training.finetune.server."
    )
    parser.add_argument("--base-model", required=True)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--socket", type=int, required=True, help="File descriptor of the bound socket.")
    parser.add_argument("--parent", type=int, required=True, help="The process that this one must not outlive.")
    options = parser.parse_args()
    threading.Thread(target=_follow, args=(options.parent,), daemon=True).start()

    from transformers.utils import logging

    from training.finetune.generation import Writer
    from training.finetune.loading import Unfit
    from training.finetune.tokens import NoTemplate

    logging.disable_progress_bar()
    try:
        writer = Writer(options.base_model, options.adapter)
    except (Unfit, NoTemplate) as error:
        print(" ".join(str(error).split()), file=sys.stderr)  # noqa: T201 (what the parent reads)
        return EXPLAINED
    server = uvicorn.Server(
        uvicorn.Config(
            app(writer, options.name), log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE_SECONDS
        )
    )
    server.run(sockets=[socket.socket(fileno=options.socket)])
    return 0


if __name__ == "__main__":
    sys.exit(main())
