"""What a run chooses from: drawn items, fading examples, thresholds, and the proposal that gained most."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.training import desk
from training import availability
from training.algorithms import Proposal, draw, local
from training.contest import Learned

ITEMS = desk.examples(600, np.random.default_rng(0), shares=[0.5, 0.3, 0.1, 0.05, 0.03, 0.02])


def proposal(**values: Any) -> Proposal:
    empty = {"engine": "local", "weights": b"", "prompt": "", "thresholds": {}, "calibration": {}, "rewards": {}}
    return Proposal(**(empty | {"algorithm": "local", "before": {}} | values))


def test_auto_tries_the_prompt_where_a_model_may_be_asked(settings: Any) -> None:
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_ENGINE_NAMED, settings.TRIAGE_ENGINE = False, False, "local"
    assert availability.available() == ["local"]
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_ENGINE = True, "cascade"
    assert availability.available() == ["local", "apo"]
    settings.TRIAGE_ENGINE_NAMED, settings.TRIAGE_ENGINE = True, "local"
    assert availability.available() == ["local"]


def test_a_draw_keeps_every_category_in_its_share_and_the_items_in_their_order() -> None:
    drawn = draw(ITEMS, 60, seed=3)
    assert len(drawn) == 60
    everything, some = (Counter(item.category for item in items) for items in (ITEMS, drawn))
    assert all(abs(some[category] - count / 10) <= 1 for category, count in everything.items())
    assert drawn == [item for item in ITEMS if item in drawn]


def test_a_draw_is_the_same_for_the_same_seed_only() -> None:
    assert draw(ITEMS, 60, seed=3) == draw(ITEMS, 60, seed=3)
    assert draw(ITEMS, 60, seed=3) != draw(ITEMS, 60, seed=4)


def test_a_draw_of_more_than_there_are_is_everything() -> None:
    assert draw(ITEMS, 1_000, seed=3) == ITEMS


@pytest.mark.parametrize(("decisions", "floor", "weight"), [(0, 0.1, 1.0), (10, 0.1, 0.5), (5_000, 0.1, 0.1)])
def test_synthetic_examples_fade_to_a_floor(decisions: int, floor: float, weight: float) -> None:
    assert local.fading(decisions, floor) == weight


def test_the_gain_counts_only_items_that_both_were_measured_on() -> None:
    assert proposal(rewards={"a": 1.0, "b": 0.5, "c": 1.0}, before={"a": 0.0, "b": 0.5}).gain == 0.5
    assert proposal(rewards={"a": 1.0}).gain == 0.0


def test_the_best_proposal_is_the_one_whose_reward_rose_most() -> None:
    higher = proposal(algorithm="apo", rewards={"a": 0.9}, before={"a": 0.8})
    riser = proposal(algorithm="local", rewards={"a": 0.6}, before={"a": 0.2})
    idle = replace(riser, algorithm="reinforce", rewards={"a": 1.0}, changes=False)
    assert Learned([higher, riser, idle]).best == riser
    assert Learned([idle]).best is None
    assert Learned([idle], failures={"apo": "no luck"}).as_dict()["apo"] == {"error": "no luck"}


def test_a_threshold_is_where_nine_of_ten_above_it_are_right() -> None:
    sure = [(0.9 - place / 1_000, True) for place in range(90)]
    unsure = [(0.5 - place / 1_000, place % 2 == 0) for place in range(60)]
    threshold = local.threshold([*sure, *unsure])
    above = [right for confidence, right in (*sure, *unsure) if confidence >= threshold]
    assert sum(above) / len(above) >= 0.9
    assert threshold < 0.5


def test_a_threshold_parts_nobody_from_equals() -> None:
    tied = [(0.9, True)] * 50 + [(0.62, True)] * 10 + [(0.62, False)] * 10
    assert local.threshold(tied) == 0.9
    assert local.threshold([(1.0, True)] * 8 + [(1.0, False)] * 42) == 0.5


def test_too_few_items_leave_the_usual_threshold() -> None:
    assert local.threshold([(0.9, True)] * 20) == 0.5
