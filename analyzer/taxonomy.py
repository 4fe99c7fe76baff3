"""Categories, severities and what a form type promises: one definition in words, for prompt, form, engine and docs."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Category(StrEnum):
    WEBSITE_BUG = "website-bug"
    FRAMEWORK_ISSUE = "framework-issue"
    CONTENT_GAP = "content-gap"
    FEATURE_REQUEST = "feature-request"
    POSITIVE = "positive"
    NOISE = "noise"


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def level(self) -> int:
        """0 for low to 3 for critical."""
        return len(Severity) - 1 - list(Severity).index(self)


class Route(StrEnum):
    """Who should see it beside the desk; noise that is routed to people is never thrown away."""

    DESK = "desk"
    PEOPLE = "people"


class Outcome(StrEnum):
    """What came of a report after it was decided."""

    FIXED = "fixed"
    ANSWERED = "answered"
    CONTENT_ADDED = "content-added"
    PLANNED = "planned"
    DUPLICATE = "duplicate"
    WONT_FIX = "wont-fix"


CATEGORY_NAMES: Final = {
    Category.WEBSITE_BUG: "Website bug",
    Category.FRAMEWORK_ISSUE: "Framework issue",
    Category.CONTENT_GAP: "Content gap",
    Category.FEATURE_REQUEST: "Feature request",
    Category.POSITIVE: "Positive",
    Category.NOISE: "Noise",
}
OUTCOME_NAMES: Final = {
    Outcome.FIXED: "Fixed",
    Outcome.ANSWERED: "Answered",
    Outcome.CONTENT_ADDED: "Content added",
    Outcome.PLANNED: "Planned",
    Outcome.DUPLICATE: "Duplicate",
    Outcome.WONT_FIX: "Won't fix",
}
CATEGORY_MEANINGS: Final = {
    Category.WEBSITE_BUG: "The site or app does something wrong for the person using it: it crashes, a page, link, "
    "form or payment fails, it is slow, or it shows the wrong thing.",
    Category.FRAMEWORK_ISSUE: "A fault in the software underneath, as developers or operators report it: an "
    "exception, an API, library, server, build or configuration that misbehaves.",
    Category.CONTENT_GAP: "Information or documentation that is missing, wrong, outdated or unclear.",
    Category.FEATURE_REQUEST: "A wish: something that does not exist yet, or should work differently.",
    Category.POSITIVE: "Praise or thanks that asks for nothing.",
    Category.NOISE: "Spam, tests, sales pitches, chatter, or nothing that can be acted on.",
}
SEVERITY_MEANINGS: Final = {
    Severity.CRITICAL: "Many people are stopped, data or money is lost, or security or privacy is broken.",
    Severity.HIGH: "Somebody's main task is blocked and there is no way round.",
    Severity.MEDIUM: "Annoying or costly, but there is a way round.",
    Severity.LOW: "Cosmetic, a wish, praise or noise: nobody is held up.",
}

# Praise and noise hold nobody up: their severity is low by definition.
HARMLESS: Final = frozenset({Category.POSITIVE, Category.NOISE})

# What a visitor's own choice of form type promises. A prior, not a cage: leaving it costs confidence and is shown.
FORM_TYPE_CATEGORIES: Final[dict[str, frozenset[Category]]] = {
    "bug": frozenset({Category.WEBSITE_BUG, Category.FRAMEWORK_ISSUE}),
    "technical_question": frozenset({Category.CONTENT_GAP, Category.FRAMEWORK_ISSUE}),
    "feature": frozenset({Category.FEATURE_REQUEST}),
    "general": frozenset(Category),
    "research": frozenset({Category.POSITIVE, Category.FEATURE_REQUEST}),
    "commercial": frozenset({Category.NOISE}),
    "": frozenset(Category),
}


def inside_map(form_type: str, category: str) -> bool:
    """Whether the category is one that the form type promises; an unknown type promises nothing."""
    return category in FORM_TYPE_CATEGORIES.get(form_type, frozenset(Category))


def route(form_type: str, category: str) -> Route:
    """A business matter goes to people whatever it is called: a lead or a legal letter is never binned."""
    return Route.PEOPLE if form_type == "commercial" else Route.DESK
