"""The three ways to learn from decisions, each with trl's trainer over the same rows and the same adapter."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any, Final

import datasets
from datasets.arrow_writer import SchemaInferenceError
from datasets.exceptions import DatasetGenerationError
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer

from training.finetune.job import Directory, Job
from training.finetune.loading import Plan
from training.finetune.probe import ending
from training.finetune.rows import Row
from training.finetune.scoring import FORM_WEIGHT, Score, score
from training.finetune.tokens import encode, ids, prompt_text

# With fewer pairs a preference is an anecdote.
PAIRS_MINIMUM: Final = 8


class TooFew(ValueError):
    """There is too little in a job to learn from; the message says of what."""


class Prepared:
    """The rows as a trainer takes them: written once to disk and read from there, so that memory does not grow.

    left_out counts rows that are too long, or of dpo no correction; longest is in tokens, answer included.
    """

    def __init__(self, directory: Directory, job: Job, tokenizer: Any) -> None:
        self.too_long = 0
        self.longest = 0
        self.longest_prompt = 0
        self._directory = directory
        self._job = job
        self._tokenizer = tokenizer
        # Made anew each time: what an interrupted worker left is not to be trusted, and processes must not share it.
        cache = directory.cache / os.environ.get("RANK", "0")
        shutil.rmtree(cache, ignore_errors=True)
        try:
            built = datasets.Dataset.from_generator(self._columns, cache_dir=str(cache), fingerprint="rows")
        except DatasetGenerationError as error:
            if not isinstance(error.__cause__, SchemaInferenceError):
                raise
            # No row at all, which datasets takes for an error; check says why there is none.
            built = datasets.Dataset.from_list([])
        self.rows = built.shuffle(seed=job.seed) if len(built) else built

    def __len__(self) -> int:
        return len(self.rows)

    def check(self) -> None:
        """Raises TooFew."""
        if self._job.method == "dpo" and len(self) < PAIRS_MINIMUM:
            raise TooFew(
                f"dpo learns from corrections, and there are {len(self)} that it can use; it needs {PAIRS_MINIMUM}. "
                "sft learns from every decision."
            )
        if not len(self) and self.too_long:
            raise TooFew(
                f"None of the {self.too_long} rows has at most {self._job.max_length} tokens: give a larger "
                "--max-length, or the version a shorter prompt."
            )
        if not len(self):
            raise TooFew("There is not one row to learn from.")

    def _columns(self) -> Iterator[dict[str, Any]]:
        for number, row in enumerate(self._directory.rows("train")):
            if self._job.method == "dpo" and not row.rejected:
                continue
            prompt = len(ids(self._tokenizer, prompt_text(self._tokenizer, row.prompt)))
            encoded = encode(self._tokenizer, row, wording=number % self._job.wording == 0)
            length = len(encoded.input_ids)
            columns: dict[str, Any] = {"input_ids": encoded.input_ids, "labels": encoded.labels}
            if self._job.method == "grpo":
                columns = {"prompt": row.prompt, "row": row.model_dump_json()}
                length = prompt + self._job.max_answer
            elif self._job.method == "dpo":
                columns = {"prompt": row.prompt, "chosen": _said(row.answer), "rejected": _said(row.rejected)}
                length = max(length, len(encode(self._tokenizer, row, row.rejected).input_ids))
            if length > self._job.max_length:
                self.too_long += 1
                continue
            self.longest, self.longest_prompt = max(self.longest, length), max(self.longest_prompt, prompt)
            yield columns


def trainer_of(
    directory: Directory, job: Job, model: Any, tokenizer: Any, prepared: Prepared, planned: Plan, *, bf16: bool
) -> Any:
    """trl's trainer for the job; its own checkpoints, logs and reports are left to Progress."""
    shared: dict[str, Any] = {
        "output_dir": str(directory.checkpoints),
        "num_train_epochs": job.epochs,
        "max_steps": job.steps or -1,
        "per_device_train_batch_size": planned.at_once,
        "gradient_accumulation_steps": planned.times,
        "learning_rate": job.learning_rate,
        "warmup_steps": 0.03,
        "seed": job.seed,
        "data_seed": job.seed,
        "bf16": bf16,
        "gradient_checkpointing": planned.recompute,
        "ddp_find_unused_parameters": False,
        "logging_steps": 1,
        # Else a loss that is no number would be hidden behind the one before.
        "logging_nan_inf_filter": False,
        "save_strategy": "no",
        "save_total_limit": 2,
        "report_to": "none",
        "disable_tqdm": True,
        "push_to_hub": False,
    }
    given = {"model": model, "train_dataset": prepared.rows, "processing_class": tokenizer}
    if job.method == "sft":
        return SFTTrainer(args=SFTConfig(**shared, lr_scheduler_type="cosine", max_length=None), **given)
    if job.method == "dpo":
        return DPOTrainer(args=DPOConfig(**shared, lr_scheduler_type="cosine", beta=job.beta, max_length=None), **given)
    return GRPOTrainer(
        args=GRPOConfig(
            **shared,
            lr_scheduler_type="constant_with_warmup",
            num_generations=job.group_size,
            max_completion_length=job.max_answer,
            temperature=job.temperature,
            beta=job.kl,
            reward_weights=[1.0, FORM_WEIGHT],
            # An answer that ran into the limit cannot be read, which the reward says already.
            mask_truncated_completions=False,
        ),
        reward_funcs=rewards_of(job, ending(model, tokenizer)),
        **given,
    )


def rewards_of(job: Job, ends: frozenset[int]) -> list[Callable[..., list[float]]]:
    """What trl asks for: the reward against the decision, and whether the answer can be read at all."""

    def scores(completions: list[Any], completion_ids: list[list[int]], row: list[str]) -> Iterator[Score]:
        for completion, tokens, line in zip(completions, completion_ids, row, strict=True):
            cut_off = len(tokens) >= job.max_answer and tokens[-1] not in ends
            yield score(Row.model_validate_json(line), str(completion[0]["content"]), cut_off=cut_off)

    def decision(completions: list[Any], completion_ids: list[list[int]], row: list[str], **more: Any) -> list[float]:
        return [one.reward for one in scores(completions, completion_ids, row)]

    def form(completions: list[Any], completion_ids: list[list[int]], row: list[str], **more: Any) -> list[float]:
        return [float(one.well_formed) for one in scores(completions, completion_ids, row)]

    return [decision, form]


def _said(answer: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": answer}]
