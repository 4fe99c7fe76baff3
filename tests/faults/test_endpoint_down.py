"""The endpoint goes away for a while and comes back: the local engine serves meanwhile, and the rest is made good."""

from __future__ import annotations

import io

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from pytest_django import Settings

from analyzer import analyses, reviews, versions
from analyzer.engines import breaker
from analyzer.models import Analysis, QueueItem
from tests import make
from tests.llm_server import LLMServer, dropped, ok

pytestmark = pytest.mark.django_db


def analyse(count: int, words: str) -> list[Analysis]:
    said = [make.feedback(f"The button number {number} does nothing {words}") for number in range(count)]
    assert all(analyses.perform(each.pk) for each in said)
    return [Analysis.objects.get(feedback=each) for each in said]


def test_an_outage_is_served_locally_ends_by_itself_and_is_made_good_on_request(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, ada: User
) -> None:
    # However slow this machine is, the pause lasts until it is over.
    monkeypatch.setattr(breaker, "PAUSE_SECONDS", 86_400.0)
    settings.TRIAGE_ENDPOINT = settings.TRIAGE_ENGINE_NAMED = True
    settings.TRIAGE_ENGINE = "llm"
    weights = make.working_version().weights
    with LLMServer([ok()]) as server:
        settings.OPENAI_BASE_URL = server.url
        version = versions.create(engine="llm", origin="test", weights=weights, model="scripted, down for a while")
        versions.activate(version=version, by=None)
        assert {made.engine for made in analyse(2, "before")} == {"llm"}

        server.script = [dropped()]
        during = analyse(breaker.FAILURES + 4, "meanwhile")
        assert {made.engine for made in during} == {"local"}
        kinds = [made.fallback_reason.partition(":")[0] for made in during]
        assert kinds == ["unreachable"] * breaker.FAILURES + ["paused"] * 4
        reviews.override(analysis=during[0], by=ada, category="noise")

        server.script = [ok()]
        monkeypatch.setattr(breaker, "PAUSE_SECONDS", 0.0)
        assert {made.engine for made in analyse(3, "afterwards")} == {"llm"}
        asked = len(server.requests)
        out = io.StringIO()
        call_command("analyze_feedback", "--fallback", "--now", stdout=out)
        # The decided one is left alone.
        again = len(during) - 1
        assert len(server.requests) - asked == again
    assert f"{again} of {again} analysed" in out.getvalue()
    assert QueueItem.objects.filter(analysis__engine="llm", analysis__fallback_reason="").count() == 2 + 3 + again
    decided = QueueItem.objects.get(status="decided")
    assert (decided.analysis, decided.category, decided.request) == (during[0], "noise", 1)
    # What the local engine said is kept beside the new analysis.
    assert Analysis.objects.count() == 2 + len(during) + 3 + again
    call_command("analyze_feedback", "--fallback", "--now", stdout=out)
    assert "Nothing waits for an analysis" in out.getvalue()
