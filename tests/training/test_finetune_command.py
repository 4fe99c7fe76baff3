"""train_analyzer --algorithm sft, whole: a run, a version with an adapter, judged by the agent, used and taken back."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.test import Client

from analyzer import adapters, analyses, versions
from analyzer.models import AnalyzerVersion, QueueItem
from tests import make
from tests.training import sorted_desk, workshop
from tests.training.sorted_desk import train
from training import availability, refusals
from training.finetune import checkpoints
from training.finetune.job import Directory
from training.finetune.server import serving
from training.models import TrainingRun

pytestmark = [pytest.mark.finetune, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def desk(db: None, ada: User, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> AnalyzerVersion:
    settings.FINETUNE_DIR = tmp_path / "finetune"
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    cold = make.working_version()
    sorted_desk.decide(ada, 150)
    return cold


def test_a_fine_tuned_model_becomes_a_version_that_analyses_and_can_be_taken_back(
    tiny_base: Path, desk: AnalyzerVersion, mia: User, ben: User, client: Client, settings: Any
) -> None:
    train("--base-model", str(tiny_base), "--epochs", "16", "--seed", "3")
    run = TrainingRun.objects.get()
    assert (run.status, run.seed, run.error) == ("finished", 3, "")
    version = run.candidate
    assert (version.engine, version.model, version.origin) == ("llm", f"triage-run-{run.number}", "sft")
    folder = settings.FINETUNE_DIR / f"run-{run.number}"
    assert version.adapter == {
        "path": f"run-{run.number}/adapter",
        "digest": adapters.digest(folder / "adapter"),
        "base": str(tiny_base),
        "method": "sft",
        "name": f"triage-run-{run.number}",
        "run": run.number,
    }
    # Judged as every version is, on the same held-out items, and by its own answers.
    assert run.metrics["candidate"]["n"] == run.metrics["active"]["n"] == 30
    assert run.metrics["fallbacks"] == {"candidate": 0, "active": 0}
    assert run.metrics["candidate"]["accuracy"] > run.metrics["active"]["accuracy"]
    assert run.usage["calls"] >= 30

    measured = run.metrics["finetune"]
    assert measured["step"] == len(measured["steps"]) == 208
    assert measured["probes"][0]["well_formed"]["value"] == 0 < measured["probes"][-1]["well_formed"]["value"]
    client.force_login(ben)
    page = client.get(f"/admin/training/trainingrun/{run.pk}/change/").content.decode()
    for key in ("curve-loss", "curve-reward", "curve-well-formed"):
        assert f'aria-labelledby="{key}-title' in page

    versions.activate(version=version, by=mia)
    with serving(base_model=str(tiny_base), adapter=folder / "adapter", name=version.model) as url:
        settings.OPENAI_BASE_URL, settings.TRIAGE_ENDPOINT = url, True
        said = make.feedback("The invoice menu banner", type="", rating=None)
        assert analyses.perform(said.pk)
    item = QueueItem.objects.get(pk=said.pk)
    assert (item.analysis.version, item.analysis.engine, item.analysis.fallback_reason) == (version, "llm", "")
    assert [span["name"] for span in item.analysis.trace].count("agentlightning.object") == 1
    assert item.analysis.action

    assert versions.activate(version=desk, by=mia).status == "active"


def test_what_learns_over_a_fine_tuned_version_keeps_its_adapter_and_is_asked_through_it(
    schooled: Directory, settings: Any
) -> None:
    settings.FINETUNE_DIR = schooled.path.parent
    # Nobody listens there: both versions are asked through a server of the run's own.
    settings.OPENAI_BASE_URL, settings.TRIAGE_ENDPOINT = "http://127.0.0.1:9/v1", True
    record = {
        "path": "sft/adapter",
        "digest": adapters.digest(schooled.adapter),
        "base": schooled.job().base_model,
        "method": "sft",
        "name": "triage-run-7",
        "run": 7,
    }
    tuned = versions.create(
        engine="llm",
        origin="sft",
        weights=bytes(versions.active().weights),
        model="triage-run-7",
        adapter=record,
        calibration={"examples": 0},
    )
    versions.activate(version=tuned, by=None)
    train("--no-curve", algorithm="local")
    run = TrainingRun.objects.get()
    assert (run.candidate.engine, run.candidate.model, run.candidate.adapter) == ("llm", "triage-run-7", record)
    asked = run.metrics["candidate"]["n"]
    assert run.metrics["fallbacks"]["candidate"] == run.metrics["fallbacks"]["active"] < asked / 2


def test_a_run_worked_off_elsewhere_comes_back_as_a_version(tiny_base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "away"
    train("--base-model", str(tiny_base), "--epochs", "4", "--prepare", str(folder))
    assert not TrainingRun.objects.exists()
    code, said = workshop.work(Directory(folder))
    assert code == 0, said
    with pytest.raises(CommandError, match="is a job for sft"):
        train("--resume", str(folder), algorithm="grpo")
    train("--resume", str(folder))
    run = TrainingRun.objects.get(status="finished")
    assert "the worker is done already" in run.log
    assert run.candidate.adapter["path"] == f"run-{run.number}/adapter"
    assert run.metrics["finetune"]["step"] == 52
    # The copy is this run's own: what happens to the folder does not matter any more.
    (folder / "adapter" / adapters.WEIGHTS).unlink()
    assert versions.activate(version=run.candidate, by=None).status == "active"


def test_a_run_whose_time_was_up_is_gone_on_with_though_it_left_an_adapter(schooled: Directory, tmp_path: Path) -> None:
    left = Directory(shutil.copytree(schooled.path, tmp_path / "left"))
    (left.path / "job.json").write_text(schooled.job().model_copy(update={"epochs": 2.2}).model_dump_json())
    # As the worker ends when it is told that the time is up; the checkpoint was taken for an adapter then.
    done = left.log.read_text()
    left.log.write_text(done.replace('"done"', '"stopped"'))
    assert done != left.log.read_text()
    reached = checkpoints.step(checkpoints.newest(left.checkpoints))
    train("--resume", str(left.path))
    run = TrainingRun.objects.get()
    assert f"goes on with {left.path} from step {reached}" in run.log
    assert "the worker is done already" not in run.log
    assert run.metrics["finetune"]["step"] > reached
    assert run.candidate.adapter["digest"] != adapters.digest(schooled.adapter)


def test_rows_that_are_held_out_by_now_may_not_be_gone_on_with(tiny_base: Path, tmp_path: Path, ada: User) -> None:
    folder = tmp_path / "away"
    train("--base-model", str(tiny_base), "--prepare", str(folder))
    held_out = runs_test_item(folder)
    with pytest.raises(CommandError, match="are held out now: begin anew, without --resume"):
        train("--resume", str(held_out))
    assert TrainingRun.objects.get().status == "failed"


def test_a_dry_run_stores_no_row_and_no_version(tiny_base: Path, settings: Any) -> None:
    before = AnalyzerVersion.objects.count()
    train("--base-model", str(tiny_base), "--epochs", "1", "--dry-run")
    assert not TrainingRun.objects.exists()
    assert AnalyzerVersion.objects.count() == before
    assert not any(settings.FINETUNE_DIR.iterdir())


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("", "sft needs --base-model"),
        ("no/such-model", "The base model no/such-model cannot be loaded. HF_HUB_OFFLINE is set"),
    ],
)
def test_a_model_that_is_not_there_is_said_in_one_sentence(
    model: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(CommandError, match=said):
        train("--base-model", model)
    assert TrainingRun.objects.get().status == "failed"


def test_what_is_too_long_for_the_model_is_said(tiny_base: Path) -> None:
    with pytest.raises(CommandError, match=r"None of the \d+ rows has at most 20 tokens: give a larger --max-length"):
        train("--base-model", str(tiny_base), "--max-length", "20")


def runs_test_item(folder: Path) -> Path:
    """The folder, with a row of the held-out items among its own."""
    from training import dataset

    item = dataset.build().test[0]
    file = folder / "train.jsonl"
    first = file.read_text().splitlines()[0]
    own = next(Directory(folder).rows("train")).task.id
    file.write_text(first.replace(own, item.feedback_id) + "\n")
    return folder


def test_without_the_extras_one_line_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from training.finetune import extras

    monkeypatch.setattr(extras, "find_spec", lambda name: None if name in ("torch", "trl") else object())
    with pytest.raises(refusals.Unavailable) as caught:
        availability.chosen("sft")
    assert str(caught.value).startswith("Fine-tuning needs torch, trl: make install-finetune")
    assert "--algorithm local" in str(caught.value)
