"""Labelled items as JSONL: our own, written out; anybody's, read in to be evaluated."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from analyzer.taxonomy import Category, Severity
from feedback.choices import FormType
from feedback.governance import Outcome, assess
from feedback.models import COMMENT_MAX
from training.dataset import Dataset, Example, grouped

PROBLEMS_SHOWN: Final = 5


class BadFile(ValueError):
    """A file that is no data set; the message names the file, the line and the field."""


def write(path: Path, dataset: Dataset) -> int:
    """Write every decision as a line of JSON, split null for what is left out; returns how many.

    The file is there as a whole or not at all, and readable by its owner alone.
    """
    parts = [*dataset.splits().items(), (None, dataset.left_out)]
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        try:
            for name, examples in parts:
                for example in examples:
                    file.write(json.dumps(_row(example, name), ensure_ascii=False) + "\n")
            file.flush()
            os.replace(file.name, path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    return sum(len(examples) for _, examples in parts)


def read(path: Path, *, split: str | None = None) -> list[Example]:
    """Labelled items out of a JSONL file, through governance as intake would; with split only rows that name it.

    comment and category are required; type, rating, page, severity, id and split optional; other fields are ignored,
    and of a comment only what the form would take is read. Raises BadFile: a figure over the good lines alone would
    be a figure about other data.
    """
    if not path.is_file():
        raise BadFile(f"There is no file {path}.")
    examples: list[Example] = []
    problems: list[str] = []
    found: set[str] = set()
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    row = _Row.model_validate_json(line)
                except ValidationError as error:
                    problems.append(f"line {number}: {_words(error)}")
                    continue
                found.add(row.split or "")
                if split is None or row.split == split:
                    examples.append(row.example(number))
    except UnicodeDecodeError as error:
        raise BadFile(f"{path.name} is not UTF-8 text: {error.reason}.") from None
    if problems:
        more = len(problems) - PROBLEMS_SHOWN
        shown = [*problems[:PROBLEMS_SHOWN], *([f"and {more} more bad lines"] if more > 0 else [])]
        raise BadFile(f"{path.name} was not evaluated, because of bad lines:\n  " + "\n  ".join(shown))
    if not examples and split is not None and found:
        named = ", ".join(sorted(name or "(none)" for name in found))
        raise BadFile(f"No row of {path.name} has the split {split!r}; it has: {named}.")
    if not examples:
        raise BadFile(f"{path.name} holds no examples.")
    return grouped(examples)


class _Row(BaseModel):
    """A line of a labelled file; an empty field is one that is not there."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str | int | None = None
    comment: str
    category: Category
    type: FormType | None = None
    rating: int | None = Field(default=None, ge=1, le=5)
    page: str | None = None
    severity: Severity | None = None
    split: str | None = None

    @field_validator("type", "rating", "page", "severity", mode="before")
    @classmethod
    def _blank(cls, value: object) -> object:
        return None if value == "" else value

    def example(self, line: int) -> Example:
        said = assess(comment=self.comment[:COMMENT_MAX], rating=self.rating, page=self.page or "")
        return Example(
            feedback_id=f"line-{line}" if self.id is None else str(self.id),
            comment=said.comment,
            category=self.category.value,
            type=self.type.value if self.type else "",
            rating=self.rating,
            page=said.page,
            severity=self.severity.value if self.severity else None,
            held=said.outcome >= Outcome.HOLD,
            injection=any(finding.rule == "prompt-injection" for finding in said.findings),
            flagged=said.outcome > Outcome.ACCEPT,
        )


def _row(example: Example, name: str | None) -> dict[str, Any]:
    return {
        "id": example.feedback_id,
        "comment": example.comment,
        "type": example.type,
        "rating": example.rating,
        "page": example.page,
        "category": example.category,
        "severity": example.severity,
        "provenance": example.provenance,
        "split": name,
    }


def _words(error: ValidationError) -> str:
    return "; ".join(
        f"field {'.'.join(map(str, problem['loc']))}: {problem['msg']}" if problem["loc"] else problem["msg"]
        for problem in error.errors()
    )
