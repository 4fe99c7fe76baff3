"""Reports that say nearly the same: shown beside the item, and decided together after a preview."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from analyzer import reviews
from analyzer.models import QueueItem, Review
from tests import make
from tests.analyzer.test_focus_view import REVIEW, after, card, on, words
from tests.pages import Page, messages

pytestmark = pytest.mark.django_db

TEXT = "The checkout button does nothing when I press it on my phone"


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def copies(db: None) -> list[QueueItem]:
    """Four near-copies, found as the worker finds them; the last one is critical."""
    items = [
        make.item(TEXT + end, severity=severity)
        for end, severity in (("", "high"), (".", "medium"), ("!", "medium"), ("!!", "critical"))
    ]
    for item in items:
        make.compare(QueueItem.objects.select_related("feedback").get(pk=item.pk))
    return list(QueueItem.objects.select_related("feedback", "analysis").order_by("pk"))


def test_what_was_decided_about_similar_items_is_shown_with_who_and_how_alike(
    desk: Client, mia: User, copies: list[QueueItem]
) -> None:
    reviews.override(analysis=copies[1].analysis, by=mia, category="framework-issue")
    page = card(desk, f"{REVIEW}{copies[0].pk}/")
    text = words(page)
    assert "Decided before" in text
    assert "framework-issue/medium by mia, nearly the same" in text
    assert "3 similar say nearly the same" in text
    assert page.html.count("waiting</span>") == 2


def test_the_others_are_decided_alike_after_a_preview_in_one_batch(desk: Client, copies: list[QueueItem]) -> None:
    response = card(desk, f"{REVIEW}{copies[0].pk}/").press("Save, then decide the 3 similar", category="content-gap")
    assert response.url == f"{REVIEW}{copies[0].pk}/similar/"
    preview = Page(desk, response.url)
    text = words(preview)
    assert "was decided as content-gap/high" in text
    assert "1 critical" in text
    assert Review.objects.count() == 1, "the preview decides nothing"
    page = after(preview, "Decide the ticked alike")
    batch = Review.objects.exclude(batch=None)
    assert {(one.category, one.severity, one.provenance) for one in batch} == {("content-gap", "high", "bulk")}
    assert batch.count() == 2
    assert on(page) == TEXT + "!!"
    page = after(page, "Undo all 2")
    assert QueueItem.objects.queue().count() == 3


def test_only_what_is_left_ticked_is_decided(desk: Client, copies: list[QueueItem]) -> None:
    response = card(desk, f"{REVIEW}{copies[0].pk}/").press("Save, then decide the 3 similar")
    preview = Page(desk, response.url)
    preview.press("Decide the ticked alike", _selected_action=[str(copies[2].pk), str(copies[3].pk), "nonsense"])
    assert Review.objects.get(provenance="bulk").feedback_id == copies[2].pk


def test_a_decision_that_changed_meanwhile_is_not_repeated(desk: Client, mia: User, copies: list[QueueItem]) -> None:
    response = card(desk, f"{REVIEW}{copies[0].pk}/").press("Save, then decide the 3 similar")
    preview = Page(desk, response.url)
    first = Review.objects.get()
    reviews.override(analysis=copies[0].analysis, by=mia, category="noise", after=first)
    page = after(preview, "Decide the ticked alike")
    assert "does not count any more" in messages(page.response)[0]
    assert not Review.objects.filter(provenance="bulk").exists()


def test_where_there_is_nothing_to_repeat_the_page_says_so(desk: Client, ada: User, copies: list[QueueItem]) -> None:
    page = card(desk, f"{REVIEW}{copies[0].pk}/similar/")
    assert "is not decided, so there is nothing to repeat" in messages(page.response)[0]
    alone = make.item("Something else entirely")
    reviews.validate(analysis=alone.analysis, by=ada)
    page = card(desk, f"{REVIEW}{alone.pk}/similar/")
    assert "None of the similar ones is waiting" in messages(page.response)[0]
