"""Rows as tokens: the prompt as a server will render it, and the answer alone in the loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from training.finetune.rows import Row

# What the loss passes over.
IGNORED: Final = -100
# Where in an answer the labels end and the wording begins.
_WORDING: Final = ',"action"'


class NoTemplate(ValueError):
    """A base model that does not say how a conversation is written; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """input_ids and labels of one length, as a trainer takes them."""

    input_ids: list[int]
    labels: list[int]


def prompt_text(tokenizer: Any, messages: list[dict[str, str]]) -> str:
    """The prompt up to where the model goes on; raises NoTemplate."""
    if not getattr(tokenizer, "chat_template", None):
        raise NoTemplate(
            "The base model's tokenizer has no chat template. Take an instruct or chat model, or one whose folder has "
            "a chat_template.jinja."
        )
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))


def answer_text(tokenizer: Any, messages: list[dict[str, str]], answer: str) -> str:
    """What the model is to write after the prompt, its end-of-turn token included and nothing after that."""
    prompt = prompt_text(tokenizer, messages)
    whole = str(tokenizer.apply_chat_template([*messages, {"role": "assistant", "content": answer}], tokenize=False))
    written = whole[len(prompt) :] if whole.startswith(prompt) else answer
    _, found, after = written.partition(answer)
    # Templates end a turn differently; what is no special token (a line break, mostly) would only be waited for.
    end = after.strip() if found else ""
    return answer + (end or str(tokenizer.eos_token))


def encode(tokenizer: Any, row: Row, answer: str | None = None, *, wording: bool = True) -> Encoded:
    """One row, its prompt and its answer tokenised apart, as they are when a server is asked.

    Without wording the loss ends where the labels do, at the action.
    """
    prompt = ids(tokenizer, prompt_text(tokenizer, row.prompt))
    said = row.answer if answer is None else answer
    whole = tokenizer(answer_text(tokenizer, row.prompt, said), add_special_tokens=False, return_offsets_mapping=True)
    written, labels_end = list(whole["input_ids"]), said.find(_WORDING)
    learned = [
        token if wording or end <= labels_end else IGNORED
        for token, (_, end) in zip(written, whole["offset_mapping"], strict=True)
    ]
    return Encoded([*prompt, *written], [*([IGNORED] * len(prompt)), *learned])


def ids(tokenizer: Any, text: str) -> list[int]:
    """The tokens of a text that a template has written, special ones and all."""
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])
