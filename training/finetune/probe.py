"""How the model answers at this point: some validation rows, greedily, scored as in production."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from training.finetune.loading import kept
from training.finetune.rows import Row
from training.finetune.scoring import Score, score
from training.finetune.tokens import ids, prompt_text

# Rows that are answered together: at least, and at most where a GPU has room for more.
_AT_ONCE: Final = 32
_AT_ONCE_MOST: Final = 256
# Of a GPU's free memory, what the keys and values of the rows may take; growing them needs a second copy for a moment.
_SHARE: Final = 0.25
_RESAMPLES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Written:
    """One answer: its text, how many tokens it took, and whether it ran into the limit."""

    text: str
    length: int
    cut_off: bool


def ask(model: Any, tokenizer: Any, rows: Sequence[Row], *, max_answer: int) -> list[Written]:
    """The model's most likely answers, in the order of the rows."""
    was_training = model.training
    model.eval()
    prompts = [ids(tokenizer, prompt_text(tokenizer, row.prompt)) for row in rows]
    at_once = _together(model, max(map(len, prompts), default=0) + max_answer)
    try:
        with torch.inference_mode():
            return [
                written
                for first in range(0, len(rows), at_once)
                for written in _ask(model, tokenizer, prompts[first : first + at_once], max_answer)
            ]
    finally:
        model.train(was_training)


def report(rows: Sequence[Row], answers: Sequence[Written], *, seed: int = 0) -> dict[str, Any]:
    """Mean reward, share well-formed and share of right categories with 95 % bootstrap intervals, and each reward."""
    scores = [score(row, answer.text, cut_off=answer.cut_off) for row, answer in zip(rows, answers, strict=True)]
    return {
        "n": len(rows),
        "reward": _interval([one.reward for one in scores], seed),
        "well_formed": _interval([float(one.well_formed) for one in scores], seed),
        "category": _interval([_right(row, one) for row, one in zip(rows, scores, strict=True)], seed),
        "length": float(np.mean([answer.length for answer in answers])),
        "rewards": {row.task.id: round(one.reward, 4) for row, one in zip(rows, scores, strict=True)},
    }


def keep(path: Path, rows: Sequence[Row], answers: Sequence[Written]) -> None:
    """What the model said, one line a row, for whoever wants to read it; only the owner may."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        for row, answer in zip(rows, answers, strict=True):
            found = score(row, answer.text, cut_off=answer.cut_off)
            told = {
                "id": row.task.id,
                "decision": row.decision,
                "text": answer.text,
                "cut_off": answer.cut_off,
                "well_formed": found.well_formed,
                "reward": found.reward,
            }
            file.write(json.dumps(told, ensure_ascii=False) + "\n")


def _together(model: Any, tokens: int) -> int:
    """How many rows of so many tokens to answer together."""
    if model.device.type != "cuda":
        return _AT_ONCE
    free, _ = torch.cuda.mem_get_info(model.device)
    free += torch.cuda.memory_reserved(model.device) - torch.cuda.memory_allocated(model.device)
    each = tokens * kept(model.config, torch.finfo(model.dtype).bits // 8)
    return max(_AT_ONCE, min(_AT_ONCE_MOST, int(_SHARE * free / each)))


def _ask(model: Any, tokenizer: Any, prompts: Sequence[list[int]], max_answer: int) -> list[Written]:
    longest = max(len(prompt) for prompt in prompts)
    padded = [[tokenizer.pad_token_id] * (longest - len(prompt)) + prompt for prompt in prompts]
    mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    made = model.generate(
        input_ids=torch.tensor(padded, device=model.device),
        attention_mask=torch.tensor(mask, device=model.device),
        max_new_tokens=max_answer,
        do_sample=False,
        temperature=None,
        top_p=None,
        top_k=None,
        pad_token_id=tokenizer.pad_token_id,
    )
    ends = ending(model, tokenizer)
    return [_written(tokenizer, row, ends) for row in made[:, longest:].tolist()]


def ending(model: Any, tokenizer: Any) -> frozenset[int]:
    """The tokens that end an answer."""
    declared = model.generation_config.eos_token_id
    several = declared if isinstance(declared, list) else [] if declared is None else [declared]
    return frozenset({int(token) for token in several} | {int(tokenizer.eos_token_id)})


def _written(tokenizer: Any, tokens: list[int], ends: frozenset[int]) -> Written:
    length = next((place for place, token in enumerate(tokens) if token in ends), None)
    kept = tokens if length is None else tokens[:length]
    text = str(tokenizer.decode(kept, skip_special_tokens=True))
    return Written(text, len(kept), cut_off=length is None)


def _right(row: Row, found: Score) -> float:
    return float(found.answer is not None and found.answer.category == row.decision.get("category"))


def _interval(values: Sequence[float], seed: int) -> dict[str, float]:
    drawn = np.random.default_rng(seed).choice(np.array(values), size=(_RESAMPLES, len(values))).mean(axis=1)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return {"value": round(float(np.mean(values)), 4), "low": round(float(low), 4), "high": round(float(high), 4)}
