"""The gate lets a better version through, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.training.desk import CATEGORIES, examples, machine, verdict
from training import gate
from training.dataset import Example


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def test_of_candidates_that_are_no_better_at_most_one_in_twenty_is_promoted(rng: np.random.Generator) -> None:
    promoted = 0
    for seed in range(120):
        decided = examples((40, 80, 160)[seed % 3], rng)
        active, candidate = (machine(decided, rng, right=0.75) for _ in range(2))
        promoted += gate.judge(decided, active, candidate, seed=seed, resamples=300).promote
    assert promoted <= 6


def test_a_clearly_better_candidate_is_promoted_with_its_gain_in_words(rng: np.random.Generator) -> None:
    decided = examples(300, rng, severity="medium")
    judgement = gate.judge(decided, machine(decided, rng, right=0.6), machine(decided, rng, right=0.85))
    assert judgement.promote
    assert judgement.deltas["macro_f1"]["low"] > 0
    assert judgement.reasons[0].startswith("Macro-F1 +")
    assert "300 held-out items" in judgement.reasons[0]


def test_the_same_verdicts_again_are_no_change(rng: np.random.Generator) -> None:
    decided = examples(200, rng)
    active = machine(decided, rng, right=0.8)
    judgement = gate.judge(decided, active, active)
    assert not judgement.promote
    assert "not more than noise: +0.0 points" in judgement.reasons[0]


def test_a_better_candidate_that_ruins_one_class_is_refused_with_the_class_named(rng: np.random.Generator) -> None:
    decided = examples(600, rng)
    good = dict.fromkeys(CATEGORIES, 0.95)
    active = machine(decided, rng, right=0.7)
    judgement = gate.judge(decided, active, machine(decided, rng, right=good | {"content-gap": 0.4}))
    assert judgement.deltas["macro_f1"]["low"] > 0, "as a whole it is better"
    assert not judgement.promote
    assert any(reason.startswith("content-gap loses too much recall") for reason in judgement.reasons)
    assert not any(reason.startswith("noise") for reason in judgement.reasons)


def test_a_class_with_fewer_than_ten_items_is_not_judged_by_itself(rng: np.random.Generator) -> None:
    decided = examples(400, rng, shares=[0.2, 0.2, 0.2, 0.2, 0.2, 0])
    decided += [Example(feedback_id=f"rare-{n}", comment="", category="noise", group=1000 + n) for n in range(5)]
    active = machine(decided, rng, right=dict.fromkeys(CATEGORIES, 0.5) | {"noise": 0.6})
    candidate = machine(decided, rng, right=dict.fromkeys(CATEGORIES, 0.95) | {"noise": 0.2})
    judgement = gate.judge(decided, active, candidate)
    assert judgement.deltas["per_class"]["noise"]["recall"]["value"] < -gate.CLASS_LOSS
    assert judgement.promote


@pytest.mark.parametrize(("lost", "promoted"), [(1, True), (2, False)])
def test_one_item_of_a_small_class_is_luck_and_two_are_a_loss(
    rng: np.random.Generator, *, lost: int, promoted: bool
) -> None:
    decided = examples(400, rng, shares=[0.2, 0.2, 0.2, 0.2, 0.2, 0])
    decided += [Example(feedback_id=f"rare-{n}", comment="", category="noise", group=1000 + n) for n in range(15)]
    active = machine(decided, rng, right=dict.fromkeys(CATEGORIES, 0.5) | {"noise": 1.0})
    candidate = machine(decided, rng, right=dict.fromkeys(CATEGORIES, 0.95) | {"noise": 1.0})
    for number in range(lost):
        candidate[-1 - number] = verdict("positive")
    judgement = gate.judge(decided, active, candidate)
    assert judgement.promote is promoted
    assert promoted or any(reason.startswith("noise loses too much recall") for reason in judgement.reasons)


def test_a_better_candidate_that_buries_critical_items_is_refused(rng: np.random.Generator) -> None:
    decided = [
        replace(one, severity="critical" if number % 10 == 0 else "low")
        for number, one in enumerate(examples(300, rng))
    ]
    active = machine(decided, rng, right=0.6, severity="high")
    candidate = machine(decided, rng, right=0.9, severity="high")
    candidate[0] = candidate[0].model_copy(update={"severity": verdict("noise", severity="medium").severity})
    judgement = gate.judge(decided, active, candidate)
    assert judgement.reasons == ("It finds 29 of 30 critical and high items, the active version 30.",)
    assert not judgement.promote


def test_too_few_critical_items_say_nothing_about_severity(rng: np.random.Generator) -> None:
    decided = [
        replace(one, severity="critical" if number < 5 else "low") for number, one in enumerate(examples(300, rng))
    ]
    active = machine(decided, rng, right=0.6, severity="high")
    candidate = machine(decided, rng, right=0.9, severity="low")
    judgement = gate.judge(decided, active, candidate)
    assert judgement.deltas["severity_recall"]["n"] == 5
    assert judgement.promote


def test_a_candidate_with_higher_macro_f1_and_lower_accuracy_is_refused(rng: np.random.Generator) -> None:
    decided = examples(1000, rng, shares=[0.9, 0.02, 0.02, 0.02, 0.02, 0.02])
    active = machine(decided, rng, right=dict.fromkeys(CATEGORIES, 0.2) | {"website-bug": 0.99})
    candidate = machine(decided, rng, right=dict.fromkeys(CATEGORIES, 0.5) | {"website-bug": 0.94})
    judgement = gate.judge(decided, active, candidate)
    assert judgement.deltas["macro_f1"]["value"] > 0
    assert not judgement.promote
    assert any(reason.startswith("Accuracy is lower") for reason in judgement.reasons)


def test_a_constant_candidate_is_refused_even_against_a_machine_that_is_worse(rng: np.random.Generator) -> None:
    decided = examples(300, rng, shares=[0.5, 0.1, 0.1, 0.1, 0.1, 0.1])
    judgement = gate.judge(decided, machine(decided, rng, right=0.02), [verdict("website-bug") for _ in decided])
    assert judgement.deltas["macro_f1"]["low"] > 0
    assert not judgement.promote
    assert any("does not beat always saying website-bug" in reason for reason in judgement.reasons)


def test_a_handful_of_items_is_refused_however_good_the_candidate(rng: np.random.Generator) -> None:
    decided = examples(gate.MINIMUM - 1, rng)
    judgement = gate.judge(decided, machine(decided, rng, right=0.0), machine(decided, rng, right=1.0))
    assert not judgement.promote
    assert judgement.reasons[0].startswith("Only 19 held-out items")


def test_a_judgement_is_strict_json_and_the_same_for_the_same_seed(rng: np.random.Generator) -> None:
    decided = examples(60, rng)
    active, candidate = machine(decided, rng, right=0.5), machine(decided, rng, right=0.9)
    first, second = (gate.judge(decided, active, candidate, seed=4, resamples=100).as_dict() for _ in range(2))
    assert first == second
    assert json.loads(json.dumps(first, allow_nan=False)) == first
    assert (first["n"], first["seed"], first["resamples"]) == (60, 4, 100)
