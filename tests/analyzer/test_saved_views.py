"""Filters under a name: one's own or, where a manager shares them, everybody's; and never more than filters."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from analyzer.admin import saved_views
from analyzer.models import SavedView
from tests import make
from tests.pages import Page, messages

pytestmark = pytest.mark.django_db

QUEUE = "/admin/analyzer/queueitem/"
SAVE = "/admin/analyzer/queueitem/views/save/"


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    make.item("A bug", category="website-bug")
    make.item("Some noise", category="noise")
    client.force_login(ada)
    return client


def names(client: Client, query: str = "") -> list[str]:
    return [tab.view.name for tab in client.get(QUEUE + query).context["views"]["tabs"]]


def test_the_filters_of_the_list_are_saved_under_a_name_and_found_again(desk: Client, ada: User) -> None:
    after = Page(desk, f"{QUEUE}?category=noise&p=1").press("Save view", follow=True, view="  Only   noise ")
    assert messages(after) == ["Saved the view “Only noise” for you."]
    view = SavedView.objects.get()
    assert (view.owner, view.name, view.query, view.shared) == (ada, "Only noise", "category=noise", False)
    (tab,) = desk.get(QUEUE).context["views"]["tabs"]
    assert tab.address == f"{QUEUE}?category=noise"
    assert not tab.current
    found = desk.get(tab.address)
    assert [row.item.feedback.comment for row in found.context["rows"]] == ["Some noise"]
    assert f'<a href="{tab.address}" aria-current="page">' in found.content.decode()


def test_where_nothing_is_filtered_there_is_nothing_to_save(desk: Client) -> None:
    assert "Save this view" not in desk.get(QUEUE).content.decode()
    after = desk.post(SAVE, {"view": "All", "query": ""}, follow=True)
    assert messages(after) == ["Nothing was saved. Choose a filter or search for something first."]
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("category=noise&severity=high", "category=noise&severity=high"),
        ("severity=high&category=noise", "category=noise&severity=high"),
        ("q=a%26b&category=noise", "category=noise&q=a%26b"),
        ("category=nonsense&p=3&o=1&all=&e=1", ""),
        ("category=noise&feedback__client_key__startswith=a&next=https://evil.example", "category=noise"),
        ("category=noise&category=positive", "category=positive"),
        (
            "status=decided&decision=mine&second=wanted&outcome=fixed",
            "status=decided&second=wanted&decision=mine&outcome=fixed",
        ),
        ("status=all&version=3", "status=all&version=3"),
        ("version=three", ""),
        ("javascript:alert(1)", ""),
        ("q=" + "x" * 300, "q=" + "x" * saved_views.SEARCH_MAX),
    ],
)
def test_only_filters_of_the_list_are_kept(query: str, kept: str) -> None:
    assert saved_views.clean(query) == kept


def test_a_name_that_is_used_again_gets_the_new_filters(desk: Client) -> None:
    desk.post(SAVE, {"view": "Mine", "query": "category=noise"})
    after = desk.post(SAVE, {"view": "Mine", "query": "severity=high"}, follow=True)
    assert messages(after)[-1] == "Changed the view “Mine” for you."
    assert SavedView.objects.get().query == "severity=high"


@pytest.mark.parametrize("name", ["", "   ", "x" * 41])
def test_a_view_needs_a_name_that_fits(desk: Client, name: str) -> None:
    after = desk.post(SAVE, {"view": name, "query": "category=noise"}, follow=True)
    assert messages(after)[0].startswith("Nothing was saved.")
    assert not SavedView.objects.exists()


def test_what_a_name_holds_is_text(desk: Client) -> None:
    desk.post(SAVE, {"view": "<img src=x onerror=a>", "query": "category=noise"})
    page = desk.get(QUEUE).content.decode()
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=a&gt;" in page


def test_only_a_manager_shares_and_everybody_sees_what_is_shared(desk: Client, ada: User, mia: User) -> None:
    assert "Show it to everybody" not in desk.get(f"{QUEUE}?category=noise").content.decode()
    assert desk.post(SAVE, {"view": "For all", "query": "category=noise", "shared": "on"}).status_code == 403
    desk.post(SAVE, {"view": "Mine alone", "query": "category=noise"})
    desk.force_login(mia)
    Page(desk, f"{QUEUE}?severity=high").press("Save view", view="For all", shared="on")
    assert names(desk) == ["For all"]
    desk.force_login(ada)
    assert names(desk) == ["For all", "Mine alone"]
    assert "shared by mia" in desk.get(QUEUE).content.decode()


def test_one_deletes_ones_own_and_a_manager_what_is_shared(desk: Client, ada: User, mia: User) -> None:
    own = SavedView.objects.create(owner=ada, name="Own", query="category=noise")
    shared = SavedView.objects.create(owner=mia, name="Shared", query="category=noise", shared=True)
    hidden = SavedView.objects.create(owner=mia, name="Hidden", query="category=noise")

    def delete(view: SavedView) -> int:
        address = reverse("admin:analyzer_queueitem_delete_view", args=(view.pk,))
        assert desk.get(address).status_code == 405
        return desk.post(address).status_code

    assert [tab.view for tab in desk.get(QUEUE).context["views"]["deletable"]] == [own]
    assert (delete(shared), delete(hidden)) == (403, 404)
    after = Page(desk, f"{QUEUE}?severity=high").press("Delete the view “Own”", follow=True)
    assert messages(after) == ["Deleted the view “Own”."]
    assert after.redirect_chain[-1][0] == f"{QUEUE}?severity=high"
    theirs = SavedView.objects.create(owner=ada, name="Shared by ada", query="category=noise", shared=True)
    desk.force_login(mia)
    assert (delete(theirs), delete(shared), delete(hidden)) == (302, 302, 302)
    assert not SavedView.objects.exists()


def test_who_may_not_see_the_queue_saves_no_view(client: Client, ada: User) -> None:
    view = SavedView.objects.create(owner=ada, name="Own", query="category=noise", shared=True)
    client.force_login(User.objects.create_user("dan", is_staff=True))
    assert client.get(SAVE).status_code == 405
    assert client.post(SAVE, {"view": "x", "query": "category=noise"}).status_code == 403
    assert client.post(reverse("admin:analyzer_queueitem_delete_view", args=(view.pk,))).status_code == 403
    assert SavedView.objects.count() == 1


def test_there_is_a_limit_that_is_said(desk: Client, ada: User) -> None:
    for number in range(saved_views.OWN_MAX):
        SavedView.objects.create(owner=ada, name=f"View {number}", query="category=noise")
    after = desk.post(SAVE, {"view": "One more", "query": "category=noise"}, follow=True)
    assert messages(after) == ["Nothing was saved. You have 12 views already; delete one first."]
    after = desk.post(SAVE, {"view": "View 3", "query": "severity=low"}, follow=True)
    assert messages(after)[-1] == "Changed the view “View 3” for you."
