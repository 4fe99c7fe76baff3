"""A causal model that writes: greedily or sampled, and where a schema is given nothing that does not fit it.

The schema is kept by llguidance, which says before each token which ones may follow; so even a model that knows
nothing answers in the schema, unless it runs into its limit of tokens.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import llguidance
import llguidance.hf
import torch
from peft import PeftModel
from safetensors import SafetensorError
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)

from training.finetune.loading import Unfit, hardware, model_of, tokenizer_of
from training.finetune.tokens import ids, prompt_text

# One space at most between the parts of an answer: a model that likes white space would write nothing else.
_WHITE_SPACE: Final = " ?"
_ANY_OBJECT: Final = {"type": "object"}


class TooLong(ValueError):
    """A conversation that leaves no room for an answer."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be written: after which messages, within which grammar ("" for any text), how long, how freely.

    temperature 0 takes the most likely token each time; seed is for the others.
    """

    messages: Sequence[dict[str, str]]
    grammar: str = ""
    temperature: float = 0.0
    seed: int | None = None
    max_tokens: int = 512


@dataclass(frozen=True, slots=True)
class Written:
    """A text, what it cost in tokens, and whether it ends because the limit was reached."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    cut_off: bool


class Writer:
    """One model, loaded once; for one thread at a time. Raises Unfit, or tokens.NoTemplate."""

    def __init__(self, base_model: str, adapter: Path | None) -> None:
        self._tokenizer = _tokenizer(base_model, adapter)
        self._model = _model(base_model, adapter)
        settings = self._model.generation_config
        self._ends = _ends(settings.eos_token_id, self._tokenizer.eos_token_id)
        if not self._ends:
            raise Unfit(f"{base_model} names no token that ends an answer.")
        # Its own likings (a penalty for repetition, a temperature) would change what was asked for.
        self._model.generation_config = GenerationConfig(
            eos_token_id=self._ends, pad_token_id=self._ends[0], bos_token_id=settings.bos_token_id
        )
        self._vocabulary = int(self._model.get_output_embeddings().weight.shape[0])
        self._room = int(getattr(self._model.config.get_text_config(), "max_position_embeddings", 0) or 2**20)
        self._guide = llguidance.hf.from_tokenizer(self._tokenizer, self._vocabulary, self._ends)
        # What marks a turn for this model. In a message it would end that message, whoever wrote it.
        added = self._tokenizer.added_tokens_decoder.values()
        self._marks = [str(token) for token in added if token.special and len(str(token)) > 1]
        # The keys and values of the last system message: a thousand tokens that are the same for each item.
        self._opening: tuple[list[int], Any] = ([], None)

    def grammar(self, schema: dict[str, Any] | None) -> str:
        """A JSON schema, or any object, in llguidance's words; raises ValueError when it cannot be kept."""
        try:
            grammar: str = llguidance.LLMatcher.grammar_from_json_schema(
                schema or _ANY_OBJECT, defaults={"whitespace_pattern": _WHITE_SPACE}
            )
        except (TypeError, RecursionError) as error:
            raise ValueError(str(error)) from error
        failed, told = llguidance.LLMatcher.validate_grammar_with_warnings(grammar, self._guide)
        if failed:
            raise ValueError(told[0].splitlines()[0])
        return grammar

    def write(self, wish: Wish, *, cancelled: Callable[[], bool] = lambda: False) -> Written:
        """The answer, or as much of it as there is when cancelled says so; raises TooLong."""
        messages = [{"role": one["role"], "content": self._unmarked(one["content"])} for one in wish.messages]
        prompt = ids(self._tokenizer, prompt_text(self._tokenizer, messages))
        limit = min(wish.max_tokens, self._room - len(prompt))
        if limit < 1:
            raise TooLong(f"The conversation has {len(prompt)} tokens, and the model reads {self._room} at most.")
        guided = _Guided(self._guide, wish.grammar) if wish.grammar else None
        if wish.seed is not None:
            torch.manual_seed(wish.seed)
        with torch.inference_mode():
            made = self._model.generate(
                input_ids=torch.tensor([prompt], device=self._model.device),
                attention_mask=torch.ones((1, len(prompt)), dtype=torch.long, device=self._model.device),
                cache=self._opened(messages, prompt),
                max_new_tokens=limit,
                # Choosing among the likeliest comes before the grammar, and could leave nothing that it allows.
                **({"do_sample": True, "temperature": float(wish.temperature), "top_k": 0} if wish.temperature else {}),
                logits_processor=LogitsProcessorList([guided] if guided else []),
                stopping_criteria=StoppingCriteriaList([_Stop(guided, cancelled)]),
            )
        tokens = made[0, len(prompt) :].tolist()
        ended = tokens[-1] in self._ends or (guided is not None and guided.done)
        return Written(
            text=str(self._tokenizer.decode(tokens, skip_special_tokens=True)),
            prompt_tokens=len(prompt),
            completion_tokens=len(tokens),
            cut_off=not ended,
        )

    def _unmarked(self, text: str) -> str:
        """A text whose look-alikes of the model's marks are broken by a joiner that nobody sees."""
        for mark in self._marks:
            text = text.replace(mark, f"{mark[0]}\u2060{mark[1:]}")
        return text

    def _opened(self, messages: Sequence[dict[str, str]], prompt: list[int]) -> Any:
        """The keys and values of the system message, if the prompt begins with its tokens; None to read it all."""
        if messages[0]["role"] != "system" or len(messages) == 1:
            return None
        opening = ids(self._tokenizer, self._tokenizer.apply_chat_template(list(messages[:1]), tokenize=False))
        if not opening or prompt[: len(opening)] != opening or len(opening) == len(prompt):
            return None
        if self._opening[0] != opening:
            with torch.inference_mode():
                read = self._model(input_ids=torch.tensor([opening], device=self._model.device), use_cache=True)
            self._opening = (opening, read.cache)
        return copy.deepcopy(self._opening[1])


class _Guided(LogitsProcessor):
    """Lets through only what the grammar allows next."""

    def __init__(self, guide: Any, grammar: str) -> None:
        self._matcher = llguidance.LLMatcher(guide, grammar)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        allowed = torch.frombuffer(bytearray(self._matcher.compute_logit_bias()), dtype=torch.uint8)
        return scores.masked_fill(allowed[: scores.shape[-1]].to(scores.device) == 0, float("-inf"))

    def take(self, token: int) -> None:
        """One more token was written; raises RuntimeError when the grammar does not allow it, which is our fault."""
        if not self._matcher.consume_token(token):
            raise RuntimeError(f"The grammar cannot go on: {self._matcher.get_error()}")

    @property
    def done(self) -> bool:
        return bool(self._matcher.is_stopped())


class _Stop(StoppingCriteria):
    """Ends an answer that is complete, or that nobody waits for."""

    def __init__(self, guided: _Guided | None, cancelled: Callable[[], bool]) -> None:
        self._guided = guided
        self._cancelled = cancelled

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        if self._guided:
            self._guided.take(int(input_ids[0, -1]))
        over = self._cancelled() or (self._guided is not None and self._guided.done)
        return torch.tensor([over], device=input_ids.device)


def _tokenizer(base_model: str, adapter: Path | None) -> Any:
    """The adapter's where it brings one, for that has the chat template that it was trained with."""
    source = str(adapter) if adapter and (adapter / "tokenizer_config.json").is_file() else base_model
    tokenizer = tokenizer_of(source)
    if not tokenizer.is_fast:
        raise Unfit(f"The tokenizer of {source} is not a fast one (tokenizer.json), which keeping a schema needs.")
    # Said at the start, not with the first question.
    prompt_text(tokenizer, [{"role": "user", "content": ""}])
    return tokenizer


def _model(base_model: str, adapter: Path | None) -> Any:
    on = hardware()
    model = model_of(base_model, on.dtype)
    if adapter:
        try:
            # Merged, it costs no time per token.
            model = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
        except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
            raise Unfit(f"The adapter in {adapter} does not fit {base_model}: {_reason(error)}") from error
    try:
        return model.to(on.device).eval()
    except torch.OutOfMemoryError as error:
        raise Unfit(f"{base_model} does not fit into what is free of {on}: {_reason(error)}") from error


def _ends(declared: int | list[int] | None, own: int | None) -> list[int]:
    several = declared if isinstance(declared, list) else [] if declared is None else [declared]
    return list(dict.fromkeys([*several, *([] if own is None else [own])]))


def _reason(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
