"""What django-q2 calls."""

from __future__ import annotations

from uuid import UUID

from analyzer import analyses, receivers, retention


def analyze_feedback(feedback_id: str) -> bool:
    """Analyse one feedback; safe to call any number of times. True when this call made the analysis."""
    receivers.pulse.beat()
    return analyses.perform(UUID(feedback_id))


def sweep() -> int:
    """Re-queue what got stuck and leave a heartbeat."""
    return analyses.sweep()


def prune_traces() -> int:
    """Remove what RETENTION_DAYS says is too old."""
    return retention.prune_as_set()
