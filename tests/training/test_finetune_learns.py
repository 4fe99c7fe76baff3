"""What a tiny model learns from decisions, each against its own starting point on rows that it never learned from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analyzer import adapters
from tests.training import workshop
from tests.training.finetuned import beginning
from training.finetune.job import Directory

pytestmark = pytest.mark.finetune


def first_and_last(directory: Directory) -> tuple[dict[str, Any], dict[str, Any]]:
    probes = workshop.told(directory, "probe")
    return probes[0], probes[-1]


def test_sft_teaches_the_form_and_what_people_decide(schooled: Directory) -> None:
    before, after = first_and_last(schooled)
    assert before["n"] == after["n"] == 24
    assert before["well_formed"]["high"] < after["well_formed"]["low"], (before, after)
    assert before["reward"]["high"] < after["reward"]["low"]
    losses = [line["loss"] for line in workshop.told(schooled, "step")]
    assert losses[-1] < losses[0] / 3


def test_the_answer_alone_is_in_the_loss(schooled: Directory, tiny_base: Path) -> None:
    from transformers import AutoTokenizer

    from training.finetune.tokens import IGNORED, encode

    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    row = next(schooled.rows("train"))
    encoded = encode(tokenizer, row)
    learned = [token for token, label in zip(encoded.input_ids, encoded.labels, strict=True) if label != IGNORED]
    assert tokenizer.decode(learned) == f"{row.answer}<|end|>"
    asked = encoded.input_ids[: -len(learned)]
    assert tokenizer.decode(asked).endswith("<|assistant|>")


def test_a_row_without_wording_teaches_its_labels_alone(schooled: Directory, tiny_base: Path) -> None:
    from transformers import AutoTokenizer

    from training.finetune.tokens import IGNORED, encode

    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    row = next(schooled.rows("train"))
    encoded, whole = encode(tokenizer, row, wording=False), encode(tokenizer, row)
    assert encoded.input_ids == whole.input_ids
    learned = tokenizer.decode([label for label in encoded.labels if label != IGNORED])
    assert row.answer.startswith(learned)
    assert learned.rstrip('"').endswith(json.loads(row.answer)["severity"])


def test_every_step_is_told_with_what_it_took(schooled: Directory) -> None:
    steps = workshop.told(schooled, "step")
    assert [line["step"] for line in steps] == list(range(1, 81))
    assert all(line["of"] == 80 and line["examples_per_s"] > 0 and line["memory_mb"] > 0 for line in steps)
    said = " ".join(line["text"] for line in workshop.told(schooled, "said"))
    for needed in ("seed 0", "320 rows", "memory: about", "disk: about", "fp32"):
        assert needed in said


def test_the_adapter_is_data_and_nothing_else(schooled: Directory) -> None:
    names = sorted(file.name for file in schooled.adapter.iterdir())
    assert names == [adapters.CONFIG, adapters.WEIGHTS]


def test_grpo_raises_the_mean_reward(schooled: Directory, rarer: str, tiny_base: Path, tmp_path: Path) -> None:
    """People here call everything by the category that the model says less often: only the reward tells it so."""
    directory = workshop.job(
        tmp_path / "grpo", tiny_base, "grpo", category=rarer, learn=64, probe=48, batch=4, learning_rate=0.001, kl=0.01
    )
    code, said = workshop.work(beginning(directory, schooled))
    assert code == 0, said
    before, after = first_and_last(directory)
    assert before["n"] == after["n"] == 48
    assert before["reward"]["high"] < after["reward"]["low"], (before, after)
    steps = workshop.told(directory, "step")
    assert all({"reward", "kl", "length", "well_formed", "loss"} <= set(line) for line in steps)
    # It begins as its own reference.
    assert steps[0]["kl"] == pytest.approx(0, abs=1e-3)


def test_dpo_prefers_what_people_corrected(schooled: Directory, rarer: str, tiny_base: Path, tmp_path: Path) -> None:
    directory = workshop.job(
        tmp_path / "dpo", tiny_base, "dpo", category=rarer, corrected=True, learn=64, probe=48, learning_rate=0.001
    )
    code, said = workshop.work(beginning(directory, schooled))
    assert code == 0, said
    before, after = first_and_last(directory)
    assert before["category"]["high"] < after["category"]["low"], (before, after)
    steps = workshop.told(directory, "step")
    assert sum(line["preferred"] for line in steps[-4:]) / 4 > 0.7
    assert steps[-1]["margin"] > steps[0]["margin"]


def test_dpo_without_corrections_says_what_is_missing(tiny_base: Path, tmp_path: Path) -> None:
    directory = workshop.job(tmp_path / "dpo", tiny_base, "dpo")
    code, said = workshop.work(directory)
    assert code == 1
    assert "dpo learns from corrections, and there are 0 that it can use; it needs 8" in said
    assert workshop.told(directory, "failed")[0]["reason"] in said
    assert not directory.adapter.exists()
