"""Forgetting one feedback: no word of it is left in the database, and what learned from it is named."""

from __future__ import annotations

import io
import json
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from analyzer import events, memory, reviews
from analyzer.models import AnalyzerVersion, Fingerprint, QueueItem
from feedback import search
from feedback.models import Feedback, SyncProblem
from tests import make
from tests.training import make_runs
from tests.worker import Desk
from training import dataset, erasure

CANARY = "zyzzyvacanary"
SENTENCE = f"My name is {CANARY} and the export of my invoices has been broken since Monday"


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("forget", *arguments, stdout=out)
    return out.getvalue()


def everywhere() -> list[str]:
    """Every stored value of every model that holds the canary."""
    return [
        f"{model._meta.label}.{name}"
        for model in apps.get_models()
        for row in model._default_manager.all()
        for name, value in vars(row).items()
        if CANARY in str(value)
    ]


@pytest.fixture
def item(ada: User) -> QueueItem:
    """An item of which every text is planted, decided with a note, and mentioned where else the desk writes."""
    trace = [{"name": "agentlightning.object", "status": "OK", "ms": 1, "attributes": {"json": SENTENCE}}]
    found = make.item(
        SENTENCE,
        source="mongo:shop.feedback",
        external_id="4711",
        page=f"/users/{CANARY}",
        page_title=f"Page of {CANARY}",
        evidence=[SENTENCE[:30]],
        action=f"Call {CANARY}.",
        trace=trace,
        severity="medium",
    )
    events.add_note(item=found, by=ada, text=f"{CANARY} called again")
    reviews.override(analysis=found.analysis, by=ada, category="noise", note=f"{CANARY} is a tester")
    SyncProblem.objects.create(source="mongo:shop.feedback", external_id="4711", reason=f"{CANARY} is odd")
    LogEntry.objects.create(user=ada, object_id=str(found.pk), object_repr=SENTENCE[:60], action_flag=2)
    return found


@pytest.mark.django_db
def test_no_word_of_it_is_left(item: QueueItem) -> None:
    make.item("Somebody else's report about the same invoices")
    before = everywhere()
    for place in ("feedback.Feedback.comment", "analyzer.Analysis.trace", "analyzer.Review.note", "admin.LogEntry"):
        assert any(found.startswith(place) for found in before), place
    said = run(str(item.pk))
    assert f"Forgot {item.pk}: 1 analyses with their traces, 1 decisions, 1 notes and events." in said
    assert "It came from mongo:shop.feedback: remove it there too" in said
    assert "Not reached: files that were exported" in said
    assert "job folders of fine-tuning" in said
    assert everywhere() == []
    assert not Feedback.objects.filter(search.condition(CANARY)).exists()
    assert [one.example.comment for one in memory.remember()] == []
    assert [example.comment for example in dataset.collect()] == []
    assert Feedback.objects.count() == 1, "nobody else's is gone"


@pytest.mark.django_db
def test_a_dry_run_changes_nothing_and_an_unknown_id_is_said(item: QueueItem) -> None:
    assert f"Would forget {item.pk}: 1 analyses" in run(str(item.pk), "--dry-run")
    assert everywhere() != []
    with pytest.raises(CommandError, match="There is no feedback"):
        run("01a21812-8d9b-754d-9c63-e863f8c4d168")
    with pytest.raises(CommandError, match="no id such as"):
        run("4711")


@pytest.mark.django_db
def test_versions_that_may_have_learned_from_it_are_named(ada: User) -> None:
    old = timezone.now() - timedelta(days=300)
    item = make.item(SENTENCE, received_at=old)
    before = make_runs.run()
    reviews.validate(analysis=item.analysis, by=ada)
    assert erasure.examine(item.pk).learned == [], "that run had begun before it was decided"
    cut = {"from": {"test": (timezone.now() - timedelta(days=10)).isoformat()}}
    learned = make_runs.run(dataset=before.dataset | cut, started_at=timezone.now())
    examined = {"from": {"test": (old - timedelta(days=10)).isoformat()}}
    make_runs.run(dataset=before.dataset | examined, started_at=timezone.now())
    candidate = learned.candidate
    assert candidate is not None
    same = make_runs.version(engine="cascade", weights=bytes(candidate.weights), origin="local")
    further = make_runs.version(origin="reinforce", parent=same)
    make_runs.version(origin="local", parent=candidate)
    assert erasure.examine(item.pk).learned == [candidate, same, further]
    AnalyzerVersion.objects.update(status="retired")
    AnalyzerVersion.objects.filter(pk=same.pk).update(status="active")
    said = run(str(item.pk))
    assert f"v{candidate.number} local (local) may have learned from it." in said
    assert f"v{same.number} cascade (local) may have learned from it; it is the active one" in said


@pytest.mark.django_db
def test_a_version_that_learned_from_a_late_copy_is_named(ada: User) -> None:
    item = make.item(SENTENCE, received_at=timezone.now() - timedelta(days=3))
    reviews.validate(analysis=item.analysis, by=ada)
    dates = {"from": {"test": (timezone.now() - timedelta(days=10)).isoformat()}, "until": item.received_at.isoformat()}
    learned = make_runs.run(dataset=make_runs.DATASET | dates, started_at=timezone.now())
    make_runs.run(dataset=make_runs.DATASET | dates | {"until": dates["from"]["test"]}, started_at=timezone.now())
    assert erasure.examine(item.pk).learned == [learned.candidate]


@pytest.mark.django_db
def test_a_prompt_or_a_record_that_quotes_it_is_named() -> None:
    item = make.item(SENTENCE)
    quoting = make_runs.version(prompt=f"For example “{SENTENCE}” is a website-bug.")
    make_runs.version(prompt="Sort what people say.")
    noted = make_runs.run(log=f"12:00 the critic said: {SENTENCE}")
    assert erasure.examine(item.pk).quoted == [f"the prompt of v{quoting.number}", f"the record of run {noted.number}"]


@pytest.mark.django_db
def test_copies_of_it_are_counted_anew_and_still_found() -> None:
    items = []
    for _ in range(3):
        item = make.feedback(SENTENCE).queue_item
        make.compare(QueueItem.objects.select_related("feedback").get(pk=item.pk))
        items.append(item)
    assert Fingerprint.objects.get().pk == items[0].pk
    run(str(items[0].pk))
    assert {item.similar for item in QueueItem.objects.all()} == {1}
    again = make.feedback(SENTENCE).queue_item
    make.compare(QueueItem.objects.select_related("feedback").get(pk=again.pk))
    assert {item.similar for item in QueueItem.objects.all()} == {2}


@pytest.mark.django_db
def test_the_admin_does_not_write_down_what_it_deletes(client: Client, item: QueueItem) -> None:
    LogEntry.objects.all().delete()
    boss = User.objects.create_superuser("boss")
    client.force_login(boss)
    client.post(f"/admin/feedback/feedback/{item.pk}/delete/", {"post": "yes"})
    assert not Feedback.objects.exists()
    assert LogEntry.objects.get().object_repr == str(item.pk)


def test_no_byte_of_it_is_left_in_the_file(tmp_path: Path) -> None:
    """SQLite keeps what was deleted in its free pages and its log, unless it is told not to."""
    desk = Desk(tmp_path)
    canary = f"canary{secrets.token_hex(8)}"
    desk.submit([f"Ordinary report number {number} about the search" for number in range(50)])
    rows: list[dict[str, Any]] = [{"id": f"x{n}", "comment": f"I am {canary}, report {n}"} for n in range(3)]
    file = tmp_path / "more.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    desk.manage("import_feedback", str(file))
    keys = [key for (key,) in desk.ask(f"SELECT id FROM feedback_feedback WHERE comment LIKE '%{canary}%'")]
    assert len(keys) == 3
    assert canary.encode() in stored(tmp_path)
    desk.manage("forget", *keys)
    left = stored(tmp_path)
    assert canary.encode() not in left
    assert canary[:12].encode() not in left, "not even what FTS5 keeps of a word"
    assert desk.count("SELECT count(*) FROM feedback_feedback") == 50


def stored(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("desk.sqlite3*"))
