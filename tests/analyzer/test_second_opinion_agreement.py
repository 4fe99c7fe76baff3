"""How far two people agree: Cohen's kappa with n, over pairs that are in force."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from sklearn.metrics import cohen_kappa_score

from analyzer import opinions, reviews
from analyzer.models import QueueItem, Review
from tests import make


def table(counts: dict[str, int]) -> list[tuple[str, str]]:
    """Pairs from counts by the two labels, such as {"yn": 5}."""
    return [(one, other) for (one, other), n in ((tuple(key), n) for key, n in counts.items()) for _ in range(n)]


def test_a_textbook_table_gives_the_textbook_value() -> None:
    assert opinions.kappa(table({"yy": 20, "yn": 5, "ny": 10, "nn": 15})) == pytest.approx(0.4)
    assert opinions.kappa(table({"yy": 45, "yn": 15, "ny": 25, "nn": 15})) == pytest.approx(0.1304, abs=1e-4)
    assert opinions.kappa(table({"yy": 25, "yn": 35, "ny": 5, "nn": 35})) == pytest.approx(0.2593, abs=1e-4)


def test_agreeing_always_is_one_and_never_is_below_zero() -> None:
    assert opinions.kappa(table({"yy": 3, "nn": 4})) == 1
    assert opinions.kappa(table({"yn": 3, "ny": 3})) == pytest.approx(-1)


def test_without_pairs_or_with_one_label_only_there_is_no_kappa() -> None:
    assert opinions.kappa([]) is None
    assert opinions.kappa(table({"yy": 9})) is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=40))
def test_it_is_what_scikit_learn_says(pairs: list[tuple[str, str]]) -> None:
    mine = opinions.kappa(pairs)
    if mine is not None:
        assert mine == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)))
    else:
        assert len({label for pair in pairs for label in pair}) == 1


@pytest.mark.django_db
def test_pairs_in_force_are_compared_field_by_field(ada: User, settings: Settings) -> None:
    settings.SECOND_OPINION_SHARE = 1.0
    eve = make.user("eve", "Reviewer")

    def pair(comment: str, one: str, other: str, **values: object) -> tuple[QueueItem, Review]:
        """ada decides one, eve says other; both as category/severity."""
        item = make.item(comment, category=one.split("/")[0], severity=one.split("/")[1], **values)
        reviews.validate(analysis=item.analysis, by=ada)
        category, severity = other.split("/")
        return item, opinions.give(analysis=item.analysis, by=eve, category=category, severity=severity)

    pair("One", "website-bug/high", "website-bug/high")
    pair("Two", "website-bug/high", "website-bug/low")
    pair("Three", "noise/low", "noise/low")
    pair("Four", "noise/low", "content-gap/low")
    _, taken_back = pair("Five", "website-bug/high", "noise/low")
    reviews.undo(review=taken_back, by=eve)
    open_again, _ = pair("Six", "website-bug/high", "noise/low")
    reviews.undo(review=QueueItem.objects.get(pk=open_again.pk).review, by=ada)
    pair("Seven", "website-bug/high", "noise/low", synthetic=True)
    made_less = make.item("Nobody can pay", severity="critical")
    reviews.override(analysis=made_less.analysis, by=ada, severity="low")
    opinions.give(analysis=made_less.analysis, by=eve, category="website-bug", severity="critical")

    category, severity = opinions.agreement()
    assert (category.field, category.n, category.agreed, category.share) == ("category", 4, 3, 0.75)
    assert (severity.field, severity.n, severity.agreed) == ("severity", 4, 3)
    # bug, bug, noise, noise against bug, bug, noise, gap: chance gives 2/4 * 2/4 + 2/4 * 1/4.
    assert category.kappa == pytest.approx((0.75 - 0.375) / (1 - 0.375))
    assert [row.n for row in opinions.agreement(synthetic=True)] == [1, 1]


@pytest.mark.django_db
def test_a_desk_without_second_opinions_says_so_with_zeros() -> None:
    assert [(row.n, row.share, row.kappa) for row in opinions.agreement()] == [(0, None, None), (0, None, None)]
