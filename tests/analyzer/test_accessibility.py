"""axe-core finds nothing serious on any page of ours, in light and in dark."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from analyzer import opinions, reviews
from analyzer.models import QueueItem
from tests import make
from tests.analyzer.test_queue_in_the_browser import addresses
from tests.browser import sign_in

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "/admin/analyzer/queueitem/"
REVIEW = f"{QUEUE}review/"


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """axe measures with styles of its own, which our policy would block; other tests see that we need none."""
    return {**browser_context_args, "bypass_csp": True}


def serious(page: Page, *rules: str) -> list[str]:
    """What axe holds to be serious or critical by these rules or by all, with the elements concerned."""
    found = Axe().run(page, options={"runOnly": list(rules)} if rules else None).response["violations"]
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def focus_addresses(ada: User, mia: User) -> list[str]:
    """The focus view in every state, as mia sees it."""
    eve = make.user("eve", "Reviewer")
    normal = make.item("A report with a long past", evidence=["long past"], findings=[{"rule": "x", "reason": "y"}])
    decided = make.item("Decided")
    reviews.validate(analysis=decided.analysis, by=ada)
    taken = make.item("Open in front of ada")
    QueueItem.objects.filter(pk=taken.pk).update(claimed_by=ada, claimed_until="2999-01-01T00:00Z")
    lowered, disputed = (make.item(text, severity="critical") for text in ("All is down", "Everything is down"))
    for item in (lowered, disputed):
        reviews.override(analysis=item.analysis, by=ada, severity="low")
    opinions.give(analysis=disputed.analysis, by=eve, category="website-bug", severity="critical")
    return [
        f"{REVIEW}{normal.pk}/",
        f"{REVIEW}{decided.pk}/",
        f"{REVIEW}{taken.pk}/",
        f"{REVIEW}{lowered.pk}/?mode=second",
        f"{REVIEW}{disputed.pk}/?mode=dispute",
        f"{REVIEW}disputes/",
        f"{REVIEW}done/",
        f"{REVIEW}keys/",
    ]


@pytest.mark.parametrize(("scheme", "rules"), [("light", ()), ("dark", ("color-contrast",))])
def test_no_page_has_a_serious_fault(
    page: Page, live_server: LiveServer, ada: User, mia: User, scheme: str, rules: tuple[str, ...]
) -> None:
    faults: dict[str, list[str]] = {}

    def judge(name: str) -> None:
        if found := serious(page, *rules):
            faults[name] = found

    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for address in ("/feedback/", "/feedback/widget/", "/admin/login/"):
        page.goto(live_server.url + address)
        judge(address)
    sign_in(page, live_server.url, mia)
    for address in [*addresses(), *focus_addresses(ada, mia), "/admin/training/trainingrun/"]:
        page.goto(live_server.url + address)
        judge(address)
    page.goto(live_server.url + REVIEW)
    page.get_by_role("link", name="Keys").click()
    judge("the list of keys")
    page.goto(f"{live_server.url}{QUEUE}?status=open")
    page.get_by_role("checkbox", name="Select all items on this page").check()
    page.get_by_role("button", name="Validate selected").click()
    page.get_by_role("heading", name="Validate together?").wait_for()
    judge("the preview")
    assert faults == {}
