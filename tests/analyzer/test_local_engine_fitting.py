"""The local engine learns from labelled texts by weight, and says truthfully how its confidence was checked."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from analyzer import cold_start
from analyzer.engines.local import LabelledText, LocalModel, fit, fit_cold_start
from analyzer.engines.local.calibration import expected_error, fit_temperature, probabilities
from analyzer.engines.local.model import CATEGORIES, SEVERITIES
from analyzer.taxonomy import Category, Severity


@pytest.fixture(scope="module")
def synthetic() -> list[LabelledText]:
    examples = cold_start.load()
    some = [e for category in Category for e in [e for e in examples if e.category == category][:30]]
    return [LabelledText(e.comment, e.category, e.severity, e.type, e.rating, synthetic=True) for e in some]


@pytest.fixture(scope="module")
def reviews(synthetic: list[LabelledText]) -> list[LabelledText]:
    return [replace(example, synthetic=False) for example in synthetic]


def chance(model: LocalModel, comment: str, category: Category) -> float:
    categories, _ = model.probabilities([comment], [""], [None])
    return float(categories[0, CATEGORIES.index(category)])


def test_the_same_examples_give_the_same_bytes() -> None:
    examples = cold_start.load()[::12]
    assert fit_cold_start(examples).to_bytes() == fit_cold_start(list(examples)).to_bytes()


def test_an_example_of_no_weight_teaches_nothing(synthetic: list[LabelledText]) -> None:
    extra = LabelledText("crashes crashes crashes", Category.POSITIVE, None, weight=0)
    assert fit([*synthetic[::5], extra]).to_bytes() == fit(synthetic[::5]).to_bytes()


@pytest.mark.parametrize("heavier", [Category.CONTENT_GAP, Category.NOISE])
def test_the_heavier_opinion_wins_where_two_disagree(synthetic: list[LabelledText], heavier: Category) -> None:
    comment = "The harbour timetable"
    said = [
        LabelledText(comment, category, None, weight=1.0 if category == heavier else 0.1)
        for category in (Category.CONTENT_GAP, Category.NOISE)
    ] * 5
    model = fit([*synthetic[::5], *said])
    lighter = Category.NOISE if heavier == Category.CONTENT_GAP else Category.CONTENT_GAP
    assert chance(model, comment, heavier) > chance(model, comment, lighter)


def test_one_category_alone_cannot_be_learned() -> None:
    with pytest.raises(ValueError, match="two categories"):
        fit([LabelledText("nice", Category.POSITIVE, None)] * 5)


def test_a_category_without_examples_stays_possible_but_unlikely(reviews: list[LabelledText]) -> None:
    model = fit([example for example in reviews if example.category in (Category.POSITIVE, Category.WEBSITE_BUG)])
    categories, _ = model.probabilities(["It crashes when I open the page"], [""], [None])
    assert categories.sum() == pytest.approx(1)
    assert 0 < categories[0, CATEGORIES.index(Category.NOISE)] < 0.01


def test_without_judged_severities_it_assumes_them_by_category(reviews: list[LabelledText]) -> None:
    model = fit([replace(example, severity=None) for example in reviews])
    assert model.severity is None
    _, (bug, wish, praise) = model.probabilities(
        ["It crashes when I open the page, it does not work", "Please add an option", "I love it, great, thank you"],
        ["bug", "feature", ""],
        [1, None, 5],
    )
    low = SEVERITIES.index(Severity.LOW)
    assert bug[low] < wish[low] < praise[low]


def test_with_judged_severities_worse_reports_rank_higher(synthetic: list[LabelledText]) -> None:
    model = fit(synthetic)
    comments = ["I was charged twice and all my data is lost", "The button is a bit too far left, a minor thing"]
    _, (grave, slight) = model.probabilities(comments, ["bug", "bug"], [None, None])
    urgent = [SEVERITIES.index(Severity.CRITICAL), SEVERITIES.index(Severity.HIGH)]
    assert grave[urgent].sum() > slight[urgent].sum()


def test_confidence_from_synthetic_examples_is_called_that_and_never_sharpened(synthetic: list[LabelledText]) -> None:
    model = fit(synthetic)
    assert model.calibration["data"] == "synthetic examples (cross-validated)"
    assert model.calibration["n"] == len(synthetic)
    assert model.calibration["folds"] == 5
    assert model.calibration["temperature"] == model.category.temperature >= 1
    assert 0 <= model.calibration["ece"] <= 1


def test_enough_reviews_are_judged_without_the_synthetic_examples(
    synthetic: list[LabelledText], reviews: list[LabelledText]
) -> None:
    half = [replace(example, comment=f"{example.comment} Regards") for example in reviews[::2]]
    model = fit([*synthetic, *half])
    assert (model.calibration["data"], model.calibration["n"]) == ("reviews (cross-validated)", len(half))


def test_a_handful_of_reviews_does_not_make_it_a_check_on_reviews(
    synthetic: list[LabelledText], reviews: list[LabelledText]
) -> None:
    model = fit([*synthetic[5:], *reviews[:5]])
    assert model.calibration["data"] == "reviews and synthetic examples (cross-validated)"


def test_held_out_reviews_are_used_and_named(synthetic: list[LabelledText], reviews: list[LabelledText]) -> None:
    model = fit(synthetic[::2], calibration_examples=reviews[1::2])
    assert (model.calibration["data"], model.calibration["n"]) == ("held-out reviews", len(reviews[1::2]))


def test_too_few_examples_leave_confidence_unchecked_and_say_so(synthetic: list[LabelledText]) -> None:
    model = fit(synthetic[::6])
    assert model.calibration == {"method": "none", "n": 0, "data": "too few examples to check confidence"}
    assert model.category.temperature == 1


def test_a_word_that_only_one_person_wrote_is_not_kept(synthetic: list[LabelledText]) -> None:
    named = LabelledText("The page is broken, says Wilhelmina Przybylski", Category.WEBSITE_BUG, None)
    model = fit([*synthetic, named])
    assert "page" in model.features.words
    assert not any("wilhelmina" in term or "przyb" in term for term in [*model.features.words, *model.features.chars])


def test_importing_the_engine_does_not_import_scikit_learn() -> None:
    code = "import sys, analyzer.engines.local; print('sklearn' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


@pytest.mark.parametrize(("boast", "hotter"), [(4.0, True), (0.25, False)])
def test_the_temperature_undoes_boasting_and_modesty(boast: float, hotter: bool) -> None:
    random = np.random.default_rng(0)
    honest = random.normal(size=(2_000, 3)) * 2
    truth = np.array([random.choice(3, p=row) for row in probabilities(honest, 1.0)])
    temperature = fit_temperature(honest * boast, truth)
    assert (temperature > 1) is hotter
    assert temperature == pytest.approx(boast, rel=0.15)
    before = expected_error(probabilities(honest * boast, 1.0), truth)
    after = expected_error(probabilities(honest * boast, temperature), truth)
    assert after < before


def test_expected_error_is_the_gap_between_confidence_and_accuracy() -> None:
    always_eighty = np.tile([0.8, 0.2], (10, 1))
    assert expected_error(always_eighty, np.array([0] * 8 + [1] * 2)) == pytest.approx(0)
    assert expected_error(always_eighty, np.array([0] * 5 + [1] * 5)) == pytest.approx(0.3)
