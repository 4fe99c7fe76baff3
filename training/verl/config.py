"""verl's configuration for a job directory: only keys that verl 0.5.0 has, and the sums that it checks at its start."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any, Final, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from training.finetune.job import BadJob, Directory, Job

VERSION: Final = "0.5.0"
FOLDER: Final = "verl"
SOURCE: Final = "feedback-triage"
# Steps between two checkpoints, and between two looks at the validation rows.
OFTEN: Final = 20
# Copied beside the configuration as they are.
COPIED: Final = ("reward.py", "ready.py", "launch.sh")
_HERE: Final = Path(__file__).parent


class Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(Keys):
    train_files: str
    val_files: str
    train_batch_size: int = Field(gt=0)
    max_prompt_length: int = Field(gt=0)
    max_response_length: int = Field(gt=0)
    filter_overlong_prompts: Literal[True] = True
    truncation: Literal["error"] = "error"


class Model(Keys):
    path: str = Field(min_length=1)
    lora_rank: int = Field(gt=0)
    lora_alpha: int = Field(gt=0)
    target_modules: Literal["all-linear"] = "all-linear"
    use_remove_padding: Literal[True] = True


class Optim(Keys):
    lr: float = Field(gt=0)


class Actor(Keys):
    ppo_mini_batch_size: int = Field(gt=0)
    use_dynamic_bsz: Literal[True] = True
    ppo_max_token_len_per_gpu: int = Field(gt=0)
    use_kl_loss: bool
    kl_loss_coef: float = Field(ge=0)
    kl_loss_type: Literal["low_var_kl"] = "low_var_kl"
    optim: Optim


class Rollout(Keys):
    name: Literal["vllm"] = "vllm"
    n: int = Field(gt=1)
    temperature: float = Field(gt=0)
    tensor_model_parallel_size: int = Field(gt=0)
    max_num_batched_tokens: int = Field(gt=0)
    # What a LoRA adapter needs there: vLLM loads the base model itself, and adapters come layer by layer.
    load_format: Literal["safetensors"] = "safetensors"
    layered_summon: Literal[True] = True


class ActorRollout(Keys):
    model: Model
    actor: Actor
    rollout: Rollout


class Algorithm(Keys):
    adv_estimator: Literal["grpo"] = "grpo"


class RewardFunction(Keys):
    path: str
    name: Literal["compute_score"] = "compute_score"


class Trainer(Keys):
    total_epochs: int = Field(gt=0)
    total_training_steps: int | None = None
    # wandb, its own default, would tell somebody else.
    logger: tuple[Literal["console"]] = ("console",)
    project_name: str = SOURCE
    experiment_name: str
    nnodes: int = Field(gt=0)
    n_gpus_per_node: int = Field(gt=0)
    save_freq: int = OFTEN
    test_freq: int = OFTEN
    default_local_dir: str
    max_actor_ckpt_to_keep: int = 2


class Config(Keys):
    """Everything that we set; whatever is not here is verl's own default."""

    data: Data
    actor_rollout_ref: ActorRollout
    algorithm: Algorithm = Algorithm()
    custom_reward_function: RewardFunction
    trainer: Trainer

    @model_validator(mode="after")
    def _check_sums(self) -> Self:
        """What verl and vLLM would refuse minutes later, on the cluster."""
        batch, answers = self.data.train_batch_size, self.actor_rollout_ref.rollout.n
        gpus = self.trainer.nnodes * self.trainer.n_gpus_per_node
        tokens = self.data.max_prompt_length + self.data.max_response_length
        parallel = self.actor_rollout_ref.rollout.tensor_model_parallel_size
        if batch * answers % gpus:
            raise ValueError(
                f"{batch} rows a step x {answers} answers are not a multiple of {gpus} GPUs: choose another --batch"
            )
        if self.actor_rollout_ref.actor.ppo_mini_batch_size > batch:
            raise ValueError("an update cannot be made of more rows than a step has")
        if self.trainer.n_gpus_per_node % parallel:
            raise ValueError(f"{parallel} GPUs a model do not divide the {self.trainer.n_gpus_per_node} of a node")
        if min(self.actor_rollout_ref.actor.ppo_max_token_len_per_gpu, self._batched) < tokens:
            raise ValueError(f"one answer may take {tokens} tokens, more than a GPU is given at once")
        return self

    @property
    def _batched(self) -> int:
        return self.actor_rollout_ref.rollout.max_num_batched_tokens


def build(job: Job, folder: Path, *, nodes: int, gpus: int, parallel: int, batch: int | None = None) -> Config:
    """The configuration of a job; folder is where its files will be found by every machine. Raises BadJob."""
    rows = batch or job.batch
    tokens = max(8192, job.max_length)
    values = {
        "data": {
            "train_files": str(folder / "train.parquet"),
            "val_files": str(folder / "validation.parquet"),
            "train_batch_size": rows,
            "max_prompt_length": job.max_length - job.max_answer,
            "max_response_length": job.max_answer,
        },
        "actor_rollout_ref": {
            "model": {"path": job.base_model, "lora_rank": job.lora_rank, "lora_alpha": 2 * job.lora_rank},
            "actor": {
                "ppo_mini_batch_size": rows,
                "ppo_max_token_len_per_gpu": 2 * tokens,
                "use_kl_loss": job.kl > 0,
                "kl_loss_coef": job.kl,
                "optim": {"lr": job.learning_rate},
            },
            "rollout": {
                "n": job.group_size,
                "temperature": job.temperature,
                "tensor_model_parallel_size": parallel,
                "max_num_batched_tokens": tokens,
            },
        },
        "custom_reward_function": {"path": str(folder / "reward.py")},
        "trainer": {
            "total_epochs": math.ceil(job.epochs),
            "total_training_steps": job.steps,
            "experiment_name": folder.parent.name,
            "nnodes": nodes,
            "n_gpus_per_node": gpus,
            "default_local_dir": str(folder / "checkpoints"),
        },
    }
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}".lstrip(": ") for one in error.errors())
        raise BadJob("; ".join(problems)) from None


def write(directory: Directory, *, nodes: int, gpus: int, parallel: int = 1, batch: int | None = None) -> Path:
    """The folder with everything that the cluster needs, inside the job directory; raises BadJob.

    Its configuration is written last, so that a folder without one is not finished. Only its owner may read it.
    """
    job = directory.job()
    if job.method != "grpo":
        raise BadJob(f"verl is set up for grpo here, and this is a job for {job.method}; accelerate does that.")
    if directory.start.is_dir():
        raise BadJob(
            f"The job begins with an adapter, which verl {VERSION} cannot load: prepare it with --start 0, or with a "
            "base model that the adapter was merged into."
        )
    folder = directory.path.resolve() / FOLDER
    config = build(job, folder, nodes=nodes, gpus=gpus, parallel=parallel, batch=batch)
    folder.mkdir(mode=0o700, exist_ok=True)
    for split in ("train", "validation"):
        count = _write_rows(directory, split, folder / f"{split}.jsonl")
        if split == "train" and count < config.data.train_batch_size:
            raise BadJob(
                f"{count} rows are not even one step of {config.data.train_batch_size}: choose another --batch"
            )
    for name in COPIED:
        shutil.copyfile(_HERE / name, folder / name)
    (folder / "config.yaml").write_text(text(config), encoding="utf-8")
    return folder


def text(config: Config) -> str:
    """The configuration as Hydra reads it, over verl's own defaults."""
    head = {"hydra": {"searchpath": ["pkg://verl.trainer.config"]}, "defaults": ["ppo_trainer", "_self_"]}
    said = json.loads(config.model_dump_json())
    return f"# For verl {VERSION}; see docs/cluster.md.\n" + "".join(
        yaml.safe_dump(part, sort_keys=False) for part in (head, said)
    )


def _write_rows(directory: Directory, split: str, path: Path) -> int:
    """Rows as verl reads them; the decision travels as the ground truth. Returns how many."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in directory.rows(split):
            told: dict[str, Any] = {
                "data_source": SOURCE,
                "prompt": row.prompt,
                "reward_model": {"style": "rule", "ground_truth": row.model_dump_json()},
                "extra_info": {"split": split, "index": count},
            }
            file.write(json.dumps(told, ensure_ascii=False) + "\n")
            count += 1
    return count
