"""The audit of dependencies, against a scripted advisory service: what it says of a flaw, and of silence."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from tests import audit

FLAW = {
    "id": "OSV-2026-1",
    "summary": "Scripted.",
    "affected": [
        {
            "package": {"name": "django", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}],
        }
    ],
}


class Advisories(BaseHTTPRequestHandler):
    flaws: ClassVar[dict[str, list[dict[str, Any]]]] = {}

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"vulns": self.flaws.get(asked["package"]["name"], [])}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Quiet."""


@pytest.fixture
def advisories(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Advisories, "flaws", {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), Advisories)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    server.server_close()


def test_a_known_flaw_fails_the_audit_and_is_named(advisories: str, capsys: pytest.CaptureFixture[str]) -> None:
    Advisories.flaws["django"] = [FLAW]
    assert audit.main(["--osv-url", advisories, "--where-reachable"]) == 1
    said = capsys.readouterr().out
    assert "OSV-2026-1, fixed in 99.1" in said
    assert "1 with known vulnerabilities." in said


def test_without_a_flaw_it_says_how_many_were_looked_at(advisories: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(["--osv-url", advisories]) == 0
    assert "packages audited, 0 with known vulnerabilities." in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "status"), [([], 1), (["--where-reachable"], 0)])
def test_silence_is_never_called_an_audit(
    arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.main(["--osv-url", "http://127.0.0.1:9/v1/query", *arguments]) == status
    said = capsys.readouterr().out
    assert said.startswith("NOT AUDITED")
    assert "0 with known" not in said
