"""log.jsonl: what a worker tells whoever follows it, one object a line."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any


class Log:
    """Each line is written at once, whole; of several processes only the first one writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._silent = os.environ.get("RANK", "0") != "0"

    def write(self, **told: Any) -> None:
        """One line with the time in seconds; raises ValueError for a number that is not finite."""
        if self._silent:
            return
        line = json.dumps({"at": round(time.time(), 2), **told}, ensure_ascii=False, allow_nan=False) + "\n"
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # Begins a line of its own, should a killed worker have left half of one.
            size = os.fstat(handle).st_size
            whole = not size or os.pread(handle, 1, size - 1) == b"\n"
            os.write(handle, ("" if whole else "\n").encode() + line.encode())
        finally:
            os.close(handle)

    def say(self, text: str) -> None:
        self.write(event="said", text=text)
