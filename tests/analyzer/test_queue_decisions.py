"""One click in the list decides, says so, can be taken back, and leaves the list where it was."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from analyzer import reviews
from analyzer.models import QueueItem, Review
from tests import make
from tests.pages import Page, messages

pytestmark = pytest.mark.django_db

QUEUE = "/admin/analyzer/queueitem/"


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def test_validate_stores_the_decision_and_says_what_it_was_worth(desk: Client, ada: User) -> None:
    item = make.item("The basket forgets what I put in")
    response = Page(desk, QUEUE).press("Validate “", follow=True)
    review = Review.objects.get()
    assert (review.feedback_id, review.reviewer, review.provenance) == (item.pk, ada, "validated")
    (said,) = messages(response)
    assert said.startswith("Validated “The basket forgets what I put in” as website-bug/high (reward 1.00). ")
    assert "Nothing needs a decision" in response.content.decode()


@pytest.mark.parametrize(
    ("button", "field", "value"),
    [("Override category of", "category", "noise"), ("Override severity of", "severity", "critical")],
)
def test_another_chip_overrides_that_field(desk: Client, button: str, field: str, value: str) -> None:
    make.item("The basket forgets what I put in")
    label = f"{button} “The basket forgets what I put in” to {value.capitalize()}"
    response = Page(desk, QUEUE).press(label, follow=True)
    review = Review.objects.get()
    assert (getattr(review, field), review.provenance) == (value, "overridden")
    assert "was website-bug/high" in messages(response)[0]


def test_the_chip_of_the_machine_is_marked_and_cannot_be_pressed(desk: Client) -> None:
    make.item(category="content-gap", severity="low")
    page = Page(desk, QUEUE)
    pressed = [each.name for each in page.buttons if each.attributes.get("aria-pressed") == "true"]
    assert pressed == ["Content", "Low"]
    assert all("disabled" in each.attributes for each in page.buttons if each.name in pressed)


def test_undo_in_the_message_opens_the_item_again(desk: Client, ada: User) -> None:
    item = make.item()
    Page(desk, QUEUE).press("Validate “")
    response = Page(desk, QUEUE).press("Undo", follow=True)
    item.refresh_from_db()
    assert (item.status, item.review) == ("open", None)
    assert Review.objects.get().undone_by == ada
    assert "needs a decision again" in messages(response)[0]


def test_a_decided_line_can_be_undone_as_well(desk: Client, ada: User) -> None:
    item = make.item()
    reviews.validate(analysis=item.analysis, by=ada)
    response = Page(desk, f"{QUEUE}?status=decided").press("Undo the decision on")
    assert response.url == f"{QUEUE}?status=decided#item-{item.pk}"
    item.refresh_from_db()
    assert item.status == "open"


def test_filters_and_page_stay_and_the_next_line_is_in_view(desk: Client) -> None:
    first = make.item("The first of two", severity="high")
    second = make.item("The second of two", severity="high")
    page = Page(desk, f"{QUEUE}?severity=high&q=of+two&p=1")
    response = page.press("Validate “The first of two”")
    assert response.url == f"{QUEUE}?severity=high&q=of+two&p=1#item-{second.pk}"
    response = Page(desk, QUEUE).press("Validate “The second of two”")
    assert response.url == QUEUE, "the last line has no neighbour"
    assert QueueItem.objects.filter(pk__in=(first.pk, second.pk), status="decided").count() == 2


def test_the_way_back_cannot_lead_to_another_site(desk: Client) -> None:
    item = make.item()
    seen = {f"seen-{item.pk}": f"{item.analysis_id}."}
    for way in ("https://evil.example/", "//evil.example", "\r\nSet-Cookie: a=b", "a=b#https://evil.example"):
        response = desk.post(
            reverse("admin:analyzer_queueitem_decide", args=(item.pk,)), seen | {"_changelist_filters": way}
        )
        assert response.status_code == 302
        assert response.url.startswith(f"{QUEUE}?")
        assert "\r" not in response.url
        reviews.undo(review=Review.objects.latest("created_at"), by=User.objects.get(username="ada"))


def test_a_page_behind_the_last_one_shows_the_last_one(desk: Client) -> None:
    make.item()
    response = desk.get(f"{QUEUE}?p=9&category=website-bug")
    assert response.status_code == 200
    assert len(response.context["rows"]) == 1


def test_a_decision_on_an_analysis_that_was_replaced_is_refused(desk: Client) -> None:
    item = make.item()
    page = Page(desk, QUEUE)
    QueueItem.objects.filter(pk=item.pk).update(request=2)
    item.feedback.queue_item.refresh_from_db()
    make.analysis(item.feedback, category="noise", severity="low", request=2)
    response = page.press("Validate “", follow=True)
    assert "analysed anew while you looked at it" in messages(response)[0]
    assert not Review.objects.exists()


def test_two_people_at_once_do_not_overwrite_each_other(desk: Client, mia: User) -> None:
    item = make.item()
    page = Page(desk, QUEUE)
    reviews.override(analysis=item.analysis, by=mia, category="noise")
    response = page.press("Validate “", follow=True)
    assert "mia decided this item meanwhile: noise, low" in messages(response)[0]
    assert Review.objects.get().reviewer == mia


def test_a_failed_analysis_shows_its_error_and_can_be_retried(desk: Client) -> None:
    said = make.feedback("Nothing loads")
    QueueItem.objects.filter(pk=said.pk).update(stage="failed", attempts=3, error="RuntimeError: no <weights>")
    page = Page(desk, QUEUE)
    assert "RuntimeError: no &lt;weights&gt;" in page.html
    response = page.press("Retry the analysis of “Nothing loads”", follow=True)
    item = QueueItem.objects.get()
    assert (item.stage, item.request, item.attempts) == ("pending", 2, 0)
    assert "will be analysed again" in messages(response)[0]
    assert not [each for each in Page(desk, QUEUE).buttons if each.name.startswith(("Retry", "Validate “"))]


def test_a_button_without_what_was_seen_is_refused(desk: Client) -> None:
    item = make.item()
    decide = reverse("admin:analyzer_queueitem_decide", args=(item.pk,))
    for data in ({}, {f"seen-{item.pk}": "."}, {f"seen-{item.pk}": "nonsense."}, {"seen-x": "."}):
        assert desk.post(decide, data).status_code == 400
    seen = {f"seen-{item.pk}": f"{item.analysis_id}."}
    assert desk.post(decide, seen | {"category": "urgent"}).status_code == 400
    assert desk.post(reverse("admin:analyzer_queueitem_undo", args=(item.pk,)), {"review": "1"}).status_code == 400
    assert not Review.objects.exists()


def test_a_decision_needs_the_token_of_our_own_page(ada: User) -> None:
    item = make.item()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    seen = {f"seen-{item.pk}": f"{item.analysis_id}."}
    assert strict.post(reverse("admin:analyzer_queueitem_decide", args=(item.pk,)), seen).status_code == 403
    assert not Review.objects.exists()
