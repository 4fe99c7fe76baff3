"""One log line for each thing that happened to a feedback: received, analysed, decided.

The apps do not know of it: it listens to their signals, and writes once the row is committed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.signals import post_save

from analyzer.models import Analysis, Review
from feedback.models import Feedback
from feedback.signals import feedback_received

logger = logging.getLogger(__name__)


def listen() -> None:
    """Connect to the apps; called once they are loaded."""
    feedback_received.connect(_received, dispatch_uid="triage_site.received")
    post_save.connect(_analysed, sender=Analysis, dispatch_uid="triage_site.analysed")
    post_save.connect(_decided, sender=Review, dispatch_uid="triage_site.decided")


def _received(rows: Sequence[Feedback], **kwargs: Any) -> None:
    for feedback in rows:
        _write("feedback received", feedback.pk, source=feedback.source, compliance=feedback.compliance)


def _analysed(instance: Analysis, created: bool, **kwargs: Any) -> None:
    if created:
        _write(
            "feedback analysed",
            instance.feedback_id,
            request=instance.request,
            engine=instance.engine,
            category=instance.category,
            severity=instance.severity,
            fallback=bool(instance.fallback_reason),
            duration_ms=round(instance.duration_ms, 1),
        )


def _decided(instance: Review, created: bool, **kwargs: Any) -> None:
    if created:
        _write("feedback decided", instance.feedback_id, provenance=instance.provenance, role=instance.role)


def _write(event: str, feedback: UUID, **values: Any) -> None:
    if logger.isEnabledFor(logging.INFO):
        transaction.on_commit(lambda: logger.info(event, extra={"feedback": feedback, "fields": values}))
