"""A decision is a row with a reward; the machine's row stays, and two people never overwrite each other."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError

from analyzer import reviews
from analyzer.models import Analysis, QueueItem, Review
from tests import make

pytestmark = pytest.mark.django_db


def test_validating_keeps_every_field_and_gives_the_full_reward(ada: User) -> None:
    item = make.item()
    review = reviews.validate(analysis=item.analysis, by=ada)
    item.refresh_from_db()
    assert (item.status, item.review, item.category, item.severity) == ("decided", review, "website-bug", "high")
    assert review.provenance == "validated"
    assert review.reward == {"category": 1, "severity": 1, "action": 1, "priority": 1, "total": 1}


def test_overriding_the_category_keeps_the_machines_row_and_lowers_the_reward(ada: User) -> None:
    item = make.item()
    before = Analysis.objects.filter(pk=item.analysis.pk).values().get()
    review = reviews.override(
        analysis=item.analysis, by=ada, category="content-gap", reasons={"category": "wrong area"}
    )
    item.refresh_from_db()
    assert (item.category, item.severity, review.provenance) == ("content-gap", "high", "overridden")
    assert review.reward["category"] == 0
    assert "action" not in review.reward, "an action for another category was never judged"
    assert Analysis.objects.filter(pk=item.analysis.pk).values().get() == before


def test_moving_an_item_to_noise_makes_it_low_and_moves_it_back_in_the_queue(ada: User) -> None:
    item = make.item()
    reviews.override(analysis=item.analysis, by=ada, category="noise")
    before, item = item, QueueItem.objects.get(pk=item.pk)
    assert item.severity == "low"
    assert item.rank > before.rank


def test_an_override_that_says_what_the_machine_said_is_a_validation(ada: User) -> None:
    item = make.item()
    assert reviews.override(analysis=item.analysis, by=ada, category=item.category).provenance == "validated"


def test_an_unknown_category_is_refused_by_field_and_nothing_is_stored(ada: User) -> None:
    item = make.item()
    with pytest.raises(ValidationError) as refused:
        reviews.override(analysis=item.analysis, by=ada, category="urgent")
    assert set(refused.value.message_dict) == {"category"}
    assert not Review.objects.exists()


def test_a_viewer_may_not_decide(ben: User) -> None:
    item = make.item()
    with pytest.raises(PermissionDenied):
        reviews.validate(analysis=item.analysis, by=ben)
    assert not Review.objects.exists()


def test_the_second_of_two_people_is_told_what_the_first_decided_and_loses_nothing_of_theirs(
    ada: User, mia: User
) -> None:
    item = make.item()
    first = reviews.override(analysis=item.analysis, by=ada, category="noise")
    with pytest.raises(reviews.Stale, match="ada decided this item meanwhile: noise"):
        reviews.validate(analysis=item.analysis, by=mia)
    item.refresh_from_db()
    assert item.review == first
    assert Review.objects.count() == 1


def test_a_decision_on_an_analysis_that_was_replaced_is_refused(ada: User) -> None:
    item = make.item()
    seen = item.analysis
    make.analysis(item.feedback, request=2, category="noise", severity="low")
    with pytest.raises(reviews.Stale, match="analysed anew"):
        reviews.validate(analysis=seen, by=ada)


def test_a_decision_on_words_that_were_edited_meanwhile_is_refused(ada: User, mia: User) -> None:
    item = make.item("Nobody can pay")
    said = make.revise(item.feedback, "It works again, thank you")
    with pytest.raises(reviews.Stale, match="was edited at its source"):
        reviews.validate(analysis=item.analysis, by=ada)
    anew = make.analysis(said, category="positive")
    with pytest.raises(reviews.Stale, match="analysed anew"):
        reviews.validate(analysis=item.analysis, by=ada)
    first = reviews.validate(analysis=anew, by=ada)
    make.revise(said, "It does not work after all")
    with pytest.raises(reviews.Stale, match="was edited at its source"):
        reviews.override(analysis=anew, by=mia, category="noise", after=first)


def test_an_edit_that_changes_no_word_leaves_the_analysis_in_force(ada: User) -> None:
    item = make.item("Nobody can pay")
    said = make.revise(item.feedback, item.feedback.comment, page_title="Renamed")
    assert reviews.validate(analysis=QueueItem.objects.get(pk=said.pk).analysis, by=ada)


def test_a_decided_item_can_be_decided_again_by_somebody_who_saw_the_decision(ada: User, mia: User) -> None:
    item = make.item()
    first = reviews.validate(analysis=item.analysis, by=ada)
    second = reviews.override(analysis=item.analysis, by=mia, severity="low", after=first)
    item.refresh_from_db()
    assert item.review == second
    assert second.replaces == first


def test_undoing_opens_the_item_as_it_was(ada: User) -> None:
    item = make.item()
    review = reviews.override(analysis=item.analysis, by=ada, category="noise")
    undone = reviews.undo(review=review, by=ada)
    names = ("status", "review_id", "category", "severity", "priority", "rank")
    assert [getattr(undone, name) for name in names] == [getattr(item, name) for name in names]
    review.refresh_from_db()
    assert review.undone_by == ada


def test_undoing_the_second_decision_brings_the_first_back(ada: User, mia: User) -> None:
    item = make.item()
    first = reviews.override(analysis=item.analysis, by=ada, category="content-gap")
    second = reviews.override(analysis=item.analysis, by=mia, category="noise", after=first)
    item = reviews.undo(review=second, by=mia)
    assert (item.status, item.review, item.category) == ("decided", first, "content-gap")


def test_a_decision_that_no_longer_counts_cannot_be_undone(ada: User) -> None:
    item = make.item()
    review = reviews.validate(analysis=item.analysis, by=ada)
    reviews.undo(review=review, by=ada)
    with pytest.raises(reviews.Stale):
        reviews.undo(review=review, by=ada)


def test_a_batch_leaves_out_critical_and_flagged_items_and_is_undone_as_one(ada: User) -> None:
    plain = [make.item(f"The button number {n} does nothing") for n in range(3)]
    make.item("Everything is gone", severity="critical")
    make.item("Refund please", needs_person=True)
    batch = reviews.validate_batch(items=QueueItem.objects.select_related("analysis"), by=ada)
    assert {review.feedback_id for review in batch.reviews} == {item.pk for item in plain}
    assert {reason for _, reason in batch.skipped} == {"critical", "flagged"}
    assert {review.provenance for review in batch.reviews} == {"bulk"}
    assert reviews.undo_batch(batch=batch.id, by=ada) == 3
    assert not QueueItem.objects.filter(status="decided").exists()


def test_an_imported_label_decides_the_item_and_a_later_analysis_leaves_it_alone(ada: User) -> None:
    said = make.feedback()
    reviews.record_imported(feedback=said, by=ada, category="content-gap")
    item = QueueItem.objects.get(pk=said.pk)
    assert (item.status, item.category, item.severity) == ("decided", "content-gap", "")
