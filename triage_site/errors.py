"""The page for what nobody caught: 503 while the database cannot work, else 500."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

from feedback import outages


def broken(request: HttpRequest) -> HttpResponse:
    """Django calls it while the exception is being handled, and has logged nothing yet."""
    if outages.is_one(sys.exception()):
        return outages.mark(HttpResponse(render_to_string("503.html"), status=503))
    return defaults.server_error(request)
