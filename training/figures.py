"""A number with its interval and n, as stored and as staff read it; free of numpy, which the web process has not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

NOTHING: Final = "–"
# No count and no share is as large; what is not a number is not smaller either.
BEYOND: Final = 1e12
_Z: Final = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its 95 % interval and how many items it stands on; None where nothing speaks for it."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> Figure:
        """From {"value", "low", "high", "n"}; whatever is absent or not a finite number is None."""
        found = stored or {}
        value, low, high = (finite(found.get(name)) for name in ("value", "low", "high"))
        return cls(value, low, high, int(finite(found.get("n")) or 0))

    @classmethod
    def share(cls, hits: int, n: int) -> Figure:
        """A share of independent cases with Wilson's interval, which holds at small n and near 0 and 1."""
        if not n:
            return cls()
        share, spread = hits / n, _Z**2 / n
        middle = (share + spread / 2) / (1 + spread)
        half = math.sqrt(spread * share * (1 - share) + spread**2 / 4) / (1 + spread)
        return cls(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)), n)

    @property
    def complement(self) -> Figure:
        """The share of the others."""
        if self.value is None or self.low is None or self.high is None:
            return Figure(n=self.n)
        return Figure(1 - self.value, 1 - self.high, 1 - self.low, self.n)

    @property
    def percent(self) -> str:
        return percent(self.value)

    @property
    def span(self) -> str:
        """The interval in hundredths, or a dash."""
        if self.low is None or self.high is None:
            return NOTHING
        return f"{100 * self.low:.1f} to {100 * self.high:.1f}"

    @property
    def points(self) -> str:
        """A difference in points of a hundred."""
        return NOTHING if self.value is None else signed(self.value)

    @property
    def signed_span(self) -> str:
        if self.low is None or self.high is None:
            return NOTHING
        return f"{signed(self.low)} to {signed(self.high)}"


def minus(first: Figure, second: Figure) -> Figure:
    """first - second of independent figures, its interval made of theirs (MOVER), so that both may be unsure."""
    if first.value is None or first.low is None or first.high is None:
        return Figure()
    if second.value is None or second.low is None or second.high is None:
        return Figure()
    apart = first.value - second.value
    return Figure(
        apart,
        apart - math.hypot(first.value - first.low, second.high - second.value),
        apart + math.hypot(first.high - first.value, second.value - second.low),
        min(first.n, second.n),
    )


def finite(value: Any) -> float | None:
    """A number that can be drawn, or None: JSON may hold null, and what an older release stored may hold anything."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < BEYOND:
        return None
    return float(value)


def percent(share: float | None, *, places: int = 1) -> str:
    return NOTHING if share is None else f"{100 * share:.{places}f} %"


def signed(difference: float) -> str:
    """Points of a hundred with a sign; what rounds to nothing has none."""
    text = f"{100 * difference:+.1f}".replace("-", "−")
    return "0.0" if text in ("+0.0", "−0.0") else text
