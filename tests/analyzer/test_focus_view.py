"""One item at a time: what the focus view shows, what its buttons store, and where they lead; without JavaScript."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analyzer import claims, events, reviews
from analyzer.models import DeskPreference, Event, QueueItem, Review
from tests import make
from tests.pages import Page, messages

pytestmark = pytest.mark.django_db

QUEUE = "/admin/analyzer/queueitem/"
REVIEW = f"{QUEUE}review/"


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def two(db: None) -> tuple[QueueItem, QueueItem]:
    """Two open items; the first is the more important."""
    return make.item("The first report", severity="high"), make.item("The second report", severity="low")


def card(desk: Client, address: str = REVIEW) -> Page:
    """The page that an address of the focus view leads to."""
    response = desk.get(address)
    if response.status_code == 302:
        return card(desk, response.url)
    return Page(desk, address, response)


def after(page: Page, name: str, **changes: object) -> Page:
    """The page that pressing a button leads to."""
    response = page.press(name, **changes)
    if response.status_code == 302:
        return card(page.client, response.url)
    return Page(page.client, page.url, response)


def words(page: Page) -> str:
    """The page's text without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.html)).split())


def on(page: Page) -> str:
    """Which item the card shows."""
    return page.response.context["item"].feedback.comment


def test_the_list_leads_to_the_first_item_and_claims_it(
    desk: Client, ada: User, two: tuple[QueueItem, QueueItem]
) -> None:
    assert f'href="{REVIEW}" data-key="r"' in Page(desk, QUEUE).html
    page = card(desk)
    assert on(page) == "The first report"
    assert QueueItem.objects.get(pk=two[0].pk).claimed_by == ada
    assert page.url == f"{REVIEW}{two[0].pk}/"


def test_the_card_shows_where_it_stands_and_what_the_machine_thinks(desk: Client) -> None:
    make.item("More important", severity="critical")
    item = make.item(
        "The basket forgets what I put in",
        severity="high",
        received_at=timezone.now() - timedelta(hours=30),
        category_confidence=0.44,
        category_probabilities={"website-bug": 0.44, "content-gap": 0.4, "noise": 0.16},
        evidence=["basket forgets"],
    )
    page = card(desk, f"{REVIEW}{item.pk}/")
    text = words(page)
    for part in (
        "Item 2 of 2 waiting",
        "claimed by you, 10 min left",
        "waiting 1 d 6 h",
        "6 h over its target of 1 d",
        "Bug report on /checkout ★ 2/5",
        "Category 44 %, not sure, then Content gap 40 %",
        "Severity 70 %, then Medium 30 %",
        "severity high +62",
        "History 1 entry",
    ):
        assert part in text, part
    assert "The <mark>basket forgets</mark> what I put in" in page.html


def test_save_without_a_change_validates_and_goes_on(desk: Client, ada: User, two: tuple[QueueItem, QueueItem]) -> None:
    page = after(card(desk), "Validate")
    review = Review.objects.get()
    assert (review.feedback_id, review.provenance, review.reviewer) == (two[0].pk, "validated", ada)
    assert review.suggestion_visible
    assert on(page) == "The second report"
    assert messages(page.response)[0].startswith("Validated “The first report” as website-bug/high")
    assert QueueItem.objects.get(pk=two[0].pk).claimed_by is None


def test_what_was_changed_is_an_override_with_its_reasons(desk: Client, two: tuple[QueueItem, QueueItem]) -> None:
    after(
        card(desk),
        "Validate",
        category="content-gap",
        category_reason=["new topic", "wrong area", "not a chip of ours"],
        severity_reason=["too severe"],
        note="Asked the shop.",
    )
    review = Review.objects.get()
    assert (review.category, review.severity, review.provenance) == ("content-gap", "high", "overridden")
    assert review.reasons == {"category": "wrong area, new topic"}, "a reason for what was kept is none"
    assert review.note == "Asked the shop."


def test_action_and_priority_can_be_edited_and_are_kept_as_they_are_otherwise(desk: Client) -> None:
    make.item("One", action="Look at it.\nThen fix it.")
    page = card(desk)
    after(page, "Validate", priority="99", action="Look at it.\r\nThen fix it.")
    review = Review.objects.get()
    assert (review.priority, review.action) == (99, "Look at it.\nThen fix it.")


def test_what_cannot_be_stored_keeps_the_item_and_what_was_chosen(
    desk: Client, two: tuple[QueueItem, QueueItem]
) -> None:
    response = card(desk).press("Validate", category="noise", priority="soon", note="My thoughts")
    assert response.status_code == 422
    page = Page(desk, "", response)
    assert "A whole number from 0 to 100." in page.html
    assert "My thoughts" in page.html
    assert ("category", "noise") in page.forms["card"]["fields"]
    assert not Review.objects.exists()


def test_noise_is_one_press(desk: Client, two: tuple[QueueItem, QueueItem]) -> None:
    page = after(card(desk), "Noise")
    review = Review.objects.get()
    assert (review.category, review.severity, review.provenance) == ("noise", "low", "overridden")
    assert on(page) == "The second report"


def test_the_last_override_can_be_repeated(desk: Client, two: tuple[QueueItem, QueueItem]) -> None:
    page = card(desk)
    assert "Again as" not in page.html
    page = after(page, "Validate", category="feature-request", severity="medium")
    after(page, "Again as Feature request · Medium")
    assert {(one.category, one.severity) for one in Review.objects.all()} == {("feature-request", "medium")}


def test_skipped_items_come_back_at_the_end_and_the_message_leads_back(
    desk: Client, two: tuple[QueueItem, QueueItem]
) -> None:
    page = after(card(desk), "Skip")
    assert on(page) == "The second report"
    assert QueueItem.objects.get(pk=two[0].pk).claimed_by is None
    assert on(after(page, "Undo")) == "The first report"
    page = after(card(desk, f"{REVIEW}{two[1].pk}/"), "Validate")
    assert on(page) == "The first report"


def test_an_item_one_does_not_know_goes_to_somebody_else(
    desk: Client, mia: User, two: tuple[QueueItem, QueueItem]
) -> None:
    page = after(card(desk), "I don’t know", note="What is a basket?")
    assert on(page) == "The second report"
    asked = Event.objects.get()
    assert (asked.kind, asked.text) == ("second-wanted", "What is a basket?")
    done = after(page, "Validate")
    assert "Nothing is left for you" in done.html
    desk.force_login(mia)
    theirs = card(desk)
    assert on(theirs) == "The first report"
    assert "somebody asked for your opinion" in theirs.html
    assert "What is a basket?" in theirs.html


def test_having_asked_can_be_taken_back(desk: Client, two: tuple[QueueItem, QueueItem]) -> None:
    page = after(after(card(desk), "I don’t know"), "Undo")
    assert on(page) == "The first report"
    assert QueueItem.objects.get(pk=two[0].pk).second == ""


def test_next_and_previous_move_without_deciding_and_keep_ones_place(desk: Client, ada: User) -> None:
    now = timezone.now()
    items = [make.item(f"Item {age}", received_at=now - timedelta(hours=age)) for age in (3, 2, 1)]
    page = after(card(desk), "Next")
    assert on(page) == "Item 2"
    assert [QueueItem.objects.get(pk=item.pk).claimed_by for item in items] == [None, ada, None]
    page = after(page, "Validate")
    assert on(page) == "Item 1", "not back to the front"
    page = after(page, "Next")
    assert on(page) == "Item 1"
    assert messages(page.response) == ["There is nothing behind this item."]
    page = after(page, "Previous")
    assert on(page) == "Item 3"
    assert "Item 1 of 2 waiting" in words(page)
    page = after(page, "Previous")
    assert messages(page.response) == ["There is nothing in front of this item."]
    assert Review.objects.count() == 1


def test_a_note_can_be_kept_without_deciding_and_is_never_lost(desk: Client, two: tuple[QueueItem, QueueItem]) -> None:
    page = after(card(desk), "Keep the note", note="Called them.")
    assert on(page) == "The first report"
    assert "Called them." in page.html
    after(page, "Next", note="Half a thought")
    assert {event.text for event in Event.objects.all()} == {"Called them.", "Half a thought"}
    page = after(card(desk), "Keep the note", note="  ")
    assert messages(page.response) == ["The note is empty."]


def test_undo_leads_back_to_the_item_and_reaches_beyond_the_message(
    desk: Client, two: tuple[QueueItem, QueueItem]
) -> None:
    page = after(card(desk), "Validate")
    page = card(desk)
    assert on(page) == "The second report", "the message is gone"
    page = after(page, "Undo last")
    assert on(page) == "The first report"
    assert Review.objects.get().undone_at is not None
    assert "taken back by ada" in page.html


def test_undo_last_passes_over_what_somebody_else_decided_anew(
    desk: Client, mia: User, two: tuple[QueueItem, QueueItem]
) -> None:
    after(after(card(desk), "Validate"), "Validate")
    second = QueueItem.objects.select_related("analysis", "review").get(pk=two[1].pk)
    assert second.analysis
    reviews.override(analysis=second.analysis, by=mia, category="noise", after=second.review)
    page = after(card(desk), "Undo last")
    assert on(page) == "The first report"
    assert Review.objects.get(feedback=two[0].pk).undone_at is not None


def test_severity_that_was_named_with_noise_is_kept(desk: Client, two: tuple[QueueItem, QueueItem]) -> None:
    after(card(desk), "Validate", category="noise", severity="high")
    assert Review.objects.get().severity == "low", "it follows, where nobody named it"
    after(card(desk), "Validate", category="noise", severity="high", meant="severity")
    assert Review.objects.latest("created_at").severity == "high"


def test_severity_that_was_named_with_noise_is_kept_where_somebody_was_faster(
    desk: Client, mia: User, two: tuple[QueueItem, QueueItem]
) -> None:
    page = card(desk)
    assert two[0].analysis
    reviews.override(analysis=two[0].analysis, by=mia, category="content-gap")
    both = Page(desk, page.url, page.press("Validate", category="noise", severity="high", meant="severity"))
    after(both, "Apply mine")
    mine = Review.objects.latest("created_at")
    assert (mine.reviewer.username, mine.category, mine.severity) == ("ada", "noise", "high")


def test_a_note_is_measured_as_it_was_written(desk: Client, two: tuple[QueueItem, QueueItem]) -> None:
    longest = "line\r\n" * 399 + "12345"
    after(card(desk), "Next", note=longest)
    assert len(Event.objects.get().text) == 2000
    assert card(desk).press("Keep the note", note="x" * 2001).status_code == 400


def test_the_seconds_are_measured_by_the_server(desk: Client, two: tuple[QueueItem, QueueItem]) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        page = card(desk)
        clock.shift(7.5)
        page = after(page, "Validate")
        clock.shift(4_000)
        after(page, "Validate")
    assert [review.seconds for review in Review.objects.order_by("created_at")] == [7.5, None]


def test_a_time_that_was_not_signed_here_is_refused(desk: Client, two: tuple[QueueItem, QueueItem]) -> None:
    page, other = card(desk), card(desk, f"{REVIEW}{two[1].pk}/")
    (foreign,) = [value for name, value in other.forms["card"]["fields"] if name == "shown"]
    for shown in ("", "made:up", foreign):
        assert page.press("Validate", shown=shown).status_code == 400
    assert page.press("Validate", act="explode").status_code == 302, "the button's own value counts"
    assert desk.post(page.url, {"act": "explode"}).status_code == 400


def test_a_filtered_list_is_gone_through_as_it_is_filtered(desk: Client) -> None:
    make.item("High bug", severity="high")
    make.item("High gap", severity="high", category="content-gap")
    make.item("Low gap", severity="low", category="content-gap")
    listed = Page(desk, f"{QUEUE}?category=content-gap&p=1")
    (address,) = re.findall(r'href="([^"]+)" data-key="r"', listed.html)
    page = card(desk, unescape(address))
    assert on(page) == "High gap"
    assert "Item 1 of 2 waiting" in words(page)
    page = after(page, "Validate")
    assert on(page) == "Low gap"
    page = after(page, "Validate")
    assert "This list is empty" in page.html
    assert f"{QUEUE}?category=content-gap" in page.html


def test_a_filter_that_is_nonsense_filters_nothing(desk: Client, two: tuple[QueueItem, QueueItem]) -> None:
    assert on(card(desk, f"{REVIEW}?_changelist_filters=category__exact%3Dx%26p%3Dx")) == "The first report"


def test_an_item_that_is_decided_or_not_analysed_says_so(
    desk: Client, mia: User, two: tuple[QueueItem, QueueItem]
) -> None:
    reviews.override(analysis=two[0].analysis, by=mia, category="noise")
    page = card(desk, f"{REVIEW}{two[0].pk}/")
    assert "Decided as noise/low" in words(page)
    assert "Overridden by mia" in words(page)
    waiting = make.feedback("Not yet").queue_item
    assert "nothing to decide before" in card(desk, f"{REVIEW}{waiting.pk}/").html
    QueueItem.objects.filter(pk=waiting.pk).update(stage="failed", error="ValueError: no <weights>")
    page = card(desk, f"{REVIEW}{waiting.pk}/")
    assert "ValueError: no &lt;weights&gt;" in page.html
    assert on(after(page, "Analyse again")) == "Not yet"
    assert QueueItem.objects.get(pk=waiting.pk).stage == "pending"
    unknown = card(desk, f"{REVIEW}01a208fc-0000-7000-8000-000000000000/")
    assert messages(unknown.response) == ["There is no such item; it may have been deleted."]


def test_who_likes_to_decide_first_sees_the_suggestion_on_request(desk: Client, ada: User) -> None:
    DeskPreference.objects.create(user=ada, suggestion=False)
    item = make.item("The <b>basket</b>", evidence=["<b>basket"], action="Empty the cache of the basket.")
    page = card(desk)
    assert "Empty the cache" not in page.html
    assert "<mark>" not in page.html
    assert "80 %" not in page.html
    assert "checked" not in page.html.split('id="card"')[1].split("</form>")[0]
    response = page.press("Save my opinion")
    assert response.status_code == 422
    assert "Please choose a category." in response.content.decode()
    seen = card(desk, f"{page.url}?suggestion=1")
    assert "Empty the cache" in seen.html
    page.press("Save my opinion", category="website-bug", severity="high")
    review = Review.objects.get(feedback=item.pk)
    assert (review.provenance, review.suggestion_visible) == ("validated", False)


def test_severity_that_was_chosen_blind_is_kept_even_for_noise(desk: Client, ada: User) -> None:
    DeskPreference.objects.create(user=ada, suggestion=False)
    make.item(severity="high")
    card(desk).press("Save my opinion", category="noise", severity="high")
    assert (Review.objects.get().category, Review.objects.get().severity) == ("noise", "high")


def test_preferences_are_kept_and_lead_back_to_our_own_pages_only(desk: Client, ada: User) -> None:
    keys = f"{REVIEW}keys/"
    assert "data-off" not in Page(desk, keys).html
    response = desk.post(keys, {"suggestion": "on", "back": f"{QUEUE}?p=1"})
    assert response.url == f"{QUEUE}?p=1"
    liked = DeskPreference.objects.get(user=ada)
    assert (liked.keys, liked.suggestion) == (False, True)
    assert 'aria-labelledby="keys-title" data-off' in Page(desk, QUEUE).html
    for back in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        assert desk.post(keys, {"keys": "on", "back": back}).url == keys


def test_who_may_only_look_gets_no_focus_view(client: Client, ben: User, two: tuple[QueueItem, QueueItem]) -> None:
    client.force_login(ben)
    assert REVIEW not in Page(client, QUEUE).html
    for address in (REVIEW, f"{REVIEW}{two[0].pk}/", f"{REVIEW}done/", f"{REVIEW}keys/", f"{REVIEW}disputes/"):
        assert client.get(address).status_code == 403
    for address in (f"{REVIEW}{two[0].pk}/", f"{REVIEW}{two[0].pk}/renew/", f"{REVIEW}{two[0].pk}/similar/"):
        assert client.post(address, {"act": "save"}).status_code == 403
    assert QueueItem.objects.get(pk=two[0].pk).claimed_by is None


def test_a_button_needs_the_token_of_our_own_page(ada: User, two: tuple[QueueItem, QueueItem]) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    for address in (
        f"{REVIEW}{two[0].pk}/",
        f"{REVIEW}{two[0].pk}/renew/",
        f"{REVIEW}keys/",
        f"{QUEUE}validate-batch/",
    ):
        assert strict.post(address, {"act": "noise"}).status_code == 403
    assert not Review.objects.exists()


def test_the_script_gets_the_card_alone_and_caches_keep_the_two_apart(
    desk: Client, two: tuple[QueueItem, QueueItem]
) -> None:
    address = f"{REVIEW}{two[0].pk}/"
    whole, part = desk.get(address), desk.get(address, headers={"X-Desk-Fragment": "1"})
    assert b"<html" in whole.content
    assert b"<html" not in part.content
    assert part.content.strip().startswith(b'<div id="focus-part"')
    assert "X-Desk-Fragment" in whole.headers["Vary"]
    assert "no-store" in whole.headers["Cache-Control"]


def test_what_visitors_wrote_is_text_everywhere(desk: Client, ada: User) -> None:
    hostile = "<script>alert(1)</script>"
    item = make.item(f"{hostile} one", action=hostile, evidence=[hostile], page=f"/{hostile}")
    events.add_note(item=item, by=ada, text=hostile)
    reviews.validate(analysis=make.item(f"{hostile} one again").analysis, by=ada, note=hostile)
    page = card(desk)
    assert hostile not in page.html
    assert "&lt;script&gt;" in page.html


def test_the_number_of_queries_depends_on_neither_history_nor_queue(desk: Client, ada: User, mia: User) -> None:
    item = make.item("The first report", severity="critical")
    address = f"{REVIEW}{item.pk}/"

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(address).status_code == 200
        return len(captured)

    events.add_note(item=item, by=ada, text="One")
    reviews.undo(review=reviews.validate(analysis=item.analysis, by=ada), by=ada)
    reviews.validate(analysis=make.item("The first report again").analysis, by=ada)
    few = queries()
    for number in range(4):
        events.add_note(item=item, by=mia, text=f"Note {number}")
        reviews.undo(review=reviews.override(analysis=item.analysis, by=mia, category="noise"), by=ada)
        reviews.validate(analysis=make.item(f"The first report again {number}").analysis, by=ada)
        make.item(f"Waiting {number}")
    assert queries() == few
    assert few <= 20


def test_a_claim_is_renewed_while_somebody_works_on_the_item(desk: Client, ada: User, mia: User) -> None:
    item = make.item()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        page = card(desk)
        clock.shift(300)
        assert desk.post(f"{page.url}renew/").json() == {"left": 600}
        clock.shift(660)
        assert claims.take(item=item, by=mia)
        answer = desk.post(f"{page.url}renew/")
    assert answer.status_code == 409
    assert answer.json()["text"].startswith("mia took this item over.")
