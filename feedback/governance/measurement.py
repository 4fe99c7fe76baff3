"""How well the PII finders do on a test set: precision and recall of each kind, with counts and intervals."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from math import sqrt
from pathlib import Path
from typing import Final, Literal, TypedDict

from feedback.governance.pii import PIIKind, redact

CASES: Final = Path(__file__).with_name("pii_cases.jsonl")

Split = Literal["dev", "test", "all"]


class Case(TypedDict):
    """One line of the test set: a positive names what must be gone, a hard negative has nothing to hide."""

    kind: str
    split: str
    text: str
    expected: list[str]


@dataclass(frozen=True, slots=True)
class Miss:
    """One wrong decision, for people who look into the numbers."""

    kind: str
    error: Literal["missed", "wrongly found"]
    text: str
    redacted: str


@dataclass(slots=True)
class Score:
    """The counts of one kind: positives and negatives are the lines written for it, findings count everywhere."""

    kind: str
    positives: int = 0
    negatives: int = 0
    true_positives: int = 0
    false_positives: int = 0
    false_negatives: int = 0

    @property
    def found(self) -> int:
        """How much was taken for this kind, rightly or not."""
        return self.true_positives + self.false_positives

    @property
    def wanted(self) -> int:
        """How much of this kind there was to find."""
        return self.true_positives + self.false_negatives

    @property
    def precision(self) -> float | None:
        """Of what was found as this kind, how much was; None when nothing was found."""
        return self.true_positives / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """Of what had to go, how much is gone under this kind's placeholder; None without positives."""
        return self.true_positives / self.wanted if self.wanted else None


@dataclass(slots=True)
class Report:
    """The scores on one set, which set it was (name, number of lines, digest of the whole file), and every miss."""

    dataset: str
    version: str
    split: Split
    n: int
    scores: list[Score]
    misses: list[Miss] = field(default_factory=list)


def read_cases(path: Path = CASES, split: Split = "all") -> list[Case]:
    """The lines of the test set that belong to `split`."""
    with path.open(encoding="utf-8") as lines:
        cases: list[Case] = [json.loads(line) for line in lines if line.strip()]
    return [case for case in cases if split in {"all", case["split"]}]


def measure(path: Path = CASES, split: Split = "all") -> Report:
    """Redact every line and count; a finding of any kind in a line that does not expect it is a false positive."""
    cases = read_cases(path, split)
    scores = {kind.value: Score(kind.value) for kind in PIIKind}
    misses = [miss for case in cases for miss in _judge(case, scores)]
    version = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return Report(path.name, version, split, len(cases), list(scores.values()), misses)


def _judge(case: Case, scores: dict[str, Score]) -> Iterable[Miss]:
    redaction = redact(case["text"])
    own, expected = scores[case["kind"]], case["expected"]
    own.positives += bool(expected)
    own.negatives += not expected
    gone = sum(found not in redaction.text for found in expected)
    for kind, count in redaction.counts.items():
        hits = min(gone, count) if kind == case["kind"] else 0
        scores[kind].true_positives += hits
        scores[kind].false_positives += count - hits
        if count > hits:
            yield Miss(kind, "wrongly found", case["text"], redaction.text)
    missed = len(expected) - min(gone, redaction.counts.get(case["kind"], 0))
    own.false_negatives += missed
    if missed:
        yield Miss(case["kind"], "missed", case["text"], redaction.text)


def interval(hits: int, of: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a share; (0, 1) when there is nothing to count."""
    if of == 0:
        return 0.0, 1.0
    z = 1.96
    share = hits / of
    centre = (share + z * z / (2 * of)) / (1 + z * z / of)
    reach = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def as_table(report: Report, *, misses: bool = False) -> str:
    """The report as people read it: a line for each kind, what the numbers rest on, and every miss if asked for."""
    lines = [f"{'kind':<12}{'pos':>5}{'neg':>5}{'TP':>5}{'FP':>5}{'FN':>5}  {'precision (95 %)':<24}recall (95 %)"]
    lines += [_line(score) for score in report.scores]
    lines += [
        "",
        f"Data set {report.dataset}, split {report.split}, n = {report.n} lines, version {report.version}.",
        "Written by this project's authors before the rules were: invented sentences, not what visitors wrote.",
        "The rules were corrected on the dev half only. TP and FN count substrings that must go; FP counts what",
        "else was found as that kind, in any line of the split, not only in the negatives written for the kind.",
    ]
    if misses:
        lines += [f"\n{miss.kind}, {miss.error}:\n  {miss.text!r}\n  {miss.redacted!r}" for miss in report.misses]
    return "\n".join(lines)


def _line(score: Score) -> str:
    return (
        f"{score.kind:<12}{score.positives:>5}{score.negatives:>5}"
        f"{score.true_positives:>5}{score.false_positives:>5}{score.false_negatives:>5}  "
        f"{_with_interval(score.true_positives, score.found):<24}{_with_interval(score.true_positives, score.wanted)}"
    )


def _with_interval(hits: int, of: int) -> str:
    if of == 0:
        return "-"
    low, high = interval(hits, of)
    return f"{hits / of:.3f} ({low:.2f} to {high:.2f})"


def as_json(report: Report, *, misses: bool = False) -> str:
    """The report for machines."""
    answer: dict[str, object] = {
        "dataset": report.dataset,
        "version": report.version,
        "split": report.split,
        "n": report.n,
        "written_by": "the project's authors",
        "kinds": {score.kind: _numbers(score) for score in report.scores},
    }
    if misses:
        answer["misses"] = [asdict(miss) for miss in report.misses]
    return json.dumps(answer, indent=2, ensure_ascii=False)


def _numbers(score: Score) -> dict[str, object]:
    return {
        "positives": score.positives,
        "negatives": score.negatives,
        "tp": score.true_positives,
        "fp": score.false_positives,
        "fn": score.false_negatives,
        "precision": score.precision,
        "precision_interval": interval(score.true_positives, score.found),
        "recall": score.recall,
        "recall_interval": interval(score.true_positives, score.wanted),
    }
