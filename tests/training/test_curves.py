"""How fine-tuning went, drawn: every number that was measured, and nothing where nothing was."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tests.training import make_runs
from training import curves
from training.algorithms.finetune import thinned
from training.charts import Chart
from training.drawing import amount_ticks, amounts

STEPS: list[dict[str, Any]] = [
    {"step": step, "of": 40, "loss": 2.0 / step, "reward": 0.2 + step / 100, "well_formed": min(1.0, step / 20),
     "kl": 0.001 * step, "length": 60 + step % 3}
    for step in range(1, 41)
]  # fmt: skip
PROBES = [
    {"step": 0, "n": 24, "reward": {"value": 0.1, "low": 0.0, "high": 0.2}, "length": 48.0},
    {"step": 40, "n": 24, "reward": {"value": 0.6, "low": 0.45, "high": 0.75}, "length": 50.0},
]


def named(record: dict[str, Any]) -> dict[str, Chart]:
    return {chart.key.removeprefix("curve-"): chart for chart in curves.drawn(record)}


def test_each_thing_that_was_measured_has_a_chart_of_its_own() -> None:
    found = named({"steps": STEPS, "probes": PROBES})
    assert list(found) == ["reward", "well-formed", "kl", "length", "loss"]
    for chart in found.values():
        ElementTree.fromstring(chart.svg)
        assert len(chart.more) == 40


def test_the_sentence_says_where_it_began_and_where_it_ended() -> None:
    sentence = named({"steps": STEPS, "probes": PROBES})["reward"].sentence
    assert sentence == (
        "While learning, the reward against people's decisions went from 21.0 % at step 1 to 60.0 % at step 40. On 24 "
        "validation rows (dots, with 95 % intervals): 10.0 %, then 60.0 %."
    )


def test_what_validation_rows_said_stands_in_the_table_with_intervals_and_n() -> None:
    rows = named({"steps": STEPS, "probes": PROBES})["reward"].rows
    assert rows == (("0", "10.0 %", "0.0 to 20.0", "24"), ("40", "60.0 %", "45.0 to 75.0", "24"))


def test_probes_alone_are_drawn_too_and_one_point_is_no_curve() -> None:
    assert list(named({"probes": PROBES})) == ["reward"]
    assert named({"steps": STEPS[:1], "probes": PROBES[:1]})["reward"].svg
    assert named({"steps": STEPS[:1]}) == {}


@pytest.mark.parametrize(
    "record", [{}, {"steps": None}, {"steps": "no"}, {"steps": [3, {"loss": "x"}], "probes": [{"reward": 3}]}]
)
def test_what_an_odd_row_holds_is_no_error(record: dict[str, Any]) -> None:
    assert curves.drawn(record) == []


def test_a_loss_that_was_no_number_leaves_a_gap_and_the_rest_is_drawn() -> None:
    chart = named({"steps": [*STEPS, {"step": 41, "loss": None}]})["loss"]
    assert chart.more[-1][0] == "40"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_a_scale_of_amounts_holds_every_value_and_has_few_round_ticks(values: list[float]) -> None:
    scale = amounts(values, 0, 100)
    near = 1e-6 * (scale.high - scale.low)
    assert scale.low - near <= min(values)
    assert max(values) <= scale.high + near
    ticks = amount_ticks(scale)
    assert 2 <= len(ticks) <= 7
    assert len({label for _, label in ticks}) == len(ticks)


def test_many_steps_are_thinned_to_means_of_neighbours() -> None:
    steps = [{"step": step, "of": 1_000, "loss": float(step % 2), "memory_mb": 5} for step in range(1, 1_001)]
    few = thinned(steps)
    assert len(few) == 250
    assert few[0] == {"step": 4, "loss": 0.5, "memory_mb": 5.0}
    assert few[-1]["step"] == 1_000
    assert thinned([]) == []
    assert thinned(STEPS) == STEPS


@pytest.mark.django_db
def test_the_page_of_a_run_shows_the_curves_also_while_it_runs(client: Client, ben: User) -> None:
    run = make_runs.running(algorithm="grpo", metrics={"finetune": {"steps": STEPS, "probes": PROBES}})
    client.force_login(ben)
    page = client.get(f"/admin/training/trainingrun/{run.pk}/change/").content.decode()
    keys = re.findall(r'<svg [^>]*aria-labelledby="([\w-]+)-title', page)
    assert keys == ["curve-reward", "curve-well-formed", "curve-kl", "curve-length", "curve-loss"]
    assert "59.0 %" in page
