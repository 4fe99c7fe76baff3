"""When a field counts as "not sure": below the threshold of the version that gave the opinion."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.models import Analysis, AnalyzerVersion
from analyzer.verdict import DEFAULT_THRESHOLD

FIELDS = ("category", "severity")


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure the machine is of one field; share is in [0, 1]."""

    share: float
    sure: bool

    @property
    def percent(self) -> str:
        return f"{self.share:.0%}".replace("%", " %")

    def __str__(self) -> str:
        return self.percent if self.sure else f"{self.percent}, not sure"


def of(analysis: Analysis, field: str) -> Confidence:
    """The confidence of "category" or "severity"; reads the version's thresholds, which should be selected with it."""
    share = analysis.category_confidence if field == "category" else analysis.severity_confidence
    return Confidence(share, share >= threshold(analysis.version, field))


def threshold(version: AnalyzerVersion, field: str) -> float:
    return float(version.thresholds.get(field, DEFAULT_THRESHOLD))
