"""Submissions in a file: JSONL or CSV, read line by line, so that a bad line costs itself and nothing else."""

from __future__ import annotations

import codecs
import csv
import json
from collections import deque
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
    """A record that is no submission; the message says what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Record:
    """One submission: its first line, its identity, what FeedbackForm reads, and labels if it has some."""

    line: int
    source: str
    external_id: str
    data: dict[str, Any]
    category: str
    severity: str
    received_at: datetime | None


# The line where it begins, and its fields by name, or what is wrong with it.
Row = tuple[int, dict[str, Any] | BadRecord]


def read(path: Path, *, split: str | None = None) -> Iterator[Record | tuple[int, BadRecord]]:
    """The records of a .jsonl/.ndjson or .csv file in order; a bad one is yielded as its first line and the error.

    With split only rows whose field split has this value. Keeps one record at a time, and none of over LINE_MAX.
    Raises BadRecord, before the first record, when the file as a whole cannot be read: an unknown kind, no header,
    UTF-16.
    """
    kind = path.suffix.lower()
    if kind not in (".jsonl", ".ndjson", ".csv"):
        raise BadRecord(f"{path.name} is not .jsonl or .csv, so its format is not known.")
    with path.open("rb") as raw:
        start = raw.read(2)
    if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\0" in start:
        raise BadRecord(f"{path.name} is not UTF-8 but UTF-16 text; convert it first: iconv -f UTF-16 -t UTF-8.")
    rows = _csv_rows if kind == ".csv" else _json_rows
    # What is not UTF-8 comes as lone surrogates, which UTF-8 cannot hold, so that it spoils its own record only.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        for line, row in rows(file):
            if isinstance(row, BadRecord):
                yield line, row
            elif split is None or row.get("split") == split:
                try:
                    yield _record(line, row, default_source=path.stem)
                except BadRecord as error:
                    yield line, error


def count_lines(path: Path) -> int:
    """How many line ends there are, for a progress bar; reads the file once without keeping it."""
    with path.open("rb") as file:
        return sum(part.count(b"\n") for part in iter(lambda: file.read(1 << 20), b""))


def _json_rows(file: TextIO) -> Iterator[Row]:
    for line, text in enumerate(iter(lambda: _line(file), ""), start=1):
        if text.strip():
            try:
                yield line, _object(text)
            except BadRecord as error:
                yield line, error


def _object(text: str) -> dict[str, Any]:
    if len(text) > LINE_MAX:
        raise BadRecord(f"the line has more than {LINE_MAX} characters, and no more are read")
    _check_encoding(text)
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRecord(f"this is not JSON ({error})") from None
    if not isinstance(row, dict):
        raise BadRecord('a line must be a JSON object such as {"comment": "…", "rating": 4}')
    return row


def _csv_rows(file: TextIO) -> Iterator[Row]:
    lines = _Lines(file)
    reader = csv.reader(lines, strict=True)
    try:
        header = next(reader, [])
    except (csv.Error, BadRecord) as error:
        raise BadRecord(f"line 1: {error}") from None
    if "comment" not in header and "rating" not in header:
        raise BadRecord("line 1: the header names neither a comment nor a rating column")
    after_broken, usual = False, len(header)
    while True:
        lines.begin_record()
        try:
            cells = next(reader)
            _check_encoding("".join(cells))
            if len(cells) > len(header):
                raise BadRecord("more fields than the header has")
            if cells and after_broken and len(cells) < usual:
                raise BadRecord("fewer fields than a row has here, so this may be the rest of a broken record")
        except StopIteration:
            return
        except csv.Error as error:
            lines.give_back()
            after_broken = True
            yield lines.first, BadRecord(f"this is not CSV ({error}); a quote inside a field is written twice")
        except BadRecord as error:
            yield lines.first, error
        else:
            if cells:
                after_broken, usual = False, len(cells)
                # A column without a name is a spreadsheet's or a row number, and nothing of ours.
                yield lines.first, {name: cell for name, cell in zip(header, cells, strict=False) if name}


class _Lines:
    """The lines of a CSV file, which know where the record begins that csv reads from them.

    Raises BadRecord, and can go on, when a record has more than LINE_MAX characters.
    """

    def __init__(self, file: TextIO) -> None:
        self.first = 1
        self._file = file
        self._given: list[str] = []
        self._size = 0
        self._again: deque[str] = deque()

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        text = self._again.popleft() if self._again else _line(self._file)
        if not text:
            raise StopIteration
        self._given.append(text)
        self._size += len(text)
        if self._size > LINE_MAX:
            raise BadRecord(f"the row has more than {LINE_MAX} characters, and no more are read")
        return text

    def begin_record(self) -> None:
        self.first += len(self._given)
        self._given, self._size = [], 0

    def give_back(self) -> None:
        """Read all lines of this record but its first again: a quote that is never closed swallows good ones."""
        self._again.extendleft(reversed(self._given[1:]))
        del self._given[1:]


def _line(file: TextIO) -> str:
    """The next line, "" at the end; of one that is longer than LINE_MAX the start, still longer than that."""
    text = rest = file.readline(LINE_MAX + 1)
    while len(rest) > LINE_MAX and not rest.endswith("\n"):
        rest = file.readline(LINE_MAX + 1)
    return text


def _check_encoding(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        byte = ord(text[error.start]) - 0xDC00
        raise BadRecord(f"byte 0x{byte:02X} is not UTF-8 text; convert the file first") from None


def _record(line: int, row: dict[str, Any], *, default_source: str) -> Record:
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
