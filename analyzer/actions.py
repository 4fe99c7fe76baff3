"""Suggested actions that somebody can start on: they name the page and quote the person."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from analyzer.schema import ACTION_MAX, Task
from analyzer.taxonomy import Category, Severity
from feedback.governance.pii import redact

QUOTE_CHARS: Final = 120
WHERE_CHARS: Final = 160
_URGENT: Final = frozenset({Severity.CRITICAL, Severity.HIGH})

# {where} is " on <page>" or nothing; {quote} is the person's own words.
_TEMPLATES: Final = {
    Category.WEBSITE_BUG: "Reproduce “{quote}”{where}, note browser and steps, and fix what fails.",
    Category.FRAMEWORK_ISSUE: "Write a failing test for “{quote}”{where} and trace it to the component that breaks.",
    Category.CONTENT_GAP: "Find the page that should answer “{quote}”{where} and draft the missing passage.",
    Category.FEATURE_REQUEST: "Add “{quote}”{where} to the backlog and count who else asked for it.",
    Category.POSITIVE: "Share “{quote}”{where} with the people who built it; nothing to fix.",
    Category.NOISE: "Set “{quote}”{where} aside; nothing in it can be acted on.",
}
_SILENT: Final = "Compare {rating}{where} with what others gave; there is no comment to act on."


def suggest(task: Task, *, category: Category, severity: Severity, evidence: tuple[str, ...] = ()) -> str:
    """A concrete next step for an item, without a model."""
    where = f" on {task.page}" if task.page else ""
    quote = shorten(evidence[0] if evidence else task.comment, QUOTE_CHARS)
    if not quote:
        rating = f"the {task.rating}-star rating" if task.rating else "the empty report"
        return _fill(_SILENT, rating=rating, where=where[:WHERE_CHARS])[:ACTION_MAX]
    text = _fill(_TEMPLATES[category], quote=quote, where=where[:WHERE_CHARS])
    if severity in _URGENT and category in (Category.WEBSITE_BUG, Category.FRAMEWORK_ISSUE):
        text = "Today: " + text
    return text[:ACTION_MAX]


@lru_cache(maxsize=50_000)
def redacted(action: str) -> str:
    """An action as a model, a critic or a file may see it: unlike a comment it is stored as somebody wrote it."""
    # A placeholder may be longer than what it replaced.
    return redact(action).text[:ACTION_MAX].strip()


def _fill(template: str, **values: str) -> str:
    """Put the values in, in one pass: page and quote are data and never read as placeholders themselves."""
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], template)


def shorten(text: str, limit: int) -> str:
    """The first words of a text on one line, with an ellipsis where it was cut."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    return line[: limit - 1].rsplit(" ", 1)[0].rstrip(",;:.") + "…"
