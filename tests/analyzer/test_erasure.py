"""Deleting a feedback takes everything with it, however often it was decided."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from analyzer import reviews
from analyzer.models import Analysis, QueueItem, Review
from tests import make

pytestmark = pytest.mark.django_db


def test_an_item_that_was_decided_twice_can_be_erased(ada: User) -> None:
    item = make.item()
    first = reviews.validate(analysis=item.analysis, by=ada)
    reviews.override(analysis=item.analysis, by=ada, category="noise", after=first)
    item.feedback.delete()
    assert not Review.objects.exists()
    assert not Analysis.objects.exists()
    assert not QueueItem.objects.exists()
