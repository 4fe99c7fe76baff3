"""The front page of the admin: each number is what the rows say, has its n, and leads to the list behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analyzer import opinions, outcomes, reviews, standing, tally
from analyzer.admin.figures import Cell, Figure
from analyzer.models import QueueItem, Review
from feedback import admin_base
from tests import make
from tests.databases import ON_MONGODB

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def only_asked_second_opinions(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.SECOND_OPINION_SHARE = 0


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def shown(client: Client) -> dict[str, Any]:
    return client.get("/admin/").context["desk"]


def words(client: Client) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", client.get("/admin/").content.decode())).split())


def rows(client: Client, figure: Figure) -> int:
    """How many rows the list behind a figure has."""
    response = client.get(figure.address)
    assert response.status_code == 200, figure.address
    return response.context["cl"].result_count


def cells(table: list[Any]) -> Iterator[Cell]:
    for line in table:
        yield from line.cells
        if line.total:
            yield line.total


def decided(by: User, *, days_ago: float = 0, seconds: float | None = None, **values: Any) -> Review:
    """A decision of some days ago; what is named changed_… is what the person made of it."""
    changes = {name.removeprefix("changed_"): values.pop(name) for name in list(values) if name.startswith("changed_")}
    item = make.item(**values)
    review = reviews.override(analysis=item.analysis, by=by, seconds=seconds, **changes)
    Review.objects.filter(pk=review.pk).update(created_at=timezone.now() - timedelta(days=days_ago))
    return review


def test_an_empty_desk_says_that_nothing_was_measured(desk: Client) -> None:
    text = words(desk)
    assert "0 need a decision" in text
    assert "Nothing real waits" in text
    assert "n = 0: no decisions in the last 30 days" in text
    assert "n = 0: nobody decided anything real in the last 14 days" in text
    assert "n = 0: nothing was decided in the last 90 days" in text
    assert "Active version none yet" in text
    assert "demo item" not in text.replace("demo items are not counted", "")


def test_the_next_thing_to_do_is_the_first_thing_on_the_page(desk: Client) -> None:
    for _ in range(3):
        make.item()
    page = desk.get("/admin/").content.decode()
    button = re.search(r'<a class="button go" href="([^"]+)">Review <b>3</b> waiting</a>', page)
    assert button
    assert page.index(button[0]) < page.index("Waiting for people")
    assert desk.get(button[1]).status_code in (200, 302)


def test_somebody_who_may_only_look_is_led_to_the_list(client: Client, ben: User) -> None:
    make.item()
    client.force_login(ben)
    page = client.get("/admin/").content.decode()
    assert 'class="button go"' not in page
    assert "<b>1</b> need a decision" in page
    assert "Second opinions to give" not in page


def test_what_waits_is_counted_by_severity_and_age_and_each_number_leads_to_its_list(desk: Client, ada: User) -> None:
    now = timezone.now()
    for severity, hours in (("critical", 1), ("critical", 5), ("high", 5), ("high", 30), ("low", 500), ("low", 100)):
        make.item(severity=severity, received_at=now - timedelta(hours=hours))
    reviews.validate(analysis=make.item(severity="high").analysis, by=ada)
    make.feedback("Just in")
    found = shown(desk)
    table = {line.label: [cell.figure.number for cell in (*line.cells, line.total)] for line in found["severities"]}
    assert table == {
        "Critical": [1, 1, 0, 0, 0, 2],
        "High": [0, 1, 1, 0, 0, 2],
        "Medium": [0, 0, 0, 0, 0, 0],
        "Low": [0, 0, 0, 1, 1, 2],
        "Not analysed": [1, 0, 0, 0, 0, 1],
    }
    for cell in cells(found["severities"]):
        assert rows(desk, cell.figure) == cell.figure.number
    assert (found["waiting"].number, rows(desk, found["waiting"])) == (7, 7)


def test_over_target_is_what_waits_longer_than_its_severity_may(desk: Client) -> None:
    now = timezone.now()
    for severity, hours in (("critical", 3), ("critical", 5), ("high", 23), ("high", 25), ("medium", 73), ("low", 160)):
        make.item(severity=severity, received_at=now - timedelta(hours=hours))
    found = shown(desk)
    assert (found["late"].number, rows(desk, found["late"])) == (3, 3)
    marked = [
        (line.label, cell.figure.label)
        for line in found["severities"]
        for cell in line.cells
        if cell.mark and cell.figure.any
    ]
    assert marked == [("Critical", "4–24 h"), ("High", "1–3 days"), ("Medium", "3–7 days")]
    assert desk.get("/admin/").content.decode().count('<span class="visually-hidden"> over target</span>') == 3


def test_made_up_items_are_counted_nowhere_and_this_is_said(desk: Client, ada: User) -> None:
    make.item(synthetic=True)
    reviews.override(analysis=make.item(synthetic=True).analysis, by=ada, category="noise")
    found = shown(desk)
    assert (found["waiting"].number, found["demo"].number, rows(desk, found["demo"])) == (0, 1, 1)
    assert (found["agreement"].n, found["people"], found["actions"].decided.number) == (0, [], 0)
    text = words(desk)
    assert "Try it on the made-up items" in text
    assert "1 made-up demo item waits too. Of the figures only “Waiting for analysis” and “Failed” count it." in text


def test_what_failed_and_what_waits_for_the_machine_is_said(desk: Client) -> None:
    make.feedback("Just in")
    failed = make.feedback("Failed").queue_item
    QueueItem.objects.filter(pk=failed.pk).update(stage="failed")
    found = shown(desk)
    assert (rows(desk, found["pending"]), rows(desk, found["failed"])) == (1, 1)
    text = words(desk)
    assert "1 analysis failed . These items wait without a suggestion" in text
    assert "Waiting for analysis 1 Failed 1 Active version none yet" in text


def test_second_opinions_are_those_that_this_person_may_give(desk: Client, ada: User, mia: User) -> None:
    mine = reviews.validate(analysis=make.item("Mine").analysis, by=ada)
    theirs = reviews.validate(analysis=make.item("Theirs").analysis, by=mia)
    QueueItem.objects.filter(review__in=(mine, theirs)).update(second="wanted")
    assert shown(desk)["second"].number == 1
    assert "Disputes to settle" not in words(desk)
    opinions.give(analysis=theirs.analysis, by=ada, category="noise", severity="low")
    assert shown(desk)["second"].number == 0
    desk.force_login(mia)
    assert shown(desk)["disputed"].number == 1
    assert "Disputes to settle 1" in words(desk)


def test_agreement_counts_real_decisions_in_force_of_thirty_days_and_says_n(desk: Client, ada: User, mia: User) -> None:
    kept = decided(ada, comment="Kept", days_ago=29)
    decided(ada, comment="Too long ago", days_ago=31, changed_category="noise")
    moved = decided(ada, comment="Moved", changed_category="content-gap")
    reviews.undo(review=decided(ada, comment="Taken back", changed_category="noise"), by=ada)
    first = decided(ada, comment="Twice", changed_category="noise")
    second = reviews.validate(analysis=first.analysis, by=mia, after=first)
    bulk = make.item("Bulk", severity="low")
    reviews.validate_batch(items=[bulk], by=ada)
    imported = make.item("Imported")
    reviews.record_imported(feedback=imported.feedback, by=ada, category="noise")

    found = shown(desk)
    agreement = found["agreement"]
    assert (agreement.n, agreement.category.hits, agreement.severity.hits, agreement.bulk) == (4, 3, 4, 1)
    assert agreement.reward.value == pytest.approx(
        (kept.reward_total + moved.reward_total + second.reward_total + 1) / 4
    )
    assert rows(desk, Figure("counted", 0, found["counted"])) == 4
    text = words(desk)
    assert "Category kept 75 % 3 of n = 4" in text
    assert "Severity kept 100 % 4 of n = 4" in text
    assert "1 of them accepted in bulk" in text
    assert "last 30 days" in text


def test_the_matrix_says_what_people_made_of_each_category_and_leads_there(desk: Client, ada: User) -> None:
    decided(ada, category="website-bug")
    decided(ada, category="website-bug")
    decided(ada, category="website-bug", changed_category="noise")
    decided(ada, category="positive", severity="low", changed_category="noise")
    table = shown(desk)["changes"]
    found = {(cell.figure.label, cell.figure.number) for cell in cells(table) if cell.figure.any}
    assert found == {
        ("machine said Bug, people Bug", 2),
        ("machine said Bug, people Noise", 1),
        ("machine said Positive, people Noise", 1),
        ("machine said Bug", 3),
        ("machine said Positive", 1),
    }
    for cell in cells(table):
        assert rows(desk, cell.figure) == cell.figure.number
    assert [cell.mark for line in table for cell in line.cells].count("same") == 6


def test_work_is_counted_by_person_and_day_with_what_was_decided_anew(desk: Client, ada: User, mia: User) -> None:
    decided(ada, days_ago=1)
    first = decided(ada)
    reviews.override(analysis=first.analysis, by=mia, after=first, category="noise")
    reviews.undo(review=decided(mia), by=mia)
    decided(mia, days_ago=15)
    people = {person.name: person for person in shown(desk)["people"]}
    assert {name: [cell.figure.number for cell in person.days][-2:] for name, person in people.items()} == {
        "ada": [1, 1],
        "mia": [0, 1],
    }
    for person in people.values():
        assert rows(desk, person.total) == person.total.number
        for cell in person.days:
            assert rows(desk, cell.figure) == cell.figure.number
    page = desk.get("/admin/").content.decode()
    assert 'aria-label="ada: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1"' in page


def test_the_median_of_the_seconds_is_told_apart_by_kept_and_changed(desk: Client, ada: User) -> None:
    for seconds in (2, 4, 60):
        decided(ada, seconds=seconds)
    for seconds in (10, 20):
        decided(ada, seconds=seconds, changed_category="noise")
    decided(ada)
    replaced = decided(ada, seconds=900)
    assert replaced.analysis
    reviews.override(analysis=replaced.analysis, by=ada, after=replaced)
    text = words(desk)
    assert "Median decision 10.0 s n = 5" in text, "of those in force, to which the figure leads"
    assert "Median 4.0 s where the category was kept (n = 3), 15.0 s where it was changed (n = 2)." in text


def test_what_led_to_action_is_shown_by_category_and_severity(desk: Client, ada: User) -> None:
    def close(outcome: str, **values: Any) -> QueueItem:
        decided(ada, **values)
        item = Review.objects.latest("created_at").feedback.queue_item
        outcomes.close(item=item, by=ada, outcome=outcome)
        return item

    close("fixed", category="website-bug", severity="high")
    close("wont-fix", category="website-bug", severity="high")
    close("planned", category="feature-request", severity="low")
    came_back = close("fixed", category="website-bug", severity="low")
    outcomes.reopen(item=came_back, by=ada)
    decided(ada, category="noise", severity="low")
    report = shown(desk)["actions"]
    table = {(line.label, cell.text) for line in report.lines for cell in (*line.cells, line.total) if cell.figure.any}
    assert table == {
        ("Bug", "1 of 2"),
        ("Feature", "1 of 1"),
        ("All", "1 of 2"),
        ("All", "1 of 1"),
        ("All", "2 of 3"),
    }
    for cell in cells(report.lines):
        assert rows(desk, cell.figure) == cell.figure.number
    assert [(figure.label, rows(desk, figure)) for figure in report.came] == [
        ("Fixed", 1),
        ("Planned", 1),
        ("Won't fix", 1),
    ]
    assert rows(desk, report.decided) == 5
    text = words(desk)
    assert (
        "Of 5 real reports decided in the last 90 days, 3 are closed and 2 of these led to action; 1 came back." in text
    )


def test_two_people_are_compared_with_n(desk: Client, ada: User, mia: User) -> None:
    for category in ("website-bug", "noise"):
        review = reviews.validate(analysis=make.item(category=category, severity="low").analysis, by=mia)
        QueueItem.objects.filter(review=review).update(second="wanted")
        given = opinions.give(analysis=review.analysis, by=ada, category=category, severity="low")
        assert standing.same(given, review)
    assert "Same category 2 of 2 Cohen’s κ 1.00, n = 2" in words(desk)


def test_counts_stop_at_a_cap_and_say_so(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_base, "CAP", 3)
    for _ in range(5):
        make.item()
    with CaptureQueriesContext(connection) as captured:
        assert "Review 3+ waiting" in words(desk)
    if not ON_MONGODB:
        assert any("COUNT" in query["sql"] and "LIMIT 4" in query["sql"] for query in captured)


def test_the_number_of_queries_does_not_grow_with_the_rows(desk: Client, ada: User, mia: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get("/admin/").status_code == 200
        return len(captured)

    def fill() -> None:
        make.item()
        make.feedback()
        decided(ada, seconds=3)
        decided(mia, changed_category="noise")
        closed = decided(ada, days_ago=3)
        outcomes.close(item=QueueItem.objects.select_related("review").get(review=closed), by=ada, outcome="fixed")

    fill()
    few = queries()
    for _ in range(4):
        fill()
    assert queries() == few
    # Session, user, two of permissions; waiting, heartbeat, oldest, version; decisions, second opinions, days covered,
    # outcomes, reopened; and of training: days covered, weeks, version, its decisions, and two of evidence.
    assert few <= 19


def test_what_waits_is_counted_from_an_index_alone(desk: Client) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("The plan is written in SQLite's words.")
    make.item()
    with CaptureQueriesContext(connection) as captured:
        desk.get("/admin/")
    (counts,) = [query["sql"] for query in captured if query["sql"].count("COUNT(*)") > 20]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {counts}")
        plan = [row[3] for row in cursor.fetchall()]
    assert not [line for line in plan if line.startswith("SCAN") and "analyzer_queueitem" in line]
    aged = [
        line for line in plan if "analyzer_queue_age (status=? AND synthetic=? AND severity=? AND received_at" in line
    ]
    assert len(aged) >= 25


def test_somebody_without_a_role_sees_no_figures(client: Client) -> None:
    make.item()
    client.force_login(User.objects.create_user("dan", is_staff=True))
    response = client.get("/admin/")
    assert response.status_code == 200
    assert "need a decision" not in response.content.decode()
    assert "Administration" not in response.content.decode()


def test_a_very_busy_desk_looks_back_less_far_and_says_so(
    desk: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "MOST", 3)
    for days_ago in (1, 2, 10.5, 40, 80):
        decided(ada, days_ago=days_ago)
    found = shown(desk)
    assert (found["agreement"].n, found["cut"], found["actions"].days, found["actions"].decided.number) == (
        3,
        True,
        10,
        2,
    )
    assert rows(desk, found["actions"].decided) == 2
