"""What happens by itself: a stored feedback is queued, and regular work is scheduled."""

from __future__ import annotations

from typing import Any

from analyzer import analyses
from feedback.models import Feedback

SWEEP = "Sweep stuck analyses"
PRUNE = "Prune old traces"


def queue_feedback(feedback: Feedback, **kwargs: Any) -> None:
    analyses.queue(feedback)


def schedule_work(**kwargs: Any) -> None:
    """Keep one schedule row for each thing that django-q does by the clock."""
    from django_q.models import Schedule

    schedules = Schedule.objects.using(kwargs.get("using", "default"))
    for name, func, each in (
        (SWEEP, "analyzer.tasks.sweep", {"schedule_type": Schedule.MINUTES, "minutes": 1}),
        (PRUNE, "analyzer.tasks.prune_traces", {"schedule_type": Schedule.HOURLY}),
    ):
        schedules.get_or_create(name=name, defaults={"func": func, **each})
