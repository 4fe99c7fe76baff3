"""A job directory: what to learn, from which rows, and what came of it.

job.json                            a Job
train.jsonl, validation.jsonl       one Row a line
examination.jsonl                   rows that the model is asked before and after, all of them, where there are any
start/                              the adapter that the work begins with, where there is one
log.jsonl                           what the worker tells, one object a line
checkpoints/, cache/                the worker's own
answers-0.jsonl, answers-120.jsonl  what it said to those of the examination, by step
adapter/                            the result: adapter_config.json and adapter_model.safetensors
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from training.finetune.rows import Row

Method = Literal["sft", "grpo", "dpo"]
# Exit codes of a worker; failed, the reason is the last line of its log.
DONE: Final = 0
FAILED: Final = 1
STOPPED: Final = 3
# Seconds that a worker which is told to end gets for its step and a checkpoint.
GRACE: Final = 120.0
SPLITS: Final = ("train", "validation")
EXAMINATION: Final = "examination"
# What a method takes where nobody says otherwise: LoRA stands ten times the rates of full training.
DEFAULTS: Final[dict[str, dict[str, Any]]] = {
    "sft": {"epochs": 4.0, "batch": 16, "learning_rate": 5e-4},
    "grpo": {"epochs": 1.0, "batch": 8, "learning_rate": 2e-5},
    "dpo": {"epochs": 2.0, "batch": 8, "learning_rate": 2e-5},
}


class BadJob(ValueError):
    """A directory that cannot be worked off; the message says which file and why."""


class Job(BaseModel):
    """What a worker is to do. batch is in rows per step, max_length and max_answer are in tokens.

    group_size and kl are of grpo, beta of dpo. save_seconds: how much work may be lost when the worker is killed.
    wording: of sft, one row in so many teaches how an answer is worded, the others its labels alone. An answer has some
    four tokens of labels among eighty, in whose mean they drown: SmolLM2-135M, taught 1,525 public comments, was right
    on .51 of 508 others when every row taught both, and on .81 with 8 here.
    probe: how many validation rows the model answers now and then, to be scored.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Method
    base_model: str
    # Where the files of a name lie is the machine's own business; a path is made absolute by whoever writes the job.
    seed: int = 0
    epochs: float = Field(default=3.0, gt=0)
    steps: int | None = Field(default=None, gt=0)
    batch: int = Field(default=8, gt=0)
    learning_rate: float = Field(default=2e-4, gt=0)
    lora_rank: int = Field(default=16, gt=0)
    group_size: int = Field(default=8, gt=1)
    wording: int = Field(default=8, gt=0)
    kl: float = Field(default=0.0, ge=0)
    beta: float = Field(default=0.1, gt=0)
    temperature: float = Field(default=1.0, gt=0)
    max_length: int = Field(default=2048, gt=0)
    max_answer: int = Field(default=256, gt=0)
    probe: int = Field(default=32, ge=0)
    save_seconds: float = Field(default=300.0, ge=0)
    # Names the data set that the rows come from.
    dataset: str = ""


class Directory:
    """The files of one job."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def log(self) -> Path:
        return self.path / "log.jsonl"

    @property
    def start(self) -> Path:
        return self.path / "start"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def cache(self) -> Path:
        return self.path / "cache"

    @property
    def adapter(self) -> Path:
        return self.path / "adapter"

    def rows_file(self, split: str) -> Path:
        return self.path / f"{split}.jsonl"

    def answers_file(self, step: int) -> Path:
        return self.path / f"answers-{step}.jsonl"

    def write(self, job: Job, rows: Mapping[str, Iterable[Row]]) -> dict[str, int]:
        """Write rows, then the job: a directory without job.json is not finished. Returns how many rows by split.

        Only the owner may read it: it holds what visitors wrote.
        """
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        counts = {}
        for split in rows:
            with _private(self.rows_file(split)) as file:
                count = 0
                for row in rows[split]:
                    file.write(row.model_dump_json() + "\n")
                    count += 1
            counts[split] = count
        part = self.path / "job.json.part"
        with _private(part) as file:
            file.write(job.model_dump_json(indent=2) + "\n")
        part.replace(self.path / "job.json")
        return counts

    def job(self) -> Job:
        """Raises BadJob."""
        file = self.path / "job.json"
        try:
            return Job.model_validate_json(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BadJob(f"{self.path} is no job directory: it has no job.json.") from None
        except ValidationError as error:
            raise BadJob(f"{file}: {_words(error)}") from None

    def rows(self, split: str) -> Iterator[Row]:
        """The rows one by one, so that any number of them takes no memory; raises BadJob."""
        file = self.rows_file(split)
        try:
            with file.open(encoding="utf-8") as lines:
                for number, line in enumerate(lines, start=1):
                    try:
                        yield Row.model_validate_json(line)
                    except ValidationError as error:
                        raise BadJob(f"{file}, line {number}: {_words(error)}") from None
        except FileNotFoundError:
            raise BadJob(f"{file} is missing.") from None

    def told(self, start: int = 0) -> tuple[list[dict[str, Any]], int]:
        """What the worker told from a byte on, and where to go on reading; a half-written line waits."""
        try:
            with self.log.open("rb") as file:
                file.seek(start)
                news = file.read()
        except FileNotFoundError:
            return [], start
        whole = news.rfind(b"\n") + 1
        told = []
        for line in news[:whole].splitlines():
            try:
                found = json.loads(line)
            except ValueError:
                # The rest of a line that a killed worker began.
                continue
            if isinstance(found, dict):
                told.append(found)
        return told, start + whole


def _private(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8")


def _words(error: ValidationError) -> str:
    """What is wrong with which field; never the text of a row."""
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'the line'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    )
