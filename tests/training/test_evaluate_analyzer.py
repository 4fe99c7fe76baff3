"""evaluate_analyzer measures any version on our own reviews or on a file, says on what, and touches no row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command, load_command_class
from pytest_django import Settings

from analyzer import cold_start, reviews, versions
from analyzer.engines import local
from analyzer.models import Analysis, AnalyzerVersion, QueueItem, Review
from feedback.models import Feedback
from tests import make
from tests.llm_server import LLMServer, ok, status
from tests.training import desk
from training.models import TrainingRun

pytestmark = pytest.mark.django_db


def evaluate(*args: object, **options: Any) -> str:
    out = StringIO()
    call_command("evaluate_analyzer", *map(str, args), stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Every fifth of our own starter examples: familiar to the cold start, which is all that these tests need."""
    rows = [example.model_dump(mode="json") for example in cold_start.load()[::5]]
    path = tmp_path / "labelled.jsonl"
    path.write_text("".join(json.dumps(row | {"split": "dev"}) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def weights() -> bytes:
    """Fitted once: how good they are does not matter here."""
    starters = [
        local.LabelledText(comment=example.comment, category=example.category, severity=example.severity)
        for example in cold_start.load()
    ]
    return local.fit(starters, calibration_examples=starters[::5]).to_bytes()


@pytest.fixture
def active(weights: bytes) -> AnalyzerVersion:
    version = versions.create(engine="local", origin="test", weights=weights)
    return versions.activate(version=version, by=None)


@pytest.fixture
def endpoint(settings: Settings, active: AnalyzerVersion) -> Iterator[LLMServer]:
    """A scripted endpoint, no model, that the desk is told to ask; it finds website bugs everywhere."""
    with LLMServer([ok(category="website-bug")]) as server:
        settings.OPENAI_BASE_URL, settings.TRIAGE_ENDPOINT = server.url, True
        yield server


def test_an_empty_desk_can_evaluate_a_file_with_the_version_it_starts_with(file: Path) -> None:
    report = json.loads(evaluate("--dataset", file, "--json"))
    assert report["version"] == AnalyzerVersion.objects.get().number
    assert report["accuracy"] > 0.8, "these examples are the ones it learned from"


def test_json_has_the_agreed_keys_and_says_what_was_measured_on(file: Path, active: AnalyzerVersion) -> None:
    report = json.loads(evaluate("--dataset", file, "--json"))
    assert set(report) == {
        "n", "accuracy", "macro_f1", "ece", "per_class", "confusion", "severity_recall", "mean_reward", "coverage",
        "version", "intervals", "data", "engine", "reliability", "coverage_curve",
    }  # fmt: skip
    assert report["n"] == len(cold_start.load()[::5])
    assert (report["engine"], report["data"]["name"], len(report["data"]["digest"])) == ("local", "labelled.jsonl", 64)
    for name in ("accuracy", "macro_f1", "mean_reward", "severity_recall"):
        found = report["intervals"][name]
        assert found["low"] <= found["value"] <= found["high"]
        assert found["n"] > 0
        assert report[name] == found["value"]


def test_the_tables_name_data_version_and_every_figure(file: Path, active: AnalyzerVersion) -> None:
    said = evaluate("--dataset", file)
    n = len(cold_start.load()[::5])
    assert f"v{active.number} local (test), through the local engine" in said
    assert f"n {n}" in said
    digest = json.loads(evaluate("--dataset", file, "--json"))["data"]["digest"]
    assert f"labelled.jsonl, digest {digest[:12]}" in said
    for words in (
        "accuracy", "macro-F1", "ECE, 15 bins of equal mass", "recall on critical and high", "mean reward",
        "coverage at 90% precision", "coverage at 95% precision", "What people said (rows)", "framework-issue",
    ):  # fmt: skip
        assert words in said


def test_without_severity_labels_the_table_says_that_there_are_none(file: Path, active: AnalyzerVersion) -> None:
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(row | {"severity": None}) + "\n" for row in rows))
    (line,) = [line for line in evaluate("--dataset", file).splitlines() if line.startswith("recall on critical")]
    assert " ".join(line.split()) == "recall on critical and high – – 0 no such label"


def test_a_file_is_measured_without_touching_a_row(file: Path, ada: User, active: AnalyzerVersion) -> None:
    desk.labelled(ada, 3)
    tables = (Feedback, QueueItem, Analysis, Review, AnalyzerVersion, TrainingRun)
    before = [list(table.objects.order_by("pk").values()) for table in tables]
    evaluate("--dataset", file)
    evaluate("--dataset", file, "--engine", "local", "--json")
    assert [list(table.objects.order_by("pk").values()) for table in tables] == before


def test_only_the_asked_split_of_a_file_is_measured(file: Path, active: AnalyzerVersion) -> None:
    with file.open("a") as more:
        more.write('{"comment": "It crashes", "category": "website-bug", "split": "train"}\n')
    report = json.loads(evaluate("--dataset", file, "--split", "train", "--json"))
    assert (report["n"], report["data"]["split"]) == (1, "train")


def test_by_default_our_own_newest_decisions_are_measured(ada: User, active: AnalyzerVersion) -> None:
    desk.labelled(ada, 60)
    report = json.loads(evaluate("--json"))
    assert (report["n"], report["data"]["name"], report["data"]["split"]) == (12, "our own reviews", "test")
    assert json.loads(evaluate("--split", "train", "--json"))["n"] == 39


def test_another_version_is_measured_by_its_number(file: Path, active: AnalyzerVersion) -> None:
    other = versions.create(engine="local", origin="local", weights=bytes(active.weights))
    assert json.loads(evaluate("--dataset", file, "--version", other.number, "--json"))["version"] == other.number
    active.refresh_from_db()
    assert active.status == "active"


def test_a_version_that_learned_from_what_it_is_measured_on_is_marked(ada: User, active: AnalyzerVersion) -> None:
    desk.labelled(ada, 60)
    TrainingRun.objects.create(
        number=1,
        algorithm="local",
        status="finished",
        candidate=active,
        dataset={"from": {"test": desk.MONDAY.replace(day=5).isoformat()}},
    )
    errors = StringIO()
    evaluate("--split", "train", stderr=errors)
    assert f"Version {active.number} may have learned from 39 of these items" in errors.getvalue()


def test_another_engine_is_asked_over_the_same_weights(tmp_path: Path, endpoint: LLMServer) -> None:
    path = tmp_path / "two.jsonl"
    path.write_text(
        '{"comment": "The basket is empty again, write to jo@example.org", "category": "website-bug"}\n'
        '{"comment": "Thanks for the quick answer", "category": "positive"}\n'
    )
    report = json.loads(evaluate("--dataset", path, "--engine", "llm", "--json"))
    assert (report["engine"], report["n"], len(endpoint.requests)) == ("llm", 2, 2)
    assert not any("jo@example.org" in request.body for request in endpoint.requests)
    assert not any('"decision"' in request.body for request in endpoint.requests)


def test_no_decision_as_new_as_what_is_measured_is_shown_to_the_model(ada: User, endpoint: LLMServer) -> None:
    for position, comment in enumerate(desk.comments(60)):
        category = desk.CATEGORIES[position % 6]
        item = make.item(comment, category=category, received_at=desk.MONDAY + timedelta(hours=position))
        reviews.validate(analysis=item.analysis, by=ada)
    evaluate("--engine", "llm")
    assert len(endpoint.requests) == 12
    shown = [set(map(int, re.findall(r"number (\d+)", request.body))) for request in endpoint.requests]
    assert all(len({number for number in numbers if number >= 48}) == 1 for numbers in shown), "only the item itself"
    assert any(len(numbers) > 1 for numbers in shown), "older ones are shown"


def test_an_engine_that_answers_nothing_is_an_error_and_not_a_figure(file: Path, endpoint: LLMServer) -> None:
    endpoint.script = [status(401)]
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:3]))
    with pytest.raises(CommandError, match="llm engine did not answer 3 of 3 items; most often: "):
        evaluate("--dataset", file, "--engine", "llm")


def test_items_that_the_local_engine_had_to_answer_are_counted(file: Path, endpoint: LLMServer) -> None:
    endpoint.script = [ok(), status(401)]
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:3]))
    errors = StringIO()
    report = json.loads(evaluate("--dataset", file, "--engine", "llm", "--json", stderr=errors))
    assert report["n"] == 3
    assert "did not answer 2 of 3 items, and the local engine answered instead" in errors.getvalue()


def test_what_cannot_be_measured_is_refused_with_the_reason(
    file: Path, tmp_path: Path, active: AnalyzerVersion
) -> None:
    with pytest.raises(CommandError, match="There is no file"):
        evaluate("--dataset", tmp_path / "missing.jsonl")
    with pytest.raises(CommandError, match=r"There is no version 99. The newest are: \d"):
        evaluate("--dataset", file, "--version", 99)
    broken = versions.create(engine="local", origin="test", weights=b"no weights")
    with pytest.raises(CommandError, match=f"Version {broken.number} cannot be measured"):
        evaluate("--dataset", file, "--version", broken.number)
    with pytest.raises(CommandError, match="neither OPENAI_BASE_URL nor OPENAI_API_KEY"):
        evaluate("--dataset", file, "--engine", "llm")
    with pytest.raises(CommandError, match=r"50 are missing.*can be evaluated with --dataset FILE"):
        evaluate()
    file.write_text('{"comment": "x", "category": "wrong"}\n')
    with pytest.raises(CommandError, match="line 1: field category"):
        evaluate("--dataset", file)


def test_a_split_that_we_do_not_have_is_told_the_ones_we_have(ada: User, active: AnalyzerVersion) -> None:
    desk.labelled(ada, 60)
    with pytest.raises(CommandError, match="train, validation, test, not 'dev'"):
        evaluate("--split", "dev")


def test_help_explains_every_option() -> None:
    parser = load_command_class("training", "evaluate_analyzer").create_parser("manage.py", "evaluate_analyzer")
    words = " ".join(parser.format_help().split())
    for said in ("--dataset FILE", "--version N Which version", "--engine {local,llm,cascade}", "--split NAME"):
        assert said in words
    assert "95 % bootstrap interval" in words
