"""A desk whose people decided by a rule that can be learned, in words that no machine has seen before."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth.models import User

from analyzer.models import QueueItem, Review, rank
from analyzer.taxonomy import Category
from feedback.models import Feedback
from tests.training.desk import MONDAY

CATEGORIES = [category.value for category in Category]
# Made-up words: whoever knows what they mean was told so by the decisions, or by the prompt.
MEANINGS = dict(zip(("zorbal", "quindle", "vextor", "mimbly", "frandle", "oxtrip"), CATEGORIES, strict=True))
SEVERITIES = {"website-bug": "high", "framework-issue": "critical", "content-gap": "medium"}
_SYLLABLES = ("ba", "de", "ki", "lo", "mu", "ra", "se", "ti", "vo", "zu", "pen", "gar", "lin", "tok")


def decide(
    by: User,
    n: int,
    *,
    seed: int = 0,
    provenance: str = Review.Provenance.VALIDATED,
    label: Callable[[int, str], str] = lambda position, category: category,
) -> list[QueueItem]:
    """n decided items, one an hour; label may turn the category that the rule gives at a position into another.

    Written straight into the tables: received and reviewed one by one they would take half a minute.
    """
    chance = random.Random(seed)
    said, items, reviews = [], [], []
    for position in range(n):
        word = list(MEANINGS)[position % len(MEANINGS)]
        category = label(position, MEANINGS[word])
        at = MONDAY + timedelta(hours=position)
        one = Feedback(source="test", comment=comment(word, chance), page=f"/page-{position % 7}", received_at=at)
        review = Review(
            feedback=one,
            reviewer=by,
            provenance=provenance,
            category=category,
            severity=SEVERITIES.get(category, "low"),
            created_at=at + timedelta(minutes=5),
        )
        said.append(one)
        reviews.append(review)
        items.append(
            QueueItem(
                feedback=one,
                received_at=at,
                status=QueueItem.Status.DECIDED,
                stage=QueueItem.Stage.DONE,
                review=review,
                category=category,
                severity=review.severity,
                rank=rank(50, at),
            )
        )
    Feedback.objects.bulk_create(said)
    Review.objects.bulk_create(reviews)
    QueueItem.objects.bulk_create(items)
    return items


def comment(word: str, chance: random.Random) -> str:
    """A sentence with the telling word somewhere among words that tell nothing."""
    words = ["".join(chance.choices(_SYLLABLES, k=3)) for _ in range(9)]
    words.insert(chance.randrange(len(words)), word)
    return " ".join(words)
