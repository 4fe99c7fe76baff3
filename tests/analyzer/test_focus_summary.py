"""The end of the line says what one did, what is left and why, and where to go from there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analyzer import reviews
from analyzer.models import QueueItem, Review
from tests import make
from tests.analyzer.test_focus_view import QUEUE, REVIEW, card, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def test_an_empty_queue_is_said_to_be_empty(desk: Client) -> None:
    text = words(card(desk))
    assert "Nothing needs a decision" in text
    assert "Decided by you today Nothing yet." in text


def test_the_summary_counts_ones_own_day_by_path_with_the_median(desk: Client, ada: User, mia: User) -> None:
    for seconds in (2.0, 4.0, 9.0):
        reviews.validate(analysis=make.item(f"Kept {seconds}").analysis, by=ada, seconds=seconds)
    reviews.override(analysis=make.item("Changed").analysis, by=ada, category="noise", seconds=20.0)
    reviews.validate(analysis=make.item("By somebody else").analysis, by=mia, seconds=100.0)
    reviews.undo(review=reviews.validate(analysis=make.item("Taken back").analysis, by=ada, seconds=50.0), by=ada)
    old = reviews.validate(analysis=make.item("The day before").analysis, by=ada, seconds=70.0)
    Review.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    make.item("For ada")
    make.item("For ada, too")
    text = words(card(desk, f"{REVIEW}done/"))
    for part in (
        "3 items wait for you",
        "Go on reviewing",
        "Validated 3 4 s each (median)",
        "Overridden 1 20 s each (median)",
        "In all 4 6.5 s each (median of n = 4)",
        "You and the machine agree 75 % 3 of n = 4",
    ):
        assert part in text, part


def test_what_is_left_is_said_with_the_reason_and_a_way_on(desk: Client, ada: User, mia: User) -> None:
    QueueItem.objects.filter(pk=make.item("Held by mia").pk).update(
        claimed_by=mia, claimed_until=timezone.now() + timedelta(minutes=5)
    )
    make.feedback("Still being analysed")
    lowered = make.item("It is all down", severity="critical")
    reviews.override(analysis=lowered.analysis, by=mia, severity="low")
    page = card(desk)
    text = words(page)
    assert "Nothing is left for you 1 item still waits, 1 of them open in front of somebody else." in text
    assert "1 more is being analysed." in text
    assert "Give a second opinion 1" in text
    assert "Settle disputes" not in text
    assert "Go on reviewing" not in text
    assert f'href="{QUEUE}"' in page.html


def test_the_number_of_queries_does_not_depend_on_the_day(desk: Client, ada: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(f"{REVIEW}done/").status_code == 200
        return len(captured)

    reviews.validate(analysis=make.item("One").analysis, by=ada)
    few = queries()
    for number in range(5):
        reviews.validate(analysis=make.item(f"More {number}").analysis, by=ada)
        make.item(f"Open {number}")
    assert queries() == few
    assert few <= 13
