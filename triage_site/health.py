"""Whether the desk works: for load balancers, and for `make run` to know when to say so."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from analyzer.analyses import HEARTBEAT, HEARTBEAT_LATE
from analyzer.models import AnalyzerVersion, Heartbeat, QueueItem


def healthz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and a worker swept lately, else 503; the body says which, and no secrets."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    beat = Heartbeat.objects.filter(name=HEARTBEAT).first()
    now = timezone.now()
    working = beat is not None and now - beat.at < HEARTBEAT_LATE
    oldest = QueueItem.objects.unfinished().order_by("queued_at").values_list("queued_at", flat=True).first()
    version = AnalyzerVersion.objects.filter(status=AnalyzerVersion.Status.ACTIVE).values_list("number", flat=True)
    body = {
        "database": "ok",
        "worker": "ok" if working else "silent",
        "worker_heartbeat_seconds": round((now - beat.at).total_seconds()) if beat else None,
        "oldest_waiting_seconds": round((now - oldest).total_seconds()) if oldest else 0,
        "active_version": version.first(),
    }
    return JsonResponse(body, status=200 if working else 503)
