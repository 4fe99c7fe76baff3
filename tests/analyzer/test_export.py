"""The list as a file: exactly the rows that the filters match, nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from analyzer import reviews
from analyzer.admin import export
from feedback import admin_base
from tests import make

pytestmark = pytest.mark.django_db

QUEUE = "/admin/analyzer/queueitem/"
EXPORT = f"{QUEUE}export/"


@pytest.fixture
def desk(client: Client, ben: User) -> Client:
    """Who may look may take along what they see."""
    client.force_login(ben)
    return client


def text(client: Client, query: str) -> str:
    response = client.get(f"{EXPORT}?{query}")
    assert response.status_code == 200
    return response.getvalue().decode()


def from_csv(client: Client, query: str = "") -> list[dict[str, str]]:
    written = text(client, f"format=csv&{query}")
    assert written.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(written.removeprefix("\ufeff"), newline="")))


def from_jsonl(client: Client, query: str = "") -> list[dict[str, Any]]:
    return [json.loads(line) for line in text(client, f"format=jsonl&{query}").splitlines()]


def test_the_file_holds_what_the_list_shows_in_its_order(desk: Client) -> None:
    make.item("Low", severity="low")
    make.item("Noise", category="noise", severity="low")
    make.item("Grave", severity="critical")
    make.feedback("Just in")
    for query in ("", "category=website-bug", "severity=none", "q=Grave", "status=decided"):
        seen = [row.item.feedback.comment for row in desk.get(f"{QUEUE}?{query}").context["rows"]]
        assert [row["comment"] for row in from_jsonl(desk, query)] == seen
        assert [row["comment"] for row in from_csv(desk, query)] == seen


def test_a_record_says_what_machine_and_people_said(desk: Client, ada: User) -> None:
    item = make.item("The basket is empty", rating=1, page="/basket")
    reviews.override(analysis=item.analysis, by=ada, category="content-gap")
    (found,) = from_jsonl(desk, "status=decided")
    expected = {
        "id": str(item.pk),
        "comment": "The basket is empty",
        "rating": 1,
        "page": "/basket",
        "synthetic": False,
        "category": "content-gap",
        "machine_category": "website-bug",
        "decision": "overridden",
        "decided_by": "ada",
        "outcome": None,
        "version": 1,
    }
    assert {name: found[name] for name in expected} == expected
    (row,) = from_csv(desk, "status=decided")
    assert (row["rating"], row["synthetic"], row["outcome"]) == ("1", "false", "")
    assert list(row) == list(found)


def test_an_empty_list_gives_the_names_of_the_columns(desk: Client) -> None:
    assert from_jsonl(desk) == []
    assert text(desk, "format=csv").count("\n") == 1


def test_words_are_as_redacted_and_no_key_of_a_person_goes_out(desk: Client) -> None:
    make.item("Write to jo@mail.example.org about it")
    written = text(desk, "format=jsonl") + text(desk, "format=csv")
    assert "jo@mail.example.org" not in written
    assert "about it" in written
    for name in ("client_key", "digest", "external_id", "viewport"):
        assert name not in written


@pytest.mark.parametrize(
    "comment",
    [
        '=HYPERLINK("http://evil.example","Click")',
        "+1+1",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(1+1)*cmd|' /C calc'!A0",
        "＝1+1",
    ],
)
def test_a_comment_that_looks_like_a_formula_is_written_as_text(desk: Client, comment: str) -> None:
    make.item(comment)
    (row,) = from_csv(desk)
    assert row["comment"].startswith("'")
    assert not row["suggested_action"].startswith(export.FORMULA)
    (line,) = from_jsonl(desk)
    assert line["comment"] == row["comment"].removeprefix("'"), "a program gets the words as they are"


@given(st.text(alphabet=st.sampled_from(" \t\r\n\u00a0=+-@＝＋－＠'\"a1,;"), max_size=12))
def test_no_cell_begins_like_a_formula_whatever_it_holds(words: str) -> None:
    written = str(export.cell(words))
    assert not written.startswith(export.FORMULA)
    assert not written.lstrip().startswith(export.FORMULA)
    assert written.removeprefix("'") == words.removeprefix("'")


def test_lines_quotes_and_separators_survive_the_way_there_and_back(desk: Client) -> None:
    comment = 'He said "no", and\nthen; nothing, “at all”'
    make.item(comment)
    assert from_csv(desk)[0]["comment"] == from_jsonl(desk)[0]["comment"] == comment


def test_a_file_that_was_cut_off_says_so_before_and_in_its_name(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        make.item(f"Report {number}")
    assert "The 4 items of this list." in desk.get(QUEUE).content.decode()
    assert 'filename="queue.csv"' in desk.get(f"{EXPORT}?format=csv")["Content-Disposition"]
    monkeypatch.setattr(admin_base, "CAP", 3)
    assert "The first 3 items of this list, which has more" in desk.get(QUEUE).content.decode()
    response = desk.get(f"{EXPORT}?format=jsonl")
    assert 'filename="queue-first-3.jsonl"' in response["Content-Disposition"]
    assert len(response.getvalue().splitlines()) == 3


def test_the_file_is_streamed_in_as_many_queries_for_any_number_of_rows(desk: Client, ada: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            response = desk.get(f"{EXPORT}?format=csv&status=all")
            assert response.streaming
            response.getvalue()
        return len(captured)

    make.item()
    few = queries()
    for number in range(5):
        reviews.validate(analysis=make.item(f"Report {number}").analysis, by=ada)
    assert queries() == few


def test_the_menu_leads_to_the_list_with_its_filters(desk: Client) -> None:
    make.item()
    page = desk.get(f"{QUEUE}?severity=high&p=1").content.decode()
    assert f'href="{EXPORT}?severity=high&amp;format=csv"' in page
    assert f'href="{EXPORT}?severity=high&amp;format=jsonl"' in page


def test_what_is_no_format_and_what_is_no_filter_is_refused_or_ignored(desk: Client) -> None:
    make.item("Only one")
    assert desk.get(EXPORT).status_code == 400
    assert desk.get(f"{EXPORT}?format=xlsx").status_code == 400
    assert len(from_jsonl(desk, "feedback__client_key__startswith=a&category=nonsense&p=9")) == 1
    assert desk.post(EXPORT, {"format": "csv"}).status_code == 405


def test_who_may_not_see_the_queue_exports_nothing(client: Client) -> None:
    client.force_login(User.objects.create_user("dan", is_staff=True))
    assert client.get(f"{EXPORT}?format=csv").status_code == 403
    client.logout()
    assert client.get(f"{EXPORT}?format=csv").status_code == 302
