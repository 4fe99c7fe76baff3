"""A worker as a child of this process: started, followed by its log, ended with its parent and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from training.finetune.job import DONE, GRACE, STOPPED, Directory

# Seconds between looks at the log.
LOOK: Final = 0.5
# What a worker needs not know.
SECRETS: Final = ("SECRET_KEY", "OPENAI_API_KEY", "DATABASE_URL", "MONGO_MIRROR_URL", "METRICS_TOKEN", "Q_BROKER")
ROOT: Final = Path(__file__).resolve().parents[2]


class Failed(RuntimeError):
    """A worker that ended without a result; the message says why, as far as it could tell."""


def work_off(directory: Directory, *, tell: Callable[[dict[str, Any]], None], check: Callable[[], None]) -> bool:
    """Whether the worker came to the end; False when it was stopped in order. Blocks until it is gone.

    tell is given every line of its log. When check raises, the worker is told to stop, waited for, and what check
    raised is raised again. Raises Failed.
    """
    _, read = directory.told()
    errors = directory.path / "worker.err"
    with errors.open("wb") as stderr:
        child = subprocess.Popen(  # noqa: S603 (our own module, and no shell)
            [sys.executable, "-m", "training.finetune.worker", str(directory.path), "--with-parent"],
            # Closes when this process is gone, however it went; the worker ends then.
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            # Ctrl-C in a terminal reaches this process alone, which stops the worker in order.
            start_new_session=True,
            cwd=ROOT,
            env=_environment(),
        )
    reason = ""
    try:
        while child.poll() is None:
            reason, read = _tell(directory, read, tell, reason)
            check()
            time.sleep(LOOK)
    finally:
        _end(child)
        reason, read = _tell(directory, read, tell, reason)
    if child.returncode not in (DONE, STOPPED):
        raise Failed(reason or _last_words(errors, child.returncode))
    return child.returncode == DONE


def _tell(directory: Directory, start: int, tell: Callable[[dict[str, Any]], None], reason: str) -> tuple[str, int]:
    told, end = directory.told(start)
    for line in told:
        if line.get("event") == "failed":
            reason = str(line.get("reason"))
        tell(line)
    return reason, end


def _end(child: subprocess.Popen[bytes]) -> None:
    """Wait for a worker to end in order, and make an end of one that does not."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    if child.stdin is not None:
        child.stdin.close()


def _environment() -> dict[str, str]:
    hidden = {f"{name}{end}" for name in SECRETS for end in ("", "_FILE")}
    return {name: value for name, value in os.environ.items() if name not in hidden}


def _last_words(errors: Path, code: int) -> str:
    lines = [line for line in errors.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    if code < 0:
        how = "out of memory, or killed" if -code == signal.SIGKILL else signal.Signals(-code).name
        return f"The worker was ended by a signal ({how}); --resume goes on from its last checkpoint."
    return f"The worker ended with code {code}: {lines[-1] if lines else 'it said nothing'}"
