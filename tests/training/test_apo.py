"""A model improves its own prompt, within a budget, against a scripted model whose answers depend on the prompt."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from analyzer import analyses, versions
from analyzer.models import AnalyzerVersion, QueueItem
from tests import make
from tests.llm_server import LLMServer, Scripted, status, text
from tests.training import classroom, scripted_model
from tests.training.scripted_model import BASE, RULES, of_kind
from training import dataset, promotion, refusals, runs
from training.algorithms import Options
from training.models import TrainingRun

pytestmark = pytest.mark.django_db
SMALL = Options(rounds=1, beam=1, runners=0, rollouts=200, curve=False)


@pytest.fixture
def desk(ada: User, settings: Any) -> Any:
    """A desk with 60 decisions whose active version asks the scripted model."""
    classroom.decide(ada, 60)
    cold = make.working_version()
    settings.TRIAGE_ENDPOINT = True
    settings.OPENAI_API_KEY = "unset"
    settings.TRIAGE_MODEL = "scripted"
    version = versions.create(
        engine="llm", origin="test", weights=bytes(cold.weights), prompt=BASE, calibration=cold.calibration
    )
    versions.activate(version=version, by=None)
    return settings


def search(server: LLMServer, desk: Any, **changes: Any) -> tuple[TrainingRun, list[str]]:
    desk.OPENAI_BASE_URL = server.url
    lines: list[str] = []
    options = Options(**{name: getattr(SMALL, name) for name in SMALL.__slots__} | changes)
    return runs.execute(algorithm="apo", options=options, progress=lines.append), lines


def test_the_reward_rises_and_the_best_prompt_is_used_by_the_next_analysis(ada: User, desk: Any) -> None:
    classroom.decide(ada, 60, seed=1)
    with LLMServer(scripted_model.answer) as server:
        run, lines = search(server, desk, rounds=2, runners=2, promote=True, input_price=1.0, output_price=2.0)
        assert (run.status, run.outcome, run.error) == ("finished", "promoted", "")
        found = run.metrics["validation"]["apo"]
        assert found["present"] < 0.5
        assert found["reward"] > 0.95
        assert run.metrics["candidate"]["accuracy"] == 1.0
        active = versions.active()
        assert (active.engine, active.origin, active.model) == ("llm", "apo", "scripted")
        assert active.prompt == "\n".join([BASE, *RULES])
        said = make.feedback("badeki quindle tikilora rasevomu", type="", rating=None)
        assert analyses.perform(said.pk)
        assert QueueItem.objects.get(pk=said.pk).category == classroom.MEANINGS["quindle"]
        assert RULES[-1] in of_kind(server.requests, "analysis")[-1]
        assert run.usage["calls"] == len(server.requests) - 1
        assert run.usage["prompt_tokens"] == 100 * run.usage["calls"]
    assert any("rollouts (0 failed)" in line and "tokens" in line and "in cost" in line for line in lines)
    assert "mean reward" in TrainingRun.objects.get().log


def test_critics_and_examples_hold_decided_items_and_no_held_out_one(desk: Any) -> None:
    data = dataset.build()
    held_out = [example.comment for example in (*data.validation, *data.test)]
    with LLMServer(scripted_model.answer) as server:
        search(server, desk)
    critics, edits = (of_kind(server.requests, wanted) for wanted in ("critique", "edit"))
    assert critics
    assert all("{categories}" in text for text in (*critics, *edits))
    for critic in critics:
        assert '{"category": "noise", "why": {"sure": true}}' in critic
        assert "A person decided: " in critic
        assert any(example.comment in critic for example in data.train)
        assert not any(comment in critic for comment in held_out)
    analyses_ = [one.json["messages"] for one in server.requests if scripted_model.kind(one.json) == "analysis"]
    shown = ["\n".join(message["content"] for message in messages[1:-1]) for messages in analyses_]
    assert any(example.comment in said for said in shown for example in data.train)
    assert not any(comment in said for said in shown for comment in held_out)


def test_a_prompt_that_must_not_be_saved_is_left_out(desk: Any) -> None:
    def editor(request: dict[str, Any], n: int) -> Scripted:
        if scripted_model.kind(request) == "edit":
            return text("Write a poem about {visitor}. Answer in XML.")
        return scripted_model.answer(request, n)

    with LLMServer(editor) as server:
        run, lines = search(server, desk)
    assert any("a new prompt was left out" in line and "{visitor}" in line for line in lines)
    assert (run.status, run.outcome, run.candidate) == ("finished", "no-change", None)


def test_a_model_that_often_fails_is_searched_to_the_end_and_the_failures_are_told(desk: Any) -> None:
    with LLMServer(scripted_model.half_failing) as server:
        run, lines = search(server, desk)
    found = run.metrics["validation"]["apo"]
    assert run.status == "finished"
    assert abs(found["failed"] - found["rollouts"] / 2) < 1
    assert any(f"({found['failed']} failed)" in line for line in lines)
    assert found["reward"] > found["present"]


def test_a_model_that_always_fails_fails_the_run_with_the_reason(desk: Any) -> None:
    before = versions.active()
    with LLMServer([status(401)]) as server:
        run, _ = search(server, desk)
    assert run.status == "failed"
    assert "rollouts all failed: The model endpoint 127.0.0.1" in run.error
    assert "did not accept the key (HTTP 401)" in run.error
    assert (versions.active(), run.candidate) == (before, None)
    assert TrainingRun.objects.get().status == "failed"


def test_a_model_that_goes_away_before_the_comparison_is_no_reason_to_judge_its_prompt(desk: Any) -> None:
    held_out = [example.comment for example in dataset.build().test]

    def gone(request: dict[str, Any], n: int) -> Scripted:
        asked = scripted_model.everything(request)
        return status(401) if any(comment in asked for comment in held_out) else scripted_model.answer(request, n)

    before = versions.active()
    with LLMServer(gone) as server:
        run, _ = search(server, desk)
    assert run.status == "failed"
    assert "did not answer most of the 12 held-out items" in run.error
    assert "HTTP 401" in run.error
    assert versions.active() == before
    # What the search has cost is not thrown away.
    assert run.candidate is not None
    assert RULES[0] in run.candidate.prompt
    with pytest.raises(refusals.NotPromotable, match="It was never compared on held-out items"):
        promotion.promote(run=run, by=None)


def test_of_several_algorithms_one_may_fail(desk: Any) -> None:
    with LLMServer([status(401)]) as server:
        desk.OPENAI_BASE_URL = server.url
        run = runs.execute(algorithm="apo,reinforce", options=SMALL, progress=[].append)
    assert run.status == "finished"
    assert "rollouts all failed" in run.metrics["validation"]["apo"]["error"]
    assert run.candidate is not None
    assert run.candidate.origin == "reinforce"


def test_over_a_version_without_a_model_the_present_prompt_is_a_proposal_too(desk: Any) -> None:
    local = AnalyzerVersion.objects.get(origin="cold-start")
    local.origin, local.prompt = "local", "\n".join([BASE, *RULES])
    local.save(update_fields=("origin", "prompt"))
    versions.activate(version=local, by=None)
    with LLMServer(scripted_model.answer) as server:
        run, _ = search(server, desk)
    assert run.metrics["validation"]["apo"]["gain"] > 0
    assert run.candidate is not None
    assert (run.candidate.engine, run.candidate.prompt) == ("llm", local.prompt)


@pytest.mark.parametrize(
    ("limit", "word"),
    [({"rollouts": 24}, "rollouts is used up"), ({"max_tokens": 8_000}, "tokens is used up")],
)
def test_a_budget_ends_the_search_with_the_best_so_far(desk: Any, limit: dict[str, int], word: str) -> None:
    with LLMServer(scripted_model.answer) as server:
        run, lines = search(server, desk, rounds=50, **limit)
    assert any(f"prompt search ended: the budget of {next(iter(limit.values())):,}" in line for line in lines)
    assert any(word in line for line in lines)
    assert run.status == "finished"
    if "rollouts" in limit:
        assert run.metrics["validation"]["apo"]["rollouts"] <= 24
    else:
        assert run.usage["prompt_tokens"] + run.usage["completion_tokens"] <= 8_000


def test_a_version_without_a_model_is_given_one_with_the_found_prompt(ada: User, desk: Any) -> None:
    local = AnalyzerVersion.objects.get(origin="cold-start")
    local.origin = "local"
    local.save(update_fields=("origin",))
    versions.activate(version=local, by=None)
    with LLMServer(scripted_model.answer) as server:
        run, _ = search(server, desk)
    assert run.active == local
    assert run.candidate is not None
    assert run.candidate.engine == "llm"
    assert bytes(run.candidate.weights) == bytes(local.weights)
