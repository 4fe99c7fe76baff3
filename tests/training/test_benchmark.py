"""benchmark_analyzer, on a handful of items: every line is there with its n. No time is judged here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.worker import ROOT, Desk
from training.benchmark import endpoint, report
from training.benchmark.figures import Stages, percentile

# They start web servers and workers, and take minutes.
pytestmark = pytest.mark.slow

LABELLED = [
    {"comment": "The page crashes when I press save", "category": "website-bug", "split": "dev"},
    {"comment": "Please add a dark mode", "category": "feature-request", "split": "dev"},
    {"comment": "Buy cheap watches now", "category": "noise", "split": "train"},
]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "TRIAGE_"))}
    return subprocess.run(
        [sys.executable, "manage.py", "benchmark_analyzer", "--items", "10", "--repeats", "1", *arguments],
        cwd=ROOT,
        env=kept
        | {"DEBUG": "1", "DJANGO_SETTINGS_MODULE": "triage_site.settings", "DATABASE_URL": "sqlite:////nowhere/desk"},
        capture_output=True,
        text=True,
        check=False,
    )


def rows(text: str) -> dict[str, list[str]]:
    return {cells[0]: cells[1:] for line in text.splitlines() if len(cells := re.split(r" {2,}", line.strip())) > 2}


def test_every_stage_of_the_pipeline_is_printed_with_its_n_and_its_floor() -> None:
    done = command("--workers", "1", "--seconds", "1", "--calls", "5")
    assert done.returncode == 0, done.stdout + done.stderr
    printed = rows(done.stdout)
    for stage, floor in {
        "classifier, one by one": "",
        "classifier, in batches": "classifier, one by one",
        "rollout": "classifier, one by one",
        "analysis without a queue": "rollout",
        "the same, a batch judged at once": "analysis without a queue",
        "no-op task, 1 worker": "",
        "analysis task, 1 worker": "no-op task, 1 worker",
    }.items():
        n, rate, cpu, *ratio = printed[stage]
        assert n == "10"
        assert float(rate.replace(",", "")) > 0
        assert float(cpu) >= 0
        assert floor in " ".join(ratio)
    for line in (
        "the bare openai call, ms",
        "a rollout by the llm engine, ms",
        "what the pipeline adds, pair by pair, ms",
    ):
        assert len(printed[line]) == 2
    assert "a scripted endpoint that answers at once (no model), n = 5 a repeat" in done.stdout
    assert "the database and the rest" in done.stdout
    if shutil.which("wrk"):
        assert int(printed["intake over HTTP"][0].replace(",", "")) > 0
        assert "p99" in done.stdout
    else:
        assert "intake over HTTP: not measured, wrk is not installed" in done.stdout


def test_json_has_the_same_and_says_where_it_was_taken() -> None:
    done = command("--stages", "engine", "--json")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert {"cores", "database", "broker", "version", "engine", "load_before"} <= set(told)
    rollout = next(stage for stage in told["stages"] if stage["stage"] == "rollout")
    assert (rollout["n"], rollout["repeats"], rollout["floor"]) == (10, 1, "classifier, one by one")
    assert set(rollout["ratio"]) == {"median", "lowest", "highest"}


def test_the_stress_report_names_data_n_engine_and_version_of_every_figure(tmp_path: Path) -> None:
    data, file = tmp_path / "labelled.jsonl", tmp_path / "report.md"
    data.write_text("\n".join(map(json.dumps, LABELLED)), encoding="utf-8")
    done = command("--report", str(file), "--dataset", str(data), "--split", "dev")
    assert done.returncode == 0, done.stdout + done.stderr
    text = file.read_text(encoding="utf-8")
    table = {cells[1]: cells[2:] for line in text.splitlines() if len(cells := re.split(r" ?\| ?", line)) > 3}
    assert "version 1 (cold-start), local engine" in text
    assert table["analysis time, claim to commit, one process"][1] == "10 (10 by local)"
    assert table["memory of the analysing process (RSS)"][2] == "synthetic comments"
    assert table["category accuracy"][1] == "2"
    assert table["category accuracy"][2].startswith("labelled.jsonl, split dev, digest ")
    assert table["reward consistency, the same item again"][1] == "20 items, 5 times each"
    for way in endpoint.WAYS:
        n, stored, lost, _by_model, by_fallback, reason, _ = table[way]
        assert (stored, lost) == (f"{n} (100%)", "0 (0%)"), way
        assert by_fallback == f"{n} (100%)", way
        assert reason
    assert table["none"][3] == f"{len(endpoint.WAYS)} (100%)", "the good answers in between are the model's"


@pytest.mark.parametrize("misbehaving", [False, True], ids=["local", "misbehaving endpoint"])
def test_a_drained_file_is_counted_row_by_row_beside_the_no_op_rate(tmp_path: Path, misbehaving: bool) -> None:
    file = tmp_path / "site.jsonl"
    rows = [{"id": str(number), "comment": f"The page {number} crashes when I press save"} for number in range(30)]
    file.write_text("\n".join(map(json.dumps, [*rows, {"id": "bad", "rating": 9}])), encoding="utf-8")
    done = command("--drain", str(file), "--json", *(["--misbehaving"] if misbehaving else []))
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["import"]["said"] == "30 stored, 0 known already, 1 left out."
    assert (found["analyses"], found["lost"], found["doubled"]) == (30, 0, 0)
    assert sum(found["by_engine"].values()) == 30
    assert bool(found["fallbacks"]) is misbehaving
    assert found["by_engine"].get("llm", 0) == (30 - sum(found["fallbacks"].values()) if misbehaving else 0)
    assert found["no_op_a_second"]["median"] > 0


def test_a_database_with_submissions_is_no_scratch_database(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.submit(["Somebody wrote this"])
    done = command("--stages", "engine", "--database-url", f"sqlite:///{desk.database}")
    assert done.returncode == 1
    assert "The scratch database holds submissions" in done.stderr
    assert desk.count("SELECT count(*) FROM feedback_feedback") == 1


def test_a_model_that_nobody_named_cannot_be_reported_on(tmp_path: Path) -> None:
    done = command("--report", str(tmp_path / "report.md"), "--engine", "llm")
    assert done.returncode == 1
    assert "neither OPENAI_BASE_URL nor OPENAI_API_KEY is set" in done.stderr


def test_a_ratio_is_taken_within_each_repeat() -> None:
    stages = Stages()
    for slow in (1, 2):
        stages.stage("floor").add(n=100, seconds=slow)
        stages.stage("task", floor="floor").add(n=100, seconds=4 * slow)
    ratio = stages.ratio("task", "floor")
    assert ratio is not None
    assert (ratio.median, ratio.lowest, ratio.highest) == (0.25, 0.25, 0.25)


@pytest.mark.parametrize(("share", "value"), [(0.5, 51), (0.99, 100), (1.0, 100)])
def test_a_percentile_is_a_value_that_occurred(share: float, value: float) -> None:
    assert percentile(range(1, 101), share) == value


def test_a_report_without_a_labelled_file_says_that_accuracy_was_not_measured() -> None:
    line = next(report._accuracy({"accuracy": None}))
    assert line[1] == "not measured: name a labelled file with --dataset"
