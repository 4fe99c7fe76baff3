"""Job directories for a tiny model, and its worker as a process: what the tests of fine-tuning share.

The items are made up and so is what people decided about them, by a rule; the model is a real one of a hundred
thousand numbers. That it learns shows that the way from rows to an adapter works, and nothing about any other model.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from analyzer import prompts
from analyzer.schema import Answer, Task
from tests.training import tiny_model
from training.finetune.job import Directory, Job
from training.finetune.process import ROOT
from training.finetune.rows import Row

PLACES = ("basket", "invoice", "search", "video", "map", "profile")
WORDS = (
    *("menu", "banner", "coupon", "address", "calendar", "photo", "filter", "chart", "export", "font", "keyboard"),
    *("printer", "ticket", "sidebar", "footer", "language", "currency", "delivery", "review", "update"),
)
VERBS = ("breaks", "hangs", "jumps", "flickers", "vanishes")
# Few tokens, so that a hundred thousand numbers can learn to write it in seconds.
ACTION = "Check what it says."


def rows(n: int, *, seed: int, category: str = "", corrected: bool = False) -> Iterator[Row]:
    """n decided items. Without a category, that of an item follows from its place; else people always say that one."""
    chance = random.Random(seed)
    for position in range(n):
        place = chance.choice(PLACES)
        said = f"The {place} {chance.choice(VERBS)}"
        wanted = category or ("website-bug" if PLACES.index(place) % 2 else "noise")
        task = Task(id=f"{seed}-{position}", comment=said, decision={"category": wanted, "severity": "low"})
        other = "noise" if wanted == "website-bug" else "website-bug"
        yield Row(
            task=task,
            prompt=prompts.render("Sort.", task),
            answer=answer(wanted, place),
            rejected=answer(other, place) if corrected else "",
        )


def answer(category: str, quote: str) -> str:
    return Answer(category=category, severity="low", action=ACTION, evidence=[quote]).model_dump_json()


def base(folder: Path) -> Path:
    """The tiny model, with a tokenizer that knows the words of these rows."""
    known = list(rows(60, seed=99))
    texts = [text for row in known for text in (row.prompt[-1]["content"], row.answer)] + [" ".join(WORDS)] * 9
    return tiny_model.build(folder, texts)


def job(folder: Path, base_model: Path, method: str, *, learn: int = 96, **values: Any) -> Directory:
    """A job directory; values are of Job, category and corrected of rows."""
    made = {name: values.pop(name) for name in ("category", "corrected") if name in values}
    settings: dict[str, Any] = {
        "method": method, "base_model": str(base_model), "learning_rate": 0.01, "batch": 8, "max_length": 256,
        "max_answer": 48, "probe": 24, "epochs": 1.0, "wording": 1,
    }  # fmt: skip
    directory = Directory(folder)
    directory.write(
        Job.model_validate(settings | values),
        {"train": rows(learn, seed=1, **made), "validation": rows(48, seed=2, **made)},
    )
    return directory


def start(directory: Directory, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """The worker, on one core: two threads on a busy machine wait for each other most of the time."""
    return subprocess.Popen(
        [sys.executable, "-m", "training.finetune.worker", str(directory.path), *arguments],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        **options,
    )


def work(directory: Directory, *arguments: str) -> tuple[int, str]:
    """The worker's exit code and what it said on stderr, when it is done."""
    worker = start(directory, *arguments)
    _, said = worker.communicate(timeout=300)
    return worker.returncode, said.decode()


def told(directory: Directory, event: str) -> list[dict[str, Any]]:
    """The lines of the log of one kind; "step" are those of the steps."""
    lines, _ = directory.told()
    return [line for line in lines if (line.get("event") or "step") == event]
