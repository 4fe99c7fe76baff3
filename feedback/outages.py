"""What a client is told while the database cannot work: it is away, locked by somebody else, or its disk is full."""

from __future__ import annotations

import sys
from typing import Final, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpResponseBase

from feedback.transactions import was_in_the_way

RETRY_SECONDS: Final = 10
SENTENCE: Final = "Your feedback could not be stored just now. Please send it again in a minute."

ResponseT = TypeVar("ResponseT", bound=HttpResponseBase)


def is_one(error: BaseException | None) -> bool:
    """Whether the same request can succeed later; a table that is missing will be missing then too."""
    cause = error.__cause__ if error else None
    if isinstance(error, OperationalError | InterfaceError):
        # SQLite has no other type for a statement that it does not understand.
        return getattr(cause, "sqlite_errorname", "") != "SQLITE_ERROR"
    # MongoDB's backend wraps its driver's errors in one type for all, and not everywhere.
    driver = sys.modules.get("pymongo.errors")
    away = driver is not None and any(isinstance(each, driver.ConnectionFailure) for each in (error, cause))
    return away or (isinstance(error, DatabaseError) and was_in_the_way(error))


def mark(response: ResponseT) -> ResponseT:
    """Tell machines when to ask again."""
    response["Retry-After"] = str(RETRY_SECONDS)
    return response
