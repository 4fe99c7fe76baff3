"""What an edit at the source means for an item: it is analysed anew, and what people decided stays."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.utils import timezone

from analyzer import analyses, standing
from analyzer.models import QueueItem
from feedback.models import Feedback


def analyse_anew(feedback: Feedback, **kwargs: Any) -> None:
    """Ask again, whatever stage the item is in: a run under way read the old words, and its answer is not wanted."""
    QueueItem.objects.filter(pk=feedback.pk).update(
        stage=QueueItem.Stage.PENDING,
        request=F("request") + 1,
        attempts=0,
        lease_until=None,
        error="",
        queued_at=timezone.now(),
        **standing.said(feedback),
    )
    analyses.enqueue(feedback.pk)
