"""The figures are right, and their intervals are honest."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from tests.training.desk import CATEGORIES, examples, machine, verdict
from training import evaluation
from training.dataset import Example


def said(*categories: str, **values: object) -> list[Example]:
    return [
        Example(feedback_id=str(number), comment="", category=category, group=number, **values)
        for number, category in enumerate(categories)
    ]


def test_accuracy_f1_and_confusion_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    decided = examples(300, rng, shares=[0.4, 0.2, 0.2, 0.1, 0.05, 0.05])
    verdicts = machine(decided, rng, right=0.7)
    report = evaluation.evaluate(decided, verdicts, resamples=20)
    truth, predicted = [example.category for example in decided], [one.category.value for one in verdicts]
    precision, recall, f1, support = precision_recall_fscore_support(truth, predicted, labels=CATEGORIES)
    assert report.n == 300
    assert report.accuracy == pytest.approx(np.mean(np.array(truth) == predicted))
    assert report.macro_f1 == pytest.approx(f1.mean())
    for number, category in enumerate(CATEGORIES):
        figures = report.per_class[category]
        assert figures["n"] == support[number]
        assert [figures["precision"], figures["recall"], figures["f1"]] == pytest.approx(
            [precision[number], recall[number], f1[number]]
        )
    rows = [list(report.confusion[category].values()) for category in CATEGORIES]
    assert rows == confusion_matrix(truth, predicted, labels=CATEGORIES).tolist()


def test_a_category_that_nobody_used_has_no_figure_and_does_not_lower_macro_f1() -> None:
    report = evaluation.evaluate(said("noise", "positive"), [verdict("noise"), verdict("positive")], resamples=20)
    assert report.macro_f1 == 1
    assert report.per_class["content-gap"] == {"n": 0, "precision": None, "recall": None, "f1": None}
    assert report.intervals["per_class"]["content-gap"]["f1"] == {"value": None, "low": None, "high": None, "n": 0}


def test_recall_on_critical_and_high_counts_what_would_not_be_buried() -> None:
    decided = [replace(one, severity=level) for one, level in zip(
        said(*["noise"] * 5), ("critical", "high", "high", "low", None), strict=True
    )]  # fmt: skip
    verdicts = [verdict("noise", severity=level) for level in ("high", "critical", "medium", "critical", "critical")]
    report = evaluation.evaluate(decided, verdicts, resamples=50)
    assert report.severity_recall == pytest.approx(2 / 3)
    assert report.intervals["severity_recall"]["n"] == 3


def test_without_severity_labels_there_is_no_severity_recall() -> None:
    report = evaluation.evaluate(said("noise"), [verdict("noise", severity="critical")], resamples=20)
    assert report.severity_recall is None
    assert report.intervals["severity_recall"] == {"value": None, "low": None, "high": None, "n": 0}


def test_mean_reward_is_that_of_the_judged_fields() -> None:
    decided = [replace(said("noise")[0], severity="low", priority=50), *said("noise")]
    verdicts = [verdict("noise", severity="critical", priority=50), verdict("positive")]
    # Category and priority full, three levels of severity off: (0.5 + 0 + 0.1) / 0.85; and nothing.
    assert evaluation.evaluate(decided, verdicts, resamples=20).mean_reward == pytest.approx((0.6 / 0.85 + 0) / 2)


def test_coverage_is_the_largest_share_of_which_enough_is_right() -> None:
    # By confidence: nine right, one wrong, nine right, then only wrong ones.
    right = [True] * 9 + [False] + [True] * 9 + [False] * 21
    verdicts = [
        verdict("noise" if good else "positive", confidence=0.99 - position / 100)
        for position, good in enumerate(right)
    ]
    report = evaluation.evaluate(said(*["noise"] * 40), verdicts, resamples=50)
    assert report.coverage["0.90"] == {
        "coverage": 20 / 40, "precision": 18 / 20, "threshold": pytest.approx(0.80), "n": 20
    }  # fmt: skip
    assert report.coverage["0.95"]["n"] == 9
    at_90 = report.intervals["coverage_0.90"]
    assert at_90["low"] < at_90["value"] == 0.5 < at_90["high"]


def test_a_threshold_never_parts_items_of_equal_confidence() -> None:
    verdicts = [verdict(category, confidence=0.8) for category in ["noise"] * 9 + ["positive"] * 11]
    report = evaluation.evaluate(said(*["noise"] * 20), verdicts, resamples=20)
    assert report.coverage["0.90"] == {"coverage": 0.0, "precision": None, "threshold": None, "n": 0}
    assert [point["n"] for point in report.coverage_curve] == [20]
    assert [part["n"] for part in report.reliability] == [20]


def test_ece_is_the_distance_between_confidence_and_accuracy() -> None:
    sure = [verdict("noise" if number < 80 else "positive", confidence=0.9) for number in range(100)]
    report = evaluation.evaluate(said(*["noise"] * 100), sure, resamples=200)
    assert report.ece == pytest.approx(0.1)
    assert report.intervals["ece"]["low"] > 0, "so wrong is not chance"


def test_the_interval_of_ece_reaches_zero_for_a_calibrated_machine_and_names_what_chance_shows() -> None:
    rng = np.random.default_rng(8)
    decided = said(*["noise"] * 300)
    verdicts = [
        verdict("noise" if rng.random() < confidence else "positive", confidence=confidence)
        for confidence in rng.uniform(0.5, 1, size=300)
    ]
    ece = evaluation.evaluate(decided, verdicts).intervals["ece"]
    assert ece["low"] == 0
    assert ece["value"] == pytest.approx(ece["chance"], abs=0.03)


def test_reliability_bins_are_fifteen_of_equal_mass() -> None:
    verdicts = [verdict("noise", confidence=0.3 + number / 1000) for number in range(300)]
    bins = evaluation.evaluate(said(*["noise"] * 300), verdicts, resamples=20).reliability
    assert [part["n"] for part in bins] == [20] * 15
    assert all(left["high"] < right["low"] for left, right in pairwise(bins))


def test_ninety_five_of_a_hundred_intervals_hold_the_true_accuracy() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for seed in range(100):
        decided = examples(150, rng)
        report = evaluation.evaluate(decided, machine(decided, rng, right=0.8), seed=seed, resamples=200)
        held += report.intervals["accuracy"]["low"] <= 0.8 <= report.intervals["accuracy"]["high"]
    assert held >= 88


def test_near_copies_do_not_make_an_interval_narrower() -> None:
    rng = np.random.default_rng(2)
    decided = examples(60, rng)
    verdicts = machine(decided, rng, right=0.7)
    once = evaluation.evaluate(decided, verdicts).intervals["accuracy"]
    tenfold = evaluation.evaluate(decided * 10, verdicts * 10).intervals["accuracy"]
    assert tenfold["n"] == 600
    assert [tenfold["low"], tenfold["high"]] == pytest.approx([once["low"], once["high"]])


def test_the_same_seed_gives_the_same_report() -> None:
    rng = np.random.default_rng(2)
    decided = examples(60, rng)
    verdicts = machine(decided, rng, right=0.7)
    assert evaluation.evaluate(decided, verdicts, seed=5) == evaluation.evaluate(decided, verdicts, seed=5)


def test_large_samples_are_resampled_in_blocks_that_cover_every_resample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "BLOCK", 100)
    blocks = list(evaluation.resample(np.arange(30), resamples=7, seed=0))
    assert [len(block) for block in blocks] == [3, 3, 1]
    assert all((block.sum(axis=1) == 30).all() for block in blocks)


def test_a_report_is_strict_json_with_the_agreed_keys() -> None:
    report = evaluation.evaluate(said("noise"), [verdict("positive")], version=3, resamples=20).as_dict()
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert set(report) == {
        "n", "accuracy", "macro_f1", "ece", "per_class", "confusion", "severity_recall", "mean_reward", "coverage",
        "version", "intervals", "reliability", "coverage_curve",
    }  # fmt: skip
    assert report["version"] == 3


def test_nothing_to_evaluate_on_is_an_error_and_so_is_a_missing_verdict() -> None:
    with pytest.raises(ValueError, match="nothing to evaluate"):
        evaluation.evaluate([], [])
    with pytest.raises(ValueError, match="shorter"):
        evaluation.evaluate(said("noise", "noise"), [verdict("noise")])
