"""A scripted OpenAI-compatible endpoint on 127.0.0.1: no model. It answers at once, or misbehaves as the item asks.

An item whose page is /scripted/WAY gets that misbehaviour. With --misbehaving every second request gets one, in turn:
with nothing but faults the circuit breaker would leave the endpoint alone. What it answers says nothing of how well any
model would do. By hand: python -m training.benchmark.endpoint, which prints its port.
"""

from __future__ import annotations

import json
import re
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
MODEL: Final = "scripted"
ANSWER: Final = {
    "category": "website-bug",
    "severity": "high",
    "action": "Reproduce what the comment says, on the page that it names, and fix what fails.",
    "evidence": [],
}
# Longer than any timeout that is used with it.
SLOW_SECONDS: Final = 5.0
_WAY: Final = re.compile(rb"/scripted/([a-z0-9-]+)")


def _http(body: bytes, *, status: str = "200 OK", headers: str = "", announced: int | None = None) -> bytes:
    length = len(body) if announced is None else announced
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n"
    return head.encode() + body


def _completion(content: str | None, *, finish: str = "stop", refusal: str | None = None) -> bytes:
    completion: dict[str, Any] = {
        "id": "scripted",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, "refusal": refusal},
                "finish_reason": finish,
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }
    return _http(json.dumps(completion).encode())


def _answer(**changes: Any) -> bytes:
    return _completion(json.dumps(ANSWER | changes))


def _error(status: str, headers: str = "") -> bytes:
    return _http(b'{"error": {"message": "scripted"}}', status=status, headers=headers)


GOOD: Final = _answer()
# What is sent for each way; None closes the connection instead. After "half" and "none" it is closed too.
WAYS: Final[dict[str, bytes | None]] = {
    "http-500": _error("500 Internal Server Error"),
    "http-429": _error("429 Too Many Requests", "Retry-After: 60\r\n"),
    "http-401": _error("401 Unauthorized"),
    "slow": GOOD,
    "dropped": None,
    "half": _http(GOOD[:40], announced=len(GOOD)),
    "huge": _answer(action="x" * 2_000_000),
    "not-json": _http(b"<html>Welcome to the hotel's network</html>"),
    "prose": _completion("Well, I would say this is rather a bug."),
    "unknown-category": _answer(category="hardware"),
    "extra-field": _answer(confidence=0.99),
    "cut-off": _completion('{"category": "website-bug", "severi', finish="length"),
    "refusal": _completion(None, refusal="I cannot help with that."),
    "empty": _completion(""),
}


class _Handler(socketserver.StreamRequestHandler):
    server: _Server
    # Else the kernel holds a small answer back for the acknowledgement of the one before.
    disable_nagle_algorithm = True

    def handle(self) -> None:
        while (body := self._read()) is not None:
            named = _WAY.search(body)
            way = named[1].decode() if named else next(self.server.turns)
            if way == "slow":
                time.sleep(SLOW_SECONDS)
            reply = WAYS.get(way, GOOD)
            if reply is None:
                return
            self.wfile.write(reply)
            if way == "half":
                return

    def _read(self) -> bytes | None:
        """The body of the next request; None when the client hung up."""
        length = 0
        for line in iter(self.rfile.readline, b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            if line in (b"\r\n", b"\n"):
                return self.rfile.read(length)
        return None


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *, misbehaving: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        # What a request gets that names no way; next() of an itertools object is safe among threads.
        self.turns = cycle([turn for way in WAYS for turn in ("", way)] if misbehaving else [""])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Quiet about a client that gave up, which is what several of the ways are about."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serve(*, misbehaving: bool = False) -> Iterator[str]:
    """The endpoint in a process of its own, so that it takes no turns with whoever asks it; gives its base URL."""
    words = [sys.executable, "-m", __name__, *(["--misbehaving"] if misbehaving else [])]
    process = subprocess.Popen(  # noqa: S603 (our own words)
        words, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE
    )
    try:
        port = int(process.stdout.readline()) if process.stdout else 0
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()


def main(say: Callable[[str], object] = sys.stdout.write) -> None:
    """Serve until whoever started this is gone."""
    with _Server(misbehaving="--misbehaving" in sys.argv) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        say(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
