"""The starter examples are well-formed, varied, balanced and all marked synthetic."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from rapidfuzz import fuzz, process

from analyzer import cold_start
from analyzer.taxonomy import Category, Severity
from feedback.choices import FormType

NEAR_DUPLICATE = 90
"""token_sort_ratio (0-100) from which two comments count as the same one."""

MIN_EXAMPLES = 600
MIN_PER_CATEGORY = 110
MIN_PER_SEVERITY = {Severity.CRITICAL: 60, Severity.HIGH: 120, Severity.MEDIUM: 120, Severity.LOW: 120}
MIN_PER_TYPE = 20

VALID_ROW: dict[str, object] = {
    "id": "syn-0001",
    "comment": "The pay button is dead.",
    "type": "bug",
    "rating": 1,
    "page": "/checkout",
    "category": "website-bug",
    "severity": "critical",
    "synthetic": True,
}


@pytest.fixture(scope="module")
def examples() -> list[cold_start.Example]:
    return cold_start.load()


def write_rows(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_every_shipped_row_is_valid_and_none_is_skipped(examples: list[cold_start.Example]) -> None:
    rows = cold_start.EXAMPLES_PATH.read_text(encoding="utf-8").splitlines()
    assert len(examples) == len(rows) >= MIN_EXAMPLES


def test_ids_are_unique(examples: list[cold_start.Example]) -> None:
    assert [key for key, count in Counter(example.id for example in examples).items() if count > 1] == []


def test_every_row_is_marked_synthetic() -> None:
    rows = [json.loads(line) for line in cold_start.EXAMPLES_PATH.read_text(encoding="utf-8").splitlines()]
    assert all(row["synthetic"] is True and row["id"].startswith("syn-") for row in rows)


def test_no_two_comments_are_near_duplicates(examples: list[cold_start.Example]) -> None:
    comments = [example.comment.casefold() for example in examples]
    scores = process.cdist(comments, comments, scorer=fuzz.token_sort_ratio, score_cutoff=NEAR_DUPLICATE)
    pairs = [(comments[a], comments[b]) for a, b in zip(*scores.nonzero(), strict=True) if a < b]
    assert pairs == []


@pytest.mark.parametrize("category", Category)
def test_each_category_has_enough_examples(category: Category, examples: list[cold_start.Example]) -> None:
    assert sum(example.category == category for example in examples) >= MIN_PER_CATEGORY


@pytest.mark.parametrize("category", Category)
def test_each_category_has_short_and_long_comments(category: Category, examples: list[cold_start.Example]) -> None:
    lengths = [len(example.comment.split()) for example in examples if example.category == category]
    assert min(lengths) <= 6
    assert max(lengths) >= 60


@pytest.mark.parametrize("severity", Severity)
def test_each_severity_has_enough_examples(severity: Severity, examples: list[cold_start.Example]) -> None:
    assert sum(example.severity == severity for example in examples) >= MIN_PER_SEVERITY[severity]


@pytest.mark.parametrize("form_type", FormType)
def test_each_form_type_has_enough_examples(form_type: FormType, examples: list[cold_start.Example]) -> None:
    assert sum(example.type == form_type for example in examples) >= MIN_PER_TYPE


def test_praise_and_noise_are_never_urgent(examples: list[cold_start.Example]) -> None:
    assert {e.severity for e in examples if e.category in {"positive", "noise"}} == {"low"}


def test_critical_examples_cover_more_than_website_bugs(examples: list[cold_start.Example]) -> None:
    critical = {example.category for example in examples if example.severity == "critical"}
    assert critical == {"website-bug", "framework-issue", "content-gap"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "real-1"),
        ("comment", ""),
        ("type", "complaint"),
        ("rating", 6),
        ("rating", "5"),
        ("page", "checkout"),
        ("category", "bug"),
        ("severity", "urgent"),
        ("synthetic", False),
        ("author", "somebody"),
    ],
)
def test_a_bad_value_is_refused_with_its_line_and_field(field: str, value: object, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", VALID_ROW, {**VALID_ROW, "id": "syn-0002", field: value})
    with pytest.raises(ValueError, match=rf"rows\.jsonl, line 2: {field}: "):
        cold_start.load(path)


def test_a_line_that_is_not_json_is_refused_with_its_line(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", VALID_ROW)
    path.write_text(path.read_text(encoding="utf-8") + "{oops\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"rows\.jsonl, line 2: row: "):
        cold_start.load(path)


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    row = {key: value for key, value in VALID_ROW.items() if key != "severity"}
    with pytest.raises(ValueError, match=r"line 1: severity: Field required"):
        cold_start.load(write_rows(tmp_path / "rows.jsonl", row))


def test_an_example_cannot_be_changed_after_loading(examples: list[cold_start.Example]) -> None:
    with pytest.raises(ValueError, match="frozen"):
        examples[0].__setattr__("category", "noise")
