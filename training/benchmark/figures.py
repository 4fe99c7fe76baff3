"""Figures of a run: one value a repeat, shown as median and range, beside the floor of the same repeat."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and range over the repeats."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))

    def shown(self, digits: int) -> str:
        if self.lowest == self.highest:
            return f"{self.median:,.{digits}f}"
        return f"{self.median:,.{digits}f} ({self.lowest:,.{digits}f}–{self.highest:,.{digits}f})"

    def as_dict(self) -> dict[str, float]:
        return {"median": self.median, "lowest": self.lowest, "highest": self.highest}


@dataclass(slots=True)
class Stage:
    """Items a second of one stage, a value a repeat, with the milliseconds of CPU that an item took where known."""

    name: str
    unit: str = "items"
    floor: str = ""
    n: list[int] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def add(self, *, n: int, seconds: float, cpu_seconds: float | None = None) -> None:
        self.n.append(n)
        self.rates.append(n / seconds)
        if cpu_seconds is not None:
            self.cpu_ms.append(1000 * cpu_seconds / n)


class Stages:
    """The stages of a run in the order in which they were first measured."""

    def __init__(self) -> None:
        self._stages: dict[str, Stage] = {}

    def __iter__(self) -> Iterator[Stage]:
        return iter(self._stages.values())

    def __contains__(self, name: str) -> bool:
        return name in self._stages

    def __getitem__(self, name: str) -> Stage:
        return self._stages[name]

    def stage(self, name: str, *, unit: str = "items", floor: str = "") -> Stage:
        return self._stages.setdefault(name, Stage(name, unit, floor))

    def ratio(self, name: str, floor: str) -> Spread | None:
        """A stage's rate as a share of its floor's, repeat by repeat; None where either was not measured."""
        if name not in self or floor not in self:
            return None
        pairs = zip(self[name].rates, self[floor].rates, strict=True)
        return Spread.of([rate / of for rate, of in pairs])

    def as_dicts(self) -> list[dict[str, Any]]:
        """Every stage as JSON-ready values."""
        return [
            {
                "stage": stage.name,
                "unit": stage.unit,
                "n": min(stage.n),
                "repeats": len(stage.rates),
                "per_second": Spread.of(stage.rates).as_dict(),
                "cpu_ms": Spread.of(stage.cpu_ms).as_dict() if stage.cpu_ms else None,
                "floor": stage.floor,
                "ratio": ratio.as_dict() if (ratio := self.ratio(stage.name, stage.floor)) else None,
            }
            for stage in self
        ]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
