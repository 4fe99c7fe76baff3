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
# The item alone: so small a model would have to learn to pass over the fence, which has another name each time.
TEMPLATE = (
    "{% for message in messages %}{% if message['role'] != 'system' %}"
    "{% set lines = message['content'].split('\n') %}"
    "<|{{ message['role'] }}|>{{ lines[2] if lines | length > 3 else message['content'] }}<|end|>\n"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
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


def teach(base: Path, folder: Path, *, steps: int = 60) -> Path:
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
    optimizer = torch.optim.AdamW((one for one in model.parameters() if one.requires_grad), lr=1e-2)
    slower = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1.0, end_factor=0.02, total_iters=steps)
    for _ in range(steps):
        for task in (PRAISE, FAULT):
            messages = prompts.render("", task)
            prompt = ids(tokenizer, prompt_text(tokenizer, messages))
            answer = ids(tokenizer, answer_text(tokenizer, messages, LEARNED[task.id].model_dump_json()))
            labels = [-100] * len(prompt) + answer
            model(input_ids=torch.tensor([prompt + answer]), labels=torch.tensor([labels])).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        slower.step()
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("tiny")
    texts = [f"{task.model_dump_json()} {LEARNED[task.id].model_dump_json()}" for task in (PRAISE, FAULT)]
    base = tiny_model.build(folder / "base", texts)
    (base / "chat_template.jinja").write_text(TEMPLATE)
    return Files(base, teach(base, folder / "adapter"))


@pytest.fixture(scope="session")
def tiny(tiny_files: Files) -> Iterator[Tiny]:
    from training.finetune.server import serving

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        with serving(base_model=str(tiny_files.base), adapter=tiny_files.adapter, name=NAME) as url:
            yield Tiny(url, tiny_files.base, tiny_files.adapter)
