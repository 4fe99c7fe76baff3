"""The local engine has an opinion on any text, says how sure it is, and quotes exactly."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer import cold_start, rewards
from analyzer.engines.local import LocalEngine, fit_cold_start
from analyzer.engines.local.engine import BATCH
from analyzer.engines.local.evidence import CLAUSE_CHARS, clauses
from analyzer.schema import Prediction, Task
from analyzer.taxonomy import Category, Severity

BUG = "The app crashes every time I open the checkout page, and since the update I cannot pay at all."
WISH = "Please add a dark mode, it would be nice to have an option to change the colours."
PRAISE = "I love this app, it is great and so easy to use. Thank you!"
UNKNOWN = "qqzx vvkjhw zzpqx"

COMMENTS = [
    BUG,
    WISH,
    PRAISE,
    UNKNOWN,
    "",
    " \n\t ",
    "👍👍",
    "漢字の意見",
    "<script>alert(1)</script>",
    "a" * 5_000,
    "aA" * 2_500,
    "1.2." * 1_250,
    "how do I " * 500,
    "all of our " * 450,
    "!?" * 2_500,
    "no word boundary," * 290,
]


@pytest.fixture(scope="module")
def engine() -> LocalEngine:
    examples = cold_start.load()
    some = [e for category in Category for e in [e for e in examples if e.category == category][:70]]
    return LocalEngine(fit_cold_start(some))


def task(comment: str, *, kind: str = "", rating: int | None = None, page: str = "") -> Task:
    return Task(id="1", comment=comment, type=kind, rating=rating, page=page)


def sure(prediction: Prediction) -> float:
    return prediction.category_probabilities[prediction.category]


@pytest.mark.parametrize("comment", COMMENTS)
@pytest.mark.parametrize("kind", ["", "bug", "commercial", "a type nobody knows"])
def test_probabilities_cover_every_label_and_sum_to_one(engine: LocalEngine, comment: str, kind: str) -> None:
    prediction = engine.predict(task(comment, kind=kind, rating=2)).prediction
    assert set(prediction.category_probabilities) == set(Category)
    assert set(prediction.severity_probabilities) == set(Severity)
    assert sum(prediction.category_probabilities.values()) == pytest.approx(1)
    assert sum(prediction.severity_probabilities.values()) == pytest.approx(1)
    assert prediction.category_probabilities[prediction.category] == max(prediction.category_probabilities.values())
    assert prediction.severity_probabilities[prediction.severity] == max(prediction.severity_probabilities.values())


@pytest.mark.parametrize(
    ("comment", "category"),
    [
        (BUG, Category.WEBSITE_BUG),
        (WISH, Category.FEATURE_REQUEST),
        (PRAISE, Category.POSITIVE),
        ("The documentation does not explain how to configure the parameters, the example is missing.", "content-gap"),
        ("Subscribe to my channel and check out my video, click here to win a free prize", Category.NOISE),
    ],
)
def test_plain_cases_are_told_apart(engine: LocalEngine, comment: str, category: str) -> None:
    assert engine.predict(task(comment)).prediction.category == category


def test_it_answers_in_its_own_name_and_costs_nothing(engine: LocalEngine) -> None:
    reply = engine.predict(task(BUG), prompt="ignored")
    assert (reply.engine, reply.note, reply.usage.calls) == ("local", "", 0)


def test_many_at_once_get_the_same_opinions_as_one_by_one(engine: LocalEngine) -> None:
    tasks = [task(comment, kind=kind, rating=3) for comment in COMMENTS for kind in ("", "feature")]
    alone = [engine.predict(each).prediction for each in tasks]
    together = engine.predict_many(tasks * (BATCH // len(tasks) + 1))
    assert len(together) > BATCH
    for index, prediction in enumerate(together):
        expected = alone[index % len(tasks)]
        assert (prediction.category, prediction.severity) == (expected.category, expected.severity)
        assert (prediction.action, prediction.evidence) == (expected.action, expected.evidence)
        assert prediction.category_probabilities == pytest.approx(expected.category_probabilities, abs=1e-6)
        assert prediction.severity_probabilities == pytest.approx(expected.severity_probabilities, abs=1e-6)


def test_no_tasks_give_no_opinions(engine: LocalEngine) -> None:
    assert engine.predict_many([]) == []


def test_unknown_words_leave_every_category_open(engine: LocalEngine) -> None:
    prediction = engine.predict(task(UNKNOWN)).prediction
    assert sure(prediction) < 0.25
    assert prediction.evidence == ()


def test_few_known_words_count_for_less_than_many(engine: LocalEngine) -> None:
    assert sure(engine.predict(task(f"{BUG} {UNKNOWN * 12}")).prediction) < sure(engine.predict(task(BUG)).prediction)


def test_the_form_type_shifts_the_odds_but_does_not_decide(engine: LocalEngine) -> None:
    unsaid, promised, other = (engine.predict(task(BUG, kind=kind)).prediction for kind in ("", "bug", "feature"))
    bug = Category.WEBSITE_BUG
    chances = [each.category_probabilities[bug] for each in (other, unsaid, promised)]
    assert chances == sorted(chances)
    assert chances[0] < chances[1]
    assert other.category == bug


def test_more_stars_make_praise_likelier(engine: LocalEngine) -> None:
    comment = "The new version of the start page"
    chances = [
        engine.predict(task(comment, rating=rating)).prediction.category_probabilities[Category.POSITIVE]
        for rating in (1, 3, 5)
    ]
    assert chances == sorted(chances)
    assert chances[0] < chances[2]


@pytest.mark.parametrize("rating", [4, 5])
def test_many_stars_without_a_word_are_probably_praise(engine: LocalEngine, rating: int) -> None:
    prediction = engine.predict(task("", rating=rating)).prediction
    assert (prediction.category, prediction.severity) == (Category.POSITIVE, Severity.LOW)
    assert 0.5 < sure(prediction) < 0.7


@pytest.mark.parametrize("rating", [1, 2, 3, None])
def test_few_stars_without_a_word_say_too_little_to_be_sure(engine: LocalEngine, rating: int | None) -> None:
    assert sure(engine.predict(task("  ", rating=rating)).prediction) < 0.5


@pytest.mark.parametrize("comment", [PRAISE, "Subscribe to my channel and win a free prize, click here"])
def test_praise_and_noise_hold_nobody_up(engine: LocalEngine, comment: str) -> None:
    assert engine.predict(task(comment)).prediction.severity == Severity.LOW


def test_evidence_is_the_part_that_made_the_difference(engine: LocalEngine) -> None:
    comment = f"Yesterday my sister and I went for a walk by the river. {BUG} The weather was mild for March."
    first = engine.predict(task(comment)).prediction.evidence[0]
    assert first in BUG


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(comment=st.text(max_size=400) | st.lists(st.sampled_from(BUG.split()), max_size=120).map(" ".join))
def test_every_quote_is_short_exact_and_between_words(engine: LocalEngine, comment: str) -> None:
    evidence = engine.predict(task(comment)).prediction.evidence
    assert len(evidence) <= 3
    for quote in evidence:
        assert quote in comment
        assert 0 < len(quote) <= CLAUSE_CHARS
        assert set(quote.split()) <= set(comment.split())


@given(comment=st.text(alphabet=st.sampled_from("ab ,.!\n\r\u2028…"), max_size=600))
def test_clauses_leave_out_no_word_that_fits(comment: str) -> None:
    expected = [word for word in comment.split() if len(word) <= CLAUSE_CHARS and any(map(str.isalnum, word))]
    found = [word for clause in clauses(comment) for word in clause.split() if any(map(str.isalnum, word))]
    assert found == expected


@pytest.mark.parametrize("comment", [BUG, WISH, PRAISE])
def test_the_action_is_concrete(engine: LocalEngine, comment: str) -> None:
    item = task(comment, page="/checkout")
    assert rewards.is_concrete(engine.predict(item).prediction.action, item)
