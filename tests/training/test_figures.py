"""Shares with intervals, without numpy: known values, and differences that are no more than chance."""

from __future__ import annotations

import math

import pytest

from training.figures import Figure, minus, percent, signed


def test_a_share_has_wilsons_interval() -> None:
    """Ten of twenty: 29.9 to 70.1 in every textbook."""
    figure = Figure.share(10, 20)
    assert (figure.percent, figure.span, figure.n) == ("50.0 %", "29.9 to 70.1", 20)


@pytest.mark.parametrize(("hits", "span"), [(0, "0.0 to 27.8"), (10, "72.2 to 100.0")])
def test_the_interval_of_nothing_and_of_everything_ends_there_and_has_a_width(hits: int, span: str) -> None:
    assert Figure.share(hits, 10).span == span


def test_a_share_of_no_cases_is_unknown_and_written_as_a_dash() -> None:
    figure = Figure.share(0, 0)
    assert (figure.value, figure.complement.value) == (None, None)
    assert (figure.percent, figure.span, figure.points) == ("–", "–", "–")


def test_the_complement_mirrors_the_interval() -> None:
    assert Figure.share(9, 10).complement.span == Figure.share(1, 10).span


def test_a_difference_is_surer_with_more_cases() -> None:
    few, many = minus(Figure.share(4, 10), Figure.share(1, 10)), minus(Figure.share(400, 1000), Figure.share(100, 1000))
    assert few.points == many.points == "+30.0"
    assert few.low is not None
    assert many.low is not None
    assert few.low < 0 < many.low


def test_a_difference_of_something_unknown_is_unknown() -> None:
    assert minus(Figure.share(1, 2), Figure()).value is None


@pytest.mark.parametrize("value", [None, math.nan, math.inf, "0.5", True, [], {}])
def test_what_is_no_finite_number_is_read_as_unknown(value: object) -> None:
    assert Figure.of({"value": value, "low": value, "high": value, "n": value}) == Figure()


@pytest.mark.parametrize(("value", "text"), [(0.031, "+3.1"), (-0.031, "−3.1"), (-0.0001, "0.0"), (0.0, "0.0")])
def test_points_carry_a_sign_unless_they_round_to_nothing(value: float, text: str) -> None:
    assert signed(value) == text


def test_a_percentage_says_as_much_as_was_asked() -> None:
    assert (percent(0.8123), percent(0.8123, places=0)) == ("81.2 %", "81 %")
