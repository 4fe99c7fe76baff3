"""How long traces are kept: the spans of an analysis are most of its bytes, and nobody reads them for years.

Pruning empties the trace and nothing else: verdict, confidences, evidence, reward and every decision stay. It goes
through the analyses in the order of their keys, which is that of time, batch by batch; stopped anywhere, it is run
again.
"""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import FileIO
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from analyzer.models import Analysis
from feedback.ids import first_id_of

BATCH: Final = 500
# What the regular task takes on in one go, so that it stays far below Q_TIMEOUT; an hour later it goes on.
EACH_TIME: Final = 20_000
# Days: a hundred years, which the calendar still has behind it.
LONGEST: Final = 36_500


class Damaged(Exception):
    """An archive that cannot be read to its end, so that what is added to it could not be read either."""


@dataclass(slots=True)
class Tally:
    """How many traces, and how many bytes of JSON they are."""

    traces: int = 0
    bytes: int = 0


def since(days: int) -> datetime:
    """What was made before this moment is older than so many days."""
    return timezone.now() - timedelta(days=days)


def weigh(*, before: datetime, progress: Callable[[Tally], None] = lambda tally: None) -> Tally:
    """What prune would remove; reads every such trace and changes nothing."""
    total = Tally()
    for batch in _batches(before):
        total.traces += len(batch)
        total.bytes += sum(map(_size, batch))
        progress(total)
    return total


def prune(
    *,
    before: datetime,
    archive: Path | None = None,
    limit: int | None = None,
    progress: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """Empty the traces of analyses made before a moment, at most limit of them.

    With archive each batch is on the disk before it is removed: JSON lines, compressed, readable by nobody else, added
    to the file if it is there. A run that was killed may have written a batch that the next one writes again.
    Raises Damaged before it removes anything, or OSError when a batch could not be written, which leaves the file as it
    was before that batch.
    """
    total = Tally()
    for batch in _batches(before):
        if limit is not None and total.traces >= limit:
            break
        if archive is not None:
            if total.traces == 0 and archive.exists():
                _read_through(archive)
            _append(archive, batch)
        with transaction.atomic():
            Analysis.objects.filter(pk__in=[analysis.pk for analysis in batch]).update(trace=[])
        total.traces += len(batch)
        total.bytes += sum(map(_size, batch))
        progress(total)
    return total


def prune_as_set() -> int:
    """What django-q calls every hour: does nothing unless RETENTION_DAYS is set; returns how many it removed."""
    days: int = settings.RETENTION_DAYS
    return prune(before=since(days), limit=EACH_TIME).traces if days else 0


def _batches(before: datetime) -> Iterator[list[Analysis]]:
    """Analyses with a trace that were made before a moment, oldest first."""
    rows: QuerySet[Analysis] = (
        # The key carries the time, and has an index.
        Analysis.objects.filter(pk__lt=first_id_of(before), created_at__lt=before)
        .exclude(trace=[])
        .only("created_at", "feedback_id", "version_id", "trace")
        .order_by("pk")
    )
    last: UUID | None = None
    while batch := list((rows if last is None else rows.filter(pk__gt=last))[:BATCH]):
        last = batch[-1].pk
        yield batch


def _size(analysis: Analysis) -> int:
    return len(json.dumps(analysis.trace).encode())


def _read_through(archive: Path) -> None:
    """Raises Damaged; reads it whole, since what a kill or a power cut left is found only at its end."""
    try:
        # Another run may be adding to it: half of what it writes is no damage.
        with archive.open("rb") as file, gzip.open(file) as lines:
            fcntl.flock(file, fcntl.LOCK_SH)
            while lines.read(1 << 20):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Damaged(str(error)) from error


def _append(file: Path, batch: Sequence[Analysis]) -> None:
    """Add a batch as a gzip member of its own, whole or not at all."""
    lines = [json.dumps(_record(analysis), ensure_ascii=False) + "\n" for analysis in batch]
    left = memoryview(gzip.compress("".join(lines).encode()))
    with _private(file) as raw:
        size = os.fstat(raw.fileno()).st_size
        try:
            while left:
                left = left[raw.write(left) :]
            os.fsync(raw.fileno())
        except BaseException:
            os.ftruncate(raw.fileno(), size)
            raise


def _record(analysis: Analysis) -> dict[str, Any]:
    return {
        "analysis": str(analysis.pk),
        "feedback": str(analysis.feedback_id),
        "version": str(analysis.version_id),
        "created_at": analysis.created_at.isoformat(),
        "trace": analysis.trace,
    }


@contextmanager
def _private(file: Path) -> Iterator[FileIO]:
    """The file, to append to; a new one can be read by its owner only, since traces quote what people wrote.

    Nobody else adds to it meanwhile, and nothing is written later than it is asked for.
    """
    with FileIO(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as raw:
        fcntl.flock(raw, fcntl.LOCK_EX)
        yield raw
