"""A backlog worked off here and now: a process for each core, each judging a batch before it analyses its items.

A batch spares the classifier only, which takes less time an item the more it is given at once; each item still has a
rollout and spans of its own. What a process that was killed had begun is taken up by the sweep or the next call.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from typing import Final
from uuid import UUID

from django.db import connections

from analyzer import analyses, engines, versions
from analyzer.models import AnalyzerVersion, QueueItem

# Most of a call to the classifier is paid once, so that more spare little; it is also a step of the progress bar.
BATCH: Final = 32


def run(keys: Sequence[UUID], *, processes: int) -> Iterator[bool]:
    """Analyse these items in any order, and say of each whether it was analysed here; small backlogs in this process.

    Raises BrokenProcessPool when a process was killed.
    """
    batches = [keys[start : start + BATCH] for start in range(0, len(keys), BATCH)]
    if min(processes, len(batches)) < 2:
        for batch in batches:
            yield from _perform(batch)
        return
    from analyzer import rollout

    # Imported and read before the fork, but no rollout is run: a tracer used before a fork would block the children.
    rollout.register(versions.cached_spec(versions.active()))
    # A connection that is carried over a fork is used by two processes at once.
    connections.close_all()
    with ProcessPoolExecutor(min(processes, len(batches)), mp_context=multiprocessing.get_context("fork")) as pool:
        for done in as_completed([pool.submit(_perform, batch) for batch in batches]):
            yield from done.result()


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _perform(batch: Sequence[UUID]) -> list[bool]:
    # What fails for all of them fails again for each, and is then told on the item.
    with suppress(Exception):
        _foresee(batch)
    return [analyses.perform(key) for key in batch]


def _foresee(batch: Sequence[UUID]) -> None:
    version = versions.active()
    if version.engine == AnalyzerVersion.Engine.LOCAL:
        items = QueueItem.objects.filter(pk__in=batch).select_related("feedback", "group")
        tasks = [analyses.task_of(item, version) for item in items]
        engines.local_of(versions.cached_spec(version)).foresee(tasks)
