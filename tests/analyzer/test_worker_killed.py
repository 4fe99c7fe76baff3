"""kill -9 of the worker, or of one of its processes: afterwards every item is analysed, and once."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil

from tests.processes import alive, kill_family
from tests.worker import Desk, until

ANALYSES = "SELECT count(*) FROM analyzer_analysis"
TASKS = "SELECT count(*) FROM django_q_ormq"
UNFINISHED = "SELECT count(*) FROM analyzer_queueitem WHERE stage != 'done'"


def test_after_kill_9_in_mid_batch_every_item_is_analysed_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ANALYSIS_LEASE_SECONDS="14", Q_TIMEOUT="15", Q_RETRY="16")
    desk.submit([f"The button number {number} on the page does nothing at all" for number in range(250)])
    worker = desk.start_worker()
    try:
        until(lambda: desk.count(ANALYSES) >= 20, "the first analyses")
    finally:
        kill_family(worker)
    done = desk.count(ANALYSES)
    assert 20 <= done < 250, "the kill came in mid-batch"

    worker = desk.start_worker()
    try:
        until(lambda: desk.count(UNFINISHED) == 0, "the rest of the analyses")
    finally:
        kill_family(worker)
    assert desk.count(ANALYSES) == 250
    assert desk.count("SELECT count(DISTINCT feedback_id) FROM analyzer_analysis") == 250


def test_a_worker_is_heard_of_while_it_works_through_a_long_queue(tmp_path: Path) -> None:
    """The sweep, which leaves the other signs of life, waits its turn at the end of that queue."""
    desk = Desk(tmp_path)
    desk.submit([f"The button number {number} on the page does nothing at all" for number in range(400)])
    busy = f"SELECT count(*) FROM analyzer_heartbeat WHERE ({UNFINISHED}) > 100"
    worker = desk.start_worker()
    try:
        until(lambda: desk.has(busy, 1), "a sign of life in mid-queue")
    finally:
        kill_family(worker)


def family(worker: subprocess.Popen[bytes]) -> dict[str, list[psutil.Process]]:
    """The processes of a cluster by what they do: guard, idle (or processing), monitor, pusher."""
    found: dict[str, list[psutil.Process]] = defaultdict(list)
    for guard in psutil.Process(worker.pid).children():
        found["guard"].append(guard)
        for child in guard.children():
            found[child.cmdline()[-1].rpartition(" ")[2]].append(child)
    return found


def gone(processes: dict[str, list[psutil.Process]]) -> bool:
    return not any(alive(process.pid) for group in processes.values() for process in group)


def complete(worker: subprocess.Popen[bytes]) -> bool:
    with suppress(psutil.NoSuchProcess, IndexError):
        found = family(worker)
        return [len(found[name]) for name in ("guard", "idle", "monitor", "pusher")] == [1, 2, 1, 1]
    return False


def test_a_cluster_works_on_whichever_of_its_processes_is_killed(tmp_path: Path) -> None:
    """What waits at a pipe takes its lock into the grave: a cluster that only replaced it would stand still."""
    desk = Desk(tmp_path, Q_TIMEOUT="15", Q_RETRY="16")
    worker = desk.start_worker()
    try:
        for count, name in ((10, "idle"), (20, "monitor"), (30, "guard")):
            until(lambda: complete(worker), "the cluster")
            before = family(worker)
            for process in before[name]:
                process.kill()
            until(partial(gone, before), "the end of all its processes")
            desk.submit([f"The button number {number} on the page does nothing at all" for number in range(count)])
            until(partial(desk.has, ANALYSES, count), f"the analyses after the {name} was killed")
            until(partial(desk.has, TASKS, 0), f"the end of the tasks after the {name} was killed")
        until(lambda: complete(worker), "the cluster")
        last = family(worker)
        assert worker.poll() is None
    finally:
        worker.kill()
        worker.wait()
    until(partial(gone, last), "the end of all that the command started")
