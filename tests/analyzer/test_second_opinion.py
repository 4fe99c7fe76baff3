"""A second person looks at some decisions without seeing them; where they disagree, a third one settles it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from pytest_django import Settings

from analyzer import claims, opinions, reviews, standing
from analyzer.models import Event, QueueItem, Review
from feedback.models import Feedback
from tests import make
from training import dataset

pytestmark = pytest.mark.django_db


@pytest.fixture
def eve(db: None) -> User:
    """A second reviewer."""
    return make.user("eve", "Reviewer")


@pytest.fixture(autouse=True)
def _every_decision_is_checked(settings: Settings) -> None:
    settings.SECOND_OPINION_SHARE = 1.0


def now(item: QueueItem) -> QueueItem:
    return QueueItem.objects.select_related("analysis", "review").get(pk=item.pk)


def decided(by: User, comment: str = "The checkout button does nothing", **values: str) -> QueueItem:
    item = make.item(comment)
    reviews.override(analysis=item.analysis, by=by, **values)
    return now(item)


def second(item: QueueItem, by: User, category: str = "website-bug", severity: str = "high") -> Review:
    return opinions.give(analysis=item.analysis, by=by, category=category, severity=severity)


def test_the_share_of_decisions_that_is_checked_is_the_one_that_was_set(ada: User, settings: Settings) -> None:
    items = [make.item(f"Report number {number}") for number in range(40)]
    decisions = [reviews.validate(analysis=item.analysis, by=ada) for item in items]
    for share in (0.0, 0.3, 1.0):
        settings.SECOND_OPINION_SHARE = share
        chosen = [standing.must_be_checked(decision) for decision in decisions]
        assert chosen == [standing.must_be_checked(decision) for decision in decisions], "asking again changes nothing"
        assert abs(sum(chosen) - 40 * share) < 12


def test_nothing_is_checked_at_a_share_of_zero_but_a_critical_item_that_was_made_less(
    ada: User, settings: Settings
) -> None:
    settings.SECOND_OPINION_SHARE = 0.0
    plain, grave, kept = make.item(), make.item(severity="critical"), make.item(severity="critical")
    reviews.override(analysis=plain.analysis, by=ada, severity="low")
    reviews.override(analysis=grave.analysis, by=ada, severity="high")
    first = reviews.validate(analysis=kept.analysis, by=ada)
    assert [now(item).second for item in (plain, grave, kept)] == ["", "wanted", ""]
    reviews.override(analysis=kept.analysis, by=ada, category="noise", after=first)
    assert now(kept).second == "wanted", "noise is low by definition"


def test_whoever_raised_it_to_critical_is_not_overruled_unseen(ada: User, eve: User, settings: Settings) -> None:
    settings.SECOND_OPINION_SHARE = 0.0
    item = decided(ada, severity="critical")
    assert item.second == ""
    reviews.override(analysis=item.analysis, by=eve, severity="medium", after=item.review)
    assert now(item).second == "wanted"


def test_an_imported_label_is_not_checked(ada: User) -> None:
    said = make.feedback()
    reviews.record_imported(feedback=said, by=ada, category="content-gap", severity="low")
    assert QueueItem.objects.get().second == ""


def test_nobody_is_asked_about_a_decision_of_their_own(ada: User, eve: User) -> None:
    item = decided(ada)
    assert opinions.next_item(by=ada) is None
    assert opinions.next_item(by=eve) == item
    assert now(item).claimed_by == eve
    with pytest.raises(PermissionDenied, match="somebody else"):
        second(item, ada)


def test_two_people_are_not_handed_the_same_decision_to_check(ada: User, eve: User, mia: User) -> None:
    one, two = decided(ada, "Nobody can pay at all", severity="critical"), decided(ada, "The basket forgets me")
    assert opinions.next_item(by=eve) == one
    assert opinions.next_item(by=mia) == two


def test_somebody_whose_decision_was_replaced_is_not_asked_either(ada: User, eve: User) -> None:
    item = decided(ada)
    reviews.override(analysis=item.analysis, by=eve, category="noise", after=item.review)
    assert opinions.next_item(by=ada) is None
    assert opinions.next_item(by=eve) is None


def test_nobody_is_asked_about_words_that_were_edited_since_the_decision(ada: User, eve: User) -> None:
    item = decided(ada)
    assert opinions.waiting_for(eve).count() == 1
    make.revise(item.feedback, "Works now, thank you")
    make.analysis(Feedback.objects.get(pk=item.pk), category="positive", severity="low")
    assert not opinions.waiting_for(eve).exists()
    for open_card in (item, now(item)):
        with pytest.raises(reviews.Stale, match="edited"):
            second(open_card, eve)
    assert Review.objects.count() == 1


def test_an_opinion_that_agrees_is_kept_beside_the_decision_and_changes_nothing_else(ada: User, eve: User) -> None:
    before = decided(ada)
    opinion = second(before, eve)
    item = now(before)
    assert item.second == "agreed"
    names = ("status", "review", "category", "severity", "priority", "rank")
    assert [getattr(item, name) for name in names] == [getattr(before, name) for name in names]
    assert (opinion.role, opinion.provenance, opinion.replaces) == ("second", "validated", before.review)
    assert not opinion.suggestion_visible
    assert item.claimed_by is None


def test_an_opinion_that_differs_makes_a_dispute_and_the_decision_still_counts(ada: User, eve: User) -> None:
    item = decided(ada)
    opinion = second(item, eve, severity="low")
    assert opinion.provenance == "overridden"
    assert (now(item).second, now(item).severity, now(item).review) == ("disputed", "high", item.review)
    assert list(opinions.disputed()) == [item]


def test_a_label_outside_the_taxonomy_is_refused_and_the_opinion_stays_wanted(ada: User, eve: User) -> None:
    item = decided(ada)
    with pytest.raises(ValidationError) as refused:
        second(item, eve, category="urgent")
    assert set(refused.value.message_dict) == {"category"}
    assert now(item).second == "wanted"


def test_only_one_second_opinion_is_taken(ada: User, eve: User, mia: User) -> None:
    item = decided(ada)
    second(item, eve)
    with pytest.raises(reviews.Stale, match="No second opinion is wanted"):
        second(item, mia)
    assert Review.objects.filter(role="second").count() == 1


def test_a_manager_settles_a_dispute_and_all_three_opinions_are_kept(ada: User, eve: User, mia: User) -> None:
    item = decided(ada)
    second(item, eve, severity="low")
    settled = opinions.adjudicate(item=now(item), by=mia, category="website-bug", severity="medium")
    item = now(item)
    assert (item.second, item.severity, item.review) == ("settled", "medium", settled)
    assert list(Review.objects.order_by("created_at").values_list("role", "severity", "undone_at")) == [
        ("first", "high", None),
        ("second", "low", None),
        ("adjudication", "medium", None),
    ]
    assert not opinions.disputed().exists()


def test_training_learns_from_the_decision_that_counts_and_from_no_second_opinion(
    ada: User, eve: User, mia: User
) -> None:
    open_dispute, settled = decided(ada, "The basket forgets me"), decided(ada, "The map is upside down")
    second(open_dispute, eve, category="noise", severity="low")
    second(settled, eve, category="noise", severity="low")
    opinions.adjudicate(item=now(settled), by=mia, category="content-gap", severity="low")
    assert {example.comment: example.category for example in dataset.collect()} == {
        "The basket forgets me": "website-bug",
        "The map is upside down": "content-gap",
    }


def test_only_a_manager_who_is_neither_of_the_two_may_settle(ada: User, eve: User, mia: User) -> None:
    item = decided(mia)
    second(item, ada, severity="low")
    for person in (eve, mia):
        with pytest.raises(PermissionDenied):
            opinions.adjudicate(item=now(item), by=person, category="noise", severity="low")
    assert now(item).second == "disputed"


def test_there_is_nothing_to_settle_without_a_dispute(ada: User, eve: User, mia: User) -> None:
    item = decided(ada)
    second(item, eve)
    with pytest.raises(reviews.Stale, match="no dispute"):
        opinions.adjudicate(item=now(item), by=mia, category="noise", severity="low")


def test_a_dispute_that_was_settled_meanwhile_is_not_settled_twice(ada: User, eve: User, mia: User) -> None:
    item = decided(ada)
    second(item, eve, severity="low")
    seen = now(item)
    opinions.adjudicate(item=seen, by=mia, category="website-bug", severity="medium")
    with pytest.raises(reviews.Stale, match="mia decided this item meanwhile"):
        opinions.adjudicate(item=seen, by=make.user("max", "Manager"), category="noise", severity="low")


def test_undoing_a_settlement_brings_the_dispute_back_and_takes_a_manager(ada: User, eve: User, mia: User) -> None:
    item = decided(ada)
    second(item, eve, severity="low")
    settled = opinions.adjudicate(item=now(item), by=mia, category="website-bug", severity="medium")
    with pytest.raises(PermissionDenied, match="manager"):
        reviews.undo(review=settled, by=ada)
    reviews.undo(review=settled, by=mia)
    assert (now(item).second, now(item).severity) == ("disputed", "high")


def test_an_opinion_that_was_taken_back_is_wanted_again(ada: User, eve: User) -> None:
    item = decided(ada)
    opinion = second(item, eve, severity="low")
    reviews.undo(review=opinion, by=eve)
    assert (now(item).second, now(item).review) == ("wanted", item.review)
    with pytest.raises(reviews.Stale):
        reviews.undo(review=opinion, by=eve)


def test_a_dispute_does_not_go_away_by_deciding_anew_but_by_agreeing(ada: User, eve: User) -> None:
    item = decided(ada)
    second(item, eve, severity="low")
    third = reviews.override(analysis=item.analysis, by=ada, severity="medium", after=item.review)
    assert now(item).second == "disputed"
    fourth = reviews.override(analysis=item.analysis, by=ada, severity="low", after=third)
    assert now(item).second == "agreed"
    reviews.undo(review=fourth, by=ada)
    reviews.override(analysis=item.analysis, by=eve, severity="low", after=third)
    assert now(item).second == "disputed", "nobody settles their own dispute"


def test_undoing_the_decision_ends_what_was_asked_about_it(ada: User, eve: User) -> None:
    item = decided(ada)
    second(item, eve, severity="low")
    reviews.undo(review=item.review, by=ada)
    assert (now(item).status, now(item).second) == ("open", "")


def test_who_does_not_know_leaves_the_item_to_others_and_is_not_handed_it_again(ada: User, eve: User) -> None:
    item = claims.next_item(by=ada) or make.item()
    claims.take(item=item, by=ada)
    opinions.ask(item=item, by=ada, text="Is this the shop or the bank?")
    after = now(item)
    assert (after.status, after.second, after.claimed_by) == ("open", "wanted", None)
    assert claims.next_item(by=ada) is None
    other = make.item("Another one", severity="low")
    assert claims.next_item(by=ada) == other
    assert claims.previous_item(by=ada, before=other) is None
    assert claims.next_item(by=eve) == item
    event = Event.objects.get()
    assert (event.kind, event.by, event.text) == ("second-wanted", ada, "Is this the shop or the bank?")


def test_what_somebody_asked_about_is_left_out_of_bulk(ada: User, eve: User) -> None:
    item = make.item()
    opinions.ask(item=item, by=ada)
    batch = reviews.validate_batch(items=[now(item)], by=eve)
    assert [reason for _, reason in batch.skipped] == ["somebody asked for a second opinion"]


def test_what_somebody_has_open_is_left_out_of_anothers_bulk_only(ada: User, eve: User) -> None:
    item = make.item()
    claims.take(item=item, by=ada)
    assert reviews.unfit_for_bulk(now(item), by=eve) == "somebody is looking at it"
    assert reviews.unfit_for_bulk(now(item), by=ada) == ""


def test_the_answer_to_a_question_is_a_decision_and_undoing_it_opens_the_question_again(
    ada: User, eve: User, settings: Settings
) -> None:
    settings.SECOND_OPINION_SHARE = 0.0
    item = make.item()
    opinions.ask(item=item, by=ada)
    review = reviews.validate(analysis=item.analysis, by=eve)
    assert (now(item).status, now(item).second, review.role) == ("decided", "", "first")
    reviews.undo(review=review, by=eve)
    assert (now(item).status, now(item).second) == ("open", "wanted")
    assert claims.next_item(by=ada) is None


def test_a_question_can_be_taken_back_until_somebody_answered(ada: User, eve: User) -> None:
    item = make.item()
    opinions.ask(item=item, by=ada)
    with pytest.raises(reviews.Stale, match="no question of yours"):
        opinions.withdraw(item=item, by=eve)
    opinions.withdraw(item=item, by=ada)
    assert now(item).second == ""
    assert claims.next_item(by=ada) == item
    assert list(Event.objects.values_list("kind", flat=True)) == ["second-withdrawn", "second-wanted"]


def test_a_question_of_two_people_stays_when_one_takes_theirs_back(ada: User, eve: User) -> None:
    item = make.item()
    opinions.ask(item=item, by=ada)
    opinions.ask(item=item, by=eve)
    opinions.withdraw(item=item, by=ada)
    assert now(item).second == "wanted"


def test_nobody_asks_about_what_was_decided_meanwhile(ada: User, eve: User) -> None:
    item = make.item()
    reviews.validate(analysis=item.analysis, by=eve)
    with pytest.raises(reviews.Stale) as refused:
        opinions.ask(item=item, by=ada)
    assert refused.value.item.review.reviewer == eve
    assert not Event.objects.exists()


def test_a_viewer_gives_no_opinion_and_asks_for_none(ada: User, ben: User) -> None:
    item, waiting = decided(ada), make.item("Waiting")
    for refused in (
        lambda: second(item, ben),
        lambda: opinions.next_item(by=ben),
        lambda: opinions.ask(item=waiting, by=ben),
        lambda: opinions.withdraw(item=waiting, by=ben),
    ):
        with pytest.raises(PermissionDenied):
            refused()


def test_taking_an_opinion_back_twice_leaves_the_one_of_somebody_else(ada: User, eve: User, mia: User) -> None:
    item = decided(ada)
    mine = second(item, eve, category="noise")
    reviews.undo(review=Review.objects.get(pk=mine.pk), by=eve)
    theirs = second(now(item), mia)
    with pytest.raises(reviews.Stale, match="nothing to undo"), transaction.atomic():
        reviews.undo(review=Review.objects.get(pk=mine.pk), by=eve)
    assert now(item).second == "agreed"
    theirs.refresh_from_db()
    assert theirs.undone_at is None
