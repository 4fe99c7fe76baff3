"""Submissions in a file: JSONL or CSV, read line by line, so that a bad line costs itself and nothing else."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TextIO

from django.utils import timezone
from django.utils.dateparse import parse_datetime

FIELDS: Final = ("type", "rating", "comment", "page", "page_title", "viewport")
LINE_MAX: Final = 1_000_000
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)


class BadRecord(ValueError):
    """A line that is no submission; the message says what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Record:
    """One line: where it stands, its identity, what FeedbackForm reads, and labels if it has some."""

    line: int
    source: str
    external_id: str
    data: dict[str, Any]
    category: str
    severity: str
    received_at: datetime | None


def read(path: Path, *, split: str | None = None) -> Iterator[Record | tuple[int, BadRecord]]:
    """The records of a .jsonl/.ndjson or .csv file in order; a bad line is yielded as its number and the error.

    With split only rows whose field split has this value.
    Raises BadRecord when the file as a whole cannot be read: an unknown kind, no header, not UTF-8.
    """
    kind = path.suffix.lower()
    if kind not in (".jsonl", ".ndjson", ".csv"):
        raise BadRecord(f"{path.name} is not .jsonl or .csv, so its format is not known.")
    rows = _csv_rows if kind == ".csv" else _json_rows
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line, row in rows(file):
                try:
                    fields = row if isinstance(row, dict) else _object(row)
                    if split is None or fields.get("split") == split:
                        yield _record(line, fields, default_source=path.stem)
                except BadRecord as error:
                    yield line, error
    except UnicodeDecodeError as error:
        raise BadRecord(f"{path.name} is not UTF-8 text (byte {error.start} of a block); convert it first.") from None


def count_lines(path: Path) -> int:
    """How many lines there are, for a progress bar; reads the file once without keeping it."""
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _json_rows(file: TextIO) -> Iterator[tuple[int, Any]]:
    for line, text in enumerate(file, start=1):
        if text.strip():
            yield line, text


def _object(text: str) -> dict[str, Any]:
    if len(text) > LINE_MAX:
        raise BadRecord(f"the line has {len(text)} characters; at most {LINE_MAX} are read")
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRecord(f"this is not JSON ({error})") from None
    if not isinstance(row, dict):
        raise BadRecord('a line must be a JSON object such as {"comment": "…", "rating": 4}')
    return row


def _csv_rows(file: TextIO) -> Iterator[tuple[int, Any]]:
    reader = csv.DictReader(file, strict=True)
    try:
        header = reader.fieldnames or []
        if "comment" not in header and "rating" not in header:
            raise BadRecord("line 1: the header names neither a comment nor a rating column")
        for row in reader:
            if None in row:
                yield reader.line_num, {"": "more fields than the header has"}
            else:
                yield reader.line_num, row
    except csv.Error as error:
        raise BadRecord(f"line {reader.line_num}: {error}") from None


def _record(line: int, row: dict[str, Any], *, default_source: str) -> Record:
    if "" in row:
        raise BadRecord(str(row[""]))
    for name in (*FIELDS, "id", "source", "category", "severity", "received_at"):
        value = row.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int | float | None):
            raise BadRecord(f"{name} must be text or a number, not {type(value).__name__}")
    external_id = _text(row.get("id"))
    if not external_id:
        raise BadRecord("there is no id, without which a second import could not know the row again")
    if len(external_id) > 200:
        raise BadRecord("the id is longer than 200 characters")
    source = _text(row.get("source")) or default_source
    if not (external_id.isprintable() and source.isprintable()):
        # Databases differ in which of these they store, and none shows them to staff.
        raise BadRecord("the id or the source has characters that nobody can read")
    return Record(
        line=line,
        source=f"import:{source}"[:60],
        external_id=external_id,
        # A spreadsheet writes 4 stars as 4.0.
        data={name: _text(row.get(name)) for name in FIELDS} | {"rating": _text(row.get("rating")).removesuffix(".0")},
        category=_text(row.get("category")),
        severity=_text(row.get("severity")),
        received_at=_time(_text(row.get("received_at"))),
    )


def _text(value: object) -> str:
    """A field as a form would have sent it."""
    return "" if value is None else str(value)


def _time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise BadRecord(f"received_at {text!r} is no time such as 2026-11-23T09:00:00Z")
    try:
        moment = (moment if timezone.is_aware(moment) else timezone.make_aware(moment)).astimezone(UTC)
    except OverflowError:
        raise BadRecord(f"received_at {text!r} is outside the calendar") from None
    if not EARLIEST <= moment <= timezone.now() + timedelta(days=1):
        raise BadRecord(f"received_at {text!r} lies before 1970 or in the future")
    return moment
