"""What happens by itself: a stored feedback is queued, and the sweeper is scheduled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from analyzer import analyses
from feedback.models import Feedback

SWEEP: Final = "Sweep stuck analyses"
SWEEP_MINUTES: Final = 1


def queue_feedback(rows: Sequence[Feedback], **kwargs: Any) -> None:
    analyses.queue(rows)


def schedule_sweep(**kwargs: Any) -> None:
    """Keep one schedule row for the sweeper; django-q runs it every minute."""
    from django_q.models import Schedule

    Schedule.objects.using(kwargs.get("using", "default")).get_or_create(
        name=SWEEP,
        defaults={"func": "analyzer.tasks.sweep", "schedule_type": Schedule.MINUTES, "minutes": SWEEP_MINUTES},
    )


def keep_sweeping() -> None:
    """Put a sweep that is due in hours, as a clock that was wrong has left it, to where it belongs."""
    from django_q.models import Schedule

    now = timezone.now()
    ahead = now + timedelta(minutes=2 * SWEEP_MINUTES)
    late = Schedule.objects.filter(name=SWEEP, next_run__gt=ahead)
    # Looked at first: on SQLite even an UPDATE of nothing waits for whoever writes.
    if late.exists():
        late.update(next_run=now)
