"""From an engine's opinion to a verdict: the rules that hold whatever the model says."""

from __future__ import annotations

from typing import Final, TypeVar

from analyzer import actions, boundaries, floor, priority, rewards
from analyzer.engines import Reply
from analyzer.schema import Finding, Task, Verdict
from analyzer.taxonomy import Severity, inside_map, route

LabelT = TypeVar("LabelT")

# Leaving what the form type promises costs this share of the confidence.
OUTSIDE_MAP_FACTOR: Final = 0.7
# Below this a field says "not sure", where the version does not say otherwise.
DEFAULT_THRESHOLD: Final = 0.5


def conclude(task: Task, reply: Reply, *, thresholds: dict[str, float] | None = None) -> Verdict:
    """Apply form-type map, severity floor, action boundaries and priority to an engine's reply.

    The result never ranks below the floor, never carries an unchecked action, and quotes only what was said.
    """
    limits = thresholds or {}
    prediction = reply.prediction
    findings: list[Finding] = []
    category, severity = prediction.category, prediction.severity
    confidence = prediction.category_probabilities.get(category, 0.0)
    severity_confidence = prediction.severity_probabilities.get(severity, 0.0)

    if not inside_map(task.type, category):
        confidence *= OUTSIDE_MAP_FACTOR
        findings.append(
            Finding(
                rule="outside-map",
                reason=f"The form type {task.type} does not lead one to expect {category}.",
            )
        )
    found = floor.find(task.comment)
    if found and Severity(found.severity).level > severity.level:
        findings.append(
            Finding(
                rule="severity-floor",
                reason=f"Raised from {severity} to {found.severity}: “{found.quote}” ({found.rule}).",
            )
        )
        severity = Severity(found.severity)
        severity_confidence = 1.0
    if confidence < limits.get("category", DEFAULT_THRESHOLD):
        findings.append(Finding(rule="not-sure-category", reason=f"Not sure of the category ({confidence:.0%})."))
    if severity_confidence < limits.get("severity", DEFAULT_THRESHOLD):
        findings.append(
            Finding(rule="not-sure-severity", reason=f"Not sure of the severity ({severity_confidence:.0%}).")
        )
    if task.injection:
        findings.append(Finding(rule="injection", reason="The comment tries to give the model orders."))

    evidence = tuple(quote for quote in prediction.evidence if quote in task.comment)
    action = prediction.action
    if not rewards.is_concrete(action, task):
        action = actions.suggest(task, category=category, severity=severity, evidence=evidence)
    crossed = boundaries.check(_without_quotes(action, task))
    findings += [Finding(rule=f"boundary-{boundary.rule}", reason=boundary.reason) for boundary in crossed]

    points, reasons = priority.score(
        severity=severity,
        category=category,
        rating=task.rating,
        similar=task.similar,
        form_type=task.type,
        held=task.held,
    )
    return Verdict(
        category=category,
        severity=severity,
        action=action,
        priority=points,
        priority_reasons=reasons,
        category_confidence=confidence,
        severity_confidence=severity_confidence,
        category_probabilities=_rounded(prediction.category_probabilities),
        severity_probabilities=_rounded(prediction.severity_probabilities),
        evidence=evidence,
        findings=tuple(findings),
        needs_person=bool(crossed),
        route=route(task.type, category),
        engine=reply.engine,
        fallback_reason=reply.note,
        usage=reply.usage,
    )


def _without_quotes(action: str, task: Task) -> str:
    """The action without the page and the person's own words: what they ask for is not what we would do.

    Only words that the comment really contains count as a quotation; else a model could hide a promise in quotes.
    """
    said = " ".join(task.comment.split())
    for part in action.split("“")[1:]:
        quote = part.split("”", 1)[0]
        if quote and quote.rstrip("…") in said:
            action = action.replace(quote, "")
    return action.replace(task.page, "") if task.page else action


def _rounded(probabilities: dict[LabelT, float]) -> dict[LabelT, float]:
    return {label: round(value, 4) for label, value in probabilities.items()}
