"""The reward, defined once.

quality(prediction, task) judges an analysis before anybody looked at it; reward(prediction, decision) judges it
against what a person decided. They are different questions and never mixed: a machine that scores itself learns
to please itself.

reward, per field, each in [0, 1]:
    category   1 if the person kept it, else 0
    severity   1 - |levels apart| / 3
    action     1 if kept word for word, else the share of it that was kept (rapidfuzz token_sort_ratio)
    priority   1 - |points apart| / 100
total = the mean of the judged fields weighted 0.5, 0.25, 0.15, 0.1. A field that the person did not judge (an
imported label without severity, the action of an item moved to another category) is left out, and the other weights
are scaled up.

refine(total, category, outcome) looks at it a third time, when it is known what came of the item:
    refined = 0.8 * total + 0.2 * worth, where worth is
        1    what the category promises: a bug fixed, a gap filled or answered, a wish planned, praise answered
        0.5  something else was done: somebody acted, but the category was hardly why
        0    something was done about what had been called praise or noise, or it was closed and came back
    A duplicate and a won't-fix say nothing about the category: refined = total.
"""

from __future__ import annotations

import math
from typing import Final, TypedDict

from rapidfuzz import fuzz

from analyzer.floor import find as find_floor
from analyzer.schema import Task
from analyzer.taxonomy import Category, Outcome, Severity, inside_map

WEIGHTS: Final = {"category": 0.5, "severity": 0.25, "action": 0.15, "priority": 0.1}
MIN_ACTION_WORDS: Final = 4

# Outcomes that mean that somebody did something.
ACTIONS: Final = frozenset({Outcome.FIXED, Outcome.ANSWERED, Outcome.CONTENT_ADDED, Outcome.PLANNED})
PROMISED: Final = {
    Category.WEBSITE_BUG: frozenset({Outcome.FIXED}),
    Category.FRAMEWORK_ISSUE: frozenset({Outcome.FIXED}),
    Category.CONTENT_GAP: frozenset({Outcome.CONTENT_ADDED, Outcome.ANSWERED}),
    Category.FEATURE_REQUEST: frozenset({Outcome.PLANNED}),
    Category.POSITIVE: frozenset({Outcome.ANSWERED}),
    Category.NOISE: frozenset(),
}
OUTCOME_WEIGHT: Final = 0.2
# What refine calls it when a closed item came back.
REOPENED: Final = "reopened"


class Judged(TypedDict, total=False):
    """The four fields, of a prediction or of a decision; None or absent means not judged."""

    category: str | None
    severity: str | None
    action: str | None
    priority: int | None


def reward(prediction: Judged, decision: Judged) -> dict[str, float]:
    """Reward per judged field and total, each in [0, 1]; a decision closer to the prediction never gives less.

    Raises ValueError when the decision judges nothing: such a row teaches nothing and must not count as zero.
    """
    fields: dict[str, float] = {}
    category, severity = decision.get("category"), decision.get("severity")
    action, priority = decision.get("action"), decision.get("priority")
    if category is not None:
        fields["category"] = float(prediction.get("category") == category)
    if severity is not None:
        predicted = prediction.get("severity")
        apart = 3 if predicted is None else abs(Severity(predicted).level - Severity(severity).level)
        fields["severity"] = 1 - apart / 3
    if action is not None:
        fields["action"] = fuzz.token_sort_ratio(prediction.get("action") or "", action) / 100
    if priority is not None:
        # A machine that gave none was as far off as one can be.
        given = prediction.get("priority")
        fields["priority"] = 0.0 if given is None else max(0.0, 1 - abs(given - priority) / 100)
    if not fields:
        raise ValueError("The decision judges no field, so there is no reward.")
    weight = math.fsum(WEIGHTS[field] for field in fields)
    total = math.fsum(WEIGHTS[field] * value for field, value in fields.items()) / weight
    return fields | {"total": min(1.0, max(0.0, total))}


def refine(total: float, *, category: str, outcome: str) -> float:
    """The reward of a decision in the light of what came of it, in [0, 1]; it never falls when the reward rises.

    outcome is an Outcome, REOPENED, or empty for nothing yet.
    """
    worth = _worth(category, outcome)
    return total if worth is None else min(1.0, (1 - OUTCOME_WEIGHT) * total + OUTCOME_WEIGHT * worth)


def _worth(category: str, outcome: str) -> float | None:
    if outcome == REOPENED:
        return 0.0
    if outcome not in ACTIONS:
        return None
    if outcome in PROMISED[Category(category)]:
        return 1.0
    return 0.0 if category in (Category.POSITIVE, Category.NOISE) else 0.5


def quality(prediction: Judged, task: Task) -> dict[str, float]:
    """What can be said of an analysis without a person: each part in [0, 1], total is their mean.

    formed: all four fields are there. mapped: inside what the form type promises. concrete: the action has enough
    words and names the page or quotes the comment. floor: not below the deterministic severity floor.
    """
    action = prediction.get("action") or ""
    severity = prediction.get("severity")
    floor = find_floor(task.comment)
    parts = {
        "formed": float(
            bool(prediction.get("category") and severity and action and prediction.get("priority") is not None)
        ),
        "mapped": float(inside_map(task.type, prediction.get("category") or "")),
        "concrete": float(is_concrete(action, task)),
        "floor": float(
            floor is None or (severity is not None and Severity(severity).level >= Severity(floor.severity).level)
        ),
    }
    return parts | {"total": math.fsum(parts.values()) / len(parts)}


def is_concrete(action: str, task: Task) -> bool:
    """Whether somebody could start on the action: it says something, and it says where or about which words."""
    if len(action.split()) < MIN_ACTION_WORDS:
        return False
    if not task.comment and not task.page:
        return True
    lowered = action.lower()
    names_page = bool(task.page) and task.page.lower() in lowered
    words = task.comment.lower().split()
    quotes = any(" ".join(words[i : i + 3]) in lowered for i in range(max(1, len(words) - 2))) if words else False
    return names_page or quotes
