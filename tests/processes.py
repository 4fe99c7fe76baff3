"""Looking at processes from outside: what a run leaves behind, and whether a kill has hit."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, TypeVar

import psutil

FoundT = TypeVar("FoundT")


def children(parent: int) -> list[int]:
    return [process.pid for process in psutil.Process(parent).children(recursive=True)]


def alive(pid: int) -> bool:
    """Not for one that has ended though nobody has asked about it: on some machines nobody asks about orphans."""
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


def outlasting(processes: Iterable[psutil.Process], *, seconds: float = 30.0) -> list[psutil.Process]:
    """Those that still live when the others have ended, or at the end of the time."""
    left = list(processes)
    until = time.monotonic() + seconds
    while (left := [process for process in left if process.is_running() and alive(process.pid)]) and (
        time.monotonic() < until
    ):
        time.sleep(0.05)
    return left


def kill_family(process: subprocess.Popen[Any]) -> None:
    """kill -9 for the process and every child, as when a machine loses its power; returns when they are gone."""
    family: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        main = psutil.Process(process.pid)
        family = [main, *main.children(recursive=True)]
    for each in family:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    process.wait()
    assert not outlasting(family), "Something that was killed still lives."
