"""What enters a job directory, and what never does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from analyzer import adapters, versions
from analyzer.models import AnalyzerVersion
from tests import make
from tests.training import classroom, make_runs
from training import dataset, runs
from training.algorithms import Lesson, Options, finetune
from training.finetune import rows
from training.finetune.job import Directory
from training.refusals import Refused

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def desk(db: None, tmp_path: Path, settings: Any) -> None:
    settings.FINETUNE_DIR = tmp_path / "finetune"
    make.working_version()


def prepare(folder: Path, algorithm: str = "sft", **options: Any) -> Directory:
    runs.prepare(
        algorithm=algorithm,
        directory=folder,
        options=Options(**({"base_model": "some/model"} | options)),
        progress=lambda line: None,
    )
    return Directory(folder)


def test_decisions_become_rows_and_held_out_ones_do_not(ada: User, tmp_path: Path) -> None:
    classroom.decide(ada, 60)
    directory = prepare(tmp_path / "job")
    splits = dataset.build().splits()
    for name in ("train", "validation"):
        ids = {row.task.id for row in directory.rows(name)}
        assert ids == {one.feedback_id for one in splits[name]}
    everything = (tmp_path / "job" / "train.jsonl").read_text() + (tmp_path / "job" / "validation.jsonl").read_text()
    assert not any(one.feedback_id in everything or one.comment in everything for one in splits["test"])


def test_a_row_asks_what_the_engine_asks_and_answers_what_the_person_decided(ada: User, tmp_path: Path) -> None:
    classroom.decide(ada, 60)
    for row in prepare(tmp_path / "job").rows("train"):
        system, item = row.prompt
        assert "Answer with one JSON object and nothing else" in system["content"]
        assert json.dumps(row.task.comment) in item["content"]
        answer = json.loads(row.answer)
        assert (answer["category"], answer["severity"]) == (row.decision["category"], row.decision["severity"])
        assert set(answer) == {"category", "severity", "action", "evidence"}


def test_held_items_and_those_that_give_orders_never_enter(ada: User, tmp_path: Path) -> None:
    data = _data(ada)
    train = (replace(data.train[0], held=True), replace(data.train[1], injection=True), *data.train[2:])
    validation = (replace(data.validation[0], held=True), *data.validation[1:])
    directory = finetune.prepared(_lesson(replace(data, train=train, validation=validation)), "sft", tmp_path / "job")
    assert {row.task.id for row in directory.rows("train")} == {one.feedback_id for one in data.train[2:]}
    assert data.validation[0].feedback_id not in {row.task.id for row in directory.rows("validation")}


def test_of_decisions_in_bulk_half_are_taken_and_the_same_ones_for_the_same_seed(ada: User) -> None:
    data = _data(ada)
    bulk = [replace(one, weight=0.5) for one in data.train] * 10
    half = rows.weighed(bulk, seed=1)
    assert 0.35 < len(half) / len(bulk) < 0.65
    assert half == rows.weighed(bulk, seed=1) != rows.weighed(bulk, seed=2)
    assert rows.weighed(data.train, seed=1) == list(data.train)


def test_only_the_owner_may_read_what_visitors_wrote(ada: User, tmp_path: Path) -> None:
    classroom.decide(ada, 60)
    directory = prepare(tmp_path / "job")
    assert directory.path.stat().st_mode & 0o777 == 0o700
    assert all(file.stat().st_mode & 0o077 == 0 for file in directory.path.iterdir())


def test_the_job_says_what_was_asked_and_the_rest_is_the_methods_own(ada: User, tmp_path: Path) -> None:
    classroom.decide(ada, 60)
    plain = prepare(tmp_path / "plain").job()
    assert (plain.method, plain.epochs, plain.batch, plain.learning_rate) == ("sft", 4.0, 16, 5e-4)
    assert plain.dataset == dataset.build().digest
    given = {"epochs": 0.5, "batch": 2, "learning_rate": 1e-3, "lora_rank": 4, "group_size": 6, "kl": 0.1}
    job = prepare(tmp_path / "own", "grpo", seed=7, **given).job()
    assert {name: getattr(job, name) for name in given} == given
    assert (job.method, job.seed) == ("grpo", 7)


@pytest.fixture
def tuned(settings: Any) -> AnalyzerVersion:
    """A version with an adapter, though nobody trained it."""
    folder = settings.FINETUNE_DIR / "run-3" / "adapter"
    folder.mkdir(parents=True)
    (folder / adapters.CONFIG).write_text("{}")
    (folder / adapters.WEIGHTS).write_bytes(b"numbers")
    record = {"path": "run-3/adapter", "digest": adapters.digest(folder), "base": "some/model", "name": "triage-run-3"}
    return make_runs.version(engine="llm", origin="sft", model="triage-run-3", adapter=record)


def test_grpo_begins_with_the_adapter_of_the_active_version_or_of_another_or_of_none(
    ada: User, tmp_path: Path, tuned: AnalyzerVersion
) -> None:
    classroom.decide(ada, 60)
    named = prepare(tmp_path / "named", "grpo", base_model="", start=tuned.number)
    assert (named.start / adapters.WEIGHTS).read_bytes() == b"numbers"
    # Its base model comes with it.
    assert named.job().base_model == "some/model"
    assert not prepare(tmp_path / "cold", "grpo").start.exists()
    versions.activate(version=tuned, by=None)
    assert prepare(tmp_path / "active", "grpo").start.is_dir()
    assert not prepare(tmp_path / "none", "grpo", start=0).start.exists()
    with pytest.raises(Refused, match="was trained on some/model, not on other/model: --start 0"):
        prepare(tmp_path / "other", "grpo", base_model="other/model")


def test_an_adapter_that_was_changed_is_not_begun_with(
    ada: User, tmp_path: Path, tuned: AnalyzerVersion, settings: Any
) -> None:
    classroom.decide(ada, 60)
    (settings.FINETUNE_DIR / "run-3" / "adapter" / adapters.WEIGHTS).write_bytes(b"number5")
    with pytest.raises(Refused, match=r"cannot be begun with\. Its adapter .* the files were changed since"):
        prepare(tmp_path / "job", "grpo", start=tuned.number)


@pytest.mark.parametrize(
    ("options", "algorithm", "said"),
    [
        ({"base_model": ""}, "sft", "sft needs --base-model"),
        ({"group_size": 1}, "grpo", "--group-size: Input should be greater than 1"),
        ({"learning_rate": -1.0, "batch": 0}, "sft", "--batch: .*; --learning-rate: "),
        ({"start": 7}, "sft", "no version 7 with an adapter"),
        ({}, "local", "Only sft, grpo, dpo work off a folder"),
        ({}, "dpo", "no corrections to prefer"),
    ],
)
def test_what_cannot_be_prepared_is_refused_in_words(
    ada: User, tmp_path: Path, options: dict[str, Any], algorithm: str, said: str
) -> None:
    classroom.decide(ada, 60)
    with pytest.raises(Refused, match=said):
        prepare(tmp_path / "job", algorithm, **options)


def test_a_folder_that_holds_a_job_is_not_written_over(ada: User, tmp_path: Path) -> None:
    classroom.decide(ada, 60)
    prepare(tmp_path / "job")
    with pytest.raises(Refused, match="holds a job already"):
        prepare(tmp_path / "job")


def _data(by: User) -> dataset.Dataset:
    classroom.decide(by, 60)
    return dataset.build()


def _lesson(data: dataset.Dataset) -> Lesson:
    from training.watch import Control

    active = versions.spec(AnalyzerVersion.objects.get(pk=versions.active().pk))
    return Lesson(
        dataset=data, active=active, options=Options(base_model="some/model"), control=Control(say=lambda line: None)
    )
