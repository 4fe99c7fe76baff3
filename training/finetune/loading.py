"""The base model with an adapter to train, on the hardware that is there; and what that takes."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.finetune.job import Directory, Job

# A trained number with its gradient and the optimiser's two averages, in 32 bits each.
_TRAINED_BYTES: Final = 16
# Of free memory, what is planned with: the estimate is good to about a third.
_SHARE: Final = 0.75
# Sequences worked on at once, at most: more brings no speed.
_AT_ONCE: Final = 32
_GB: Final = 1e9


class Unfit(ValueError):
    """A base model that cannot be loaded, or hardware that it does not fit on; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """Where the work is done, in which precision, and how much memory is free there, in bytes."""

    device: str
    name: str
    bf16: bool
    free: int

    @property
    def dtype(self) -> Any:
        return torch.bfloat16 if self.bf16 else torch.float32

    def __str__(self) -> str:
        return f"{self.name}, {'bf16' if self.bf16 else 'fp32'}, {self.free / _GB:.1f} GB free"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a step is cut up: so many sequences at once, so often, recomputing activations or not; needed in bytes."""

    at_once: int
    times: int
    recompute: bool
    needed: int
    disk: int


def hardware() -> Hardware:
    """A CUDA device in bf16 where it can, else 32 bits."""
    # cuDNN's attention, which torch prefers on an H100 since 2.11, makes the gradient NaN where a sequence begins with
    # padding and all of them are 64 longer than a multiple of 128 (pytorch issue 196678); grpo pads at the beginning.
    torch.backends.cuda.enable_cudnn_sdp(False)
    if torch.cuda.is_available():
        index = int(os.environ.get("LOCAL_RANK", "0"))
        torch.cuda.set_device(index)
        free, _ = torch.cuda.mem_get_info(index)
        return Hardware("cuda", torch.cuda.get_device_name(index), torch.cuda.is_bf16_supported(), free)
    return Hardware("cpu", f"CPU with {torch.get_num_threads()} threads", False, psutil.virtual_memory().available)


def tokenizer_of(base_model: str) -> Any:
    """The base model's tokenizer, which can pad; raises Unfit."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(base_model)
    except (OSError, ValueError, ImportError) as error:
        raise Unfit(_unloadable(base_model, error)) from error
    if tokenizer.eos_token is None:
        raise Unfit(f"The tokenizer of {base_model} has no end-of-text token, so that an answer could not end.")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def model_of(base_model: str, dtype: Any) -> Any:
    """The base model; raises Unfit."""
    try:
        # Never a pickle: weights are data that cannot execute.
        return AutoModelForCausalLM.from_pretrained(base_model, dtype=dtype, use_safetensors=True)
    except (OSError, ValueError, ImportError, RuntimeError, SafetensorError) as error:
        raise Unfit(_unloadable(base_model, error)) from error


def with_adapter(model: Any, job: Job, start: Path) -> Any:
    """The model with an adapter to train: the one that the job begins with, or a new one that changes nothing yet."""
    if start.is_dir():
        try:
            return PeftModel.from_pretrained(model, str(start), is_trainable=True)
        except (ValueError, RuntimeError) as error:
            raise Unfit(f"The adapter in {start} does not fit {job.base_model}: {error}") from error
    torch.manual_seed(job.seed)
    return get_peft_model(
        model,
        LoraConfig(
            task_type="CAUSAL_LM",
            r=job.lora_rank,
            lora_alpha=2 * job.lora_rank,
            # None: it would make the policy differ from its own reference, where grpo goes on from this adapter.
            lora_dropout=0.0,
            target_modules="all-linear",
        ),
    )


def plan(model: Any, job: Job, on: Hardware, *, sequences: int, prompt: int, longest: int) -> Plan:
    """How to cut up a step of so many sequences, the longest of so many tokens, so that it fits; raises Unfit.

    sequences are those of this process; prompt is the longest prompt in tokens.
    """
    parameters = sum(parameter.numel() for parameter in model.parameters())
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    each = 2 if on.bf16 else 4
    fixed = parameters * each + trained * _TRAINED_BYTES
    if job.method == "grpo":
        # All answers of a step are written together.
        fixed += sequences * (prompt + job.max_answer) * kept(model.config, each)
    least = 0
    for recompute in (False, True):
        for at_once in _divisors(sequences):
            needed = fixed + at_once * longest * _activations(model.config, each, recompute=recompute)
            least = needed
            # Not recomputing is worth as much as two or three sequences at once.
            if needed <= _SHARE * on.free and (recompute or at_once >= min(4, sequences)):
                return Plan(at_once, sequences // at_once, recompute, needed, 3 * trained * _TRAINED_BYTES)
    raise Unfit(
        f"{job.base_model} ({parameters / 1e6:,.0f} million parameters) needs about {least / _GB:.1f} GB for one "
        f"sequence of {longest} tokens at a time, and {_SHARE:.0%} of what is free is {_SHARE * on.free / _GB:.1f} GB "
        f"({on}). Take a smaller model, a smaller --max-length, or for grpo a smaller --batch or --group-size."
    )


def check_disk(directory: Directory, planned: Plan) -> str:
    """What the checkpoints need on disk beside what is free, in words; raises Unfit."""
    free = shutil.disk_usage(directory.path).free
    told = f"disk: about {planned.disk / _GB:.2f} GB for checkpoints, {free / _GB:.1f} GB free"
    if planned.disk > free:
        raise Unfit(f"There is too little room in {directory.path}; {told}.")
    return told


def _divisors(number: int) -> list[int]:
    return [size for size in range(min(number, _AT_ONCE), 0, -1) if number % size == 0]


def _activations(config: Any, each: int, *, recompute: bool) -> int:
    """Bytes per token that a backward pass needs kept, by rule of thumb.

    Of SmolLM2-135M on a CPU, two sequences of 1,095 tokens, it says 7.5 GB in all; 8.6 were measured, imports included.
    """
    text = config.get_text_config()
    hidden, layers = int(text.hidden_size), int(text.num_hidden_layers)
    inner = int(getattr(text, "intermediate_size", None) or 4 * hidden)
    layer = (24 * hidden + 8 * inner) * each
    return layers * hidden * each + layer if recompute else layers * layer


def kept(config: Any, each: int) -> int:
    """Bytes per token of the keys and values that generation keeps."""
    text = config.get_text_config()
    heads = int(text.num_attention_heads)
    size = int(getattr(text, "head_dim", None) or text.hidden_size // heads)
    return 2 * int(text.num_hidden_layers) * int(getattr(text, "num_key_value_heads", None) or heads) * size * each


def _unloadable(base_model: str, error: Exception) -> str:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if Path(base_model).exists():
        return f"The base model in {base_model} cannot be loaded: {reason}"
    offline = os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")
    said = " HF_HUB_OFFLINE is set, so that it is only looked for on this machine." if offline else ""
    return (
        f"The base model {base_model} cannot be loaded.{said} Give a folder that holds its files, or the name of one "
        f"that this machine has or may download. ({reason})"
    )
