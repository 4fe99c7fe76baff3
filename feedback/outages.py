"""What a client is told while the database cannot work: it is away, locked by somebody else, or its disk is full."""

from __future__ import annotations

from typing import Final, TypeVar

from django.db import InterfaceError, OperationalError
from django.http import HttpResponseBase

ERRORS: Final = (OperationalError, InterfaceError)
RETRY_SECONDS: Final = 10
SENTENCE: Final = "Your feedback could not be stored just now. Please send it again in a minute."

ResponseT = TypeVar("ResponseT", bound=HttpResponseBase)


def is_one(error: BaseException | None) -> bool:
    """Whether the same request can succeed later; a table that is missing will be missing then too."""
    # SQLite has no other type for a statement that it does not understand.
    return isinstance(error, ERRORS) and getattr(error.__cause__, "sqlite_errorname", "") != "SQLITE_ERROR"


def mark(response: ResponseT) -> ResponseT:
    """Tell machines when to ask again."""
    response["Retry-After"] = str(RETRY_SECONDS)
    return response
