"""A stand-in for an OpenAI-compatible endpoint on 127.0.0.1: scripted, and no model.

What it answers says nothing about how well any model would do; it shows what the desk does when an endpoint behaves
in a given way. Every request is kept, so that a test can read all that left the process.

By hand: python -m tests.llm_server --port 9009 --script mixed
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = {
    "category": "website-bug",
    "severity": "high",
    "action": "Reproduce “the checkout button does nothing” on /checkout and fix the handler.",
    "evidence": ["the checkout button does nothing"],
}
USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


@dataclass(frozen=True)
class Scripted:
    """One answer of the server, byte for byte."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    # Seconds before the first byte, and between single bytes of the body.
    delay: float = 0.0
    drip: float = 0.0
    # Close the connection instead of answering, or after half of the body.
    drop: bool = False
    half: bool = False


@dataclass(frozen=True)
class Received:
    """One request as it arrived; at is in seconds of time.monotonic."""

    path: str
    headers: dict[str, str]
    body: str
    at: float

    @property
    def json(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.body)
        return loaded


Script = Callable[[dict[str, Any], int], Scripted] | Sequence[Scripted]


def text(content: str | None, *, finish: str = "stop", refusal: str | None = None) -> Scripted:
    """A well-formed completion whose message has this content."""
    message = {"role": "assistant", "content": content, "refusal": refusal}
    completion = {
        "id": "scripted",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": USAGE,
    }
    return Scripted(json.dumps(completion).encode())


def ok(**changes: Any) -> Scripted:
    return text(json.dumps(ANSWER | changes, ensure_ascii=False))


def malformed() -> Scripted:
    return text("Well, I would say this is rather a bug.")


def unknown_category() -> Scripted:
    return ok(category="hardware")


def extra_field() -> Scripted:
    return ok(confidence=0.99)


def truncated() -> Scripted:
    return text('{"category": "website-bug", "severi', finish="length")


def refusal() -> Scripted:
    return text(None, refusal="I cannot help with that.")


def status(code: int, *, retry_after: str | None = None, message: str = "scripted") -> Scripted:
    headers = {"Content-Type": "application/json"} | ({"Retry-After": retry_after} if retry_after else {})
    return Scripted(json.dumps({"error": {"message": message}}).encode(), code, headers)


def slow(seconds: float) -> Scripted:
    return Scripted(ok().body, delay=seconds)


def dripping(seconds: float) -> Scripted:
    """The body in single bytes, so many seconds apart."""
    return Scripted(ok().body, drip=seconds)


def dropped() -> Scripted:
    return Scripted(drop=True)


def half() -> Scripted:
    """Half of the announced body, then a closed connection."""
    return Scripted(ok().body, half=True)


def huge() -> Scripted:
    """A valid completion of two megabytes."""
    return ok(action="x" * 2_000_000)


def not_json() -> Scripted:
    return Scripted(b"<html>Welcome to the hotel's network</html>")


def wrong_shape() -> Scripted:
    return Scripted(b'{"choices": [null]}')


def wrong_type() -> Scripted:
    """A page of HTML that says so."""
    return Scripted(b"<html>Bad gateway</html>", headers={"Content-Type": "text/html"})


def compressed() -> Scripted:
    return Scripted(b"\x1f\x8b", headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})


def redirect(to: str) -> Scripted:
    return Scripted(b"", 307, {"Location": to})


def without(*unknown: str) -> Callable[[dict[str, Any], int], Scripted]:
    """A script that refuses requests with one of these parameters, or this kind of response_format."""

    def answer(request: dict[str, Any], n: int) -> Scripted:
        sent = [*request, request.get("response_format", {}).get("type")]
        for name in unknown:
            if name in sent:
                what = f"response_format type {name}" if name.startswith("json_") else name
                return status(400, message=f"Unsupported parameter: {what}")
        return ok()

    return answer


def by_keyword(request: dict[str, Any], n: int) -> Scripted:
    """A trivial rule on the item's own words, so that a manual run shows different answers."""
    lines = [line for message in request["messages"] for line in message["content"].splitlines()]
    item = json.loads([line for line in lines if line.startswith('{"type":')][-1])
    said = item["comment"].lower()
    rules = {"crash": "website-bug", "exception": "framework-issue", "docs": "content-gap", "wish": "feature-request"}
    quote = " ".join(item["comment"].split()[:6])
    return ok(
        category=next((label for word, label in rules.items() if word in said), "website-bug"),
        severity="high" if "crash" in said else "medium",
        action=f"Reproduce “{quote}” on {item['page'] or 'the page it came from'} and fix what fails.",
        evidence=[quote] if quote else [],
    )


MISBEHAVIOURS: dict[str, Callable[[], Scripted]] = {
    "malformed": malformed,
    "unknown category": unknown_category,
    "extra field": extra_field,
    "truncated": truncated,
    "refusal": refusal,
    "429": lambda: status(429, retry_after="0.3"),
    "500": lambda: status(500),
    "401": lambda: status(401),
    "dropped": dropped,
    "half": half,
    "huge": huge,
    "not json": not_json,
    "wrong shape": wrong_shape,
    "wrong type": wrong_type,
    "compressed": compressed,
}


def mixed(request: dict[str, Any], n: int, *, patience: float = 60.0) -> Scripted:
    """Two misbehaving answers, then two good ones: by the number of the request, each way in turn."""
    turn, place = divmod(n, 4)
    if place >= 2:
        return by_keyword(request, n)
    ways = [*MISBEHAVIOURS.values(), lambda: slow(patience)]
    return ways[turn % len(ways)]()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Quiet about a client that hung up, which is what several tests are about."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class LLMServer:
    """The server as a context manager. A list of answers is given in order and its last one repeated."""

    def __init__(self, script: Script, *, port: int = 0) -> None:
        self.script = script
        self.requests: list[Received] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", port), _handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> LLMServer:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float) -> None:
        """Sleep, but not beyond the end of the server."""
        self._closing.wait(seconds)

    def answer(self, request: Received) -> Scripted:
        with self._lock:
            n = len(self.requests)
            self.requests.append(request)
        if callable(self.script):
            return self.script(request.json, n)
        return self.script[min(n, len(self.script) - 1)]


def _handler(server: LLMServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            reply = server.answer(Received(self.path, dict(self.headers.items()), body, time.monotonic()))
            if reply.delay:
                server.wait(reply.delay)
            self._send(reply)

        def _send(self, reply: Scripted) -> None:
            if reply.drop:
                self._hang_up()
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if reply.half:
                self.wfile.write(reply.body[: len(reply.body) // 2])
                self._hang_up()
            elif reply.drip:
                for byte in reply.body:
                    self.wfile.write(bytes([byte]))
                    server.wait(reply.drip)
            else:
                self.wfile.write(reply.body)

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: the requests are kept."""

    return Handler


def main() -> None:
    parser = argparse.ArgumentParser(description="A scripted OpenAI-compatible endpoint for manual runs; no model.")
    parser.add_argument("--port", type=int, default=9009)
    parser.add_argument("--script", choices=("mixed", "keywords"), default="mixed")
    parser.add_argument("--slow", type=float, default=60.0, help="Seconds that the slow answer takes.")
    options = parser.parse_args()
    scripts: dict[str, Script] = {
        "mixed": lambda request, n: mixed(request, n, patience=options.slow),
        "keywords": by_keyword,
    }
    with LLMServer(scripts[options.script], port=options.port) as server:
        print(f"Scripted, no model: OPENAI_BASE_URL={server.url}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print(f"{len(server.requests)} requests", flush=True)


if __name__ == "__main__":
    main()
