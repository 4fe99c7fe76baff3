"""Many rollouts through a store server of its own: how many come back whole, how fast, and what the server holds."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen

from django.conf import settings

from analyzer import cold_start, versions
from analyzer.engines import Spec
from training import lightning
from training.watch import Control

# Rollouts that are asked for together: more than a round of training ever asks for.
ROUND: Final = 1_000
# Seconds that the server gets to start: its imports take most of them.
PATIENCE: Final = 120.0
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Round:
    """After so many rollouts: those without a reward or without all three spans, seconds in all, server's MiB."""

    asked: int
    lost: int
    seconds: float
    resident: float


class Rounds(lightning.Algorithm):
    """The feedback agent over made-up items, a round at a time."""

    def __init__(self, control: Control, spec: Spec, *, rollouts: int, pid: int, say: Callable[[Round], None]) -> None:
        super().__init__(control)
        self.resources = {"llm": lightning.register(spec), "prompt": lightning.template(spec.prompt)}
        self.rollouts, self.pid, self.say = rollouts, pid, say
        self.rounds: list[Round] = []

    async def run(self, train_dataset: Any = None, val_dataset: Sequence[dict[str, Any]] | None = None) -> None:
        began, items = time.monotonic(), val_dataset or ()
        for start in range(0, self.rollouts, ROUND):
            count = min(ROUND, self.rollouts - start)
            tasks = [items[n % len(items)] | {"id": str(n)} for n in range(start, start + count)]
            rolled = await self.roll(tasks, self.resources, mode="val")
            came = [one.task["id"] for one in rolled if one.total is not None and one.spans == 3]
            lost = count - len({*came} & {task["id"] for task in tasks})
            done = Round(start + count, lost, time.monotonic() - began, _resident(self.pid) / MIB)
            self.rounds.append(done)
            self.say(done)


def measure(*, rollouts: int, runners: int, keep: int, say: Callable[[Round], None]) -> list[Round]:
    """Start a server, roll through it, stop it; a round is told as it ends."""
    spec = versions.spec(versions.active())
    items = [
        {"id": "", "comment": example.comment, "type": example.type, "decision": {"category": example.category}}
        for example in cold_start.load()[:ROUND]
    ]
    with _server(keep) as (url, pid):
        algorithm = Rounds(Control(say=lambda line: None), spec, rollouts=rollouts, pid=pid, say=say)
        lightning.fit(algorithm, lightning.feedback_agent, validation=items, runners=runners, store_url=url)
    return algorithm.rounds


@contextmanager
def _server(keep: int) -> Iterator[tuple[str, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # It wants the token that our clients show, since both read it from the same environment.
    process = subprocess.Popen(  # noqa: S603 (our own command)
        [sys.executable, "manage.py", "run_store", "--port", str(port), "--keep", str(keep)],
        cwd=settings.BASE_DIR,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("The store server did not start; `manage.py run_store` says why.")
            time.sleep(0.2)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/v1/agl/health", timeout=5) as answer:  # noqa: S310 (our own address)
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _resident(pid: int) -> int:
    """Bytes of a process that are in memory; 0 where the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
