"""What it takes to build the data set of training out of a desk: seconds by step, and the most memory it held."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

from training import dataset
from training.scale import scratch

Made = TypeVar("Made")


def measure() -> dict[str, Any]:
    """Once, in this process, which should be new: memory is the most that it ever held."""
    scratch.require()
    read, examples = _timed(dataset.read)
    grouped, examples = _timed(lambda: dataset.grouped(examples))
    split, _ = _timed(lambda: dataset.split(examples))
    return {
        "examples": len(examples),
        "read": read,
        "grouped": grouped,
        "split": split,
        "peak_mib": _peak_mib(),
    }


def _timed(act: Callable[[], Made]) -> tuple[float, Made]:
    started = time.perf_counter()
    made = act()
    return time.perf_counter() - started, made


def _peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # In bytes on macOS, in KiB elsewhere.
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
