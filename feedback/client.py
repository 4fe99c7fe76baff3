"""Who is asking, as far as the rate limit needs to know."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone


def address(request: HttpRequest) -> str:
    """The client's address; behind our own proxy the last hop it added, never what the client claims first."""
    if settings.BEHIND_PROXY:
        hops = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
        if hops[-1].strip():
            return hops[-1].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def daily_key(request: HttpRequest, *, today: date | None = None) -> str:
    """A keyed digest of the address that cannot be linked from one day to the next."""
    day = (today or timezone.now().date()).isoformat()
    message = f"{day} {address(request)}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), message, hashlib.sha256).hexdigest()[:32]
