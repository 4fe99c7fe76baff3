"""import_feedback: good rows kept, bad rows named by line, a second run changes nothing."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from analyzer.models import QueueItem, Review
from feedback.models import Feedback

pytestmark = pytest.mark.django_db


def run(path: Path, **options: object) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("import_feedback", str(path), stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def jsonl(path: Path, *rows: object) -> Path:
    file = path / "rows.jsonl"
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return file


def test_importing_twice_stores_every_row_once(tmp_path: Path) -> None:
    file = jsonl(tmp_path, {"id": "1", "comment": "Broken"}, {"id": "2", "comment": "Good", "rating": 5})
    assert "2 stored, 0 known already" in run(file)[0]
    assert "0 stored, 2 known already" in run(file)[0]
    assert Feedback.objects.count() == QueueItem.objects.count() == 2


def test_the_same_id_from_two_sources_is_two_rows(tmp_path: Path) -> None:
    run(jsonl(tmp_path, {"id": "1", "source": "a", "comment": "x y"}, {"id": "1", "source": "b", "comment": "x y"}))
    assert set(Feedback.objects.values_list("source", flat=True)) == {"import:a", "import:b"}


def test_bad_rows_are_named_by_line_and_field_and_the_rest_is_kept(tmp_path: Path) -> None:
    file = jsonl(
        tmp_path,
        {"id": "1", "comment": "Good row"},
        "{not json",
        {"comment": "no id"},
        {"id": "4", "comment": "bad rating", "rating": 9},
        {"id": "5"},
        {"id": "6", "comment": ["a", "list"]},
        {"id": "7", "comment": "bad time", "received_at": "yesterday"},
        "[1, 2]",
        {"id": "9", "comment": "x" * 5001},
        {"id": "10", "comment": "Another good row", "rating": 4.0},
    )
    out, err = run(file)
    assert "2 stored, 0 known already, 8 left out" in out
    lines = dict(line.split(": ", 1) for line in err.splitlines())
    assert lines["line 2"].startswith("this is not JSON")
    assert "no id" in lines["line 3"]
    assert "rating: A rating is a whole number from 1 to 5." in lines["line 4"]
    assert "write a comment or choose a rating" in lines["line 5"]
    assert "comment must be text" in lines["line 6"]
    assert "received_at 'yesterday' is no time" in lines["line 7"]
    assert "JSON object" in lines["line 8"]
    assert "5001 characters" in lines["line 9"]


def test_csv_from_a_spreadsheet_is_read_with_its_byte_order_mark_and_quoted_lines(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes('\ufeffid,comment,rating,type\r\n1,"two\nlines, one row",4.0,bug\r\n2,,,\r\n'.encode())
    assert "1 stored, 0 known already, 1 left out" in run(file)[0]
    said = Feedback.objects.get()
    assert (said.comment, said.rating, said.type) == ("two\nlines, one row", 4, "bug")


def test_labels_become_imported_reviews_of_the_named_person(tmp_path: Path, ada: User) -> None:
    file = jsonl(
        tmp_path,
        {"id": "1", "comment": "It crashes", "category": "website-bug", "severity": "high"},
        {"id": "2", "comment": "Thanks", "category": "positive", "severity": None},
        {"id": "3", "comment": "No label"},
    )
    assert "2 labels recorded by ada" in run(file, labelled=True, by="ada")[0]
    run(file, labelled=True, by="ada")
    assert list(Review.objects.order_by("created_at").values_list("provenance", "category", "severity")) == [
        ("imported", "website-bug", "high"),
        ("imported", "positive", ""),
    ]


def test_a_label_outside_the_taxonomy_leaves_out_its_row_whole(tmp_path: Path, ada: User) -> None:
    _, err = run(jsonl(tmp_path, {"id": "1", "comment": "x y", "category": "urgent"}), labelled=True, by="ada")
    assert "line 1: category:" in err
    assert not Feedback.objects.exists()


def test_only_the_asked_split_is_read(tmp_path: Path) -> None:
    file = jsonl(
        tmp_path, {"id": "1", "comment": "a b", "split": "train"}, {"id": "2", "comment": "c d", "split": "dev"}
    )
    run(file, split="train")
    assert Feedback.objects.get().external_id == "1"


def test_labels_need_a_person_who_may_decide(tmp_path: Path, ben: User) -> None:
    file = jsonl(tmp_path, {"id": "1", "comment": "x y", "category": "noise"})
    for options, words in (
        ({}, "needs --by"),
        ({"by": "nobody"}, "no user 'nobody'"),
        ({"by": "ben"}, "may not decide"),
    ):
        with pytest.raises(CommandError, match=words):
            run(file, labelled=True, **options)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("rows.txt", b"x", "is not .jsonl or .csv"),
        ("rows.csv", b"a,b\n1,2\n", "names neither a comment nor a rating"),
        ("rows.jsonl", b"\xff\xfe{}", "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CommandError, match=words):
        run(tmp_path / name)
