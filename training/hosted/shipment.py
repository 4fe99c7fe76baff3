"""What a hosted fine-tuning would send: rendered, redacted once more, counted and priced, before anything leaves."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from feedback.governance.pii import redact, redact_url
from training import algorithms
from training.finetune import rows
from training.finetune.rows import Row
from training.watch import Unusable

if TYPE_CHECKING:
    from analyzer.engines import Spec
    from training.algorithms import Options
    from training.dataset import Dataset, Example

PREFERENCE: Final = "preference"
# Passes over the data; each is paid for.
EPOCHS: Final = 3
# Fewer examples than this the API refuses.
MINIMUM: Final = 10
# A file may be this large.
MAX_BYTES: Final = 512 * 1024 * 1024
# Of 300 public comments rendered with the built-in prompt, a token of cl100k_base and of o200k_base was 4.2 bytes of
# UTF-8 on average and 3.9 at least; another tokenizer or another script than ours counts differently.
BYTES_PER_TOKEN: Final = 4.0
# Tokens that the chat format adds to a message.
PER_MESSAGE: Final = 4
ANSWER_TOKENS: Final = 120
# Validation items that the fine-tuned model and the active version are asked about, at most.
ASKED: Final = 48


@dataclass(frozen=True, slots=True)
class Part:
    """One file, and what is in it. redacted: items in which the redactor found something once more."""

    file: BinaryIO
    items: int
    size: int
    tokens: int
    redacted: int
    digest: str


@dataclass(frozen=True, slots=True)
class Shipment:
    """Both files, and everything a person needs to know before they leave. Prices are per million tokens.

    questions: how often a model will be asked afterwards, to compare. The files have no name and vanish with the
    process, however it ends.
    """

    train: Part
    validation: Part
    left_out: int
    base_model: str
    method: str
    epochs: int
    seed: int
    to: str
    questions: int
    training_price: float | None
    input_price: float | None
    output_price: float | None

    @property
    def trained_tokens(self) -> int:
        return self.train.tokens * self.epochs

    @property
    def asked_tokens(self) -> tuple[int, int]:
        """In and out, of the comparison afterwards."""
        each = self.train.tokens / self.train.items
        return round(self.questions * each), self.questions * ANSWER_TOKENS

    @property
    def cost(self) -> tuple[float | None, float | None]:
        """Of training, and of the comparison afterwards; None where a price is not known."""
        training = None if self.training_price is None else self.trained_tokens * self.training_price / 1e6
        if self.input_price is None or self.output_price is None:
            return training, None
        asked, answered = self.asked_tokens
        return training, (asked * self.input_price + answered * self.output_price) / 1e6

    def __str__(self) -> str:
        kind = "overrides, each with the preferred and the rejected answer" if self.method == PREFERENCE else "items"
        redacted = self.train.redacted + self.validation.redacted
        asked, answered = self.asked_tokens
        lines = {
            "to": self.to,
            "what": f"{self.train.items} {kind} to learn from, {self.validation.items} to validate with; "
            f"{self.left_out} left out (held, giving orders, or without words)",
            "redaction": f"looked through once more, {redacted} items corrected",
            "size": f"{(self.train.size + self.validation.size) / 1e3:,.0f} kB",
            "tokens": f"about {self.train.tokens:,} x {self.epochs} epochs = {self.trained_tokens:,}, at "
            f"{BYTES_PER_TOKEN:g} bytes a token",
            "afterwards": f"at most {self.questions} questions to compare: about {asked:,} tokens in, {answered:,} out",
            "cost": self._costs(),
            "model": f"{self.base_model}, {self.method}, seed {self.seed}",
        }
        return "\n".join(f"  {name:<11}{text}" for name, text in lines.items())

    def as_dict(self) -> dict[str, Any]:
        """In numbers, for the run's row."""
        return {
            "base_model": self.base_model,
            "method": self.method,
            "epochs": self.epochs,
            "items": self.train.items,
            "validation_items": self.validation.items,
            "left_out": self.left_out,
            "redacted": self.train.redacted + self.validation.redacted,
            "estimated_tokens": self.trained_tokens,
            "estimated_cost": self.cost[0],
            "digest": self.train.digest,
        }

    def _costs(self) -> str:
        training, comparison = self.cost
        said = [
            "training not known (--training-price)" if training is None else f"training about {training:.2f}",
            "comparison not known (--input-price and --output-price)"
            if comparison is None
            else f"comparison about {comparison:.2f}",
        ]
        if training is not None and comparison is not None:
            said.append(f"{training + comparison:.2f} in all")
        return ", ".join(said) + "; the provider's bill is what counts"


def pack(data: Dataset, *, active: Spec, base_model: str, to: str, options: Options) -> Shipment:
    """Everything a run would send, with nothing sent; some 4 KB a row in a file without a name.

    Raises Unusable when there is too little, or too much.
    """
    train, validation = (_part(examples, active, options) for examples in (data.train, data.validation))
    if train.items < MINIMUM:
        what = "overrides that changed an answer" if options.method == PREFERENCE else "items that may be sent"
        raise Unusable(
            f"Hosted fine-tuning needs {MINIMUM} {what} and there are {train.items} to learn from"
            + ("; --method supervised learns from every decision." if options.method == PREFERENCE else ".")
        )
    if max(train.size, validation.size) > MAX_BYTES:
        raise Unusable(
            f"The file would have {max(train.size, validation.size) / 1e6:,.0f} MB, and the API takes "
            f"{MAX_BYTES / 1e6:,.0f}: a shorter prompt makes every row smaller."
        )
    compared = min(ASKED, len(sendable(data.validation))) + len(sendable(data.test))
    return Shipment(
        train=train,
        validation=validation,
        left_out=sum(len(part) - len(rows.teachable(part)) for part in (data.train, data.validation)),
        base_model=base_model,
        method=options.method,
        epochs=EPOCHS if options.epochs is None else round(options.epochs),
        seed=options.seed,
        to=to,
        questions=compared * (1 if active.engine == "local" else 2),
        training_price=options.training_price,
        input_price=options.input_price,
        output_price=options.output_price,
    )


def sendable(examples: Iterable[Example]) -> list[Example]:
    """Those that a model may be asked about: a held item never leaves this machine."""
    return [one for one in examples if not one.held]


def chosen(data: Dataset, *, seed: int) -> list[Example]:
    """The validation items that versions are compared on."""
    return algorithms.draw(sendable(data.validation), ASKED, seed=seed)


def redacted(example: Example) -> tuple[Example, bool]:
    """An example after one more redaction, and whether that found anything.

    What visitors wrote was redacted when it came, but rules get better.
    """
    machine = example.overruled
    again = replace(
        example,
        comment=redact(example.comment).text,
        page=redact_url(example.page).text,
        action=redact(example.action).text if example.action else example.action,
        overruled=replace(machine, action=redact(machine.action).text) if machine else None,
    )
    return again, again != example


def _part(examples: Sequence[Example], active: Spec, options: Options) -> Part:
    counted = rows.weighed(rows.teachable(examples), seed=options.seed)
    looked = [redacted(example) for example in counted]
    again = [example for example, _ in looked]
    render = rows.pairs if options.method == PREFERENCE else rows.conversations
    file = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the shipment)
    digest, items, size, tokens = hashlib.sha256(), 0, 0, 0
    for row in render(again, prompt=active.prompt, active=active):
        line = json.dumps(_line(row, options.method), ensure_ascii=False).encode() + b"\n"
        file.write(line)
        digest.update(line)
        items, size, tokens = items + 1, size + len(line), tokens + _tokens(row)
    return Part(file, items, size, tokens, sum(found for _, found in looked), digest.hexdigest())


def _line(row: Row, method: str) -> dict[str, Any]:
    said = {"role": "assistant", "content": row.answer}
    if method != PREFERENCE:
        return {"messages": [*row.prompt, said]}
    return {
        "input": {"messages": row.prompt},
        "preferred_output": [said],
        "non_preferred_output": [{"role": "assistant", "content": row.rejected}],
    }


def _tokens(row: Row) -> int:
    """What a row costs once, estimated from its bytes; both answers of a pair are read."""
    texts = [*(message["content"] for message in row.prompt), row.answer, *([row.rejected] if row.rejected else [])]
    return round(sum(len(text.encode()) / BYTES_PER_TOKEN + PER_MESSAGE for text in texts))
