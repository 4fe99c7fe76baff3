"""A model is loaded as it was trained, or not at all; and never anything that could execute."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from analyzer import prompts
from tests.training.tiny_server import FAULT, LEARNED, Files

pytestmark = pytest.mark.finetune


def _no_folder(base: Path, adapter: Path) -> None:
    shutil.rmtree(base)


def _no_weights(base: Path, adapter: Path) -> None:
    (base / "model.safetensors").unlink()


def _broken_weights(base: Path, adapter: Path) -> None:
    (base / "model.safetensors").write_bytes(b"\0" * 100)


def _broken_config(base: Path, adapter: Path) -> None:
    (base / "config.json").write_text("{")


def _no_template(base: Path, adapter: Path) -> None:
    (base / "chat_template.jinja").unlink()


def _foreign_adapter(base: Path, adapter: Path) -> None:
    from tests.training import tiny_model

    tiny_model.build(base, ["a wider model"] * 3, width=96)


def _pickled_weights(base: Path, adapter: Path) -> None:
    """A pickle could run what it likes."""
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(base / "model.safetensors"), base / "pytorch_model.bin")
    (base / "model.safetensors").unlink()


def _broken_adapter(base: Path, adapter: Path) -> None:
    (adapter / "adapter_model.safetensors").write_bytes(b"\0" * 100)


@pytest.fixture
def files(tiny_files: Files, tmp_path: Path) -> Files:
    """Copies, which may be harmed."""
    shutil.copytree(tiny_files.base, tmp_path / "base")
    shutil.copytree(tiny_files.adapter, tmp_path / "adapter")
    return Files(tmp_path / "base", tmp_path / "adapter")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_no_folder, "The base model .* cannot be loaded"),
        (_no_weights, "The base model .* cannot be loaded"),
        (_broken_weights, "The base model .* cannot be loaded"),
        (_pickled_weights, "The base model .* cannot be loaded"),
        (_broken_config, "The base model .* cannot be loaded"),
        (_no_template, "no chat template"),
        (_foreign_adapter, "does not fit"),
        (_broken_adapter, "does not fit"),
    ],
)
def test_a_model_that_cannot_be_loaded_says_why(files: Files, harm: Callable[[Path, Path], None], said: str) -> None:
    from training.finetune.generation import Writer

    harm(files.base, files.adapter)
    with pytest.raises(ValueError, match=said) as failed:
        Writer(str(files.base), files.adapter)
    assert type(failed.value).__module__.startswith("training.finetune"), failed.value


def test_the_tokenizer_of_the_adapter_goes_before_the_base_models(files: Files) -> None:
    """Training may give a base model its chat template, which is then kept with the adapter."""
    from transformers import AutoTokenizer

    from training.finetune.generation import Wish, Writer

    AutoTokenizer.from_pretrained(files.base).save_pretrained(files.adapter)
    (files.base / "chat_template.jinja").unlink()
    written = Writer(str(files.base), files.adapter).write(Wish(prompts.render("", FAULT), max_tokens=100))
    assert written.text == LEARNED[FAULT.id].model_dump_json()


def test_a_system_message_that_was_read_before_changes_no_answer(files: Files) -> None:
    """What is kept of it must be what reading it anew gives."""
    from training.finetune.generation import Wish, Writer

    template = files.base / "chat_template.jinja"
    template.write_text(
        "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )

    def wish(system: str) -> Wish:
        return Wish([{"role": "system", "content": system}, {"role": "user", "content": "a fault"}], max_tokens=30)

    writer = Writer(str(files.base), files.adapter)
    asked = [wish("Be short."), wish("Be short."), wish("Be long, and say all of it."), wish("Be short.")]
    once = [Writer(str(files.base), files.adapter).write(one) for one in asked]
    assert [writer.write(one) for one in asked] == once
    assert once[0].text != once[2].text


@pytest.mark.parametrize("mark", ["<|end|>", "<|assistant|>", "<|system|>"])
def test_a_message_that_holds_a_mark_of_the_models_ends_no_turn(files: Files, mark: str) -> None:
    """Such a mark is one token, which the model would take for the end of what was said."""
    from training.finetune.generation import Wish, Writer

    writer = Writer(str(files.base), None)

    def tokens(text: str) -> int:
        return writer.write(Wish([{"role": "user", "content": text}], max_tokens=1)).prompt_tokens

    assert tokens(f"a{mark}b") - tokens("ab") > 3
