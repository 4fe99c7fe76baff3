"""A desk with decisions, and machines of known quality, for the tests of training."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from django.contrib.auth.models import User

from analyzer import reviews
from analyzer.models import QueueItem
from analyzer.schema import Verdict
from analyzer.taxonomy import Category, Severity
from tests import make
from training.dataset import Example

CATEGORIES = [category.value for category in Category]
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
_WORDS = [
    "menu",
    "search",
    "basket",
    "invoice",
    "video",
    "banner",
    "coupon",
    "address",
    "calendar",
    "photo",
    "filter",
    "profile",
    "tutorial",
    "chart",
    "export",
    "font",
    "keyboard",
    "printer",
    "map",
    "ticket",
    "password",
    "sidebar",
    "footer",
    "language",
    "currency",
    "delivery",
    "review",
    "update",
    "wishlist",
]


def comments(n: int, *, seed: int = 0) -> list[str]:
    """Comments no two of which are nearly the same."""
    rng = random.Random(seed)
    return [f"{' '.join(rng.sample(_WORDS, 6))} number {position}" for position in range(n)]


def labelled(by: User, n: int, *, categories: list[str] | None = None, **values: Any) -> list[QueueItem]:
    """n items with an imported label each, one an hour, in the given categories in turn."""
    chosen = categories or CATEGORIES
    items = []
    for position, comment in enumerate(comments(n)):
        said = make.feedback(comment, received_at=MONDAY + timedelta(hours=position), **values)
        reviews.record_imported(feedback=said, by=by, category=chosen[position % len(chosen)])
        items.append(QueueItem.objects.get(pk=said.pk))
    return items


def verdict(category: str, *, confidence: float = 0.9, severity: str = "medium", **values: Any) -> Verdict:
    """What a machine could have said."""
    rest = (1 - confidence) / (len(CATEGORIES) - 1)
    return Verdict(
        **(
            {
                "category": category,
                "severity": severity,
                "action": "Reproduce it and fix what fails.",
                "priority": 50,
                "priority_reasons": (),
                "category_confidence": confidence,
                "severity_confidence": 0.6,
                "category_probabilities": {
                    Category(name): confidence if name == category else rest for name in CATEGORIES
                },
                "severity_probabilities": dict.fromkeys(Severity, 0.25),
                "evidence": (),
                "findings": (),
                "needs_person": False,
                "route": "desk",
                "engine": "local",
            }
            | values
        )
    )


def examples(n: int, rng: np.random.Generator, *, shares: list[float] | None = None, **values: Any) -> list[Example]:
    """Decided items, each a group of its own, with categories drawn at the given shares."""
    drawn = rng.choice(CATEGORIES, size=n, p=shares)
    return [
        Example(feedback_id=str(number), comment="", category=str(category), group=number, **values)
        for number, category in enumerate(drawn)
    ]


def machine(
    decided: list[Example], rng: np.random.Generator, *, right: float | dict[str, float], **values: Any
) -> list[Verdict]:
    """A machine that is right with this chance (by category, if given so), and else says any other category."""
    said = []
    for example in decided:
        chance = right[example.category] if isinstance(right, dict) else right
        others = [name for name in CATEGORIES if name != example.category]
        said.append(verdict(example.category if rng.random() < chance else str(rng.choice(others)), **values))
    return said
