"""Transactions that lose against another one are made again, here and nowhere else.

Where writers wait for each other (SQLite) none loses. PostgreSQL breaks a deadlock by failing one of the two; MongoDB
lets nobody wait, so that of two that touch one row at a time the later one fails at once.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from django.db import DatabaseError, connection, transaction

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

ATTEMPTS: Final = 6
# Seconds that the first repetition may wait; each further one twice as long, and a random part of it.
PAUSE: Final = 0.02
_DEADLOCK_OR_SERIALIZATION: Final = frozenset({"40001", "40P01"})


def transact(work: Callable[[], Result], *, again_on: tuple[type[DatabaseError], ...] = ()) -> Result:
    """Do work in one transaction, from the start again where another one was in its way, at most ATTEMPTS times.

    work must read what it needs itself. again_on names further errors that are worth a new look at the rows. Inside a
    transaction nothing is repeated, since only the outermost one can be; a caller there gets the error.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return work()
        except DatabaseError as error:
            worth_it = isinstance(error, again_on) or was_in_the_way(error)
            if attempt == ATTEMPTS or connection.in_atomic_block or not worth_it:
                raise
        time.sleep(random.uniform(0, PAUSE * 2**attempt))  # noqa: S311 (only keeps two from meeting again)
    raise AssertionError("unreachable")


def transactional(work: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """All that a function does in one transaction, as transact makes it."""

    @wraps(work)
    def make(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return transact(lambda: work(*args, **kwargs))

    return make


def was_in_the_way(error: DatabaseError) -> bool:
    """Whether a transaction failed only because of another one, as the driver says it."""
    cause = error.__cause__
    labelled = getattr(cause, "has_error_label", None)
    if labelled is not None:
        return bool(labelled("TransientTransactionError"))
    return getattr(cause, "sqlstate", None) in _DEADLOCK_OR_SERIALIZATION
