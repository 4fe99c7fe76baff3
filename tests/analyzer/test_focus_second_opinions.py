"""A second person decides blind; where two disagree a manager sees both and settles it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from analyzer import claims, reviews
from analyzer.models import QueueItem, Review
from tests import make
from tests.analyzer.test_focus_view import REVIEW, after, card, on, words
from tests.pages import messages

pytestmark = pytest.mark.django_db

SECOND = f"{REVIEW}?mode=second"


@pytest.fixture
def eve(db: None) -> User:
    """Another reviewer."""
    return make.user("eve", "Reviewer")


@pytest.fixture
def decided(ada: User) -> QueueItem:
    """An item that ada made less than the machine's critical, so that a second opinion is wanted."""
    item = make.item(
        "The whole shop is down",
        severity="critical",
        action="Call whoever is on duty at once.",
        evidence=["shop is down"],
        findings=[{"rule": "severity-floor", "reason": "Raised from medium."}],
    )
    reviews.override(
        analysis=item.analysis, by=ada, severity="low", note="Works for me.", reasons={"severity": "misread"}
    )
    return item


def test_the_second_person_sees_neither_the_first_decision_nor_the_suggestion(
    client: Client, eve: User, decided: QueueItem
) -> None:
    client.force_login(eve)
    page = card(client, SECOND)
    assert on(page) == "The whole shop is down"
    shown = page.html
    for hidden in ("Works for me", "misread", "Call whoever", "<mark>", "70 %", "Raised from", "History"):
        assert hidden not in shown, hidden
    assert "by ada" not in shown
    fields = dict(page.forms["card"]["fields"])
    assert "category" not in fields
    assert "severity" not in fields


def test_what_somebody_else_has_open_is_as_blind(client: Client, eve: User, mia: User, decided: QueueItem) -> None:
    assert claims.take(item=decided, by=mia)
    client.force_login(eve)
    page = card(client, f"{REVIEW}{decided.pk}/?mode=second")
    assert "mia has this item open" in page.html
    for hidden in ("Works for me", "misread", "Call whoever", "<mark>", "Raised from", "History", "All about this"):
        assert hidden not in page.html, hidden


def test_agreeing_and_disagreeing_are_said_and_can_be_taken_back(
    client: Client, eve: User, ada: User, decided: QueueItem
) -> None:
    client.force_login(eve)
    done = after(
        card(client, SECOND), "Save my opinion", category="website-bug", severity="critical", note="It is down!"
    )
    assert messages(done.response)[0].startswith(
        "You disagree on “The whole shop is down” as website-bug/critical; the first decision was website-bug/low."
    )
    opinion = Review.objects.get(role="second")
    assert (opinion.reviewer, opinion.suggestion_visible, opinion.note) == (eve, False, "It is down!")
    assert opinion.seconds is not None
    item = QueueItem.objects.get()
    assert (item.second, item.severity) == ("disputed", "low"), "the decision stands meanwhile"
    again = after(done, "Undo last")
    assert on(again) == "The whole shop is down"
    assert "Works for me" not in again.html
    done = after(again, "Save my opinion", category="website-bug", severity="low")
    assert messages(done.response)[0].startswith("You agree on")
    assert QueueItem.objects.get().second == "agreed"


def test_nobody_gives_a_second_opinion_on_their_own_decision(client: Client, ada: User, decided: QueueItem) -> None:
    client.force_login(ada)
    assert "No second opinion of yours is wanted" in card(client, SECOND).html
    page = card(client, f"{REVIEW}{decided.pk}/?mode=second")
    assert "a second opinion must come from somebody else" in messages(page.response)[0]


def test_a_second_opinion_that_is_not_wanted_any_more_is_not_lost_without_a_word(
    client: Client, eve: User, mia: User, decided: QueueItem
) -> None:
    client.force_login(eve)
    page = card(client, SECOND)
    QueueItem.objects.filter(pk=decided.pk).update(second="agreed")
    done = after(page, "Save my opinion", category="noise", severity="low", note="Spam")
    assert "No second opinion is wanted on this item any more" in messages(done.response)[0]
    assert decided.feedback.events.get().text == "Spam"


def test_both_labels_must_be_chosen(client: Client, eve: User, decided: QueueItem) -> None:
    client.force_login(eve)
    response = card(client, SECOND).press("Save my opinion", category="noise")
    assert response.status_code == 422
    assert "Please choose a severity." in response.content.decode()


def test_a_manager_sees_both_opinions_and_settles_the_dispute(
    client: Client, eve: User, mia: User, ada: User, decided: QueueItem
) -> None:
    client.force_login(eve)
    after(card(client, SECOND), "Save my opinion", category="website-bug", severity="critical", note="It is down!")
    client.force_login(mia)
    assert "Settle disputes 1" in words(card(client, f"{REVIEW}done/"))
    listed = words(card(client, f"{REVIEW}disputes/"))
    assert "The whole shop is down website-bug/low ada website-bug/critical eve Settle" in listed
    page = card(client, f"{REVIEW}{decided.pk}/?mode=dispute")
    text = words(page)
    for part in (
        "ada website-bug/low",
        "Works for me.",
        "eve website-bug/critical",
        "It is down!",
        "machine website-bug/",
    ):
        assert part in text, part
    done = after(page, "Save my verdict", category="website-bug", severity="high")
    assert "There is nothing to settle" in done.html
    assert messages(done.response)[0].startswith("Settled “The whole shop is down” as website-bug/high")
    item = QueueItem.objects.select_related("review").get()
    assert (item.second, item.severity, item.review.role) == ("settled", "high", "adjudication")
    assert Review.objects.filter(undone_at=None).count() == 3, "both opinions are kept"
    assert on(after(done, "Undo z")) == "The whole shop is down"
    assert QueueItem.objects.get().second == "disputed"


def test_only_a_manager_settles_and_none_of_the_two(client: Client, eve: User, mia: User, decided: QueueItem) -> None:
    client.force_login(mia)
    after(card(client, SECOND), "Save my opinion", category="noise", severity="low")
    assert "needs somebody else" in card(client, f"{REVIEW}disputes/").html
    page = card(client, f"{REVIEW}{decided.pk}/?mode=dispute")
    assert "somebody who has not decided" in messages(page.response)[0]
    client.force_login(eve)
    for address in (f"{REVIEW}disputes/", f"{REVIEW}{decided.pk}/?mode=dispute", f"{REVIEW}?mode=dispute"):
        assert client.get(address, follow=True).status_code == 403
