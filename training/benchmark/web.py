"""The real web server as the Procfile starts it, and wrk: how many submissions a second are stored."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
from django.conf import settings

CONNECTIONS: Final = 8
# As long as a writer waits for SQLite's lock. wrk's own two seconds would call a slow answer a broken one.
ANSWER_SECONDS: Final = 30
START_SECONDS: Final = 120

# Every request comes from another visitor, as a proxy would say it, so that the rate limit is asked and never reached.
_SCRIPT: Final = """
local bodies, turn, thread = {}, 0, 0
function setup(other) other:set("thread", thread); thread = thread + 1 end
function init(arguments)
  for line in io.lines(arguments[1]) do bodies[#bodies + 1] = line end
end
function request()
  turn = turn + 1
  local path, body, method = "/healthz", nil, "GET"
  if #bodies > 0 then
    path, method, body = "/api/feedback/", "POST", bodies[(turn * 2 + thread) % #bodies + 1]
  end
  return wrk.format(method, path, {
    ["Host"] = "127.0.0.1", ["Content-Type"] = "application/json", ["X-Forwarded-Proto"] = "https",
    ["X-Forwarded-For"] = string.format("10.%d.%d.%d", thread, math.floor(turn / 250) % 250, turn % 250),
  }, body)
end
function done(summary, latency, requests)
  io.write(string.format('{"n": %d, "seconds": %f, "refused": %d, "broken": %d, "p50": %f, "p99": %f, "longest": %f}',
    summary.requests, summary.duration / 1e6, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
"""


class NoWrk(RuntimeError):
    """wrk is not installed."""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk counted; p50, p99 and the longest answer in milliseconds, with all its connections busy."""

    n: int
    seconds: float
    p50: float
    p99: float
    longest: float
    cpu_seconds: float


class Web:
    """A running web server, and a folder for wrk's files."""

    def __init__(self, process: subprocess.Popen[bytes], *, wrk: str, port: int, folder: Path) -> None:
        self._wrk = wrk
        self._process = psutil.Process(process.pid)
        self._port = port
        self._folder = folder

    def load(self, comments: Iterable[str], *, seconds: int) -> Load:
        """Submit these comments again and again; without any /healthz is asked instead. Raises RuntimeError on errors.

        A status other than 2xx or 3xx is an error.
        """
        script, bodies = self._folder / "load.lua", self._folder / "bodies"
        script.write_text(_SCRIPT, encoding="utf-8")
        rows = [{"comment": comment, "type": "bug", "rating": 2, "page": "/checkout"} for comment in comments]
        bodies.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        before = self._cpu()
        command = [
            self._wrk,
            "-t2",
            f"-c{CONNECTIONS}",
            f"-d{seconds}s",
            f"--timeout={ANSWER_SECONDS}s",
            "-s",
            str(script),
        ]
        command += [f"http://127.0.0.1:{self._port}", "--", str(bodies)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own words)
        if done.returncode:
            raise RuntimeError(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
        counted: dict[str, Any] = json.loads(done.stdout[done.stdout.rindex("{") :])
        if counted["refused"] or counted["broken"]:
            raise RuntimeError(
                f"Of {counted['n']} requests {counted['refused']} were refused, {counted['broken']} broke."
            )
        figures = {name: counted[name] for name in ("n", "seconds", "p50", "p99", "longest")}
        return Load(**figures, cpu_seconds=self._cpu() - before)

    def _cpu(self) -> float:
        processes = [self._process, *self._process.children(recursive=True)]
        return sum(float(times.user + times.system) for times in (process.cpu_times() for process in processes))


def command() -> str:
    """The Procfile's line for the web server, with the programs of this environment."""
    lines = (settings.BASE_DIR / "Procfile").read_text(encoding="utf-8").splitlines()
    line = next(line for line in lines if line.startswith("web: "))
    return line.removeprefix("web: ").replace(".venv/bin", str(Path(sys.executable).parent))


@contextmanager
def run(folder: Path) -> Iterator[Web]:
    """The web server on a free port of loopback. Raises NoWrk before it starts anything."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise NoWrk("wrk is not installed (apt-get install wrk)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(  # noqa: S603 (the Procfile's words)
        ["/bin/sh", "-c", f"exec {command()}"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"PORT": str(port)},
        start_new_session=True,
    )
    try:
        _wait(process, port)
        yield Web(process, wrk=wrk, port=port, folder=folder)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("The web server did not start; see its lines above.")
