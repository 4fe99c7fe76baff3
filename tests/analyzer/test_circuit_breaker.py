"""An endpoint that is down is left alone after five failures, probed after half a minute, and then asked again."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from pytest_django import Settings

from analyzer import analyses, versions
from analyzer.engines import EngineError, Spec
from analyzer.engines.breaker import FAILURES, PAUSE_SECONDS, Breaker
from analyzer.engines.endpoint import Budget, Endpoint
from analyzer.models import Analysis, QueueItem
from tests import make
from tests.llm_server import LLMServer, Script, malformed, ok, refusal, status

KEY = "sk-canary"


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def ask(endpoint: Endpoint) -> str:
    """What became of one question: ok, or the kind of its failure."""
    try:
        endpoint.ask([{"role": "user", "content": "?"}], Budget(5.0))
    except EngineError as error:
        return error.kind
    return "ok"


def endpoint_of(server: LLMServer, clock: Clock) -> Endpoint:
    return Endpoint(Spec(engine="llm", model="m", base_url=server.url, api_key=KEY), Breaker(clock=clock))


def test_after_five_failures_the_endpoint_is_not_asked_until_the_pause_is_over() -> None:
    clock = Clock()
    with LLMServer([status(401)] * FAILURES + [ok()]) as server:
        endpoint = endpoint_of(server, clock)
        assert [ask(endpoint) for _ in range(8)] == ["rejected"] * FAILURES + ["paused"] * 3
        assert len(server.requests) == FAILURES
        clock.now += PAUSE_SECONDS - 1
        assert ask(endpoint) == "paused"
        clock.now += 2
        assert [ask(endpoint) for _ in range(3)] == ["ok"] * 3
        assert len(server.requests) == FAILURES + 3


def test_a_probe_that_fails_starts_another_pause_and_is_the_only_question() -> None:
    clock = Clock()
    with LLMServer([status(401)]) as server:
        endpoint = endpoint_of(server, clock)
        for _ in range(FAILURES):
            ask(endpoint)
        for probe in range(1, 4):
            clock.now += PAUSE_SECONDS + 1
            assert [ask(endpoint) for _ in range(3)] == ["rejected", "paused", "paused"]
            assert len(server.requests) == FAILURES + probe


@pytest.mark.parametrize("between", [ok(), refusal()], ids=["an answer", "a refusal"])
def test_failures_count_only_in_a_row(between: Script) -> None:
    answers = ([status(401)] * (FAILURES - 1) + [between]) * 3
    with LLMServer(answers) as server:
        endpoint = endpoint_of(server, Clock())
        assert "paused" not in [ask(endpoint) for _ in answers]


def test_answers_that_are_of_no_use_are_not_an_outage() -> None:
    with LLMServer([malformed()]) as server:
        endpoint = endpoint_of(server, Clock())
        assert {ask(endpoint) for _ in range(3 * FAILURES)} == {"ok"}


@pytest.mark.django_db
def test_items_of_an_outage_are_served_locally_and_analysed_again_on_request(settings: Settings) -> None:
    settings.TRIAGE_ENDPOINT = settings.TRIAGE_ENGINE_NAMED = True
    settings.TRIAGE_ENGINE = "llm"
    weights = make.working_version().weights
    items = [make.feedback(f"The button number {number} does nothing") for number in range(FAILURES + 2)]
    held = make.feedback("I want to kill myself, the checkout button does nothing")
    with LLMServer([status(401)]) as down:
        settings.OPENAI_BASE_URL = down.url
        version = versions.create(engine="llm", origin="test", weights=weights, model="scripted")
        versions.activate(version=version, by=None)
        assert all(analyses.perform(said.pk) for said in [*items, held])
        assert len(down.requests) == FAILURES
    reasons = [Analysis.objects.get(feedback=said).fallback_reason for said in items]
    assert all(reason.startswith("rejected: ") for reason in reasons[:FAILURES])
    assert all(reason.startswith("paused: ") and "paused after 5 failures" in reason for reason in reasons[FAILURES:])
    assert set(Analysis.objects.values_list("engine", flat=True)) == {"local"}

    with LLMServer([ok()]) as up:
        settings.OPENAI_BASE_URL = up.url
        other = versions.create(engine="llm", origin="test", weights=weights, model="scripted-again")
        versions.activate(version=other, by=None)
        out = io.StringIO()
        call_command("analyze_feedback", "--fallback", "--now", stdout=out)
        assert len(up.requests) == len(items)
    assert f"{len(items)} of {len(items)} analysed" in out.getvalue()
    counted = QueueItem.objects.exclude(pk=held.pk).values_list("analysis__engine", "analysis__fallback_reason")
    assert set(counted) == {("llm", "")}
    assert QueueItem.objects.get(pk=held.pk).request == 1
