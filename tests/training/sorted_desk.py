"""A desk whose decisions a tiny model can learn, and train_analyzer as its tests call it."""

from __future__ import annotations

import random
from datetime import timedelta
from io import StringIO
from typing import Any

from django.contrib.auth.models import User
from django.core.management import call_command

from analyzer.models import QueueItem, Review, rank
from feedback.models import Feedback
from tests.training import workshop
from tests.training.desk import MONDAY

# So few tokens that a tiny model writes them in a second, in a prompt of as few.
SMALL = ("--max-length", "400", "--max-answer", "64", "--learning-rate", "0.01", "--batch", "8")


def decide(by: User, n: int) -> list[QueueItem]:
    """n decided items, one an hour: what people say of a comment follows from the place that it names.

    The words around the place differ from item to item, so that no two are near-copies.
    """
    chance = random.Random(0)
    said, items, decisions = [], [], []
    for position in range(n):
        place = workshop.PLACES[position % len(workshop.PLACES)]
        words = " ".join(chance.choice(workshop.WORDS) for _ in range(5))
        category = "website-bug" if workshop.PLACES.index(place) % 2 else "noise"
        at = MONDAY + timedelta(hours=position)
        one = Feedback(source="test", comment=f"The {place} {words}", received_at=at)
        review = Review(
            feedback=one,
            reviewer=by,
            provenance=Review.Provenance.VALIDATED,
            category=category,
            severity="low",
            action=workshop.ACTION,
            created_at=at + timedelta(minutes=5),
        )
        said.append(one)
        decisions.append(review)
        items.append(
            QueueItem(
                feedback=one,
                received_at=at,
                status=QueueItem.Status.DECIDED,
                stage=QueueItem.Stage.DONE,
                review=review,
                category=category,
                severity="low",
                rank=rank(50, at),
            )
        )
    Feedback.objects.bulk_create(said)
    Review.objects.bulk_create(decisions)
    QueueItem.objects.bulk_create(items)
    return items


def train(*arguments: str, algorithm: str = "sft", **options: Any) -> str:
    """What the command printed."""
    out = StringIO()
    call_command("train_analyzer", "--algorithm", algorithm, *SMALL, *arguments, stdout=out, **options)
    return out.getvalue()
