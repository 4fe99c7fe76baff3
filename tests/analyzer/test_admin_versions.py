"""Versions in the admin: readable in full, activated by a manager behind one page that asks."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analyzer.models import AnalyzerVersion
from tests import make
from tests.pages import Page, messages

pytestmark = pytest.mark.django_db

LIST = "/admin/analyzer/analyzerversion/"


@pytest.fixture
def desk(client: Client, mia: User) -> Client:
    client.force_login(mia)
    return client


def candidate(**values: object) -> AnalyzerVersion:
    given = {"number": 2, "engine": "llm", "origin": "apo", "weights": b"w" * 9_000, "weights_digest": "ab12" * 16}
    return AnalyzerVersion.objects.create(**(given | values))


def page(version: AnalyzerVersion) -> str:
    return reverse("admin:analyzer_analyzerversion_change", args=(version.pk,))


def test_the_page_of_a_version_shows_what_it_is_and_how_far_to_trust_it(desk: Client) -> None:
    make.item()
    version = candidate(
        prompt="Sort <this> & answer.",
        model="some-model",
        thresholds={"category": 0.6},
        calibration={"on": "held-out reviews", "n": 212, "ece": 0.04},
        metrics={"accuracy": 0.7, "per_class": {"noise": 0.5}},
        parent=AnalyzerVersion.objects.get(number=1),
    )
    text = desk.get(page(version)).content.decode()
    for part in (
        "v2 llm",
        "candidate",
        "v1 local (test)",
        "Sort &lt;this&gt; &amp; answer.",
        "some-model",
        "ab12" * 16,
        "held-out reviews",
        "212",
        "per_class · noise",
    ):
        assert part in text, part


def test_the_list_says_which_is_active_and_reads_no_weights(desk: Client) -> None:
    make.version()
    candidate(calibration={"data": "held-out reviews", "n": 212})
    with CaptureQueriesContext(connection) as captured:
        text = desk.get(LIST).content.decode()
    assert "held-out reviews, n 212" in text
    assert "not calibrated" in text
    assert not [query for query in captured if '"weights"' in query["sql"]]


def test_activating_asks_first_and_then_retires_the_one_before(desk: Client, mia: User) -> None:
    before = make.version(weights_digest="cd")
    version = candidate()
    assert (
        reverse("admin:analyzer_analyzerversion_activate", args=(version.pk,))
        in desk.get(page(version)).content.decode()
    )
    ask = Page(desk, reverse("admin:analyzer_analyzerversion_activate", args=(version.pk,)))
    version.refresh_from_db()
    assert version.status == "candidate", "asking changes nothing"
    response = ask.press("Activate v2", follow=True)
    version.refresh_from_db()
    before.refresh_from_db()
    assert (version.status, version.activated_by, before.status) == ("active", mia, "retired")
    assert messages(response) == ["v2 llm (apo) is active: the next analysis uses it."]
    Page(desk, reverse("admin:analyzer_analyzerversion_activate", args=(before.pk,))).press("Activate v1")
    before.refresh_from_db()
    assert before.status == "active", "rolling back is the same button"


def test_a_version_that_cannot_analyse_is_refused_with_the_reason(desk: Client) -> None:
    version = candidate(weights_digest="")
    response = Page(desk, reverse("admin:analyzer_analyzerversion_activate", args=(version.pk,))).press(
        "Activate v2", follow=True
    )
    assert "has no weights" in messages(response)[0]
    version.refresh_from_db()
    assert version.status == "candidate"


def test_the_active_version_has_nothing_to_activate(desk: Client) -> None:
    version = make.version(weights_digest="cd")
    assert "/activate/" not in desk.get(page(version)).content.decode()
    ask = Page(desk, reverse("admin:analyzer_analyzerversion_activate", args=(version.pk,)))
    assert "is the active version already" in ask.html
