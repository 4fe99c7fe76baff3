"""The front page of the admin: each number is what the rows say, has its n, and leads to the list behind it."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from analyzer import reviews
from analyzer.models import QueueItem
from tests import make

pytestmark = pytest.mark.django_db

QUEUE = "/admin/analyzer/queueitem/"


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def words(client: Client) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", client.get("/admin/").content.decode())).split())


def test_an_empty_desk_says_that_nothing_was_measured(desk: Client) -> None:
    text = words(desk)
    assert "0 need a decision" in text
    assert "n = 0: no decisions yet" in text
    assert "Active version none yet" in text
    assert "demo items" not in text


def test_what_waits_is_counted_by_severity_and_each_number_leads_to_its_list(desk: Client, ada: User) -> None:
    for severity in ("high", "high", "low"):
        make.item(severity=severity)
    reviews.validate(analysis=make.item(severity="high").analysis, by=ada)
    make.feedback("Just in")
    failed = make.feedback("Failed").queue_item
    QueueItem.objects.filter(pk=failed.pk).update(stage="failed")
    text, page = words(desk), desk.get("/admin/").content.decode()
    assert "5 need a decision" in text
    assert "Critical 0 High 2 Medium 0 Low 1 Not analysed 2" in text
    assert "Waiting for analysis 1 Failed 1 Active version v1 local (test)" in text
    for figure in (
        desk.get("/admin/").context["desk"]["severities"][1][1],
        desk.get("/admin/").context["desk"]["failed"],
    ):
        assert f'href="{figure.address.replace("&", "&amp;")}"' in page
        assert str(len(desk.get(figure.address).context["rows"])) == figure.count


def test_agreement_counts_real_decisions_in_force_and_says_n(desk: Client, ada: User, mia: User) -> None:
    kept = make.item("Kept")
    moved = make.item("Moved")
    taken_back = make.item("Taken back")
    decided_twice = make.item("Decided twice")
    demo = make.item("Demo", synthetic=True)
    bulk = make.item("Bulk", severity="low")
    reviews.validate(analysis=kept.analysis, by=ada)
    reviews.override(analysis=moved.analysis, by=ada, category="content-gap")
    reviews.undo(review=reviews.override(analysis=taken_back.analysis, by=ada, category="noise"), by=ada)
    first = reviews.override(analysis=decided_twice.analysis, by=ada, category="noise")
    reviews.validate(analysis=decided_twice.analysis, by=mia, after=first)
    reviews.override(analysis=demo.analysis, by=ada, category="noise")
    reviews.validate_batch(items=[bulk], by=ada)
    imported = make.item("Imported")
    reviews.record_imported(feedback=imported.feedback, by=ada, category="noise")

    agreement = desk.get("/admin/").context["desk"]["agreement"]
    assert (agreement.n, agreement.kept, agreement.bulk, agreement.demo) == (4, 3, 1, 1)
    moved.refresh_from_db()
    assert agreement.reward == pytest.approx((1 + moved.review.reward_total + 1 + 1) / 4)
    text = words(desk)
    assert "Category kept 75 % 3 of n = 4" in text
    assert "1 of them accepted in bulk" in text
    assert "1 decision on made-up demo items is not counted" in text


def test_somebody_without_a_role_sees_no_figures(client: Client) -> None:
    make.item()
    client.force_login(User.objects.create_user("dan", is_staff=True))
    response = client.get("/admin/")
    assert response.status_code == 200
    assert "need a decision" not in response.content.decode()
