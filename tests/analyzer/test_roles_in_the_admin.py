"""Who may press what: the buttons are only there for those who may, and the server does not rely on it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from analyzer import reviews
from analyzer.models import AnalyzerVersion, QueueItem, Review
from tests import make
from tests.pages import Page

pytestmark = pytest.mark.django_db

QUEUE = "/admin/analyzer/queueitem/"
ALWAYS_THERE = {"Search", "Save view", "Log out"}


def decision_urls(item: QueueItem) -> list[str]:
    return [
        *(reverse(f"admin:analyzer_queueitem_{name}", args=(item.pk,)) for name in ("decide", "undo", "retry")),
        reverse("admin:analyzer_queueitem_undo_batch", args=(item.pk,)),
    ]


def names(page: Page) -> set[str]:
    return {each.name for each in page.buttons if "Toggle theme" not in each.name}


def test_a_viewer_sees_badges_and_no_buttons(client: Client, ben: User) -> None:
    item = make.item()
    decided = make.item("Another one")
    reviews.validate(analysis=decided.analysis, by=make.user("ada", "Reviewer"))
    client.force_login(ben)
    for address in (QUEUE, f"{QUEUE}?status=all", f"{QUEUE}{item.pk}/change/", f"{QUEUE}{decided.pk}/change/"):
        page = Page(client, address)
        assert page.response.status_code == 200
        assert names(page) <= ALWAYS_THERE, address
        assert "checkbox" not in page.html
        assert "Bug" in page.html or "Website bug" in page.html


def test_a_viewer_who_posts_all_the_same_gets_403_and_nothing_changes(client: Client, ben: User) -> None:
    item = make.item()
    client.force_login(ben)
    seen = {f"seen-{item.pk}": f"{item.analysis_id}."}
    for address in (*decision_urls(item), f"{QUEUE}{item.pk}/change/"):
        assert client.post(address, seen).status_code == 403, address
    client.post(QUEUE, seen | {"action": "validate_selected", "index": "0", "_selected_action": str(item.pk)})
    assert not Review.objects.exists()
    item.refresh_from_db()
    assert (item.status, item.stage) == ("open", "done")


def test_a_decision_is_never_made_by_following_a_link(client: Client, ada: User) -> None:
    item = make.item()
    client.force_login(ada)
    for address in decision_urls(item):
        assert client.get(address).status_code == 405, address


@pytest.mark.parametrize("address", [QUEUE, "/admin/", "/admin/analyzer/review/", "/admin/feedback/feedback/"])
def test_somebody_who_is_not_staff_is_sent_to_the_login(client: Client, cy: User, address: str) -> None:
    client.force_login(cy)
    response = client.get(address)
    assert response.status_code == 302
    assert response.url.startswith("/admin/login/")


def test_a_decision_by_somebody_who_is_not_staff_is_sent_to_the_login(client: Client, cy: User) -> None:
    item = make.item()
    client.force_login(cy)
    for address in decision_urls(item):
        assert client.post(address, {}).url.startswith("/admin/login/")
    assert not Review.objects.exists()


@pytest.mark.parametrize("who", ["ada", "mia"])
def test_reviewers_and_managers_decide(client: Client, ada: User, mia: User, who: str) -> None:
    make.item()
    client.force_login({"ada": ada, "mia": mia}[who])
    Page(client, QUEUE).press("Validate “")
    assert Review.objects.get().reviewer.username == who


@pytest.mark.parametrize("who", ["ada", "ben"])
def test_only_a_manager_activates_versions(client: Client, ada: User, ben: User, who: str) -> None:
    make.version()
    other = AnalyzerVersion.objects.create(number=2, engine="local", origin="test", weights_digest="ab")
    client.force_login({"ada": ada, "ben": ben}[who])
    activate = reverse("admin:analyzer_analyzerversion_activate", args=(other.pk,))
    assert client.get(activate).status_code == 403
    assert client.post(activate).status_code == 403
    page = client.get(reverse("admin:analyzer_analyzerversion_change", args=(other.pk,)))
    assert page.status_code == 200
    assert activate not in page.content.decode()
    other.refresh_from_db()
    assert other.status == "candidate"


def test_nobody_adds_or_edits_a_row_by_hand(client: Client) -> None:
    root = User.objects.create_superuser("root")
    item = make.item()
    review = reviews.validate(analysis=item.analysis, by=root)
    client.force_login(root)
    rows = {"queueitem": item.pk, "review": review.pk, "analyzerversion": item.analysis.version_id}
    for model in rows:
        assert client.get(f"/admin/analyzer/{model}/add/").status_code == 403
    assert client.get("/admin/feedback/feedback/add/").status_code == 403
    for address in (f"/admin/analyzer/review/{review.pk}/change/", f"/admin/feedback/feedback/{item.pk}/change/"):
        assert client.post(address, {"comment": "changed"}).status_code == 403
    item.feedback.refresh_from_db()
    assert item.feedback.comment.startswith("The checkout")


@pytest.mark.parametrize("who", ["ada", "mia"])
def test_only_a_superuser_deletes_what_was_said(client: Client, ada: User, mia: User, who: str) -> None:
    item = make.item()
    delete = f"/admin/feedback/feedback/{item.pk}/delete/"
    client.force_login({"ada": ada, "mia": mia}[who])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    client.force_login(User.objects.create_superuser("root"))
    assert client.post(delete, {"post": "yes"}).status_code == 302
    assert not QueueItem.objects.exists()
