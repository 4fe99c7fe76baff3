"""What happens by itself: a stored feedback is queued, and the sweeper is scheduled."""

from __future__ import annotations

from typing import Any

from analyzer import analyses
from feedback.models import Feedback

SWEEP = "Sweep stuck analyses"


def queue_feedback(feedback: Feedback, **kwargs: Any) -> None:
    analyses.queue(feedback)


def schedule_sweep(**kwargs: Any) -> None:
    """Keep one schedule row for the sweeper; django-q runs it every minute."""
    from django_q.models import Schedule

    Schedule.objects.using(kwargs.get("using", "default")).get_or_create(
        name=SWEEP, defaults={"func": "analyzer.tasks.sweep", "schedule_type": Schedule.MINUTES, "minutes": 1}
    )
