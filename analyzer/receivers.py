"""What happens by itself: a stored feedback is queued, and regular work is scheduled."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from analyzer import analyses
from feedback.models import Feedback

logger = logging.getLogger(__name__)

SWEEP: Final = "Sweep stuck analyses"
SWEEP_MINUTES: Final = 1
PRUNE: Final = "Prune old traces"


def queue_feedback(rows: Sequence[Feedback], **kwargs: Any) -> None:
    analyses.queue(rows)


def schedule_work(**kwargs: Any) -> None:
    """Keep one schedule row for each thing that django-q does by the clock."""
    from django_q.models import Schedule

    schedules = Schedule.objects.using(kwargs.get("using", "default"))
    for name, func, each in (
        (SWEEP, "analyzer.tasks.sweep", {"schedule_type": Schedule.MINUTES, "minutes": SWEEP_MINUTES}),
        (PRUNE, "analyzer.tasks.prune_traces", {"schedule_type": Schedule.HOURLY}),
    ):
        schedules.get_or_create(name=name, defaults={"func": func, **each})


class Pulse:
    """Lets a worker be heard of while it works through a long queue, at whose end the next sweep waits its turn."""

    def __init__(self) -> None:
        # Set by the cluster: whoever analyses by a command is no worker.
        self.of_a_worker = False
        self._due = 0.0

    def beat(self) -> None:
        """Before an analysis; what goes wrong here must not cost it."""
        if not self.of_a_worker or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + analyses.HEARTBEAT_SECONDS
        try:
            analyses.beat()
        except Exception:
            logger.exception("the heartbeat could not be stored")


pulse = Pulse()


def keep_sweeping() -> None:
    """Put a sweep that is due in hours, as a clock that was wrong has left it, to where it belongs."""
    from django_q.models import Schedule

    now = timezone.now()
    ahead = now + timedelta(minutes=2 * SWEEP_MINUTES)
    late = Schedule.objects.filter(name=SWEEP, next_run__gt=ahead)
    # Looked at first: on SQLite even an UPDATE of nothing waits for whoever writes.
    if late.exists():
        late.update(next_run=now)
