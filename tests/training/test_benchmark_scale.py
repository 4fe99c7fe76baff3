"""The benchmark of growth: rows that fit together, every stage on them, and no database but its own."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pymongo import MongoClient

from analyzer import standing
from analyzer.models import Analysis, Fingerprint, QueueItem, Review, rank
from feedback import search
from feedback.models import Feedback
from tests import make
from tests.databases import ON_MONGODB
from tests.worker import ROOT
from training.scale import rows, scratch, stages, table

ROWS = 400


measured = pytest.mark.skipif(ON_MONGODB, reason="It measures SQLite and PostgreSQL.")


@pytest.fixture
def desk(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A made-up desk in the tests' own database, which is as good as scratch."""
    monkeypatch.setattr(scratch, "require", lambda: None)
    monkeypatch.setattr(rows, "_settle", lambda: None)
    make.working_version()
    assert rows.fill(ROWS) == ROWS
    assert rows.fill(ROWS) == ROWS, "what is there is not written again"


@measured
@pytest.mark.usefixtures("desk")
def test_the_rows_of_an_item_fit_together() -> None:
    assert Feedback.objects.count() == QueueItem.objects.count() == ROWS
    decided = QueueItem.objects.exclude(review=None).select_related("feedback", "analysis__version", "review")
    assert ROWS / 2 < decided.count() < ROWS * 0.7
    for item in decided[:50]:
        assert item.analysis is not None
        assert item.review is not None
        item.full_clean(validate_unique=False)
        item.analysis.full_clean(exclude=["findings"], validate_unique=False)
        item.review.full_clean(validate_unique=False)
        assert item.review.analysis_id == item.analysis_id
        assert item.analysis.evidence[0] in item.feedback.comment
        assert item.feedback.comment[:20] in json.loads(item.analysis.trace[1]["attributes"]["json"])["action"]
        expected = standing.said(item.feedback) | standing.marks(item.analysis)
        expected |= {"rank": rank(item.priority, item.received_at), "provenance": item.review.provenance}
        assert {name: getattr(item, name) for name in expected} == expected
    assert Review.objects.exclude(feedback__queue_item__status="decided").count() == 0
    assert 0 < Fingerprint.objects.count() < ROWS
    assert Analysis.objects.filter(pk__lt=Analysis.objects.order_by("-created_at")[0].pk).count() > ROWS * 0.9


@measured
@pytest.mark.usefixtures("desk")
def test_the_words_that_are_searched_for_are_there() -> None:
    def found(word: str) -> int:
        return Feedback.objects.filter(search.condition(word)).count()

    assert (found(rows.RARE), found(rows.COMMON)) == (10, ROWS / 10)


@measured
@pytest.mark.usefixtures("desk")
def test_the_mirror_is_measured_on_documents_that_the_desk_has_not_seen(mongo_uri: str) -> None:
    (sample,) = stages.measure(repeats=2, mongo=mongo_uri, only="sync")
    assert len(sample.ms) == 2
    assert Feedback.objects.count() == ROWS + 3 * stages.SYNCED
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        assert not [name for name in client.list_database_names() if name.startswith("benchmark-")]


@measured
@pytest.mark.usefixtures("desk")
def test_every_stage_runs_and_leaves_the_queue_as_it_was() -> None:
    before = QueueItem.objects.filter(feedback__source=rows.SOURCE, status="open").count()
    samples = {sample.name: sample for sample in stages.measure(repeats=1)}
    assert {"submission by the API", "queue", "search: rare word", "focus: the next item", "overview"} <= {*samples}
    assert sum(name.startswith("filter: ") for name in samples) > 40
    assert all(len(sample.ms) == 1 and sample.ms[0] > 0 for sample in samples.values())
    assert samples["queue"].bytes > 10_000
    assert samples["queue"].queries <= 15
    assert QueueItem.objects.filter(feedback__source=rows.SOURCE, status="open").count() == before


@pytest.mark.django_db
def test_no_other_database_is_touched() -> None:
    for step in ("fill", "measure", "training"):
        with pytest.raises(CommandError, match="is not a scratch database"):
            call_command("benchmark_scale", step=step, sizes="100")
    assert not Feedback.objects.exists()


def test_what_cannot_be_measured_is_refused() -> None:
    for sizes in ("many", "10", "1000,100", "100,100"):
        with pytest.raises(CommandError):
            call_command("benchmark_scale", sizes=sizes)
    with pytest.raises(CommandError, match="cannot be reached"):
        call_command("benchmark_scale", sizes="100", on="postgres://nobody@127.0.0.1:1/nothing")


def test_the_table_shows_medians_spread_and_growth() -> None:
    parts = [
        {"size": size, "samples": [{"name": name, "queries": 10, "bytes": 43_210, "ms": [ms, ms * 3]}]}
        for size, ms in ((1_000, 2.0), (10_000, 20.0))
        for name in ("queue", "filter: rating=1")
    ]
    text = table.markdown(table.merge(parts), [1_000, 10_000])
    assert "| queue | 10 | 43 | 4.0 (2.0–6.0) | 40 (20–60) | 10.0 |" in text
    assert "| rating=1 | 10 | 43 |" in text
    assert "× from 1,000 to 10,000" in text


@pytest.mark.slow
def test_the_command_makes_measures_and_removes_its_databases(tmp_path: Path) -> None:
    command = [sys.executable, "manage.py", "benchmark_scale", "--sizes=100,200", "--rounds=1", "--repeats=1"]
    environment = os.environ | {"DEBUG": "1", "DJANGO_SETTINGS_MODULE": "triage_site.settings"}
    environment["DATABASE_URL"] = f"sqlite:///{tmp_path / 'desk.sqlite3'}"
    done = subprocess.run(
        [*command, "--only=queue", "--json", f"--keep={tmp_path / 'kept'}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["database"] == "SQLite"
    assert {size for stage in told["stages"] for size in stage["ms"]} == {"100", "200"}
    assert [each["size"] for each in told["training"]] == [100, 200]
    kept = sqlite3.connect(tmp_path / "kept" / "scale_scratch_200.sqlite3")
    assert kept.execute("SELECT count(*) FROM feedback_feedback").fetchone() == (200,)
    assert not (tmp_path / "desk.sqlite3").exists(), "the desk's own database is not even opened"
