"""Looking at processes from outside, for the tests of what a run leaves behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import psutil

FoundT = TypeVar("FoundT")


def children(parent: int) -> list[int]:
    return [process.pid for process in psutil.Process(parent).children(recursive=True)]


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(look: Callable[[], FoundT], *, seconds: float = 20.0) -> FoundT:
    """What look finds, as soon as it is something, or at the end of the time."""
    until = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < until:
        time.sleep(0.1)
    return found
