"""The list of training runs: what each found, at a glance, with how the active version does above it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from analyzer import reviews, versions
from tests import make
from tests.training import desk, make_runs
from training.models import TrainingRun

pytestmark = pytest.mark.django_db
LIST = "/admin/training/trainingrun/"


def page(client: Client, user: User, address: str = LIST) -> str:
    client.force_login(user)
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def cells(html: str) -> list[list[str]]:
    """The text of every cell, row by row."""
    body = html[html.index("<tbody>", html.index('id="result_list"')) :]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [
        [re.sub(r"<[^>]+>", " ", cell).split() for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)]
        for row in rows
    ]


def broken_promise(by: User) -> None:
    """An active version that people correct in every one of twenty decisions."""
    run = make_runs.run()
    versions.activate(version=run.candidate, by=None)
    for comment in desk.comments(20):
        item = make.item(comment, version=run.candidate)
        reviews.override(analysis=item.analysis, by=by, category="noise")


def test_a_run_shows_its_candidate_against_the_active_version_and_why(client: Client, ben: User, mia: User) -> None:
    make_runs.run(started_by=mia)
    make_runs.run(better=False)
    worse, better = (" ".join(" ".join(cell) for cell in row) for row in cells(page(client, ben)))
    report, _, word = make_runs.judged()
    assert f"{100 * report['accuracy']:.1f} %" in better
    assert f"+{100 * word['deltas']['accuracy']['value']:.1f}" in better
    assert "1 local passed the gate" in better
    assert "3 min 20 s mia 390 / 90 / 120" in better
    assert word["reasons"][0] in better
    assert "2 local no change" in worse
    assert "the desk itself" in worse
    assert "The gain in macro-F1 is not more than noise" in worse


def test_an_empty_list_says_how_to_begin(client: Client, ben: User) -> None:
    html = page(client, ben)
    assert "Nothing was trained yet" in html
    assert "manage.py train_analyzer --mode setup" in html
    assert "There is no active version yet." in html
    assert "No decision on an analysis in the last 8 weeks." in html


def test_the_list_can_be_narrowed_and_says_when_nothing_is_left(client: Client, ben: User) -> None:
    make_runs.run()
    make_runs.run(status="failed", outcome="", metrics={}, gate={}, candidate=None, algorithm="local,apo", error="Out.")
    assert [row[0] for row in cells(page(client, ben, f"{LIST}?status=failed"))] == [["2", "local,apo"]]
    assert [row[0] for row in cells(page(client, ben, f"{LIST}?outcome=proposed"))] == [["1", "local"]]
    assert [row[0] for row in cells(page(client, ben, f"{LIST}?algorithm=apo"))] == [["2", "local,apo"]]
    assert "Nothing matches" in page(client, ben, f"{LIST}?algorithm=reinforce")


def test_a_run_whose_process_died_is_shown_as_failed_with_the_reason(client: Client, ben: User) -> None:
    make_runs.running(host="elsewhere", pid=1, beat_at=timezone.now() - timedelta(hours=1))
    [row] = cells(page(client, ben))
    assert "failed" in row[1]
    assert " ".join(row[-1]).startswith("No sign of life since")


def test_a_broken_promise_is_a_warning_above_the_list(client: Client, ada: User, ben: User) -> None:
    broken_promise(ada)
    html = page(client, ben)
    assert 'role="alert"' in html
    assert "People correct the machine more often than its evaluation promised" in html
    assert "latest 20 decisions" in html
    assert "<title" in html[html.index("<svg") :], "agreement over time is drawn"


def test_only_staff_with_the_right_see_it(client: Client, cy: User) -> None:
    client.force_login(cy)
    assert client.get(LIST).status_code == 302
    stranger = User.objects.create_user("dan", password=make.PASSWORD, is_staff=True)
    client.force_login(stranger)
    assert client.get(LIST).status_code == 403


def test_nobody_can_add_change_or_delete_a_run(client: Client, mia: User) -> None:
    run = make_runs.run()
    client.force_login(mia)
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{run.pk}/change/", {"status": "running"}).status_code == 403
    assert client.post(f"{LIST}{run.pk}/delete/", {"post": "yes"}).status_code == 403
    assert TrainingRun.objects.get().status == "finished"


def test_more_runs_cost_no_more_queries(client: Client, ben: User, django_assert_num_queries: Any) -> None:
    client.force_login(ben)
    for _ in range(2):
        make_runs.run(started_by=ben)
        make_runs.run(better=False)
        with django_assert_num_queries(13):
            client.get(LIST)
