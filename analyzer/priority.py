"""How far in front an item stands: 0 to 100, with the sum a person can read."""

from __future__ import annotations

import math
from typing import Final

from analyzer.schema import Reason
from analyzer.taxonomy import Category, Severity

# Severity decides the band; everything else together moves an item by less than the gap between two bands,
# so that no low report ever stands before a high one.
SEVERITY_POINTS: Final = {Severity.CRITICAL: 88, Severity.HIGH: 62, Severity.MEDIUM: 37, Severity.LOW: 12}
CATEGORY_POINTS: Final = {
    Category.WEBSITE_BUG: 4,
    Category.FRAMEWORK_ISSUE: 3,
    Category.CONTENT_GAP: 1,
    Category.FEATURE_REQUEST: 0,
    Category.POSITIVE: -4,
    Category.NOISE: -6,
}
RATING_POINTS: Final = {1: 3, 2: 2, 3: 0, 4: -1, 5: -2}
TYPE_POINTS: Final = {"bug": 1, "commercial": 2}
SIMILAR_MAX: Final = 4
# A text that governance held waits in front of everything.
HELD: Final = 100
# Until an analysis is there: behind the urgent, before the rest.
UNKNOWN: Final = 50


def score(
    *,
    severity: str,
    category: str,
    rating: int | None = None,
    similar: int = 0,
    form_type: str = "",
    held: bool = False,
) -> tuple[int, tuple[Reason, ...]]:
    """The priority and its summands; monotone in severity with everything else the same."""
    if held:
        return HELD, (Reason(label="held by governance: a person looks first", points=HELD),)
    reasons = [
        Reason(label=f"severity {severity}", points=SEVERITY_POINTS[Severity(severity)]),
        Reason(label=f"category {category}", points=CATEGORY_POINTS[Category(category)]),
    ]
    if rating is not None:
        reasons.append(Reason(label=f"rating {rating} of 5", points=RATING_POINTS[rating]))
    if similar > 0:
        label = f"{similar} similar report{'s' if similar > 1 else ''}"
        reasons.append(Reason(label=label, points=similar_points(similar)))
    if form_type in TYPE_POINTS:
        reasons.append(Reason(label=f"form type {form_type}", points=TYPE_POINTS[form_type]))
    shown = tuple(reason for reason in reasons if reason.points)
    return max(0, min(100, round(sum(reason.points for reason in shown)))), shown


def similar_points(similar: int) -> float:
    """What so many similar reports add: one for the first, one more each time their number doubles, up to a limit."""
    return min(SIMILAR_MAX, round(math.log2(1 + similar), 1))
