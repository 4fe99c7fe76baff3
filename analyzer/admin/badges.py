"""What is special about an item, in two or three words each; the reason is there to be read in full."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from analyzer.models import Analysis, QueueItem
from analyzer.taxonomy import Route
from feedback.choices import ComplianceOutcome
from feedback.models import Feedback

DANGER, WARNING, INFO, QUIET = "danger", "warning", "info", "quiet"
INJECTION_RULES = frozenset({"injection", "prompt-injection"})
EXCERPT = 48


@dataclass(frozen=True, slots=True)
class Badge:
    """A short text and how loud it is; why is one sentence, or empty."""

    text: str
    tone: str
    why: str = ""


def of_item(item: QueueItem) -> list[Badge]:
    """Loudest first. What the row says anyway (how sure, how many stars) is not repeated."""
    found = [*of_feedback(item.feedback)]
    if item.analysis:
        found += _of_analysis(item.analysis)
    if item.edited:
        why = "It was edited at its source after somebody decided; until it is decided anew, nothing learns from it."
        found.append(Badge("changed since the decision", WARNING, why))
    if item.similar:
        found.append(Badge(f"{item.similar} similar", INFO, "Other reports that say nearly the same."))
    if item.stage in (QueueItem.Stage.PENDING, QueueItem.Stage.RUNNING) and item.analysis:
        found.append(Badge("being analysed anew", INFO))
    loudness = (DANGER, WARNING, INFO, QUIET)
    # One badge per text: governance and the agent may both have noticed the same thing.
    return sorted({badge.text: badge for badge in found}.values(), key=lambda badge: loudness.index(badge.tone))


def of_feedback(said: Feedback) -> list[Badge]:
    found = []
    reasons = " ".join(finding["reason"] for finding in said.findings if finding["rule"] not in INJECTION_RULES)
    if said.compliance == ComplianceOutcome.HOLD:
        found.append(Badge("held for a person", DANGER, reasons))
    elif said.compliance == ComplianceOutcome.FLAG and reasons:
        found.append(Badge("flagged", WARNING, reasons))
    for finding in said.findings:
        if finding["rule"] in INJECTION_RULES:
            found.append(Badge("injection", DANGER, finding["reason"]))
    if said.pii:
        kinds = ", ".join(f"{count} × {kind}" for kind, count in sorted(said.pii.items()))
        found.append(Badge(f"PII removed: {sum(said.pii.values())}", QUIET, f"Redacted before storing: {kinds}."))
    if said.synthetic:
        found.append(Badge("demo", QUIET, "Made up for the demo; not counted in any figure."))
    return found


def _of_analysis(analysis: Analysis) -> list[Badge]:
    found = []
    reasons = {finding["rule"]: finding["reason"] for finding in analysis.findings}
    if analysis.needs_person:
        crossed = " ".join(reason for rule, reason in reasons.items() if rule.startswith("boundary-"))
        found.append(Badge("needs a person", DANGER, crossed))
    for rule, reason in reasons.items():
        if rule in INJECTION_RULES:
            found.append(Badge("injection", DANGER, reason))
    if "severity-floor" in reasons:
        found.append(Badge(f"raised to {analysis.severity}", WARNING, reasons["severity-floor"]))
    if "outside-map" in reasons:
        found.append(Badge("not what the form says", WARNING, reasons["outside-map"]))
    if analysis.fallback_reason:
        found.append(Badge(f"answered by {analysis.engine}", WARNING, analysis.fallback_reason))
    if analysis.route == Route.PEOPLE:
        found.append(Badge("pass on to people", INFO, "A business matter: it is never binned, whatever it is called."))
    return found


def excerpt(said: Feedback, *, most: int = EXCERPT) -> str:
    """Enough of a comment to recognise it by: by default what a message or an accessible name has room for."""
    words = " ".join(said.comment.split())
    if not words:
        return f"{said.rating} stars, no comment" if said.rating else "no comment"
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def age(waiting: timedelta) -> str:
    """How long ago, in one unit: what a person compares rows by."""
    minutes = max(0, int(waiting.total_seconds() // 60))
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h"
    days = minutes // (24 * 60)
    return f"{days} d" if days < 60 else f"{days // 30} months"
