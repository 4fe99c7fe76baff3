"""What leaves the machine is redacted text: planted personal data is looked for in every request the model got."""

from __future__ import annotations

import json
import re
from functools import cache
from urllib.parse import unquote

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from analyzer import analyses, cold_start, memory, reviews, versions
from analyzer.engines import local
from analyzer.models import Analysis, AnalyzerVersion
from feedback.models import Feedback
from tests import make
from tests.llm_server import LLMServer, Received, Script, malformed, ok, status

pytestmark = pytest.mark.django_db

EMAIL = "canary.marvin@heart-of-gold.com"
PHONE = "+49 170 4242424"
CARD = "4111 1111 1111 1111"
# Letters and digits only, as leaked compares them.
CANARIES = ("canarymarvin", "heartofgold", "1704242424", "4111111111111111")

# An answer, a repair and a repetition: everything that makes a request.
SCRIPTS: dict[str, Script] = {"answer": [ok()], "repair": [malformed(), ok()], "retry": [status(500), ok()]}


@cache
def weights() -> bytes:
    return local.fit_cold_start(cold_start.load()).to_bytes()


def analyse(said: Feedback, script: Script, settings: Settings) -> tuple[Analysis, list[Received]]:
    """The analysis of a received submission, by the llm engine, as a worker makes it; and what was sent for it."""
    with LLMServer(script) as server:
        settings.OPENAI_BASE_URL = server.url
        settings.TRIAGE_ENDPOINT = settings.TRIAGE_ENGINE_NAMED = True
        settings.TRIAGE_ENGINE = "llm"
        if not AnalyzerVersion.objects.exists():
            made = versions.create(engine="llm", origin="test", weights=weights(), model="scripted")
            versions.activate(version=made, by=None)
        assert analyses.perform(said.pk)
    return Analysis.objects.get(feedback=said), server.requests


def leaked(sent: str) -> list[str]:
    """Which canaries a text holds, also when JSON, percent-encoding or separators lie between their characters."""
    plain = unquote(re.sub(r"\\+u[0-9a-f]{4}|\\+[nrt]", " ", sent))
    squeezed = re.sub(r"[^a-z0-9]", "", plain.lower())
    return [canary for canary in CANARIES if canary in squeezed]


def sent_text(requests: list[Received]) -> str:
    return "\n".join(f"{request.path} {request.headers} {request.body}" for request in requests)


def test_the_search_finds_canaries_that_were_not_redacted() -> None:
    item = json.dumps({"comment": f"{EMAIL}\n{PHONE}", "page": "/pay?n=4111%201111-1111%201111"})
    assert leaked(json.dumps({"messages": [{"content": item}]})) == list(CANARIES)


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_planted_personal_data_never_reaches_the_model(script: Script, settings: Settings) -> None:
    said = make.feedback(
        f"The checkout button does nothing. Write to {EMAIL}, call {PHONE}, my card is {CARD}. It crashes too.",
        page=f"https://shop.example/users/{EMAIL}/pay?email={EMAIL}&phone=%2B491704242424&card=4111111111111111",
        page_title=f"Payment of {EMAIL}, {PHONE}, {CARD}",
    )
    analysis, requests = analyse(said, script, settings)
    assert analysis.engine == "llm"
    assert len(requests) == len(script) if isinstance(script, list) else requests
    assert "It crashes too." in requests[0].body
    assert leaked(sent_text(requests)) == []
    # Nor do they come back by the trace or by the stored row.
    assert leaked(json.dumps([analysis.trace, analysis.action, analysis.evidence, analysis.fallback_reason])) == []


@pytest.mark.parametrize(
    "comment",
    [
        f"Reply to {EMAIL.upper()} please",
        "Reply to canary.marvin (at) heart-of-gold (dot) com please",
        "Call 0049-170-4242424 or 0170/4242424",
        "It took 4111-1111-1111-1111 and failed",
        f"<b>{EMAIL}</b> {CARD.replace(' ', '')}",
    ],
)
def test_other_spellings_do_not_get_through_either(comment: str, settings: Settings) -> None:
    _, requests = analyse(make.feedback(comment), [ok()], settings)
    assert requests
    assert leaked(sent_text(requests)) == []


def test_what_staff_wrote_as_an_action_is_redacted_before_it_is_shown_as_an_example(
    ada: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_read", None)
    make.working_version()
    like = make.item("The checkout button does nothing when I pay")
    told = f"Answer {EMAIL} or {PHONE} today, card {CARD}, zzaction"
    reviews.override(analysis=like.analysis, by=ada, category="content-gap", severity="low", action=told)
    settings.OPENAI_API_KEY = "k"
    _, requests = analyse(make.feedback("The checkout button does nothing when I pay by card"), [ok()], settings)
    assert "zzaction" in requests[0].body
    assert leaked(sent_text(requests)) == []


def test_an_item_that_governance_holds_is_analysed_without_any_request(settings: Settings) -> None:
    said = make.feedback("I want to kill myself, the checkout button does nothing")
    assert said.compliance == "hold"
    analysis, requests = analyse(said, [ok()], settings)
    assert requests == []
    assert analysis.engine == "local"
    assert analysis.fallback_reason == "held by governance: not sent to the model"
