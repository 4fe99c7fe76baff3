"""A base model with an adapter, served on 127.0.0.1 by a process of its own for as long as somebody needs it.

Free of Django and of torch: only the process that is started here (training.finetune.completions) brings the extras.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final

from analyzer.adapters import CONFIG, WEIGHTS
from training.finetune.process import ROOT, environment

# What the server's process imports beside what the desk has anyway.
EXTRAS: Final = ("torch", "transformers", "peft", "llguidance", "starlette", "uvicorn")
# Seconds: until a model must be loaded, and until a server that was asked to stop is killed.
START_SECONDS: Final = 300.0
STOP_SECONDS: Final = 10.0
NAME_MAX: Final = 200
# How the process says that what it told in its last line is all there is to say.
EXPLAINED: Final = 3

# A server has no business on the network: what it serves was downloaded when it was trained, if at all.
_OFFLINE: Final = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
_LINES_SHOWN: Final = 5
_TAIL_BYTES: Final = 4_000


class ServingFailed(Exception):
    """A model that is not served, or no longer; the message is a sentence that says what to do."""


class Served:
    """A server that runs. url is what OPENAI_BASE_URL takes."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, said: IO[bytes]) -> None:
        self._process = process
        self._port = port
        self._said = said
        self.url = f"http://127.0.0.1:{port}/v1"

    @property
    def pid(self) -> int:
        return self._process.pid

    def check(self) -> None:
        """Raises ServingFailed when the server has stopped by itself."""
        code = self._process.poll()
        if code is None:
            return
        lines = self._last_lines()
        if code == EXPLAINED and lines:
            raise ServingFailed(lines[-1])
        how = "was killed, which the system does when memory runs out" if code == -signal.SIGKILL else "stopped"
        said = f" Its last lines: {' | '.join(lines)}" if lines else " It said nothing."
        raise ServingFailed(f"The model server {how} (exit code {code}).{said}")

    def wait(self, seconds: float) -> None:
        """Until it answers; raises ServingFailed."""
        until = time.monotonic() + seconds
        while not self._answers():
            self.check()
            if time.monotonic() > until:
                raise ServingFailed(
                    f"The model server did not answer within {seconds:g} s. A large model, or a slow disk, needs a "
                    "longer timeout."
                )
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask, wait, insist."""
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=2)
        try:
            connection.request("GET", "/health")
            answer = connection.getresponse()
            return answer.status == 200 and json.loads(answer.read()).get("status") == "ok"
        except (OSError, http.client.HTTPException, ValueError):
            return False
        finally:
            connection.close()

    def _last_lines(self) -> list[str]:
        size = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, size - _TAIL_BYTES))
        lines = self._said.read().decode(errors="replace").splitlines()
        return [line.strip() for line in lines if line.strip()][-_LINES_SHOWN:]


def missing_extras() -> list[str]:
    """The packages that serving needs and that are not installed here; imports none of them."""
    return [name for name in EXTRAS if find_spec(name) is None]


@contextmanager
def serving(
    *, base_model: str, adapter: Path | None, name: str, port: int = 0, timeout: float = START_SECONDS
) -> Iterator[str]:
    """A model under a name, at the URL that this gives: for OPENAI_BASE_URL or a Spec's base_url. Port 0 is any.

    Without an adapter the base model answers as it is. It is stopped at the end, and when this process is killed.
    Raises ServingFailed; timeout is the seconds until it must answer.
    """
    with running(base_model=base_model, adapter=adapter, name=name, port=port, timeout=timeout) as served:
        yield served.url


@contextmanager
def running(
    *, base_model: str, adapter: Path | None, name: str, port: int = 0, timeout: float = START_SECONDS
) -> Iterator[Served]:
    """serving, for whoever also wants to know whether it still runs."""
    _check(adapter, name)
    # Bound here and handed over: so nobody can take the port while the model loads, and a taken one is said at once.
    with _bound(port) as listener, tempfile.TemporaryFile() as said:
        served = Served(_start(listener, said, base_model, adapter, name), listener.getsockname()[1], said)
        try:
            listener.close()
            served.wait(timeout)
            yield served
        finally:
            served.stop()


def _check(adapter: Path | None, name: str) -> None:
    if missing := missing_extras():
        raise ServingFailed(
            f"Serving a model needs packages that are not installed: {', '.join(missing)}. "
            "Install them: make install-finetune (or pip install -r requirements-finetune.txt -c constraints.txt)."
        )
    if not name.strip() or not name.isprintable() or len(name) > NAME_MAX:
        raise ServingFailed(f"A model's name has 1 to {NAME_MAX} printable characters.")
    if adapter is None:
        return
    if not adapter.is_dir():
        raise ServingFailed(f"There is no adapter in {adapter}: no such folder.")
    if absent := [file for file in (CONFIG, WEIGHTS) if not (adapter / file).is_file()]:
        raise ServingFailed(f"There is no adapter in {adapter}: it has no {' and no '.join(absent)}.")


def _bound(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise ServingFailed(f"Port {port} on 127.0.0.1 cannot be used ({error}). Choose another.") from error
    return listener


def _start(
    listener: socket.socket, said: IO[bytes], base_model: str, adapter: Path | None, name: str
) -> subprocess.Popen[bytes]:
    """The process, in a session of its own, so that Ctrl-C reaches it through us alone."""
    there = Path(base_model).expanduser()
    command = [sys.executable, "-m", "training.finetune.completions", "--name", name]
    command += ["--base-model", str(there.resolve()) if there.exists() else base_model]
    command += ["--adapter", str(adapter.resolve())] if adapter else []
    command += ["--socket", str(listener.fileno()), "--parent", str(os.getpid())]
    return subprocess.Popen(  # noqa: S603 (our own words, and no shell)
        command,
        cwd=ROOT,
        env={"OMP_WAIT_POLICY": "PASSIVE"} | environment() | _OFFLINE,
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=subprocess.STDOUT,
        pass_fds=(listener.fileno(),),
        start_new_session=True,
    )
