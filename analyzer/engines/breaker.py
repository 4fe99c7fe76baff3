"""A circuit breaker: an endpoint that failed several times in a row is left alone for a while, then probed once.

Without it each item of an outage would wait for the same timeouts again, and a slow endpoint would get no rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

FAILURES: Final = 5
PAUSE_SECONDS: Final = 30.0


class Breaker:
    """Counts failures in a row; one for each endpoint and process, for callers that ask one after the other."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._failed_at = 0.0

    @property
    def open(self) -> bool:
        """Whether not to ask now; once the pause is over one question is let through, and its fate decides."""
        return self._failures >= FAILURES and self._clock() < self._failed_at + PAUSE_SECONDS

    def succeed(self) -> None:
        """The endpoint answered, whatever it said."""
        self._failures = 0

    def fail(self) -> None:
        """The endpoint did not answer; from the fifth time in a row on, that starts a pause."""
        self._failures += 1
        self._failed_at = self._clock()
