"""Decisions and feedback as lists to read: complete, filtered, linked, and counted no further than is useful."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analyzer import reviews
from feedback.admin_base import CappedPaginator
from feedback.models import Feedback
from tests import make

pytestmark = pytest.mark.django_db

REVIEWS = "/admin/analyzer/review/"


@pytest.fixture
def desk(client: Client, ben: User) -> Client:
    client.force_login(ben)
    return client


def test_the_list_of_decisions_shows_person_and_machine_side_by_side(desk: Client, ada: User) -> None:
    item = make.item("The basket is empty")
    reviews.override(analysis=item.analysis, by=ada, category="content-gap", severity="low")
    page = desk.get(REVIEWS).content.decode()
    for part in ("The basket is empty", "Content", "Low", "Bug", "High", "overridden", "ada", f"{item.pk}/change/"):
        assert part in page


def test_decisions_are_found_by_reviewer_kind_and_whether_they_were_taken_back(
    desk: Client, ada: User, mia: User
) -> None:
    reviews.validate(analysis=make.item("By ada").analysis, by=ada)
    taken_back = reviews.override(analysis=make.item("By mia").analysis, by=mia, category="noise")
    reviews.undo(review=taken_back, by=mia)

    def said(query: str) -> list[str]:
        return sorted(each.feedback.comment for each in desk.get(REVIEWS + query).context["cl"].result_list)

    assert said("") == ["By ada", "By mia"]
    assert said(f"?reviewer={ada.pk}") == ["By ada"]
    assert said("?reviewer=nonsense") == ["By ada", "By mia"]
    assert said("?provenance__exact=overridden") == ["By mia"]
    assert said("?category__exact=noise") == ["By mia"]
    assert said("?undone=no") == ["By ada"]
    assert said("?undone=yes") == ["By mia"]


def test_the_page_of_a_decision_shows_its_reward_and_who_took_it_back(desk: Client, ada: User) -> None:
    review = reviews.validate(analysis=make.item().analysis, by=ada, note="Seen it too")
    reviews.undo(review=review, by=ada)
    page = desk.get(f"{REVIEWS}{review.pk}/change/").content.decode()
    assert "Seen it too" in page
    assert "by ada" in page


@pytest.mark.parametrize("address", [REVIEWS, "/admin/feedback/feedback/"])
def test_the_number_of_queries_does_not_grow_with_the_rows(desk: Client, ada: User, address: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(address).status_code == 200
        return len(captured)

    for number in range(2):
        reviews.validate(analysis=make.item(f"Few {number}").analysis, by=ada)
    few = queries()
    for number in range(6):
        reviews.validate(analysis=make.item(f"Many {number}").analysis, by=ada)
    assert queries() == few


def test_feedback_can_be_read_searched_and_followed_to_the_queue(desk: Client) -> None:
    item = make.item("The basket is empty", page="/basket")
    make.item("Something else", page="/help")
    page = desk.get("/admin/feedback/feedback/?q=basket").content.decode()
    assert "The basket is empty" in page
    assert "Something else" not in page
    one = desk.get(f"/admin/feedback/feedback/{item.pk}/change/").content.decode()
    assert f"/admin/analyzer/queueitem/{item.pk}/change/" in one
    assert item.feedback.client_key == "" or item.feedback.client_key not in one


def test_the_paginator_counts_to_its_cap_and_keeps_every_page_in_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedback.admin_base.CAP", 5)
    for number in range(7):
        make.feedback(f"Number {number}")
    capped = CappedPaginator(Feedback.objects.order_by("received_at"), 2)
    assert (capped.count, capped.capped, capped.num_pages) == (5, True, 3)
    assert [len(capped.page(number)) for number in (-1, 1, 3, 99)] == [2, 2, 1, 1]
    few = CappedPaginator(Feedback.objects.order_by("received_at")[:3], 2)
    assert few.per_page == 2
    exact = CappedPaginator(Feedback.objects.filter(comment__in=("Number 1", "Number 2")), 2)
    assert (exact.count, exact.capped) == (2, False)
