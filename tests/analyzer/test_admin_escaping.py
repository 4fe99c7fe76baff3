"""What visitors and models wrote is text on every page, and no page carries a script or a style of its own."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from analyzer import reviews
from analyzer.models import QueueItem
from tests import make

pytestmark = pytest.mark.django_db

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>&amp;"
INLINE = re.compile(r"<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=\"|javascript:|<style", re.IGNORECASE)


@pytest.fixture
def pages(client: Client, db: None) -> dict[str, str]:
    """Every page of the desk, over rows in which every text is hostile."""
    root = User.objects.create_superuser("root")
    version = make.version(prompt=EVIL, model=EVIL, metrics={EVIL: EVIL}, calibration={EVIL: EVIL}, weights_digest="ab")
    item = make.item("safe", page="/safe")
    said = item.feedback
    said.comment = said.page = said.page_title = EVIL
    said.source, said.viewport, said.pii = EVIL[:60], EVIL[:20], {EVIL: 1}
    said.compliance, said.findings = "hold", [{"rule": EVIL, "outcome": "hold", "reason": EVIL}]
    said.save()
    analysis = item.analysis
    analysis.action = analysis.fallback_reason = EVIL
    analysis.engine = "<b>llm</b>"[:10]
    analysis.evidence, analysis.needs_person = [EVIL], True
    analysis.findings = [{"rule": f"boundary-{EVIL}", "reason": EVIL}, {"rule": "severity-floor", "reason": EVIL}]
    analysis.priority_reasons = [{"label": EVIL, "points": 1}]
    analysis.quality = {EVIL: 1.0}
    analysis.trace = [{"name": EVIL, "status": EVIL, "ms": 1, "attributes": {EVIL: EVIL, "json": '{"a": "<script>"}'}}]
    analysis.save()
    failed = make.feedback("safe").queue_item
    QueueItem.objects.filter(pk=failed.pk).update(stage="failed", error=EVIL)
    decided = make.item("safe too")
    review = reviews.override(
        analysis=decided.analysis, by=root, category="noise", action=EVIL, note=EVIL, reasons={"category": EVIL}
    )
    decided.feedback.comment = EVIL
    decided.feedback.save()
    client.force_login(root)
    client.post(
        f"/admin/analyzer/queueitem/{item.pk}/decide/",
        {f"seen-{item.pk}": f"{analysis.pk}.", "category": "noise"},
    )
    addresses = {
        "the list with a message": "/admin/analyzer/queueitem/?status=all",
        "a search": "/admin/analyzer/queueitem/?q=" + EVIL.replace("&", "%26"),
        "an item": f"/admin/analyzer/queueitem/{item.pk}/change/?_changelist_filters=" + EVIL.replace("&", "%26"),
        "a failed item": f"/admin/analyzer/queueitem/{failed.pk}/change/",
        "a decided item": f"/admin/analyzer/queueitem/{decided.pk}/change/",
        "decisions": "/admin/analyzer/review/",
        "a decision": f"/admin/analyzer/review/{review.pk}/change/",
        "versions": "/admin/analyzer/analyzerversion/",
        "a version": f"/admin/analyzer/analyzerversion/{version.pk}/change/",
        "activation": f"/admin/analyzer/analyzerversion/{version.pk}/activate/",
        "feedback": "/admin/feedback/feedback/",
        "a feedback": f"/admin/feedback/feedback/{item.pk}/change/",
        "the front page": "/admin/",
        "an app": "/admin/analyzer/",
    }
    found = {}
    for name, address in addresses.items():
        response = client.get(address)
        assert response.status_code == 200, (name, address)
        assert "default-src 'self'" in response.headers["Content-Security-Policy"], name
        assert "unsafe" not in response.headers["Content-Security-Policy"], name
        found[name] = response.content.decode()
    client.logout()
    found["the login"] = client.get("/admin/login/").content.decode()
    return found


def test_hostile_text_is_escaped_on_every_page(pages: dict[str, str]) -> None:
    for name, page in pages.items():
        for part in ("<script>alert", "<img src=x", "\"'><b>", "<b>llm"):
            assert part not in page, (name, part)
    for name in ("the list with a message", "an item", "a decided item", "decisions", "a version", "feedback"):
        assert "&lt;script&gt;alert(1)" in pages[name], name


def test_no_page_carries_an_inline_script_style_or_handler(pages: dict[str, str]) -> None:
    for name, page in pages.items():
        # The hostile text itself contains a handler, but as text.
        markup = re.sub(r"&lt;.*?&gt;", "", page, flags=re.DOTALL)
        assert not INLINE.search(markup), (name, INLINE.search(markup))


def test_every_asset_is_our_own(pages: dict[str, str]) -> None:
    for name, page in pages.items():
        links = re.findall(r"<(?:script|link|img)[^>]*?(?:src|href)=\"([^\"]*)\"", page)
        assert links, name
        assert all(link.startswith("/") and not link.startswith("//") for link in links), (name, links)
