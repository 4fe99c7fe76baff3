"""Old traces are removed by age, after a dry run and into a file if wanted; what was judged and decided stays."""

from __future__ import annotations

import gzip
import io
import json
import resource
import stat
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from analyzer import retention, reviews, tasks
from analyzer.models import Analysis, QueueItem, Review
from feedback.ids import first_id_of
from tests import make
from tests.databases import kept

pytestmark = pytest.mark.django_db

TRACE = [{"name": "agentlightning.message", "status": "OK", "ms": 1.0, "attributes": {"body": "Said “hello”"}}]


def analysed(age: timedelta, **values: Any) -> Analysis:
    """An analysis as one made so long ago, whose key says so too."""
    at = timezone.now() - age
    key = UUID(int=first_id_of(at).int | Analysis.objects.count() + 1)
    return make.analysis(make.feedback(f"Said {age}"), id=key, created_at=at, trace=TRACE, **values)


@pytest.fixture
def old() -> Analysis:
    return analysed(timedelta(days=100))


@pytest.fixture
def new() -> Analysis:
    return analysed(timedelta(days=5))


def traces() -> list[list[Any]]:
    return list(Analysis.objects.order_by("created_at").values_list("trace", flat=True))


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("prune_traces", *arguments, stdout=out)
    return out.getvalue()


def test_a_dry_run_says_how_many_and_how_large_and_changes_nothing(old: Analysis, new: Analysis) -> None:
    said = run("--days", "30", "--dry-run")
    assert said.startswith("Would remove 1 traces made before ")
    assert "0.0 MB" in said
    assert retention.weigh(before=retention.since(30)).bytes == len(json.dumps(TRACE).encode())
    assert traces() == [TRACE, TRACE]


def test_old_traces_go_and_everything_else_stays(old: Analysis, new: Analysis, ada: User) -> None:
    review = reviews.validate(analysis=old, by=ada)
    kept = {name: value for name, value in vars(Analysis.objects.get(pk=old.pk)).items() if name[0] != "_"}
    assert run("--days", "30").startswith("Removed 1 traces")
    assert traces() == [[], TRACE]
    after = {name: value for name, value in vars(Analysis.objects.get(pk=old.pk)).items() if name[0] != "_"}
    assert after == kept | {"trace": []}
    assert Review.objects.get() == review
    assert QueueItem.objects.get(pk=old.feedback_id).analysis_id == old.pk
    assert run("--days", "30").startswith("Removed 0 traces"), "again changes nothing"


def test_they_are_written_to_a_file_first_that_only_its_owner_can_read(
    old: Analysis, new: Analysis, tmp_path: Path
) -> None:
    file = tmp_path / "traces.jsonl.gz"
    run("--days", "30", "--archive", str(file))
    run("--days", "1", "--archive", str(file))
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        written = [json.loads(line) for line in lines]
    assert [(line["analysis"], line["trace"]) for line in written] == [(str(old.pk), TRACE), (str(new.pk), TRACE)]
    assert written[0]["feedback"] == str(old.feedback_id)
    assert datetime.fromisoformat(written[0]["created_at"]) == kept(old.created_at)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_could_not_be_written_is_not_removed(old: Analysis, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nothing more was removed"):
        run("--days", "30", "--archive", str(tmp_path / "nowhere" / "traces.jsonl.gz"))
    assert traces() == [TRACE]
    with pytest.raises(CommandError, match="name it"):
        run("--days", "30", "--archive", str(tmp_path / "traces.csv"))


def archived(file: Path) -> list[str]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["analysis"] for line in lines]


def test_a_disk_that_is_full_leaves_an_archive_that_can_be_read_and_added_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    keys = [str(analysed(timedelta(days=days)).pk) for days in (52, 51, 50)]
    file = tmp_path / "traces.jsonl.gz"
    limit, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(tally: retention.Tally) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 20, hard))

    try:
        with pytest.raises(OSError, match="File too large"):
            retention.prune(before=retention.since(30), archive=file, progress=fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    assert archived(file) == keys[:1]
    assert traces() == [[], TRACE, TRACE]
    run("--days", "30", "--archive", str(file))
    assert archived(file) == keys
    assert traces() == [[]] * 3


@pytest.mark.parametrize("damage", ["cut off", "overwritten", "no archive"])
def test_nothing_is_added_to_an_archive_that_is_damaged(
    old: Analysis, new: Analysis, tmp_path: Path, damage: str
) -> None:
    file = tmp_path / "traces.jsonl.gz"
    run("--days", "30", "--archive", str(file))
    content = file.read_bytes()
    left = {
        "cut off": content[:-5],
        "overwritten": content[:60] + b"????" + content[64:],
        "no archive": b"words",
    }[damage]
    file.write_bytes(left)
    with pytest.raises(CommandError, match=r"traces.jsonl.gz is damaged .* Name another file; nothing was removed\."):
        run("--days", "1", "--archive", str(file))
    assert file.read_bytes() == left
    assert traces() == [[], TRACE]


def test_a_run_that_was_stopped_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for days in range(50, 55):
        analysed(timedelta(days=days))

    def stop(tally: retention.Tally) -> None:
        if tally.traces >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retention.prune(before=retention.since(30), progress=stop)
    assert traces() == [[], [], TRACE, TRACE, TRACE]
    assert retention.prune(before=retention.since(30), limit=1).traces == 2, "whole batches"
    assert retention.prune(before=retention.since(30)).traces == 1
    assert traces() == [[]] * 5


def test_the_worker_does_it_only_where_that_is_set(old: Analysis, new: Analysis, settings: Settings) -> None:
    from django_q.models import Schedule

    assert Schedule.objects.get(func="analyzer.tasks.prune_traces").schedule_type == Schedule.HOURLY
    assert tasks.prune_traces() == 0
    assert traces() == [TRACE, TRACE]
    settings.RETENTION_DAYS = 30
    assert tasks.prune_traces() == 1
    assert traces() == [[], TRACE]


def test_the_page_of_the_item_says_that_its_trace_is_gone(client: Client, ada: User, old: Analysis) -> None:
    client.force_login(ada)
    address = f"/admin/analyzer/queueitem/{old.feedback_id}/change/"
    assert "Trace: 1 step" in client.get(address).content.decode()
    run("--days", "30")
    assert "Its trace is not kept." in client.get(address).content.decode()
