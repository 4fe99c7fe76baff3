"""What an edit at the source means for an item: it is analysed anew, and what people decided stays."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.utils import timezone

from analyzer import analyses, similar, standing
from analyzer.models import QueueItem
from feedback.models import Feedback


def analyse_anew(feedback: Feedback, before: Feedback, **kwargs: Any) -> None:
    """Ask again, whatever stage the item is in: a run under way read the old words, and its answer is not wanted.

    An analysis of the old words does not count any more, so that nobody decides by it; a decision about them does, but
    teaches nothing.
    """
    said_anew = feedback.digest != before.digest
    if said_anew:
        similar.part(feedback, before)
    QueueItem.objects.filter(pk=feedback.pk).update(
        stage=QueueItem.Stage.PENDING,
        request=F("request") + 1,
        attempts=0,
        lease_until=None,
        error="",
        queued_at=timezone.now(),
        **({"analysis": None} if said_anew else {}),
        **standing.said(feedback),
    )
    if said_anew:
        QueueItem.objects.filter(pk=feedback.pk, status=QueueItem.Status.DECIDED).update(edited=True)
    analyses.enqueue(feedback.pk)
