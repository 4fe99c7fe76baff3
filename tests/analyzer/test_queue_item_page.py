"""The page of one item: everything that is known of it, and the full form to decide."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from analyzer import reviews
from analyzer.admin.detail import highlight
from analyzer.models import Analysis, QueueItem, Review
from tests import make
from tests.pages import Page, messages

pytestmark = pytest.mark.django_db

QUEUE = "/admin/analyzer/queueitem/"


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def address(item: QueueItem) -> str:
    return reverse("admin:analyzer_queueitem_change", args=(item.pk,))


def words(client: Client, item: QueueItem) -> str:
    """The page's text without its markup."""
    text = re.sub(r"<[^>]+>", " ", client.get(address(item)).content.decode())
    return " ".join(unescape(text).split())


def fields(item: QueueItem, **changes: str) -> dict[str, str]:
    """The form as the page shows it, with what a person changed."""
    analysis = item.analysis
    return {
        "category": analysis.category,
        "severity": analysis.severity,
        "action": analysis.action,
        "priority": str(analysis.priority),
        "note": "",
    } | changes


def test_the_page_shows_what_was_said_and_what_governance_found(desk: Client) -> None:
    item = make.item("Mail me at jo@mail.example.org, the basket is empty", rating=2, page="/basket", type="bug")
    text = words(desk, item)
    for part in (
        "the basket is empty",
        "/basket",
        "Something is broken",
        "2/5",
        "Source form",
        "Personal data removed 1 ×",
    ):
        assert part in text
    assert "jo@mail.example.org" not in text


def test_the_page_shows_what_the_machine_thinks_and_why(desk: Client) -> None:
    item = make.item(
        category_confidence=0.44,
        category_probabilities={"website-bug": 0.44, "content-gap": 0.4, "noise": 0.16},
        severity_confidence=0.9,
        needs_person=True,
        findings=[{"rule": "boundary-refund", "reason": "Only a person may give money back."}],
        fallback_reason="timeout: no answer within 30 s",
        duration_ms=12.4,
        trace=[{"name": "agentlightning.object", "status": "OK", "ms": 3.2, "attributes": {"answer": '{"a": [1]}'}}],
    )
    text = words(desk, item)
    for part in (
        "Category Website bug 44 %, not sure then Content gap 40 %",
        "Severity High 90 %",
        "severity high +62",
        "boundary-refund Only a person may give money back.",
        "timeout: no answer within 30 s",
        "v1 local (test)",
        "in 12 ms",
        "Trace: 1 step",
        "agentlightning.object",
        '"a": [ 1 ]',
    ):
        assert part in text, part


def test_the_page_shows_every_earlier_analysis(desk: Client) -> None:
    item = make.item(category="noise", severity="low")
    QueueItem.objects.filter(pk=item.pk).update(request=2)
    item.feedback.queue_item.refresh_from_db()
    make.analysis(item.feedback, category="content-gap", severity="medium", request=2)
    text = words(desk, item)
    assert "Category Content gap" in text
    assert "Earlier analyses noise/low , priority" in text


def test_the_page_shows_every_decision_with_who_what_and_the_reward(desk: Client, ada: User, mia: User) -> None:
    item = make.item()
    first = reviews.validate(analysis=item.analysis, by=ada)
    reviews.undo(review=first, by=mia)
    reviews.override(
        analysis=item.analysis, by=mia, severity="low", reasons={"severity": "too severe"}, note="Asked the shop."
    )
    text = words(desk, item)
    for part in (
        "Validated by ada",
        "Taken back by mia",
        "Overridden by mia",
        "Severity high low “too severe” 0.33",
        "Category website-bug kept 1.00",
        "Asked the shop.",
    ):
        assert part in text, part


def test_the_number_of_queries_does_not_grow_with_the_history(desk: Client, ada: User) -> None:
    item = make.item()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(address(item)).status_code == 200
        return len(captured)

    reviews.undo(review=reviews.validate(analysis=item.analysis, by=ada), by=ada)
    few = queries()
    for _ in range(4):
        reviews.undo(review=reviews.override(analysis=item.analysis, by=ada, category="noise"), by=ada)
    assert queries() == few


def test_validate_on_the_page_goes_back_to_the_list_with_its_filters(desk: Client) -> None:
    item, other = make.item("First"), make.item("Second")
    page = Page(desk, f"{address(item)}?_changelist_filters=severity%3Dhigh%26p%3D1")
    response = page.press("Validate", **fields(item, note="Looks right."))
    assert response.url == f"{QUEUE}?severity=high&p=1#item-{other.pk}"
    review = Review.objects.get()
    assert (review.provenance, review.note) == ("validated", "Looks right.")


def test_save_override_stores_only_what_was_changed_with_its_reason(desk: Client) -> None:
    item = make.item()
    response = Page(desk, address(item)).press(
        "Save override",
        follow=True,
        **fields(item, severity="low", severity_reason="too severe", action_reason="not changed, so not a reason"),
    )
    review = Review.objects.get()
    assert (review.category, review.severity, review.priority) == ("website-bug", "low", None)
    assert review.reasons == {"severity": "too severe"}
    assert messages(response)[0].startswith("Overrode “The checkout button")


def test_action_and_priority_can_be_overridden(desk: Client) -> None:
    item = make.item()
    Page(desk, address(item)).press(
        "Save override", **fields(item, action="Ask the payment provider for its log of /checkout.", priority="99")
    )
    review = Review.objects.get()
    assert (review.action, review.priority) == ("Ask the payment provider for its log of /checkout.", 99)
    item.refresh_from_db()
    assert item.priority == 99


def test_the_action_of_another_category_is_not_counted_as_kept(desk: Client) -> None:
    item = make.item()
    Page(desk, address(item)).press("Save override", **fields(item, category="content-gap"))
    assert Review.objects.get().action == ""


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("priority", "101", "A whole number from 0 to 100."),
        ("priority", "soon", "A whole number from 0 to 100."),
        ("category", "urgent", "valid choice"),
        ("action", "x" * 401, "at most 400"),
        ("note", "x" * 2001, "at most 2000"),
    ],
)
def test_what_cannot_be_stored_is_said_beside_the_field(desk: Client, field: str, value: str, says: str) -> None:
    item = make.item()
    response = Page(desk, address(item)).press("Save override", **fields(item, severity="low", **{field: value}))
    assert response.status_code == 200
    assert says in response.context["form"].errors[field][0]
    assert says in response.content.decode()
    assert not Review.objects.exists()


def test_validate_does_not_mind_what_stands_in_the_other_fields(desk: Client) -> None:
    item = make.item()
    assert Page(desk, address(item)).press("Validate", **fields(item, priority="soon")).status_code == 302
    assert Review.objects.get().provenance == "validated"


def test_a_page_that_was_overtaken_stores_nothing_and_keeps_what_was_written(desk: Client, mia: User) -> None:
    item = make.item()
    page = Page(desk, address(item))
    reviews.override(analysis=item.analysis, by=mia, category="noise")
    response = page.press("Save override", **fields(item, severity="low", note="My thoughts"))
    assert response.status_code == 200
    assert "changed while you looked at it" in response.content.decode()
    assert "My thoughts" in response.content.decode()
    assert Review.objects.get().reviewer == mia


def test_a_page_whose_words_were_edited_meanwhile_stores_nothing_but_the_note(desk: Client) -> None:
    item = make.item("Nobody can pay")
    page = Page(desk, address(item))
    make.revise(item.feedback, "It works again, thank you")
    html = page.press("Save override", **fields(item, severity="low", note="My thoughts")).content.decode()
    assert "changed while you looked at it" in html
    assert "My thoughts" in html
    assert "It works again, thank you" in html
    assert not Review.objects.exists()


def test_a_decided_item_can_be_decided_anew_and_undone_from_its_page(desk: Client, mia: User) -> None:
    item = make.item()
    first = reviews.override(analysis=item.analysis, by=mia, category="noise")
    page = Page(desk, address(item))
    assert "Decide anew" in page.html
    page.press("Save override", **fields(item, category="content-gap", severity="low"))
    item.refresh_from_db()
    assert (item.category, item.review.replaces) == ("content-gap", first)
    response = Page(desk, address(item)).press("Undo this decision")
    assert response.url == address(item)
    item.refresh_from_db()
    assert item.review == first


def test_previous_and_next_walk_the_queue_in_its_order(desk: Client) -> None:
    now = timezone.now()
    items = [make.item(f"Item {age}", received_at=now - timedelta(hours=age)) for age in (3, 2, 1)]
    walked = [desk.get(address(item)).context for item in items]
    assert [(each["before"], each["after"]) for each in walked] == [
        (None, items[1].pk),
        (items[0].pk, items[2].pk),
        (items[1].pk, None),
    ]


def test_equals_are_walked_as_the_list_shows_them(desk: Client) -> None:
    now = timezone.now()
    for number in range(4):
        make.item(f"Item {number}", received_at=now)
    listed = [row.item.pk for row in desk.get(QUEUE).context["rows"]]
    walked = [listed[0]]
    while (following := desk.get(f"{QUEUE}{walked[-1]}/change/").context["after"]) is not None:
        walked.append(following)
    assert walked == listed


def test_an_item_that_is_not_analysed_has_no_form(desk: Client) -> None:
    said = make.feedback("New")
    page = Page(desk, address(said.queue_item))
    assert "nothing to validate or override" in page.html
    assert not [each for each in page.buttons if each.name.startswith(("Validate", "Save override"))]


def test_a_failed_analysis_can_be_retried_from_the_page(desk: Client) -> None:
    item = make.feedback("Broken").queue_item
    QueueItem.objects.filter(pk=item.pk).update(stage="failed", attempts=3, error="ValueError: no")
    response = Page(desk, address(item)).press("Retry the analysis")
    assert response.url == address(item)
    item.refresh_from_db()
    assert item.stage == "pending"


@pytest.mark.parametrize("key", ["01a208fc-0000-7000-8000-000000000000", "nonsense"])
def test_an_unknown_item_leads_back_to_the_list_and_says_so(desk: Client, key: str) -> None:
    response = desk.get(f"{QUEUE}{key}/change/", follow=True)
    assert response.redirect_chain == [(QUEUE, 302)]
    assert messages(response) == ["There is no such item; it may have been deleted."]


@pytest.mark.parametrize(
    ("comment", "quotes", "marked"),
    [
        ("nothing quoted", [], "nothing quoted"),
        ("the page is slow", ["page is"], "the <mark>page is</mark> slow"),
        ("slow, so slow", ["slow"], "<mark>slow</mark>, so <mark>slow</mark>"),
        ("abcdef", ["abc", "bcd"], "<mark>abcd</mark>ef"),
        ("a <b> & c", ["<b>"], "a <mark>&lt;b&gt;</mark> &amp; c"),
        ("</mark><script>", ["script"], "&lt;/mark&gt;&lt;<mark>script</mark>&gt;"),
        ("said otherwise", ["not said", ""], "said otherwise"),
        ("👍 gut so", ["gut"], "👍 <mark>gut</mark> so"),
        ("", ["x"], ""),
    ],
)
def test_evidence_is_marked_in_the_escaped_comment(comment: str, quotes: list[str], marked: str) -> None:
    assert highlight(comment, quotes) == marked


def test_evidence_is_marked_on_the_page(desk: Client) -> None:
    item = make.item("The <b>basket</b> is empty", evidence=["<b>basket"])
    assert Analysis.objects.get().evidence == ["<b>basket"]
    assert "The <mark>&lt;b&gt;basket</mark>&lt;/b&gt; is empty" in desk.get(address(item)).content.decode()


def test_a_post_without_any_field_stores_nothing_and_shows_the_form_again(desk: Client) -> None:
    item = make.item()
    assert desk.post(address(item), {}).status_code == 200
    item.refresh_from_db()
    assert item.review is None
