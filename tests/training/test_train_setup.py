"""train_analyzer --mode setup tries everything that training needs, a line each, and its exit code says the result."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from tests import make
from tests.llm_server import LLMServer, ok, status
from tests.training import classroom
from tests.training.tuning_server import TuningServer
from training.finetune import extras
from training.models import TrainingRun

pytestmark = pytest.mark.django_db
NAMES = ["data set", "agent", "rollout", "store", "engine", "algorithms", "fine-tuning", "hosted"]
# What one algorithm needs, and may be absent.
OPTIONAL = {"fine-tuning", "hosted"}


def set_up() -> tuple[int, dict[str, str]]:
    """The exit code, and per name its line."""
    out = StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("train_analyzer", "--mode", "setup", stdout=out)
    lines = out.getvalue().splitlines()
    assert [line[2:].split(":")[0] for line in lines] == NAMES
    return int(left.value.code or 0), dict(zip(NAMES, lines, strict=True))


@pytest.fixture(autouse=True)
def cold(db: None) -> None:
    make.working_version()


@pytest.fixture(autouse=True)
def plain(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the extras of fine-tuning, as most are, whatever this one has."""
    if request.node.get_closest_marker("finetune") is None:
        monkeypatch.setattr(extras, "find_spec", lambda name: None)


def test_a_desk_with_decisions_is_ready(ada: User) -> None:
    classroom.decide(ada, 60)
    code, lines = set_up()
    assert code == 0
    assert all(line.startswith("✓ ") for name, line in lines.items() if name not in OPTIONAL)
    assert lines["hosted"].startswith("– hosted: hosted sends decisions to a fine-tuning API: set OPENAI_API_KEY or")
    assert "--algorithm local, reinforce, or sft" in lines["hosted"]
    assert lines["data set"].startswith("✓ data set: 39 to learn from, 9 to choose with, 12 held out; content-gap 10, ")
    assert "feedback_analyzer_agent with v1 local" in lines["agent"]
    assert "2 rollouts, 6 spans back" in lines["rollout"]
    assert "a LightningStoreServer of our own: 2 rollouts, 6 spans back" in lines["store"]
    assert "local answers website-bug" in lines["engine"]
    assert "agentlightning 0.3.0" in lines["algorithms"]
    assert not TrainingRun.objects.exists()


def test_the_extras_of_fine_tuning_may_be_absent(ada: User) -> None:
    classroom.decide(ada, 60)
    code, lines = set_up()
    assert code == 0
    assert lines["fine-tuning"].startswith("– fine-tuning: not installed (accelerate, datasets, ")
    assert "make install-finetune" in lines["fine-tuning"]


@pytest.mark.finetune
def test_extras_that_are_there_are_tried_and_named_with_the_hardware(ada: User) -> None:
    classroom.decide(ada, 60)
    code, lines = set_up()
    assert code == 0
    assert lines["fine-tuning"].startswith("✓ fine-tuning: torch 2.")
    assert "free" in lines["fine-tuning"]


@pytest.mark.finetune
def test_extras_that_cannot_be_imported_are_a_fault(ada: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an upgrade that went wrong: what is installed must work."""
    classroom.decide(ada, 60)
    (tmp_path / "trl.py").write_text("raise ImportError('built for another torch')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    code, lines = set_up()
    assert code == 1
    assert lines["fine-tuning"].startswith("✗ fine-tuning: its packages cannot be imported: ImportError: built for")


def test_what_is_missing_is_said_and_the_rest_is_tried_all_the_same(settings: Any) -> None:
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_ENGINE = True, "llm"
    settings.LIGHTNING_STORE_URL = "http://127.0.0.1:9"
    with LLMServer([status(401)]) as server:
        settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = server.url, "wrong"
        code, lines = set_up()
    assert code == 1
    assert "✗ data set: Learning needs 50 decided items and there are 0" in lines["data set"]
    assert lines["rollout"].startswith("✓ ")
    assert lines["store"].startswith("✗ store: http://127.0.0.1:9: Cannot connect")
    assert "did not accept the key (HTTP 401): check OPENAI_API_KEY" in lines["engine"]
    assert lines["algorithms"].startswith("✓ ")


def test_an_endpoint_that_answers_is_named_with_its_model(settings: Any) -> None:
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_ENGINE, settings.TRIAGE_MODEL = True, "cascade", "scripted"
    with LLMServer([ok()]) as server:
        settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = server.url, "k"
        code, lines = set_up()
        assert lines["engine"].startswith(f"✓ engine: llm at {server.url}, model scripted answers website-bug")
        assert lines["hosted"].startswith("– hosted: 127.0.0.1:")
    assert code == 1


def test_an_endpoint_that_fine_tunes_is_asked_and_sent_nothing(ada: User, settings: Any) -> None:
    classroom.decide(ada, 60)
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_ENGINE = True, "llm"
    with TuningServer() as server:
        settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = server.url, "k"
        code, lines = set_up()
        assert [one.path for one in server.requests if "chat" not in one.path] == ["GET /v1/fine_tuning/jobs?limit=1"]
    assert lines["hosted"].startswith("✓ hosted: 127.0.0.1:")
    assert code == 0
