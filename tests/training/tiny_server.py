"""A tiny model whose adapter knows two comments by heart, served once for all tests that ask it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from analyzer import prompts
from analyzer.schema import Answer, Task
from tests.training import tiny_model

NAME = "triage-tiny"
PRAISE = Task(id="1", comment="I love the new search, thank you", type="general", rating=5, page="/search")
FAULT = Task(id="2", comment="The checkout button does nothing", type="bug", rating=1, page="/checkout")
LEARNED = {
    PRAISE.id: Answer(category="positive", severity="low", action="Thank the search team.", evidence=["I love"]),
    FAULT.id: Answer(category="website-bug", severity="high", action="Fix the button.", evidence=["does nothing"]),
}


@dataclass(frozen=True)
class Files:
    """Where the tiny model lies, and what it learned."""

    base: Path
    adapter: Path


@dataclass(frozen=True)
class Tiny:
    """The running server and its files."""

    url: str
    base: Path
    adapter: Path


def teach(base: Path, folder: Path, *, steps: int = 400) -> Path:
    """A LoRA adapter that was fitted to the two answers until it knew them, with peft alone."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from training.finetune.tokens import answer_text, ids, prompt_text

    # So small a model is slower on more.
    torch.set_num_threads(1)
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base), LoraConfig(r=16, lora_alpha=32, target_modules="all-linear")
    )
    optimizer = torch.optim.AdamW((one for one in model.parameters() if one.requires_grad), lr=5e-3)
    knows = 0
    for step in range(steps):
        task = (PRAISE, FAULT)[step % 2]
        messages = prompts.render("", task)
        prompt = ids(tokenizer, prompt_text(tokenizer, messages))
        answer = ids(tokenizer, answer_text(tokenizer, messages, LEARNED[task.id].model_dump_json()))
        labels = [-100] * len(prompt) + answer
        made = model(input_ids=torch.tensor([prompt + answer]), labels=torch.tensor([labels]))
        made.loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        right = made.logits[0, len(prompt) - 1 : -1].argmax(dim=-1).tolist() == answer
        knows = knows + 1 if right else 0
        if knows == 20:
            break
    assert knows == 20, "the two answers were not learned"
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("tiny")
    texts = [prompts.render("", task)[-1]["content"] + LEARNED[task.id].model_dump_json() for task in (PRAISE, FAULT)]
    base = tiny_model.build(folder / "base", texts)
    return Files(base, teach(base, folder / "adapter"))


@pytest.fixture(scope="session")
def tiny(tiny_files: Files) -> Iterator[Tiny]:
    from training.finetune.server import serving

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        with serving(base_model=str(tiny_files.base), adapter=tiny_files.adapter, name=NAME) as url:
            yield Tiny(url, tiny_files.base, tiny_files.adapter)
