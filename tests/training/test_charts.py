"""Drawings: valid, inside their frame, with every number beside them, and a plain sentence where nothing is known."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training import make_runs
from training import charts
from training.charts import Chart, Measure
from training.drawing import WIDTH
from training.figures import Figure
from training.monitoring import Week

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"
NAMES = ("candidate v2", "v1, active then")
MONDAY = date(2026, 3, 2)


def measures() -> list[Measure]:
    return [
        Measure("Right category", Figure(0.8, 0.7, 0.9, 50), Figure(0.6, 0.5, 0.7, 50), Figure(0.2, 0.1, 0.3, 50)),
        Measure("ECE", Figure(0.05, 0.01, 0.1, 50), Figure(0.1, 0.02, 0.2, 50), Figure(-0.05), share=False),
    ]


def weeks() -> list[Week]:
    counts = ((10, 8, 0.9), (0, 0, None), (20, 10, 0.7), (4, 4, 1.0))
    return [Week(MONDAY + timedelta(weeks=place), *row) for place, row in enumerate(counts)]


def every_chart() -> list[Chart]:
    report, _, _ = make_runs.judged()
    return [
        charts.learning_curve(make_runs.CURVE),
        charts.reliability(report["reliability"], report["intervals"]["ece"]),
        charts.confusion(report["confusion"]),
        charts.coverage(report["coverage_curve"], report["coverage"], report["intervals"]),
        charts.comparison(measures(), names=NAMES),
        charts.over_time(weeks()),
    ]


def parsed(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(chart.svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def points(element: ElementTree.Element) -> list[tuple[float, float]]:
    pairs = (pair.split(",") for pair in element.attrib["points"].split())
    return [(float(x), float(y)) for x, y in pairs]


def dots(chart: Chart) -> list[tuple[float, float]]:
    found = parsed(chart).iter(f"{SVG}circle")
    return [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in found]


def texts(chart: Chart) -> list[str]:
    return [element.text or "" for element in parsed(chart).iter(f"{SVG}text")]


@pytest.mark.parametrize("chart", every_chart(), ids=lambda chart: chart.key)
def test_a_drawing_has_a_role_a_name_and_a_description(chart: Chart) -> None:
    root = parsed(chart)
    title, description = root[0], root[1]
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == f"{title.attrib['id']} {description.attrib['id']}"
    assert (title.tag, title.text) == (f"{SVG}title", chart.title)
    assert (description.text or "").startswith(chart.sentence)


@pytest.mark.parametrize("chart", every_chart(), ids=lambda chart: chart.key)
def test_a_drawing_needs_nothing_that_a_strict_csp_refuses(chart: Chart) -> None:
    for element in parsed(chart).iter():
        assert element.tag not in (f"{SVG}script", f"{SVG}style", f"{SVG}image", f"{SVG}foreignObject")
        assert not [name for name in element.attrib if name in ("style", "href") or name.startswith("on")]


@pytest.mark.parametrize("chart", every_chart(), ids=lambda chart: chart.key)
def test_everything_that_is_drawn_lies_inside_the_frame(chart: Chart) -> None:
    root = parsed(chart)
    _, _, width, height = (float(part) for part in root.attrib["viewBox"].split())
    assert width == WIDTH
    places = [place for name in ("polyline", "polygon") for line in root.iter(f"{SVG}{name}") for place in points(line)]
    for element in root.iter():
        for x, y in (("x", "y"), ("cx", "cy"), ("x1", "y1"), ("x2", "y2")):
            if x in element.attrib:
                places.append((float(element.attrib[x]), float(element.attrib[y])))
    assert len(places) > 10
    assert all(0 <= x <= width and 0 <= y <= height for x, y in places)


def test_the_learning_curve_rises_from_left_to_right_and_its_table_has_every_number() -> None:
    chart = charts.learning_curve(list(reversed(make_runs.CURVE)))
    places = dots(chart)
    assert places == sorted(places), "by number of reviews, whatever order they are stored in"
    assert [y for _, y in places] == sorted((y for _, y in places), reverse=True)
    assert chart.rows[1] == ("50", "61.0 %", "54.0 to 69.0", "60.0 %")
    assert [row[0] for row in chart.rows] == ["0", "50", "100", "200", "390"]
    assert {"0", "50", "100", "200", "390"} <= set(texts(chart))
    assert "90 validation items" in chart.sentence


def test_the_band_holds_the_line() -> None:
    root = parsed(charts.learning_curve(make_runs.CURVE))
    band = points(next(root.iter(f"{SVG}polygon")))
    line = points(next(root.iter(f"{SVG}polyline")))
    upper, lower = band[: len(line)], list(reversed(band[len(line) :]))
    assert all(high < y < low for (_, high), (_, y), (_, low) in zip(upper, line, lower, strict=True))


def test_a_calibrated_machine_lies_on_the_dashed_line() -> None:
    bins = [{"confidence": share, "accuracy": share, "n": n} for share, n in ((0.5, 10), (0.8, 40), (1.0, 10))]
    chart = charts.reliability(bins, {"value": 0.0, "low": 0.0, "high": 0.1, "n": 60})
    ideal = next(line for line in parsed(chart).iter(f"{SVG}line") if line.attrib["class"] == "plot-ideal")
    x1, y1, x2, y2 = (float(ideal.attrib[name]) for name in ("x1", "y1", "x2", "y2"))
    for x, y in dots(chart):
        assert y == pytest.approx(y1 + (x - x1) / (x2 - x1) * (y2 - y1), abs=0.2)
    radii = [float(dot.attrib["r"]) for dot in parsed(chart).iter(f"{SVG}circle")]
    assert radii[1] == pytest.approx(2 * radii[0], abs=0.1), "four times the items: four times the area"
    assert [row[-1] for row in chart.rows] == ["10", "40", "10"]
    assert "0.0 points (95 % interval 0.0 to 10.0)" in chart.sentence


def test_the_confusion_matrix_shows_every_count_and_the_table_says_what_was_mistaken() -> None:
    counts = {
        "website-bug": {"website-bug": 7, "noise": 1, "positive": 2},
        "noise": {"website-bug": 1, "noise": 3, "positive": 1},
        "positive": {"website-bug": 0, "noise": 0, "positive": 0},
    }
    chart = charts.confusion(counts)
    cells = [text for text in texts(chart) if text.isdecimal()]
    assert cells == ["7", "1", "2", "1", "3", "1", "0", "0", "0"]
    assert chart.rows == (
        ("Bug", "10", "7", "Positive 2, Noise 1"),
        ("Noise", "5", "3", "Bug 1, Positive 1"),
        ("Positive", "0", "0", "nothing else"),
    )
    assert chart.sentence.startswith("10 of 15 ")
    heats = [cell.attrib["class"] for cell in parsed(chart).iter(f"{SVG}rect")]
    assert heats[0] == "plot-heat is-4 is-same"
    assert heats[1:3] == ["plot-heat is-0", "plot-heat is-1"]


def test_a_label_with_markup_is_text() -> None:
    name = '"><script>alert(1)</script>'
    chart = charts.confusion({name: {name: 3}})
    assert "<script>" not in chart.svg
    assert name in texts(chart)


def test_thresholds_are_marked_and_one_that_no_confidence_reaches_is_said() -> None:
    curve = [
        {"coverage": 0.25, "precision": 1.0, "threshold": 0.9, "n": 25},
        {"coverage": 0.6, "precision": 0.92, "threshold": 0.7, "n": 60},
        {"coverage": 1.0, "precision": 0.8, "threshold": 0.2, "n": 100},
    ]
    reached = {"0.90": curve[1], "0.95": {"coverage": 0.0, "precision": None, "threshold": None, "n": 0}}
    intervals = {"coverage_0.90": {"value": 0.6, "low": 0.4, "high": 0.7, "n": 100}}
    chart = charts.coverage(curve, reached, intervals)
    assert chart.rows == (
        ("90 % right", "60.0 %", "40.0 to 70.0", "0.70", "60"),
        ("95 % right", "not reached", "–", "–", "0"),
    )
    assert chart.sentence == (
        "90 % right: the surest 60 % of items, from confidence 0.70. 95 % right is not reached at any threshold."
    )
    assert "90 % from 0.70" in texts(chart)
    assert [row[0] for row in chart.more] == ["100.0 %", "92.0 %", "80.0 %"]


def test_the_better_version_is_drawn_further_right_and_a_figure_that_is_no_share_is_in_the_table_only() -> None:
    chart = charts.comparison(measures(), names=NAMES)
    candidate = next(x for x, y in dots(chart) if y > 20)
    squares = [float(found.attrib["x"]) for found in parsed(chart).iter(f"{SVG}rect")]
    assert candidate > squares[-1]
    assert "ECE" not in texts(chart)
    assert chart.rows == (
        ("Right category", "80.0 %", "70.0 to 90.0", "60.0 %", "50.0 to 70.0", "+20.0", "+10.0 to +30.0", "50"),
        ("ECE", "5.0 %", "1.0 to 10.0", "10.0 %", "2.0 to 20.0", "−5.0", "–", "50"),
    )
    assert {*NAMES} <= set(texts(chart)), "dot and square are named, not only coloured"


def test_no_line_is_drawn_through_a_week_without_decisions() -> None:
    chart = charts.over_time(weeks())
    kept = [len(points(line)) for line in parsed(chart).iter(f"{SVG}polyline") if line.attrib["class"] == "plot-line"]
    assert kept == [1, 2]
    assert [row[-1] for row in chart.rows] == ["10", "0", "20", "4"]
    assert chart.rows[1] == ("9 Mar", "–", "–", "–", "0")
    assert chart.sentence == "In the week of 23 Mar people kept the category of 4 of 4 (100.0 %); mean reward 100.0 %."


NOTHING_KNOWN = [
    charts.learning_curve([]),
    charts.learning_curve([{"n": 0, "accuracy": 0.5}]),
    charts.learning_curve([{"n": 0, "accuracy": math.nan}, {"n": 50, "accuracy": None}]),
    charts.reliability([], None),
    charts.reliability([{"confidence": 0.5, "accuracy": math.nan, "n": 3}], {"value": math.nan}),
    charts.confusion({}),
    charts.confusion({"noise": {"noise": 0}}),
    charts.coverage([], {}, {}),
    charts.coverage([{"coverage": math.inf, "precision": 1}], {}, {}),
    charts.comparison([], names=NAMES),
    charts.comparison([Measure("Right category", Figure(0.5), Figure(), Figure())], names=NAMES),
    charts.over_time([]),
    charts.over_time([Week(MONDAY, 0, 0, None)]),
]


@pytest.mark.parametrize("chart", NOTHING_KNOWN, ids=lambda chart: chart.key)
def test_where_nothing_is_known_there_is_a_sentence_and_no_drawing(chart: Chart) -> None:
    assert chart.svg == ""
    assert re.fullmatch(r"[A-Z].+\.", chart.sentence)


anything = st.one_of(st.none(), st.floats(), st.integers(-(10**9), 10**9), st.text(max_size=5), st.booleans())
stored = st.dictionaries(
    st.sampled_from(
        ["n", "accuracy", "low", "high", "macro_f1", "items", "confidence", "coverage", "precision", "threshold"]
    ),
    anything,
)


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(stored, max_size=5), ece=st.one_of(st.none(), stored))
def test_whatever_a_row_holds_the_page_still_opens(rows: list[dict[str, Any]], ece: dict[str, Any] | None) -> None:
    reached = {"0.90": rows[0]} if rows else {}
    for chart in (
        charts.learning_curve(rows),
        charts.reliability(rows, ece),
        charts.confusion({"noise": {"noise": rows[0].get("n")}} if rows else {}),
        charts.coverage(rows, reached, {"coverage_0.90": ece}),
    ):
        assert "nan" not in chart.svg
        assert "inf" not in chart.svg
        if chart.svg:
            parsed(chart)


def test_drawing_needs_neither_numpy_nor_scikit_learn() -> None:
    script = (
        "import os, sys, django\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'\n"
        "django.setup()\n"
        "from training import charts, monitoring, evidence, prompt_diff\n"
        "import training.admin\n"
        "assert charts.learning_curve([{'n': 0, 'accuracy': .5}, {'n': 9, 'accuracy': .7}]).svg\n"
        "heavy = {'numpy', 'sklearn', 'scipy', 'agentlightning', 'litellm', 'openai'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
