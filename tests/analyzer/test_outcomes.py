"""What came of a report: one click, a refined reward, and a report of what led to action."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from analyzer import outcomes, reviews
from analyzer.models import Event, QueueItem, Review
from tests import make
from tests.databases import has_check_constraints, kept

pytestmark = pytest.mark.django_db


def now(item: QueueItem) -> QueueItem:
    return QueueItem.objects.select_related("analysis", "review", "duplicate_of").get(pk=item.pk)


def decided(by: User, comment: str = "The checkout button does nothing", **values: object) -> QueueItem:
    item = make.item(comment, **values)
    reviews.validate(analysis=item.analysis, by=by)
    return now(item)


def test_closing_keeps_the_decision_and_says_what_came_of_it(ada: User) -> None:
    item = decided(ada)
    before = Review.objects.values().get()
    event = outcomes.close(item=item, by=ada, outcome="fixed", text="Released with 2.4")
    after = now(item)
    assert (after.status, after.outcome, after.duplicate_of) == ("decided", "fixed", None)
    assert timezone.now() - after.closed_at < timedelta(minutes=1)
    assert (event.kind, event.by, event.text, event.value["outcome"]) == ("outcome", ada, "Released with 2.4", "fixed")
    assert Review.objects.values().get() == before, "a review is never changed"
    assert (item.outcome, kept(item.closed_at)) == (after.outcome, after.closed_at)


def test_the_event_keeps_the_reward_refined_by_the_outcome(ada: User) -> None:
    item = make.item()
    reviews.override(analysis=item.analysis, by=ada, severity="low", category="content-gap")
    total = now(item).review.reward_total
    value = outcomes.close(item=now(item), by=ada, outcome="content-added").value
    assert value["reward_before"] == total
    assert value["reward"] == pytest.approx(0.8 * total + 0.2)


def test_an_imported_label_without_an_analysis_is_closed_without_a_reward(ada: User) -> None:
    said = make.feedback()
    reviews.record_imported(feedback=said, by=ada, category="content-gap")
    event = outcomes.close(item=QueueItem.objects.select_related("review").get(), by=ada, outcome="content-added")
    assert "reward" not in event.value


def test_an_undecided_item_cannot_be_closed(ada: User) -> None:
    item = make.item()
    with pytest.raises(reviews.Stale, match="needs a decision before"):
        outcomes.close(item=item, by=ada, outcome="fixed")
    assert not Event.objects.exists()


@has_check_constraints
def test_the_database_itself_refuses_an_open_item_with_an_outcome(ada: User) -> None:
    item = make.item()
    with pytest.raises(IntegrityError), transaction.atomic():
        QueueItem.objects.filter(pk=item.pk).update(outcome="fixed")


def test_an_unknown_outcome_is_refused_by_field(ada: User) -> None:
    with pytest.raises(ValidationError) as refused:
        outcomes.close(item=decided(ada), by=ada, outcome="forgotten")
    assert set(refused.value.message_dict) == {"outcome"}


def test_a_duplicate_names_what_it_repeats_and_a_duplicate_of_a_duplicate_the_first(ada: User) -> None:
    first, second, third = (decided(ada, f"The basket forgets item {number}") for number in range(3))
    outcomes.close(item=second, by=ada, outcome="duplicate", duplicate_of=first)
    outcomes.close(item=third, by=ada, outcome="duplicate", duplicate_of=now(second))
    assert now(second).duplicate_of == first
    assert now(third).duplicate_of == first


def test_a_duplicate_needs_another_item_and_nothing_else_has_one(ada: User) -> None:
    one, two = decided(ada, "One"), decided(ada, "Two")
    outcomes.close(item=two, by=ada, outcome="duplicate", duplicate_of=one)
    for outcome, original in (("duplicate", None), ("duplicate", one), ("fixed", two), ("duplicate", now(two))):
        with pytest.raises(ValidationError) as refused:
            outcomes.close(item=one, by=ada, outcome=outcome, duplicate_of=original)
        assert set(refused.value.message_dict) == {"duplicate_of"}
    assert now(one).outcome == ""


def test_the_second_of_two_people_who_close_an_item_is_told_what_it_is(ada: User, mia: User) -> None:
    item = decided(ada)
    seen = now(item)
    outcomes.close(item=item, by=ada, outcome="fixed")
    with pytest.raises(reviews.Stale, match="it is Fixed") as refused:
        outcomes.close(item=seen, by=mia, outcome="wont-fix")
    assert refused.value.item.outcome == "fixed"
    assert Event.objects.count() == 1


def test_a_closed_item_can_be_corrected_by_somebody_who_saw_its_outcome(ada: User, mia: User) -> None:
    item = decided(ada)
    outcomes.close(item=item, by=ada, outcome="fixed")
    outcomes.close(item=now(item), by=mia, outcome="answered")
    assert now(item).outcome == "answered"
    assert list(Event.objects.values_list("value__outcome", flat=True)) == ["answered", "fixed"]


def test_a_reopened_item_is_decided_without_an_outcome_and_its_reward_falls(ada: User) -> None:
    item = decided(ada)
    outcomes.close(item=item, by=ada, outcome="fixed")
    event = outcomes.reopen(item=now(item), by=ada, text="It is back in 2.5")
    assert (now(item).status, now(item).outcome, now(item).closed_at) == ("decided", "", None)
    assert event.kind == "reopened"
    assert event.value["reward"] == pytest.approx(0.8)
    with pytest.raises(reviews.Stale, match="not closed"):
        outcomes.reopen(item=now(item), by=ada)


def test_a_slip_of_the_hand_is_taken_back_and_nothing_counts_as_reopened(ada: User) -> None:
    original, item = decided(ada, "One"), decided(ada, "Two")
    outcomes.close(item=item, by=ada, outcome="duplicate", duplicate_of=original)
    before = now(item)
    slip = outcomes.close(item=now(item), by=ada, outcome="fixed")
    outcomes.undo(event=slip, by=ada)
    after = now(item)
    assert (after.outcome, after.duplicate_of, after.closed_at) == ("duplicate", original, before.closed_at)
    assert not Event.objects.filter(kind="reopened").exists()
    with pytest.raises(reviews.Stale):
        outcomes.undo(event=slip, by=ada)


def test_only_the_last_word_can_be_taken_back(ada: User) -> None:
    item = decided(ada)
    first = outcomes.close(item=item, by=ada, outcome="fixed")
    outcomes.close(item=now(item), by=ada, outcome="answered")
    with pytest.raises(reviews.Stale, match="nothing to take back"):
        outcomes.undo(event=first, by=ada)
    assert now(item).outcome == "answered"


def test_taking_the_decision_back_opens_a_closed_item_and_says_that_it_was_closed(ada: User) -> None:
    item = decided(ada)
    closed = outcomes.close(item=item, by=ada, outcome="fixed")
    reviews.undo(review=item.review, by=ada)
    after = now(item)
    assert (after.status, after.outcome, after.closed_at) == ("open", "", None)
    reopened = Event.objects.get(kind="reopened")
    assert reopened.value == {"outcome": "fixed"}
    for event in (closed, reopened):
        with pytest.raises(reviews.Stale):
            outcomes.undo(event=event, by=ada)


def test_a_viewer_closes_nothing(ada: User, ben: User) -> None:
    item = decided(ada)
    event = outcomes.close(item=item, by=ada, outcome="fixed")
    for refused in (
        lambda: outcomes.close(item=item, by=ben, outcome="fixed"),
        lambda: outcomes.reopen(item=item, by=ben),
        lambda: outcomes.undo(event=event, by=ben),
    ):
        with pytest.raises(PermissionDenied):
            refused()


def test_the_report_counts_by_category_and_severity_what_led_to_action(ada: User) -> None:
    for outcome in ("fixed", "fixed", "wont-fix", ""):
        item = decided(ada, f"High one {outcome}", severity="high")
        if outcome:
            outcomes.close(item=item, by=ada, outcome=outcome)
    back = decided(ada, "A word is missing", category="content-gap", severity="low")
    for _ in range(2):
        outcomes.close(item=now(back), by=ada, outcome="answered")
        outcomes.reopen(item=now(back), by=ada)
    made_up = decided(ada, "Demo", synthetic=True)
    outcomes.close(item=made_up, by=ada, outcome="answered")
    make.item("Still open")
    reviews.record_imported(feedback=make.feedback("Imported"), by=ada, category="noise", severity="low")

    bugs, gaps = outcomes.report()
    assert (bugs.category, bugs.severity, bugs.decided, bugs.closed, bugs.acted) == ("website-bug", "high", 4, 3, 2)
    assert bugs.share == pytest.approx(2 / 3)
    assert bugs.outcomes == {"fixed": 2, "wont-fix": 1}
    assert (gaps.category, gaps.decided, gaps.closed, gaps.reopened, gaps.share) == ("content-gap", 1, 0, 1, None)
    assert [(line.decided, dict(line.outcomes)) for line in outcomes.report(synthetic=True)] == [(1, {"answered": 1})]


def test_a_reopening_that_was_taken_back_did_not_come_back(ada: User) -> None:
    slip, real = decided(ada, "One"), decided(ada, "Two")
    for item in (slip, real):
        outcomes.close(item=item, by=ada, outcome="fixed")
    outcomes.undo(event=outcomes.reopen(item=now(slip), by=ada), by=ada)
    outcomes.reopen(item=now(real), by=ada)
    (line,) = outcomes.report()
    assert (line.decided, line.closed, line.reopened) == (2, 1, 1)
    outcomes.reopen(item=now(slip), by=ada)
    assert outcomes.report()[0].reopened == 2


def test_the_report_looks_back_only_so_far_and_costs_two_queries(
    ada: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(5):
        decided(ada, f"Report number {number}")
    old = decided(ada, "Long ago")
    Review.objects.filter(pk=old.review.pk).update(created_at=timezone.now() - timedelta(days=91))
    with django_assert_num_queries(2):
        (line,) = outcomes.report()
    assert line.decided == 5
