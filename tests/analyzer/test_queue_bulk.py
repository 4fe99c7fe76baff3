"""Ticked lines together: a page says first what that would mean, and only what is safe can be decided so."""

from __future__ import annotations

from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from analyzer.admin.bulk import estimate
from analyzer.models import QueueItem, Review
from tests import make
from tests.pages import Page, messages

pytestmark = pytest.mark.django_db

QUEUE = "/admin/analyzer/queueitem/"


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def tick(*items: QueueItem) -> dict[str, list[str]]:
    return {"_selected_action": [str(item.pk) for item in items]}


def preview(desk: Client, *items: QueueItem, query: str = "") -> Page:
    """The page that comes before ticked lines are decided."""
    response = Page(desk, QUEUE + query).press("Validate selected", **tick(*items))
    assert response.status_code == 200
    return Page(desk, QUEUE, response)


def line(page: Page, item: QueueItem) -> str:
    """The line of an item in the preview, as text with its markup."""
    return unescape(page.html[page.html.index(f'value="{item.pk}"') :].split("</tr>")[0])


def test_ticked_lines_are_validated_as_one_batch_that_can_be_undone(desk: Client) -> None:
    items = [make.item(f"Link number {number} is broken", severity="low") for number in range(3)]
    page = preview(desk, *items[:2], query="?severity=low")
    assert not Review.objects.exists(), "the preview decides nothing"
    response = page.press("Validate the ticked")
    assert response.url == f"{QUEUE}?severity=low"
    assert {review.provenance for review in Review.objects.all()} == {"bulk"}
    assert Review.objects.values("batch").distinct().count() == 1
    page = Page(desk, response.url)
    assert messages(page.response)[0].startswith("Decided 2 items together. ")
    response = page.press("Undo all 2", follow=True)
    assert messages(response) == ["Taken back: 2 decisions."]
    assert QueueItem.objects.queue().count() == 3


def test_critical_flagged_and_undecidable_lines_cannot_be_ticked_and_say_why(desk: Client) -> None:
    fine = make.item("A typo", severity="low")
    critical = make.item("Everything is down", severity="critical")
    person = make.item("I want my money back", needs_person=True)
    waiting = make.feedback("Still waiting").queue_item
    page = preview(desk, fine, critical, person, waiting)
    assert "checked" in line(page, fine)
    for item, reason in ((critical, "critical"), (person, "flagged"), (waiting, "not analysed yet")):
        assert "disabled" in line(page, item)
        assert f"<td>{reason}</td>" in line(page, item)
    response = page.press("Validate the ticked", follow=True, **tick(fine, critical, person, waiting))
    assert "1 critical" in messages(response)[1]
    assert "“Everything is down” (critical)" in messages(response)[1]
    assert Review.objects.get().feedback_id == fine.pk


def test_lines_below_their_threshold_or_with_personal_data_are_not_ticked_but_may_be(desk: Client) -> None:
    sure = make.item("A typo", severity="low", category_confidence=0.9, severity_confidence=0.9)
    unsure = make.item("Something", severity="low", category_confidence=0.3, severity_confidence=0.2)
    named = make.item("Mail me at jo@mail.example.org about the typo", severity="low")
    page = preview(desk, sure, unsure, named)
    assert "checked" in line(page, sure)
    assert "checked" not in line(page, unsure)
    assert "not sure of the category and severity" in line(page, unsure)
    assert "checked" not in line(page, named)
    assert "personal data was removed" in line(page, named)
    page.press("Validate the ticked", **tick(sure, unsure))
    assert set(Review.objects.values_list("feedback", flat=True)) == {sure.pk, unsure.pk}


def test_the_preview_estimates_how_many_are_wrong_and_shows_the_least_certain(desk: Client) -> None:
    items = [
        make.item(f"Report {share}", severity="low", category_confidence=share, severity_confidence=1.0)
        for share in (0.99, 0.95, 0.9, 0.8, 0.75, 0.7, 0.6)
    ]
    page = preview(desk, *items)
    text = " ".join(unescape(page.html).split())
    assert "1.3 <span" in text, "0.01 + 0.05 + 0.1 + 0.2 + 0.25 + 0.3 + 0.4"
    assert "95 % interval 0 to 3, n = 7" in text
    least = text[text.index('<ol class="least">') : text.index("</ol>")]
    assert [share for share in ("0.99", "0.95", "0.9", "0.8", "0.75", "0.7", "0.6") if f"Report {share}<" in least] == [
        "0.9",
        "0.8",
        "0.75",
        "0.7",
        "0.6",
    ]


def test_a_line_that_changed_since_it_was_shown_is_left_out(desk: Client) -> None:
    item, other = make.item("A typo", severity="low"), make.item("Another", severity="low")
    page = preview(desk, item, other)
    QueueItem.objects.filter(pk=item.pk).update(request=2)
    item.feedback.queue_item.refresh_from_db()
    make.analysis(item.feedback, severity="medium", request=2)
    response = page.press("Validate the ticked", follow=True)
    assert "1 changed since you looked" in messages(response)[1]
    assert Review.objects.get().feedback_id == other.pk


def test_a_line_that_changed_before_the_preview_cannot_be_ticked(desk: Client) -> None:
    item = make.item("A typo", severity="low")
    page = Page(desk, QUEUE)
    QueueItem.objects.filter(pk=item.pk).update(request=2)
    item.feedback.queue_item.refresh_from_db()
    make.analysis(item.feedback, severity="medium", request=2)
    shown = Page(desk, QUEUE, page.press("Validate selected", **tick(item)))
    assert "changed since you looked" in line(shown, item)
    assert not [each for each in shown.buttons if each.name.startswith("Validate the")]


def test_nothing_beyond_the_page_can_be_validated(desk: Client) -> None:
    shown = make.item("Shown on this page", severity="low")
    page = Page(desk, f"{QUEUE}?q=Shown")
    make.item("Never seen", severity="low")
    response = page.press("Validate selected", select_across="1", **tick(shown))
    Page(desk, QUEUE, response).press("Validate the ticked")
    assert Review.objects.get().feedback_id == shown.pk


def test_without_a_tick_the_page_says_so(desk: Client) -> None:
    item = make.item(severity="low")
    response = Page(desk, QUEUE).press("Validate selected", follow=True)
    assert "must be selected" in messages(response)[0]
    response = preview(desk, item).press("Validate the ticked", follow=True, _selected_action=[])
    assert messages(response) == ["Nothing was ticked, so nothing was decided."]
    assert not Review.objects.exists()


def test_only_a_reviewer_accepts_in_bulk_and_only_by_post(desk: Client, ben: User) -> None:
    item = make.item("A typo", severity="low")
    accept = f"{QUEUE}validate-batch/"
    assert desk.get(accept).status_code == 405
    desk.force_login(ben)
    data = {f"seen-{item.pk}": f"{item.analysis_id}.", "_selected_action": [str(item.pk)]}
    assert desk.post(accept, data).status_code == 403
    assert not Review.objects.exists()


def test_ticked_lines_can_be_analysed_again(desk: Client) -> None:
    items = [make.item(f"Link number {number} is broken") for number in range(2)]
    response = Page(desk, QUEUE).press("Analyse again", follow=True, **tick(*items))
    assert messages(response) == ["2 items will be analysed again."]
    assert set(QueueItem.objects.values_list("stage", "request")) == {("pending", 2)}


def test_nobody_can_delete_from_the_queue_in_bulk(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    make.item()
    assert "delete_selected" not in Page(client, QUEUE).html


@pytest.mark.parametrize(
    ("right", "mean", "low", "high"),
    [
        ([], 0.0, 0, 0),
        ([1.0, 1.0], 0.0, 0, 0),
        ([0.0, 0.0], 2.0, 2, 2),
        ([0.5], 0.5, 0, 1),
        # Binomial(10, 0.5): P(X <= 1) is 1.1 %, P(X <= 2) 5.5 %; P(X <= 7) 94.5 %, P(X <= 8) 98.9 %.
        ([0.5] * 10, 5.0, 2, 8),
        # Binomial(100, 0.1): the exact 2.5 % and 97.5 % quantiles are 5 and 16.
        ([0.9] * 100, 10.0, 5, 16),
    ],
)
def test_the_interval_is_that_of_the_exact_distribution(right: list[float], mean: float, low: int, high: int) -> None:
    found = estimate(right)
    assert (found.n, found.low, found.high) == (len(right), low, high)
    assert found.mean == pytest.approx(mean)


@given(st.lists(st.floats(0, 1), max_size=60))
def test_the_interval_holds_whole_numbers_around_the_mean(right: list[float]) -> None:
    found = estimate(right)
    assert 0 <= found.low <= found.high <= len(right)
    assert found.low - 1 < found.mean < found.high + 1
