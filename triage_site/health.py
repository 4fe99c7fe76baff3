"""Whether the desk works: for load balancers, and for `make run` to know when to say so."""

from __future__ import annotations

from typing import Any

from django.db import Error
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from analyzer.analyses import HEARTBEAT, HEARTBEAT_LATE
from analyzer.models import AnalyzerVersion, Heartbeat, QueueItem
from feedback import outages


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and a worker swept lately, else 503; the body says which, and no secrets.

    /healthz?web asks for the web server alone: without a worker it stores what comes, and must not be taken away.
    """
    try:
        body = _state()
    except Exception as error:
        if not isinstance(error, Error) and not outages.is_one(error):
            raise
        # The message may name hosts and users.
        return JsonResponse({"database": "unreachable"}, status=503)
    return JsonResponse(body, status=200 if body["worker"] == "ok" or "web" in request.GET else 503)


def _state() -> dict[str, Any]:
    """Three reads by index, through the ORM, so that every supported database answers them."""
    beat = Heartbeat.objects.filter(name=HEARTBEAT).first()
    oldest = QueueItem.objects.unfinished().order_by("queued_at").values_list("queued_at", flat=True).first()
    version = AnalyzerVersion.objects.filter(status=AnalyzerVersion.Status.ACTIVE).values_list("number", flat=True)
    now = timezone.now()
    # A beat from the future was left by a clock that has been put back, and says nothing about now.
    working = beat is not None and abs(now - beat.at) < HEARTBEAT_LATE
    return {
        "database": "ok",
        "worker": "ok" if working else "silent",
        "worker_heartbeat_seconds": round((now - beat.at).total_seconds()) if beat else None,
        "oldest_waiting_seconds": max(0, round((now - oldest).total_seconds())) if oldest else 0,
        "active_version": version.first(),
    }
