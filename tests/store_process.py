"""run_store in a process of its own: the server must not share one with a tracer, which would trace it too."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import requests

from tests.worker import until

ROOT = Path(__file__).resolve().parents[1]
TOKEN = "a token of the tests, not secret"


class Store:
    """A LightningStore that has been started and answers; with a token of "" it asks for none."""

    def __init__(self, *, token: str = TOKEN, port: int = 0, host: str = "127.0.0.1") -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = token
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the process)
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "run_store", "--host", host, "--port", str(self.port)],
            cwd=ROOT,
            env=os.environ
            | {"DEBUG": "1", "DJANGO_SETTINGS_MODULE": "triage_site.settings", "LIGHTNING_STORE_TOKEN": token},
            stdout=self._said,
            stderr=subprocess.STDOUT,
        )
        until(self._answers, "the store")

    def get(self, path: str) -> Any:
        answer = requests.get(f"{self.url}{path}", headers=self._shown, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def start_rollout(self, task: dict[str, Any]) -> None:
        """One that some other worker is busy with from now on."""
        body = {"input": task}
        requests.post(f"{self.url}/v1/agl/rollouts", json=body, headers=self._shown, timeout=30).raise_for_status()

    def rollouts(self) -> list[dict[str, Any]]:
        return list(self.get("/v1/agl/rollouts")["items"])

    def spans(self, rollout_id: str) -> list[dict[str, Any]]:
        return list(self.get(f"/v1/agl/spans?rollout_id={rollout_id}&sort_by=sequence_id")["items"])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> str:
        """Stop it as an operator does, and return what it said."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)
        return self._read()

    def _read(self) -> str:
        self._said.seek(0)
        return self._said.read().decode()

    @property
    def _shown(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def _answers(self) -> bool:
        assert self.process.poll() is None, self._read()
        try:
            return requests.get(f"{self.url}/v1/agl/health", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
