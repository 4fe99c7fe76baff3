"""The measured test set, the counting, and the command that prints the table."""

from __future__ import annotations

import hashlib
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from feedback.governance import measurement
from feedback.governance.pii import PIIKind


@pytest.fixture
def cases() -> list[measurement.Case]:
    return measurement.read_cases()


@pytest.mark.parametrize("kind", [kind.value for kind in PIIKind])
def test_every_kind_has_at_least_25_positives_and_25_hard_negatives(kind: str, cases: list[measurement.Case]) -> None:
    own = [case for case in cases if case["kind"] == kind]
    assert sum(bool(case["expected"]) for case in own) >= 25
    assert sum(not case["expected"] for case in own) >= 25


def test_the_halves_are_split_by_a_hash_of_the_text_alone(cases: list[measurement.Case]) -> None:
    for case in cases:
        digest = hashlib.sha256(case["text"].encode()).hexdigest()
        assert case["split"] == ("dev" if int(digest[:8], 16) % 2 else "test")


def test_no_text_occurs_twice_and_what_is_expected_is_in_it(cases: list[measurement.Case]) -> None:
    assert len({case["text"] for case in cases}) == len(cases)
    assert all(found in case["text"] for case in cases for found in case["expected"])


def write(path: Path, *cases: tuple[str, str, list[str]]) -> Path:
    rows = [{"kind": kind, "split": "dev", "text": text, "expected": expected} for kind, text, expected in cases]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def scores(path: Path) -> dict[str, measurement.Score]:
    return {score.kind: score for score in measurement.measure(path).scores}


def test_a_substring_that_is_gone_under_its_placeholder_counts_as_found(tmp_path: Path) -> None:
    path = write(tmp_path / "set.jsonl", ("email", "a@example.com b@example.com", ["a@example.com", "b@example.com"]))
    score = scores(path)["email"]
    assert (score.true_positives, score.false_positives, score.false_negatives) == (2, 0, 0)
    assert score.precision == score.recall == 1.0


def test_a_substring_that_stays_counts_as_missed(tmp_path: Path) -> None:
    report = measurement.measure(write(tmp_path / "set.jsonl", ("email", "I am Jane", ["Jane"])))
    score = next(score for score in report.scores if score.kind == "email")
    assert (score.false_negatives, score.recall, score.precision) == (1, 0.0, None)
    assert [(miss.kind, miss.error) for miss in report.misses] == [("email", "missed")]


def test_a_finding_of_another_kind_is_wrong_for_that_kind_and_missing_for_its_own(tmp_path: Path) -> None:
    path = write(tmp_path / "set.jsonl", ("phone", "it is a@example.com", ["a@example.com"]))
    assert scores(path)["phone"].false_negatives == 1
    assert scores(path)["email"].false_positives == 1


def test_a_finding_in_a_negative_of_any_kind_is_wrong(tmp_path: Path) -> None:
    path = write(tmp_path / "set.jsonl", ("card", "mail a@example.com", []))
    assert scores(path)["email"].false_positives == 1
    assert scores(path)["card"].negatives == 1


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"), [(0, 0, 0.0, 1.0), (10, 10, 0.722, 1.0), (0, 10, 0.0, 0.278), (5, 10, 0.237, 0.763)]
)
def test_the_interval_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    assert measurement.interval(hits, of) == pytest.approx((low, high), abs=0.001)


def output(*arguments: str) -> str:
    out = StringIO()
    call_command("measure_governance", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_one_line_a_kind_and_what_the_numbers_rest_on() -> None:
    table = output()
    digest = hashlib.sha256(measurement.CASES.read_bytes()).hexdigest()
    for kind in PIIKind:
        assert sum(line.startswith(f"{kind.value} ") for line in table.splitlines()) == 1
    assert f"pii_cases.jsonl, split all, n = {len(measurement.read_cases())} lines, version {digest[:12]}" in table
    assert "Written by this project's authors" in table


def test_the_halves_add_up_to_the_whole() -> None:
    dev, test, whole = (json.loads(output("--json", "--split", split)) for split in ("dev", "test", "all"))
    assert dev["n"] + test["n"] == whole["n"]
    for kind, numbers in whole["kinds"].items():
        for count in ("positives", "negatives", "tp", "fp", "fn"):
            assert dev["kinds"][kind][count] + test["kinds"][kind][count] == numbers[count]


def test_the_misses_are_listed_when_asked_for() -> None:
    numbers = json.loads(output("--json", "--misses"))
    wrong = sum(kind["fp"] + kind["fn"] for kind in numbers["kinds"].values())
    assert len(numbers["misses"]) <= wrong
    assert bool(numbers["misses"]) == bool(wrong)
    assert "misses" not in json.loads(output("--json"))


def test_every_kind_keeps_nine_tenths_of_recall_and_precision() -> None:
    for score in measurement.measure().scores:
        assert score.recall is not None
        assert score.precision is not None
        assert score.recall >= 0.9
        assert score.precision >= 0.9
