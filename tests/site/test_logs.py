"""What is logged: each event as one JSON object with the feedback's id, and never a word, a key or a password."""

from __future__ import annotations

import io
import json
import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from analyzer import reviews
from analyzer.models import QueueItem
from feedback.models import Feedback
from tests import make
from tests.databases import nests_transactions
from tests.llm_server import MISBEHAVIOURS, LLMServer
from tests.worker import ROOT, Desk
from triage_site.logs import JsonFormatter, LineFormatter

CANARY = "zaphodbeeblebrox"
KEY = "sk-canary-key-4242424242"
PASSWORD = "canary-password-4242"
WAYS = ("malformed", "401", "wrong type", "extra field")


class Log:
    """Everything that any logger writes at INFO and above, as the desk's formatter writes it."""

    def __init__(self, formatter: logging.Formatter) -> None:
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(formatter)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


def listen(formatter: logging.Formatter) -> Iterator[Log]:
    log = Log(formatter)
    names = ("", "triage_site.events", "django", "axes")
    loggers = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    for logger, _ in loggers:
        logger.setLevel(logging.INFO)
    logging.getLogger().addHandler(log.handler)
    yield log
    logging.getLogger().removeHandler(log.handler)
    for logger, level in loggers:
        logger.setLevel(level)


@pytest.fixture
def log() -> Iterator[Log]:
    yield from listen(JsonFormatter())


@pytest.fixture
def line_log() -> Iterator[Log]:
    yield from listen(LineFormatter())


@pytest.mark.django_db
def test_the_way_of_an_item_can_be_followed_by_its_id(
    log: Log, ada: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        item = make.item(f"The checkout is dead, says {CANARY}")
        reviews.validate(analysis=item.analysis, by=ada)
    lines = [line for line in log.lines if line.get("feedback") == str(item.pk)]
    assert [line["event"] for line in lines] == ["feedback received", "feedback analysed", "feedback decided"]
    assert {"time", "level", "logger", "event", "feedback"} <= set(lines[0])
    assert (lines[1]["engine"], lines[1]["fallback"], lines[2]["provenance"]) == ("local", False, "validated")
    assert CANARY not in log.text
    assert "ada" not in json.dumps([line.get("reviewer") for line in lines])


@pytest.mark.django_db
def test_nothing_is_logged_of_what_was_not_stored(log: Log, client: Client) -> None:
    client.post("/api/feedback/", {"comment": "x" * 6_000, "rating": 9}, content_type="application/json")
    assert not Feedback.objects.exists()
    assert [line for line in log.lines if line["event"].startswith("feedback")] == []


@nests_transactions
@pytest.mark.django_db
def test_form_api_import_and_login_log_no_words_and_no_password(
    log: Log,
    client: Client,
    ada: User,
    settings: Settings,
    tmp_path: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.AXES_ENABLED = True
    words = {"comment": f"It broke for {CANARY}", "page": f"/{CANARY}", "page_title": CANARY, "rating": 2}
    file = tmp_path / "rows.jsonl"
    rows = [words | {"id": "1"}, words | {"id": "2", "rating": 77}, CANARY]
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post("/feedback/", words).status_code == 302
        assert client.post("/feedback/", words | {"rating": CANARY}).status_code == 422
        assert client.post("/api/feedback/", words, content_type="application/json").status_code == 202
        assert client.post("/api/feedback/", f"{{{CANARY}", content_type="application/json").status_code == 400
        call_command("import_feedback", str(file), stdout=io.StringIO(), stderr=io.StringIO())
        for _ in range(6):
            client.post("/admin/login/", {"username": "ada", "password": PASSWORD})
        client.get("/feedback/thanks/", {"page": CANARY})
    assert Feedback.objects.count() == 3
    assert sum(line["event"] == "feedback received" for line in log.lines) == 3
    assert CANARY not in log.text
    assert PASSWORD not in log.text


@pytest.mark.django_db
def test_an_exception_is_logged_by_type_and_place_without_its_message(log: Log) -> None:
    said = make.feedback()
    try:
        try:
            raise LookupError(CANARY)
        except LookupError as error:
            raise ValueError(f"row ({CANARY}) refused") from error
    except ValueError as error:
        logging.getLogger("analyzer").exception("feedback %s: attempt %d failed: %s", said.pk, 2, error)
    line = log.lines[-1]
    assert line["feedback"] == str(said.pk)
    assert [cause["type"] for cause in line["error"]] == ["builtins.ValueError", "builtins.LookupError"]
    assert "test_logs.py" in line["error"][0]["frames"][0]
    assert CANARY not in log.text


def test_what_django_q_says_of_a_failed_task_is_cut_before_the_exception(log: Log) -> None:
    logging.getLogger("django-q").error("Failed 'analyze' (blue-moon) - %s : Traceback (most recent…", CANARY)
    assert log.lines[-1]["event"] == "Failed 'analyze' (blue-moon)"
    assert CANARY not in log.text


def test_a_line_break_cannot_forge_another_event(line_log: Log) -> None:
    logging.getLogger("django.request").warning("Not Found: %s", "/x\n2026-01-01 CRITICAL all is lost\x1b[2J")
    assert len(line_log.text.splitlines()) == 1
    assert "\x1b" not in line_log.text
    assert "django.request Not Found: /x\\n2026" in line_log.text


def test_a_line_for_eyes_has_the_id_and_the_frames(line_log: Log) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger("analyzer").exception("it failed", extra={"feedback": "17", "fields": {"attempt": 2}})
    first, second = line_log.text.splitlines()
    assert first.endswith("ERROR analyzer it failed feedback=17 attempt=2")
    assert second.startswith("  builtins.ValueError: ")
    assert CANARY not in line_log.text


def analyse_in_a_process(desk: Desk, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "analyze_feedback", "--now"],
        cwd=ROOT,
        env=desk.environment | {"LOG_FORMAT": "json"} | environment,
        capture_output=True,
        text=True,
        check=True,
    )


def execute(desk: Desk, statement: str) -> None:
    with closing(sqlite3.connect(desk.database)) as connection, connection:
        connection.execute(statement)


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_neither_a_failing_endpoint_nor_a_failing_analysis_logs_a_word_or_the_key(tmp_path: Path) -> None:
    """In processes of their own, with Agent Lightning's and openai's loggers as they set themselves up."""
    desk = Desk(tmp_path)
    desk.submit([f"The page number {number} broke for {CANARY}" for number in range(len(WAYS))])
    answers = [MISBEHAVIOURS[way]() for way in WAYS]
    with LLMServer(answers) as server:
        done = analyse_in_a_process(
            desk, OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY, TRIAGE_ENGINE="llm", TRIAGE_TIMEOUT="5"
        )
    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    made = [line for line in json_lines(done.stderr) if line["event"] == "feedback analysed"]
    assert len(made) == len(WAYS)
    assert any(line["fallback"] for line in made)
    assert CANARY not in done.stderr + done.stdout
    assert KEY not in done.stderr + done.stdout

    execute(desk, "UPDATE analyzer_queueitem SET stage = 'pending', request = 2, attempts = 0")
    execute(desk, "UPDATE analyzer_analyzerversion SET weights = x'00'")
    done = analyse_in_a_process(desk)
    failed = [line for line in json_lines(done.stderr) if line["logger"] == "analyzer.analyses"]
    assert len(failed) == len(WAYS)
    assert all(line["feedback"] and line["error"] for line in failed)
    assert CANARY not in done.stderr + done.stdout


@pytest.mark.django_db
def test_the_item_keeps_the_reason_that_the_log_leaves_out(log: Log) -> None:
    from analyzer import analyses

    said = make.feedback()
    make.version(weights=b"no weights", weights_digest="ab")
    assert not analyses.perform(said.pk)
    item = QueueItem.objects.get(pk=said.pk)
    assert item.error
    assert item.error.partition(": ")[2] not in log.text


def test_an_unknown_format_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DEBUG": "1", "LOG_FORMAT": "xml"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "use line or json" in done.stderr
