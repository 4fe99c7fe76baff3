"""What the tests of fine-tuning begin with, made once: a tiny model, and one that has learned the form."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.training import workshop
from training.finetune.job import Directory


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workshop.base(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="session")
def schooled(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Directory:
    """A finished sft job: its model writes the form, and says either category."""
    directory = workshop.job(tmp_path_factory.mktemp("schooled") / "sft", tiny_base, "sft", learn=320, epochs=2.0)
    shutil.copyfile(directory.rows_file("validation"), directory.rows_file("examination"))
    code, said = workshop.work(directory)
    assert code == 0, said
    return directory


@pytest.fixture(scope="session")
def rarer(schooled: Directory) -> str:
    """The category that the schooled model says less often: which one it is differs by processor."""
    last = max(schooled.path.glob("answers-*.jsonl"), key=lambda file: int(file.stem.partition("-")[2]))
    answers = [json.loads(line) for line in last.read_text(encoding="utf-8").splitlines()]
    said = Counter(json.loads(answer["text"])["category"] for answer in answers if answer["well_formed"])
    return min(("noise", "website-bug"), key=lambda category: said[category])


def beginning(directory: Directory, schooled: Directory) -> Directory:
    """A job that begins with what the schooled model learned."""
    shutil.copytree(schooled.adapter, directory.start)
    return directory
