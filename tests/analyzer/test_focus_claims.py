"""Two people in the same queue: nobody is handed what somebody else has, and nobody's word is overwritten or lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from analyzer import reviews
from analyzer.models import Event, QueueItem, Review
from tests import make
from tests.analyzer.test_focus_view import REVIEW, after, card, on, words
from tests.pages import Page, messages

pytestmark = pytest.mark.django_db


@pytest.fixture
def desks(ada: User, mia: User) -> tuple[Client, Client]:
    """The browsers of ada and of mia."""
    clients = Client(), Client()
    for client, user in zip(clients, (ada, mia), strict=True):
        client.force_login(user)
    return clients


@pytest.fixture
def two(db: None) -> tuple[QueueItem, QueueItem]:
    return make.item("The first report", severity="high"), make.item("The second report", severity="low")


def analysed_anew(item: QueueItem, **values: str) -> None:
    QueueItem.objects.filter(pk=item.pk).update(request=2)
    item.feedback.queue_item.refresh_from_db()
    make.analysis(item.feedback, request=2, **values)


def test_nobody_is_handed_what_somebody_else_has_open(
    desks: tuple[Client, Client], two: tuple[QueueItem, QueueItem]
) -> None:
    first, second = desks
    assert on(card(first)) == "The first report"
    assert on(card(second)) == "The second report"
    done = after(card(second), "Validate")
    assert "1 item still waits, 1 of them open in front of somebody else" in words(done)


def test_a_claim_that_ran_out_is_free(desks: tuple[Client, Client], two: tuple[QueueItem, QueueItem]) -> None:
    first, second = desks
    with time_machine.travel(timezone.now()) as clock:
        card(first)
        clock.shift(timedelta(minutes=11))
        assert on(card(second)) == "The first report"


def test_a_claimed_item_says_who_has_it_and_can_be_taken_over(
    desks: tuple[Client, Client], ada: User, mia: User, two: tuple[QueueItem, QueueItem]
) -> None:
    first, second = desks
    card(first)
    page = card(second, f"{REVIEW}{two[0].pk}/")
    assert "ada has this item open" in page.html
    assert not [button for button in page.buttons if button.name.startswith(("Validate", "Noise"))]
    page = after(page, "Take over")
    assert on(page) == "The first report"
    assert "Validate" in page.html
    assert QueueItem.objects.get(pk=two[0].pk).claimed_by == mia
    event = Event.objects.get()
    assert (event.kind, event.by, event.value) == ("take-over", mia, {"from": "ada"})
    assert "took it over from ada" in words(page)
    assert "mia has it open" in Page(first, "/admin/analyzer/queueitem/").html
    assert "mia has it open" not in Page(second, "/admin/analyzer/queueitem/").html


def test_a_save_that_came_too_late_shows_theirs_and_mine(
    desks: tuple[Client, Client], mia: User, two: tuple[QueueItem, QueueItem]
) -> None:
    page = card(desks[0])
    reviews.override(analysis=two[0].analysis, by=mia, category="noise", note="A robot wrote it.")
    response = page.press(
        "Validate", category="content-gap", severity="medium", category_reason=["misread"], note="I called them."
    )
    assert response.status_code == 409
    both = Page(desks[0], page.url, response)
    text = words(both)
    assert "mia decided this item while you looked at it" in text
    assert "Category noise content-gap" in text
    assert "Severity low medium" in text
    assert "A robot wrote it." in text
    assert Review.objects.count() == 1


def test_mine_can_be_applied_with_everything_that_was_written(
    desks: tuple[Client, Client], ada: User, mia: User, two: tuple[QueueItem, QueueItem]
) -> None:
    page = card(desks[0])
    theirs = reviews.override(analysis=two[0].analysis, by=mia, category="noise")
    chosen = {
        "category": "content-gap",
        "category_reason": ["misread", "PII"],
        "note": "I called them.",
        "priority": "7",
    }
    both = Page(desks[0], page.url, page.press("Validate", **chosen))
    assert on(after(both, "Apply mine")) == "The second report"
    mine = Review.objects.get(reviewer=ada)
    assert (mine.category, mine.severity, mine.priority, mine.note) == ("content-gap", "high", 7, "I called them.")
    assert mine.reasons == {"category": "misread, PII"}
    assert mine.replaces == theirs
    assert QueueItem.objects.get(pk=two[0].pk).review == mine


def test_theirs_can_be_kept(desks: tuple[Client, Client], mia: User, two: tuple[QueueItem, QueueItem]) -> None:
    page = card(desks[0])
    theirs = reviews.override(analysis=two[0].analysis, by=mia, category="noise")
    page = after(Page(desks[0], page.url, page.press("Validate")), "Keep theirs")
    assert on(page) == "The second report"
    assert QueueItem.objects.get(pk=two[0].pk).review == theirs


def test_mine_fits_an_analysis_that_came_meanwhile(
    desks: tuple[Client, Client], ada: User, two: tuple[QueueItem, QueueItem]
) -> None:
    page = card(desks[0])
    analysed_anew(two[0], category="content-gap", severity="low", action="Write the passage.")
    both = Page(desks[0], page.url, page.press("Validate", severity="critical"))
    assert "This item was analysed anew" in words(both)
    after(both, "Apply mine")
    mine = Review.objects.get()
    assert (mine.category, mine.severity, mine.action) == ("content-gap", "critical", "Write the passage.")
    assert mine.provenance == "overridden"


def test_a_save_on_words_that_were_edited_meanwhile_is_refused_and_goes_on(
    desks: tuple[Client, Client], two: tuple[QueueItem, QueueItem]
) -> None:
    page = card(desks[0])
    make.revise(two[0].feedback, "It works again, thank you")
    again = after(page, "Validate", note="Looks grave")
    assert "was edited at its source" in messages(again.response)[-1]
    assert on(again) == "The second report"
    assert not Review.objects.exists()
    assert Event.objects.get().text == "Looks grave"


def test_an_answer_that_was_lost_on_its_way_is_not_a_conflict_with_oneself(
    desks: tuple[Client, Client], two: tuple[QueueItem, QueueItem]
) -> None:
    page = card(desks[0])
    page.press("Validate", category="content-gap")
    again = after(page, "Validate", category="content-gap")
    assert messages(again.response)[-1] == "“The first report” was stored already."
    assert on(again) == "The second report"
    assert Review.objects.count() == 1
    other = page.press("Validate", category="noise")
    assert other.status_code == 409, "another decision is another thing"


@pytest.mark.parametrize(
    "more", [{"note": "They called again"}, {"priority": "3"}, {"action": "Write it down."}, {"category_reason": "PII"}]
)
def test_what_was_added_after_a_lost_answer_is_not_lost_with_it(
    desks: tuple[Client, Client], two: tuple[QueueItem, QueueItem], more: dict[str, str]
) -> None:
    page = card(desks[0])
    page.press("Validate", category="content-gap")
    both = Page(desks[0], page.url, page.press("Validate", category="content-gap", **more))
    assert "You have decided this item already" in words(both)
    after(both, "Apply mine")
    (review,) = Review.objects.filter(undone_at=None).exclude(replaces=None)
    stored = {"note": review.note, "priority": str(review.priority), "action": review.action}
    stored["category_reason"] = review.reasons.get("category", "")
    assert stored.items() >= more.items()


def test_two_people_who_answer_at_once_store_one_decision_each_or_see_both(
    desks: tuple[Client, Client], two: tuple[QueueItem, QueueItem]
) -> None:
    mine = card(desks[0], f"{REVIEW}{two[0].pk}/")
    theirs = after(card(desks[1], f"{REVIEW}{two[0].pk}/"), "Take over")
    assert theirs.press("Validate").status_code == 302
    assert mine.press("Noise").status_code == 409
    assert Review.objects.count() == 1
