"""A GRPO job written out for verl on a cluster: the keys, the sums, the rows, and the reward that verl will load.

verl itself, Ray and a GPU are not here: what is tested is what leaves this project.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from analyzer import prompts, rewards
from analyzer.schema import Task
from training.finetune.job import Directory, Job
from training.finetune.rows import Row
from training.finetune.scoring import FORM_WEIGHT, score
from training.verl import config, ready

ROOT = Path(__file__).parents[2]
DECISION = {"category": "website-bug", "severity": "high"}
GOOD = json.dumps(DECISION | {"action": "Reproduce the lost basket on /checkout.", "evidence": []})
HALF = json.dumps({"category": "noise", "severity": "medium", "action": "Set it aside for now.", "evidence": []})


def row(number: int) -> Row:
    task = Task(id=str(number), comment=f"The basket loses item {number}", page="/checkout", decision=DECISION)
    return Row(task=task, prompt=prompts.render("", task), answer=GOOD)


@pytest.fixture
def job(tmp_path: Path) -> Directory:
    directory = Directory(tmp_path / "job")
    given: dict[str, Any] = {"method": "grpo", "base_model": "/models/small", "kl": 0.02, "learning_rate": 2e-5}
    rows = {"train": [row(number) for number in range(40)], "validation": [row(99)]}
    directory.write(Job.model_validate(given), {name: iter(part) for name, part in rows.items()})
    return directory


def written(job: Directory, *arguments: str) -> Path:
    out = StringIO()
    call_command("write_cluster_config", str(job.path), *arguments, stdout=out)
    folder = job.path / "verl"
    assert f"bash {folder / 'launch.sh'}" in out.getvalue()
    return folder


def read(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "config.yaml").read_text())
    return found


def test_the_job_is_what_verl_is_told(job: Directory) -> None:
    folder = written(job, "--nodes", "2", "--gpus", "4", "--parallel", "2", "--batch", "16")
    said = read(folder)
    assert said["defaults"] == ["ppo_trainer", "_self_"]
    assert said["algorithm"] == {"adv_estimator": "grpo"}
    assert said["trainer"]["logger"] == ["console"]
    assert (said["trainer"]["nnodes"], said["trainer"]["n_gpus_per_node"]) == (2, 4)
    assert (said["data"]["train_batch_size"], said["data"]["max_response_length"]) == (16, 256)
    assert said["data"]["max_prompt_length"] == 2048 - 256
    actor, rollout = said["actor_rollout_ref"]["actor"], said["actor_rollout_ref"]["rollout"]
    assert (actor["optim"]["lr"], actor["kl_loss_coef"], actor["use_kl_loss"]) == (2e-5, 0.02, True)
    assert (rollout["n"], rollout["tensor_model_parallel_size"]) == (8, 2)
    assert said["actor_rollout_ref"]["model"]["path"] == "/models/small"
    for path in (said["custom_reward_function"]["path"], said["data"]["train_files"]):
        assert Path(path).parent == folder
    assert {"reward.py", "ready.py", "launch.sh", "train.jsonl", "validation.jsonl"} <= set(os.listdir(folder))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_rows_travel_with_the_decision_as_their_ground_truth(job: Directory) -> None:
    lines = (written(job) / "train.jsonl").read_text().splitlines()
    assert len(lines) == 40
    told = json.loads(lines[3])
    assert told["prompt"][0] == row(3).prompt[0]
    assert "The basket loses item 3" in told["prompt"][1]["content"]
    assert Row.model_validate_json(told["reward_model"]["ground_truth"]).decision == DECISION
    assert told["extra_info"] == {"split": "train", "index": 3}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--gpus", "7"), "8 rows a step x 8 answers are not a multiple of 7 GPUs"),
        (("--parallel", "3"), "3 GPUs a model do not divide the 8 of a node"),
        (("--batch", "64"), "40 rows are not even one step of 64"),
        (("--nodes", "0"), "trainer.nnodes: Input should be greater than 0"),
    ],
)
def test_what_verl_would_refuse_is_refused_here(job: Directory, arguments: tuple[str, ...], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        written(job, *arguments)
    assert not (job.path / "verl" / "config.yaml").exists()


def test_a_job_that_verl_cannot_do_is_refused(job: Directory, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"is no job directory: it has no job.json"):
        written(Directory(tmp_path))
    job.start.mkdir()
    with pytest.raises(CommandError, match=r"begins with an adapter, which verl 0.5.0 cannot load"):
        written(job)
    job.start.rmdir()
    other = Directory(tmp_path / "sft")
    other.write(Job(method="sft", base_model="/models/small"), {"train": iter([row(1)]), "validation": iter([])})
    with pytest.raises(CommandError, match="this is a job for sft"):
        written(other)


def test_no_key_can_be_set_that_nobody_checked(job: Directory) -> None:
    known = json.loads(config.build(job.job(), job.path, nodes=1, gpus=8, parallel=1).model_dump_json())
    known["trainer"]["val_onyl"] = True
    with pytest.raises(ValueError, match="val_onyl"):
        config.Config.model_validate(known)


def test_a_key_that_the_installed_verl_does_not_have_is_named() -> None:
    defaults = {"trainer": {"nnodes": 1, "logger": ["console"]}, "data": {"custom_cls": {"path": None}}}
    said = {"hydra": {}, "defaults": [], "trainer": {"nnodes": 2, "nodes": 2}, "data": {"custom_cls": {"path": ""}}}
    assert list(ready.unknown(said, defaults)) == ["trainer.nodes"]
    assert list(ready.unknown({"data": {"custom_cls": {"path": {"x": 1}}}}, defaults)) == ["data.custom_cls.path.x"]


def test_the_reward_that_verl_loads_is_the_projects_own(job: Directory) -> None:
    """Loaded by path, as verl does it, in a process without Django, for every kind of answer."""
    folder = written(job)
    answers = [GOOD, HALF, "Well, I would say it is a bug.", ""]
    script = (
        "import importlib.util, json, sys\n"
        "spec = importlib.util.spec_from_file_location('custom_module', sys.argv[1])\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "line = json.loads(open(sys.argv[2], encoding='utf-8').readline())\n"
        "found = [module.compute_score(data_source=line['data_source'], solution_str=answer,\n"
        "    ground_truth=line['reward_model']['ground_truth'], extra_info={'num_turns': None})\n"
        "    for answer in json.loads(sys.argv[3])]\n"
        "print(json.dumps([found, 'django' in sys.modules]))\n"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            script,
            str(folder / "reward.py"),
            str(folder / "train.jsonl"),
            json.dumps(answers),
        ],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    found, knows_django = json.loads(done.stdout)
    assert not knows_django
    for answer, told in zip(answers, found, strict=True):
        own = score(row(0), answer)
        assert told == {
            "score": own.reward + FORM_WEIGHT * own.well_formed,
            "reward": own.reward,
            "well_formed": float(own.well_formed),
        }
    right, half, *broken = (told["reward"] for told in found)
    assert right == 1.0
    assert half == rewards.reward({"category": "noise", "severity": "medium"}, DECISION)["total"]
    assert broken == [0.0, 0.0]


def test_without_verl_the_launch_ends_with_the_reason(job: Directory) -> None:
    folder = written(job)
    launch = ["bash", str(folder / "launch.sh")]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    nowhere = subprocess.run(launch, env={"PATH": path}, capture_output=True, text=True, check=False)
    assert nowhere.returncode != 0
    assert "Set it to the folder of the project" in nowhere.stderr
    here = {"PATH": path, "FEEDBACK_TRIAGE": str(ROOT)}
    ended = subprocess.run(launch, env=here, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "verl is not installed in this environment; 0.5.0 is needed." in ended.stderr
