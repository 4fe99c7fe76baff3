"""The page that feedback is about: where the visitor came from, and whether a link may lead back there."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from feedback.models import PAGE_MAX


def detect(request: HttpRequest) -> str:
    """The address named by ?page=, else the one in the Referer, else ""; a path alone when it is on our host."""
    named = address(request.GET.get("page", ""), own_host=request.get_host())
    if named:
        return named
    came_from = address(request.headers.get("Referer", ""), own_host=request.get_host())
    return "" if came_from.startswith(reverse("feedback:form")) else came_from


def address(text: str, *, own_host: str) -> str:
    """What a visitor may be shown as the address of a page: a path or an http(s) URL, else "".

    Fragments and credentials are left out: neither says which page it is.
    """
    text = text.strip()
    if not text.isprintable() or "\\" in text or text.startswith("//"):
        return ""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if not parts.scheme and not parts.netloc and parts.path.startswith("/"):
        return urlunsplit(("", "", parts.path, parts.query, ""))[:PAGE_MAX]
    if parts.scheme not in ("http", "https") or not host:
        return ""
    netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    on_our_host = netloc == own_host.lower()
    # An empty scheme and netloc before a path of two slashes would name another host.
    path = "/" + parts.path.lstrip("/")
    return urlunsplit(("" if on_our_host else parts.scheme, "" if on_our_host else netloc, path, parts.query, ""))[
        :PAGE_MAX
    ]


def way_back(page: str, request: HttpRequest) -> str:
    """A link to this page that cannot lead to a stranger's site, or "": our host and the allowed origins only."""
    if not page.startswith(("/", "http://", "https://")):
        return ""
    hosts = {request.get_host(), *(urlsplit(origin).netloc for origin in settings.API_ALLOWED_ORIGINS)}
    return page if url_has_allowed_host_and_scheme(page, hosts) else ""
