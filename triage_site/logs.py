"""How a log line looks: as text or as JSON, with the feedback's id and nobody's words.

A comment, a key or a password can hide in the message of an exception (a database quotes the row it refused), so an
exception is logged as its type and the frames it came through; its message stands on the item, where staff read it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from traceback import extract_tb
from typing import Any, Final
from uuid import UUID

# Our own lines about one feedback begin so, with its id as the first argument.
ABOUT: Final = "feedback %s"
# What django-q writes about a task that failed: its name, then the exception and a traceback as text.
TASK_FAILED: Final = ("django-q", "Failed '", " - ")
CAUSES_MAX: Final = 5


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """What a line says, in order; values come from our own calls and types, never from an exception's message."""
    line = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "event": _event(record),
    }
    if (feedback := _feedback(record)) is not None:
        line["feedback"] = str(feedback)
    extra: dict[str, Any] = getattr(record, "fields", {})
    error = record.exc_info[1] if record.exc_info else None
    return line | extra | ({"error": [_cause(cause) for cause in _chain(error)]} if error else {})


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(fields(record), default=str)


class LineFormatter(logging.Formatter):
    """The same for eyes: time, level, logger and event, then name=value; an exception's frames on further lines."""

    def format(self, record: logging.LogRecord) -> str:
        line = fields(record)
        causes = line.pop("error", [])
        head = " ".join(_printable(str(line.pop(name))) for name in ("time", "level", "logger", "event"))
        rest = [f"{name}={_printable(str(value))}" for name, value in line.items()]
        frames = [f"  {cause['type']}: {' < '.join(reversed(cause['frames']))}" for cause in causes]
        return "\n".join([" ".join([head, *rest]), *frames])


def _event(record: logging.LogRecord) -> str:
    arguments = record.args
    if isinstance(arguments, tuple):
        arguments = tuple(type(each).__name__ if isinstance(each, BaseException) else each for each in arguments)
    message = str(record.msg) % arguments if arguments else str(record.msg)
    logger, begins, ends = TASK_FAILED
    if record.name == logger and message.startswith(begins):
        return message.partition(ends)[0]
    return message


def _feedback(record: logging.LogRecord) -> UUID | None:
    named: UUID | None = getattr(record, "feedback", None)
    if named is None and str(record.msg).startswith(ABOUT) and isinstance(record.args, tuple):
        return next((each for each in record.args if isinstance(each, UUID)), None)
    return named


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and what caused it."""
    for _ in range(CAUSES_MAX):
        if error is None:
            return
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _cause(error: BaseException) -> dict[str, Any]:
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)]
    return {"type": f"{type(error).__module__}.{type(error).__qualname__}", "frames": frames}


def _printable(text: str) -> str:
    """On one line: a line break in a name that a visitor chose must not look like another event."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
