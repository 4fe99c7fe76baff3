"""Starter examples for the local engine, until there are enough human reviews to learn from.

Every example was written by the project's authors and describes nobody: they are synthetic, they only
train, and they are never counted in an accuracy figure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analyzer.taxonomy import Category, Severity
from feedback.choices import FormType

__all__ = ["EXAMPLES_PATH", "Example", "load"]

EXAMPLES_PATH = Path(__file__).with_name("examples.jsonl")


class Example(BaseModel):
    """One invented comment with the labels a careful reviewer would give it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str = Field(pattern=r"^syn-\d{4}$")
    comment: str = Field(min_length=1, max_length=5000)
    type: FormType
    rating: int | None = Field(ge=1, le=5)
    page: str = Field(pattern=r"^(/.*)?$", max_length=200)
    category: Category
    severity: Severity
    synthetic: Literal[True]


def load(path: Path = EXAMPLES_PATH) -> list[Example]:
    """Read every example in file order; a bad row raises ValueError naming its line and field."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [_parse(line, number, path.name) for number, line in enumerate(lines, start=1) if line.strip()]


def _parse(line: str, number: int, name: str) -> Example:
    try:
        return Example.model_validate_json(line)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'row'}: {problem['msg']}" for problem in error.errors()
        )
        raise ValueError(f"{name}, line {number}: {problems}") from None
