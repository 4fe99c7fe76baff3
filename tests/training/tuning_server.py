"""A stand-in for a fine-tuning API on 127.0.0.1: scripted, and no model.

It keeps files, walks a job through scripted states, and answers chat requests. What it calls a fine-tuned model looks
words up in the rows that were uploaded: it shows that what was sent can be learned from and is used afterwards, and
says nothing about how well any model would learn. Every request is kept whole.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.llm_server import Received, Scripted, _Server, status, text

STATES = ("validating_files", "queued", "running", "running", "succeeded")
MODEL = "ft:scripted:desk"
BASE_ANSWER = {"category": "noise", "severity": "low"}
ACTION = "Reproduce what the comment says and write down what you see."


class TuningServer:
    """The server as a context manager. states are walked through, one a look; the last one stays.

    faults, by method and first part of the path ("POST files"), are answered first, in order; a callable is asked.
    """

    def __init__(self, *, states: tuple[str, ...] = STATES, port: int = 0) -> None:
        self.states = list(states)
        self.faults: dict[str, list[Scripted | Callable[[Received], Scripted | None]]] = defaultdict(list)
        self.requests: list[Received] = []
        self.files: dict[str, tuple[str, str]] = {}
        # Every file that was ever stored, by name: also those that were deleted since.
        self.stored: dict[str, str] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, str]] = []
        self.error: dict[str, str] | None = None
        self.learned: dict[str, str] = {}
        self._lock = threading.RLock()
        self._server = _Server(("127.0.0.1", port), _handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> TuningServer:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def asked(self, what: str) -> list[Received]:
        """The requests of a kind, as faults names them."""
        return [one for one in self.requests if one.path.startswith(f"{what.split()[0]} /v1/{what.split()[1]}")]

    def answer(self, request: Received) -> Scripted:
        with self._lock:
            self.requests.append(request)
            method, path = request.path.split()
            parts = path.removeprefix("/v1/").split("?")[0].split("/")
            planned = self.faults[f"{method} {parts[0]}"]
            if planned:
                fault = planned.pop(0)
                said = fault(request) if callable(fault) else fault
                if said is not None:
                    return said
            if parts[0] == "files":
                return self._file(method, parts[1:], request)
            if parts[:2] == ["fine_tuning", "jobs"]:
                return self._job(method, parts[2:], request)
            return self._chat(request.json)

    def _file(self, method: str, rest: list[str], request: Received) -> Scripted:
        if method == "POST":
            name, content = _uploaded(request)
            key = f"file-{len(self.stored) + 1}"
            self.files[key] = (name, content)
            self.stored[name] = content
            return _said({"id": key, "object": "file", "filename": name, "purpose": "fine-tune", "bytes": len(content)})
        if method == "DELETE":
            gone = self.files.pop(rest[0], None)
            return _said({"id": rest[0], "deleted": True}) if gone else status(404)
        return _said({"data": [{"id": key, "filename": name} for key, (name, _) in self.files.items()]})

    def _job(self, method: str, rest: list[str], request: Received) -> Scripted:
        if method == "POST" and not rest:
            asked = request.json
            key = f"ftjob-{len(self.jobs) + 1}"
            self.jobs[key] = {
                "id": key,
                "object": "fine_tuning.job",
                "model": asked["model"],
                "status": self.states[0],
                "metadata": asked.get("metadata"),
                "asked": asked,
            }
            self.learned = _learn(self.files[asked["training_file"]][1])
            self._tell(f"Created {key}")
            return _said(self.jobs[key])
        if not rest:
            return _said({"data": list(self.jobs.values())[::-1]})
        job = self.jobs.get(rest[0])
        if job is None:
            return status(404, message="No such job")
        if rest[1:] == ["events"]:
            return _said({"data": self.events[::-1]})
        if rest[1:] == ["cancel"]:
            self.states = ["cancelled"]
        self._advance(job)
        return _said(job)

    def _advance(self, job: dict[str, Any]) -> None:
        if len(self.states) > 1:
            self.states.pop(0)
        if job["status"] != self.states[0]:
            job["status"] = self.states[0]
            self._tell(f"Now {job['status']}")
        if job["status"] == "running":
            job["trained_tokens"] = job.get("trained_tokens", 0) + 1_000
        if job["status"] == "succeeded":
            job["fine_tuned_model"] = MODEL
        if job["status"] == "failed":
            job["error"] = self.error

    def _tell(self, message: str) -> None:
        self.events.append({"id": f"ftevent-{len(self.events) + 1}", "message": message, "level": "info"})

    def _chat(self, request: dict[str, Any]) -> Scripted:
        said = dict(BASE_ANSWER)
        if request["model"] == MODEL:
            for word in _words(request["messages"][-1]["content"]):
                if word in self.learned:
                    said = json.loads(self.learned[word])
        return text(json.dumps({"action": ACTION, "evidence": []} | said))


def rows(content: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def _learn(content: str) -> dict[str, str]:
    """By word, the category and severity that the uploaded answers mostly gave; rare words are left out."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows(content):
        asked = row.get("messages") or row["input"]["messages"]
        answer = json.loads((row.get("preferred_output") or asked)[-1]["content"])
        label = json.dumps({name: answer[name] for name in BASE_ANSWER})
        question = next(message["content"] for message in asked if message["role"] == "user")
        for word in set(_words(question)):
            seen[word][label] += 1
    return {
        word: labels.most_common(1)[0][0] for word, labels in seen.items() if len(labels) == 1 and labels.total() >= 3
    }


def _words(question: str) -> list[str]:
    item = next(line for line in question.splitlines() if line.startswith('{"type":'))
    return re.findall(r"[a-z]{5,}", json.loads(item)["comment"].lower())


def _uploaded(request: Received) -> tuple[str, str]:
    """Name and content of the file in a multipart body."""
    boundary = request.headers["Content-Type"].split("boundary=")[1]
    for piece in request.body.split(f"--{boundary}"):
        head, _, content = piece.partition("\r\n\r\n")
        name = re.search(r'filename="([^"]+)"', head)
        if name:
            return name[1], content.removesuffix("\r\n")
    raise ValueError("No file was uploaded.")


def _said(value: dict[str, Any]) -> Scripted:
    return Scripted(json.dumps(value).encode())


def _handler(server: TuningServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body in one piece: apart, the second waits for the client's acknowledgement of the first.
        wbufsize = -1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            path = f"{self.command} {self.path}"
            reply = server.answer(Received(path, dict(self.headers.items()), body, time.monotonic()))
            if reply.delay:
                time.sleep(reply.delay)
            if reply.drop:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def do_GET(self) -> None:
            self.do_POST()

        def do_DELETE(self) -> None:
            self.do_POST()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: the requests are kept."""

    return Handler


def main() -> None:
    parser = argparse.ArgumentParser(description="A scripted fine-tuning API for manual runs; no model.")
    parser.add_argument("--port", type=int, default=9010)
    with TuningServer(port=parser.parse_args().port) as server:
        print(f"Scripted, no model: OPENAI_BASE_URL={server.url}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print(f"{len(server.requests)} requests", flush=True)


if __name__ == "__main__":
    main()
