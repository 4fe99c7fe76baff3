"""The worker needs neither Django nor a database, so that it runs wherever the extras are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.engines import Completion
from analyzer.engines.llm import Malformed, read
from tests.training import workshop
from training.finetune.job import BadJob, Directory
from training.finetune.process import ROOT
from training.finetune.scoring import score

# Ends a process that imports what a machine with the extras alone would not have.
BLOCK = """\
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"django", "django_q", "agentlightning", "openai", "litellm"}:
            raise ModuleNotFoundError(f"{name} is blocked here")
sys.meta_path.insert(0, Blocked())
"""


def without_django(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCK + script],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if "DJANGO" not in name} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_files_and_the_scores_of_a_job_need_no_django_and_no_extras() -> None:
    script = (
        "from training.finetune import checkpoints, job, process, rows, scoring, server, tokens, worker\n"
        "sys.exit(', '.join({'torch', 'transformers', 'trl', 'numpy'} & set(sys.modules)) or 0)"
    )
    done = without_django(script)
    assert done.returncode == 0, done.stderr


@pytest.mark.finetune
def test_a_worker_comes_to_its_end_where_django_cannot_be_imported(tiny_base: Path, tmp_path: Path) -> None:
    directory = workshop.job(tmp_path / "job", tiny_base, "sft", steps=2, probe=4)
    shutil.copyfile(directory.rows_file("validation"), directory.rows_file("examination"))
    script = f"from training.finetune import worker\nsys.exit(worker.main([{str(directory.path)!r}]))"
    done = without_django(script, OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    assert directory.adapter.is_dir()
    # Asked before and after, and what it said is kept.
    assert [(line["step"], line["n"]) for line in workshop.told(directory, "examined")] == [(0, 48), (2, 48)]
    for step in (0, 2):
        said = [json.loads(line) for line in directory.answers_file(step).read_text().splitlines()]
        assert [one["id"] for one in said] == [row.task.id for row in directory.rows("validation")]
        assert not any(one["well_formed"] or one["reward"] for one in said)


@pytest.mark.finetune
def test_two_processes_share_each_step_and_one_of_them_tells(tiny_base: Path, tmp_path: Path) -> None:
    """As on two GPUs, started by what accelerate launch starts them with."""
    directory = workshop.job(tmp_path / "job", tiny_base, "sft", steps=3, probe=4)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"),
            *("-m", "training.finetune.worker", str(directory.path)),
        ],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    assert [line["step"] for line in workshop.told(directory, "step")] == [1, 2, 3]
    said = " ".join(line["text"] for line in workshop.told(directory, "said"))
    assert "for 4 sequences at once, 1 times a step" in said
    assert len(workshop.told(directory, "done")) == 1
    assert directory.adapter.is_dir()


def test_an_answer_is_scored_as_the_engine_reads_it() -> None:
    row = next(workshop.rows(1, seed=0, category="website-bug"))
    right, wrong = workshop.answer("website-bug", "x"), workshop.answer("noise", "x")
    assert score(row, right).reward == 1.0
    assert 0 < score(row, wrong).reward < score(row, right).reward
    assert score(row, f"Here it is:\n```json\n{right}\n```").reward == 1.0
    for unreadable in ("", "website-bug", right.replace("website-bug", "hardware"), right[:-2]):
        found = score(row, unreadable)
        assert (found.reward, found.well_formed) == (0.0, False)
        with pytest.raises(Malformed):
            read(_written(unreadable))
    assert score(row, right, cut_off=True).reward == 0.0


def test_a_folder_that_is_no_job_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadJob, match=r"no job directory: it has no job\.json"):
        Directory(tmp_path).job()
    (tmp_path / "job.json").write_text('{"method": "ppo", "base_model": "x", "rank": 3}')
    with pytest.raises(BadJob, match="method: Input should be 'sft', 'grpo' or 'dpo'; rank: Extra inputs"):
        Directory(tmp_path).job()
    (tmp_path / "train.jsonl").write_text('{"prompt": "what somebody wrote"}\n')
    with pytest.raises(BadJob) as caught:
        list(Directory(tmp_path).rows("train"))
    assert "line 1: task: Field required" in str(caught.value)
    assert "somebody" not in str(caught.value)


def _written(text: str) -> Completion:

    return Completion(text=text, cut_off=False)
