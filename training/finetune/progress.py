"""What happens at every step: a line for the log, a checkpoint now and then, and an end when it goes wrong."""

from __future__ import annotations

import math
import resource
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable
from threading import Event
from typing import Any, Final

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from training.finetune.job import Job
from training.finetune.log import Log

# Steps that a judgement about a run looks back on.
WINDOW: Final = 20
# Below this share of well-formed answers there is nothing left to reward.
LOST: Final = 0.02
# Nats per token; a policy so far from where it began writes something else than language.
KL_MOST: Final = 10.0
# What a trainer calls it, and what we do.
NAMES: Final = {
    "loss": "loss",
    "kl": "kl",
    "learning_rate": "learning_rate",
    "grad_norm": "grad_norm",
    "completions/mean_length": "length",
    "rewards/decision/mean": "reward",
    "rewards/form/mean": "well_formed",
    "frac_reward_zero_std": "alike",
    "rewards/accuracies": "preferred",
    "rewards/margins": "margin",
    "epoch": "epoch",
}


class Collapsed(RuntimeError):
    """Training that went wrong and was ended; the message says how it showed."""


class Progress(TrainerCallback):
    """Logs every step, saves when it is time or when told to stop, probes now and then, and ends a collapse.

    collapsed says how training went wrong, once it did.
    """

    def __init__(self, job: Job, log: Log, stop: Event, probe: Callable[[int], None], *, sequences: int) -> None:
        self.collapsed = ""
        self._job = job
        self._log = log
        self._stop = stop
        self._probe = probe
        self._sequences = sequences
        self._saved = self._stepped = time.monotonic()
        self._formed: deque[float] = deque(maxlen=WINDOW)
        self._drifts: deque[float] = deque(maxlen=WINDOW // 4)
        self._best_formed = 0.0
        self._probe_every = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._saved = self._stepped = time.monotonic()
        self._probe_every = max(1, state.max_steps // 5)
        self._log.write(event="begun", step=state.global_step, of=state.max_steps)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        late = time.monotonic() - self._saved >= self._job.save_seconds
        wish = _agreed(2 if self._stop.is_set() else int(late), args.device)
        control.should_training_stop = control.should_training_stop or wish == 2
        control.should_save = control.should_save or wish > 0 or state.global_step >= state.max_steps

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._saved = time.monotonic()
        self._log.write(event="saved", step=state.global_step)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        found = {ours: float(logs[theirs]) for theirs, ours in NAMES.items() if logs and theirs in logs}
        if "loss" not in found:
            # The summary at the end.
            return
        now = time.monotonic()
        seconds, self._stepped = max(now - self._stepped, 1e-6), now
        told = {name: round(value, 6) if math.isfinite(value) else None for name, value in found.items()}
        self._log.write(
            step=state.global_step,
            of=state.max_steps,
            **told,
            seconds=round(seconds, 3),
            examples_per_s=round(self._sequences / seconds, 2),
            memory_mb=round(peak_memory() / 1e6, 1),
            **_busy(),
        )
        self.collapsed = self._fault(found, state.global_step)
        if self.collapsed:
            control.should_training_stop = True
            control.should_save = False
        elif (
            state.global_step % self._probe_every == 0
            and state.global_step < state.max_steps
            and not self._stop.is_set()
        ):
            self._probe(state.global_step)
            self._stepped = time.monotonic()

    def _fault(self, found: dict[str, float], step: int) -> str:
        for name in ("loss", "grad_norm"):
            if not math.isfinite(found.get(name, 0.0)):
                return (
                    f"At step {step} the {name.replace('_', ' ')} is no number any more: try a lower --learning-rate."
                )
        if "kl" in found:
            self._drifts.append(found["kl"])
            # The estimate has wild outliers, of which one is no drift.
            usual = statistics.median(self._drifts)
            if len(self._drifts) == self._drifts.maxlen and usual > KL_MOST:
                return (
                    f"At step {step} the model has drifted {usual:.1f} nats a token from where it began (limit "
                    f"{KL_MOST:g}): try a higher --kl or a lower --learning-rate."
                )
        if "well_formed" in found:
            self._formed.append(found["well_formed"])
            share = sum(self._formed) / len(self._formed)
            self._best_formed = max(self._best_formed, share)
            if len(self._formed) == self._formed.maxlen and share < LOST:
                if self._best_formed >= 5 * LOST:
                    return (
                        f"At step {step} only {share:.1%} of the answers of the last {WINDOW} steps can be read, and "
                        f"{self._best_formed:.1%} could before: try a higher --kl or a lower --learning-rate."
                    )
                return (
                    f"In the first {step} steps only {share:.1%} of the answers could be read, so that hardly anything "
                    "was rewarded: teach the form first, with --algorithm sft."
                )
        return ""


def _agreed(wish: int, device: Any) -> int:
    """The strongest wish of all processes: one that stopped by itself would leave the others waiting for it."""
    if not torch.distributed.is_initialized():
        return wish
    shared = torch.tensor(wish, device=device)
    torch.distributed.all_reduce(shared, torch.distributed.ReduceOp.MAX)
    return int(shared)


def peak_memory() -> int:
    """The most bytes that were in use so far: on the GPU where there is one, else by this process."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _busy() -> dict[str, float]:
    """How busy the GPU is, in percent, where its driver can be asked."""
    if not torch.cuda.is_available():
        return {}
    try:
        return {"busy": float(torch.cuda.utilization())}
    except (ModuleNotFoundError, RuntimeError):
        return {}
