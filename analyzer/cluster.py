"""django-q2's cluster, replaced whole when one of its processes is killed.

Its processes share pipes, and whoever waits at one waits inside its lock. kill -9 of a waiting process, which is what a
machine short of memory does, leaves the lock taken for ever: the others wait for it, whoever replaces the dead one
waits too, and the cluster looks well and does nothing. So after a kill nothing of a cluster is kept; what it had begun
is analysed again.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from contextlib import suppress
from multiprocessing import Event, Process
from types import FrameType
from typing import Any, Final

import psutil
from django.db import Error, connections
from django_q.cluster import Cluster, Sentinel, get_mp_context
from django_q.tasks import async_task

from analyzer import receivers

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
# A guard that does its work buries a dead child within a second; one that waits for a dead child's lock never does.
NEGLECT_SECONDS: Final = 15.0
CHECK_SECONDS: Final = 60.0

# The workers are forks of the process that reads this.
receivers.pulse.of_a_worker = True


class Guard(Sentinel):
    """Replaces what ended by itself, as always; ends with all its processes when one, or its parent, was killed."""

    def __init__(self, *arguments: Any) -> None:
        # A group of its own, by which its processes are found when it cannot end them itself.
        os.setpgid(0, 0)
        super().__init__(*arguments)

    def status(self) -> str:
        """Asked twice a second."""
        if os.getppid() != self.parent_pid:
            sys.exit(1)
        return str(super().status())

    def reincarnate(self, process: Process) -> None:
        if process.exitcode is not None and process.exitcode < 0:
            logger.critical("a process of the cluster was killed (signal %d)", -process.exitcode)
            sys.exit(1)
        super().reincarnate(process)


class Desk(Cluster):
    """A cluster until a signal stops it, and a new one in its place whenever its guard ends before."""

    def __init__(self) -> None:
        super().__init__()
        self._stopping = False

    def run(self) -> None:
        """Raises whatever the broker raises when it cannot be reached at a start."""
        while not self._stopping:
            # What is stuck is brought back now, not at the next full minute.
            async_task("analyzer.tasks.sweep")
            # A connection that is carried over a fork is used by two processes at once.
            connections.close_all()
            self.start()
            self._watch()
            if not self._stopping:
                logger.critical("the cluster ended by itself; a new one takes its place")
                time.sleep(LOOK_SECONDS)

    def start(self) -> int:
        self.stop_event, self.start_event = Event(), Event()
        self.sentinel = get_mp_context().Process(
            target=Guard, args=(self.stop_event, self.start_event, self.cluster_id, self.broker, self.timeout)
        )
        self.sentinel.start()
        return int(self.pid)

    def sig_handler(self, signum: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _watch(self) -> None:
        """Until the guard has ended; its processes do not outlive it."""
        neglected, checked = 0.0, -CHECK_SECONDS
        while self.sentinel.is_alive():
            if self._stopping:
                self.stop()
                return
            neglected = neglected + LOOK_SECONDS if _has_dead_child(self.sentinel.pid) else 0.0
            if neglected > NEGLECT_SECONDS:
                logger.critical("the guard of the cluster does not answer")
                self.sentinel.kill()
            if time.monotonic() - checked > CHECK_SECONDS:
                checked = time.monotonic()
                _keep_sweeping()
            self.sentinel.join(LOOK_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self.sentinel.pid, signal.SIGKILL)


def _keep_sweeping() -> None:
    with suppress(Error):
        receivers.keep_sweeping()
    connections.close_all()


def _has_dead_child(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return any(child.status() == psutil.STATUS_ZOMBIE for child in psutil.Process(pid).children())
    return False
