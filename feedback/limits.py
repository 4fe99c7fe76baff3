"""How often one client may submit; form and API ask here."""

from __future__ import annotations

import math
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from feedback.models import Feedback


def check(client_key: str) -> int:
    """Whole seconds until this client may submit again, 0 when it may now; only what was stored counts."""
    limit: int = settings.FEEDBACK_RATE_LIMIT
    if limit == 0:
        return 0
    window: int = settings.FEEDBACK_RATE_WINDOW_SECONDS
    latest_first = Feedback.objects.within_window(client_key, window).reverse()
    # There is room again when the last of the newest `limit` leaves the window.
    blocking = next(iter(latest_first.values_list("received_at", flat=True)[limit - 1 : limit]), None)
    if blocking is None:
        return 0
    remaining = blocking + timedelta(seconds=window) - timezone.now()
    return max(1, math.ceil(remaining.total_seconds()))


def explain(seconds: int) -> str:
    """What to tell a client that must wait."""
    wait = f"{seconds} second{'s' * (seconds != 1)}" if seconds < 90 else f"{math.ceil(seconds / 60)} minutes"
    return f"You have sent a lot in a short time. Please try again in {wait}."
