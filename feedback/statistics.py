"""What SQLite's planner knows about the rows: nothing, unless it is told now and then."""

from __future__ import annotations

from typing import Any, Final

from django.db import connections

from feedback.models import Feedback

# Index entries that are looked at per index: plenty for a choice between plans, and milliseconds at any size.
_SAMPLE: Final = 1_000
# Without statistics it takes tables for large, which is right here; those of a small one would mislead when it grows.
_FROM: Final = 10_000


def refresh(*, using: str = "default", least: int = _FROM, **kwargs: Any) -> bool:
    """Count anew how many rows a value of each index stands for; False where there is no need.

    PostgreSQL does so by itself.
    """
    connection = connections[using]
    if connection.vendor != "sqlite" or Feedback.objects.using(using).order_by()[:least].count() < least:
        return False
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA analysis_limit = {_SAMPLE}")
        cursor.execute("ANALYZE")
    return True
