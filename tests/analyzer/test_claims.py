"""Claims keep two people off the same item without ever locking it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from analyzer import claims, reviews
from analyzer.models import Aside, Event, QueueItem
from tests import make
from tests.databases import kept

pytestmark = pytest.mark.django_db


@pytest.fixture
def eve(db: None) -> User:
    """A second reviewer."""
    return make.user("eve", "Reviewer")


def now(item: QueueItem) -> QueueItem:
    return QueueItem.objects.select_related("analysis", "feedback").get(pk=item.pk)


def run_out(item: QueueItem) -> None:
    QueueItem.objects.filter(pk=item.pk).update(claimed_until=timezone.now() - timedelta(seconds=1))


def test_an_open_item_is_claimed_for_as_long_as_the_setting_says(ada: User, settings: Settings) -> None:
    settings.CLAIM_MINUTES = 3
    item = make.item()
    before = timezone.now()
    assert claims.take(item=item, by=ada)
    held = now(item)
    assert held.claimed
    assert held.claimed_by == ada
    assert kept(before) + timedelta(minutes=3) <= held.claimed_until <= timezone.now() + timedelta(minutes=3)
    assert (item.claimed_by, kept(item.claimed_until)) == (held.claimed_by, held.claimed_until)


def test_nobody_else_takes_an_item_that_is_held_and_taking_it_again_is_a_renewal(ada: User, eve: User) -> None:
    item = make.item()
    stale = now(item)
    claims.take(item=item, by=ada)
    until = now(item).claimed_until
    assert not claims.take(item=stale, by=eve), "although the page of the second was read before the claim"
    assert claims.take(item=stale, by=ada)
    assert now(item).claimed_by == ada
    assert now(item).claimed_until > until


def test_a_claim_that_ran_out_is_free_for_the_next(ada: User, eve: User) -> None:
    item = make.item()
    claims.take(item=item, by=ada)
    run_out(item)
    assert not now(item).claimed
    assert claims.take(item=item, by=eve)
    assert not claims.renew(item=item, by=ada), "it is somebody else's now"


def test_activity_keeps_a_claim_even_after_it_ran_out_unless_somebody_took_it(ada: User) -> None:
    item = make.item()
    assert not claims.renew(item=item, by=ada), "there is nothing to renew yet"
    claims.take(item=item, by=ada)
    run_out(item)
    assert claims.renew(item=item, by=ada)
    assert now(item).claimed


def test_only_the_holder_gives_a_claim_up(ada: User, eve: User) -> None:
    item = make.item()
    claims.take(item=item, by=ada)
    assert not claims.release(item=item, by=eve)
    assert claims.release(item=item, by=ada)
    assert now(item).claimed_by is None


def test_taking_over_is_allowed_and_logged_with_the_name_of_who_had_it(ada: User, eve: User) -> None:
    item = make.item()
    claims.take(item=item, by=ada)
    assert claims.take_over(item=item, by=eve)
    assert now(item).claimed_by == eve
    event = Event.objects.get()
    assert (event.kind, event.by, event.value) == ("take-over", eve, {"from": "ada"})


def test_taking_over_what_nobody_holds_is_just_taking_it(ada: User, eve: User) -> None:
    item = make.item()
    assert claims.take_over(item=item, by=eve)
    run_out(item)
    assert claims.take_over(item=item, by=ada)
    assert now(item).claimed_by == ada
    assert not Event.objects.exists()


def test_a_viewer_may_not_claim(ben: User) -> None:
    item = make.item()
    for act in (claims.take, claims.renew, claims.release, claims.take_over, claims.skip):
        with pytest.raises(PermissionDenied):
            act(item=item, by=ben)
    with pytest.raises(PermissionDenied):
        claims.next_item(by=ben)


def test_deciding_ends_the_claim(ada: User) -> None:
    item = make.item()
    claims.take(item=item, by=ada)
    reviews.validate(analysis=item.analysis, by=ada)
    assert now(item).claimed_by is None


def test_a_claim_is_no_lock_and_deciding_what_somebody_has_open_is_logged(ada: User, eve: User) -> None:
    item = make.item()
    claims.take(item=item, by=ada)
    reviews.override(analysis=item.analysis, by=eve, category="noise")
    assert Event.objects.get().value == {"from": "ada", "decided": True}
    with pytest.raises(reviews.Stale, match="eve decided this item meanwhile") as refused:
        reviews.validate(analysis=item.analysis, by=ada)
    assert refused.value.item.review.category == "noise", "the page can show theirs beside yours"


def test_items_are_handed_out_in_the_order_of_the_queue_and_never_somebody_elses(ada: User, eve: User) -> None:
    low = make.item("The footer is one pixel too high", severity="low")
    first = make.item("Nobody can pay", severity="critical")
    second = make.item("Search finds nothing", severity="high")
    assert claims.next_item(by=ada) == first
    assert claims.next_item(by=eve) == second
    assert claims.next_item(by=ada) == first, "a reload shows the same item"
    reviews.validate(analysis=first.analysis, by=ada)
    assert claims.next_item(by=ada) == low
    assert claims.next_item(by=make.user("kim", "Reviewer")) is None


def test_an_item_that_is_being_analysed_or_decided_is_not_handed_out(ada: User) -> None:
    make.feedback("Nobody has analysed this yet")
    decided = make.item("Decided")
    reviews.validate(analysis=decided.analysis, by=ada)
    again = make.item("Analysed anew at this moment")
    QueueItem.objects.filter(pk=again.pk).update(stage="running")
    assert claims.next_item(by=ada) is None


def test_moving_on_and_back_follows_the_order_of_the_list(ada: User) -> None:
    items = [make.item(f"Report number {number}", severity="medium") for number in range(3)]
    assert claims.next_item(by=ada, after=items[0]) == items[1]
    assert claims.next_item(by=ada, after=items[2]) is None
    assert claims.previous_item(by=ada, before=items[2]) == items[1]
    assert claims.previous_item(by=ada, before=items[0]) is None


def test_items_of_the_same_rank_come_as_in_the_list_and_none_is_left_out(ada: User) -> None:
    same = timezone.now() - timedelta(hours=1)
    items = [make.item(f"Twin {number}", received_at=same) for number in range(4)]
    listed = list(QueueItem.objects.queue().order_by("rank", "-pk"))
    walked = [claims.next_item(by=ada)]
    while found := claims.next_item(by=ada, after=walked[-1]):
        walked.append(found)
    assert walked == listed
    assert {item.pk for item in walked} == {item.pk for item in items}
    back = [walked[-1]]
    while found := claims.previous_item(by=ada, before=back[-1]):
        back.append(found)
    assert back == walked[::-1]


def test_a_narrowed_queue_hands_out_only_what_it_holds(ada: User) -> None:
    make.item("Nobody can pay", severity="critical")
    gap = make.item("The manual does not say how to export", category="content-gap", severity="low")
    assert claims.next_item(by=ada, items=QueueItem.objects.filter(category="content-gap")) == gap


def test_what_was_skipped_comes_after_the_others_longest_skipped_first(ada: User, eve: User) -> None:
    items = [make.item(f"Report number {number}", severity="medium") for number in range(3)]
    claims.skip(item=claims.next_item(by=ada), by=ada)
    claims.skip(item=claims.next_item(by=ada), by=ada)
    assert claims.next_item(by=ada) == items[2]
    reviews.validate(analysis=items[2].analysis, by=ada)
    assert claims.next_item(by=ada) == items[0]
    claims.skip(item=items[0], by=ada)
    assert claims.next_item(by=ada) == items[1]
    assert claims.next_item(by=eve) == items[0], "a skip is one person's own, and gives the claim up"


def test_a_skip_is_forgotten_when_the_item_is_decided(ada: User, eve: User) -> None:
    item = make.item()
    claims.skip(item=item, by=ada)
    review = reviews.validate(analysis=item.analysis, by=eve)
    assert not Aside.objects.exists()
    reviews.undo(review=review, by=eve)
    assert claims.next_item(by=ada) == item


def test_handing_out_costs_the_same_number_of_queries_with_many_items_claimed(
    ada: User, eve: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        make.item(f"Report number {number}")
    for _ in range(8):
        claims.skip(item=claims.next_item(by=ada), by=ada)
    ada.has_perm("analyzer.add_review")
    with django_assert_num_queries(3):  # what this person set aside, the first free item, the claim
        assert claims.next_item(by=ada) is not None
