"""import_feedback: good rows kept, bad rows named by line, a second run changes nothing."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from analyzer.models import QueueItem, Review
from feedback import records
from feedback.models import Feedback
from feedback.signals import feedback_received

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


def csv_file(path: Path, content: str | bytes) -> Path:
    file = path / "rows.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def stored_ids() -> list[str]:
    return [str(row.external_id) for row in Feedback.objects.order_by("external_id")]


@pytest.mark.parametrize(
    "content",
    [
        ",id,comment\n0,1,Broken\n1,2,Good\n",
        "id,comment,\n1,Broken,\n2,Good,x\n",
        "id,,comment,\n1,,Broken,\n2,,Good,\n",
    ],
)
def test_columns_without_a_name_are_ignored(tmp_path: Path, content: str) -> None:
    assert "2 stored, 0 known already, 0 left out" in run(csv_file(tmp_path, content))[0]
    assert set(Feedback.objects.values_list("comment", flat=True)) == {"Broken", "Good"}


def test_a_json_key_without_a_name_is_ignored(tmp_path: Path) -> None:
    assert "1 stored, 0 known already, 0 left out" in run(jsonl(tmp_path, {"": 0, "id": "1", "comment": "x y"}))[0]


def test_a_row_with_more_fields_than_the_header_is_named_and_left_out(tmp_path: Path) -> None:
    out, err = run(csv_file(tmp_path, "id,comment\n1,Good, but with a comma\n2,Good\n"))
    assert "1 stored, 0 known already, 1 left out" in out
    assert err == "line 2: more fields than the header has\n"


def test_a_stray_quote_costs_its_row_and_nothing_else(tmp_path: Path) -> None:
    out, err = run(csv_file(tmp_path, 'id,comment,rating\n1,Good,5\n2,"he said "no" twice",4\n3,"Good, too",3\n'))
    assert "2 stored, 0 known already, 1 left out" in out
    assert err.startswith("line 3: this is not CSV (',' expected after '\"'); a quote inside a field is written twice")
    assert stored_ids() == ["1", "3"]


@pytest.mark.parametrize("rest", ['3,"Good, too",3\n', "3,Good,3\n"], ids=["another quote", "the end of the file"])
def test_a_quote_that_is_never_closed_does_not_swallow_the_rows_behind_it(tmp_path: Path, rest: str) -> None:
    many = "".join(f"m{number},Fine,\n" for number in range(500))
    out, err = run(csv_file(tmp_path, f'id,comment,rating\n1,"Never closed,4\n2,Good,5\n{many}{rest}'))
    assert "502 stored, 0 known already, 1 left out" in out
    assert err.startswith("line 2: ")


def test_the_rest_of_a_broken_record_is_not_taken_for_rows(tmp_path: Path) -> None:
    broken = '1,"he said "no" and\nthen, perhaps\n"yes", in the end",4\n'
    _, err = run(csv_file(tmp_path, f"id,comment,page,rating\n{broken}2,Good,,5\n3,Short\n"))
    assert stored_ids() == ["2", "3"]
    assert [line.split(":")[0] for line in err.splitlines()] == ["line 2", "line 3", "line 4"]
    assert "line 3: fewer fields than a row has here, so this may be the rest of a broken record" in err


def test_a_broken_record_costs_no_rows_that_are_shorter_than_the_header(tmp_path: Path) -> None:
    before, behind = ("".join(f"{part}{number},Fine,3\n" for number in range(5)) for part in "ab")
    out, err = run(csv_file(tmp_path, f'id,comment,rating,page\n{before}x,"Never closed,4\n{behind}'))
    assert "10 stored, 0 known already, 1 left out" in out
    assert err.startswith("line 7: ")


def test_a_record_of_several_lines_is_named_by_its_first(tmp_path: Path) -> None:
    err = run(csv_file(tmp_path, 'id,comment,rating\n\n1,"two\nlines",9\n2,"three\n\nlines",9\n3,x,9\n'))[1]
    assert [line.split(":")[0] for line in err.splitlines()] == ["line 3", "line 5", "line 8"]


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
def test_a_byte_that_is_not_utf8_costs_its_row_and_nothing_else(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    if name.endswith("csv"):
        file.write_bytes('\ufeffid,comment\n1,Grün\n2,"two\nlines, Gr'.encode() + b'\xfcn"\n3,' + "Grün\n".encode())
    else:
        rows = [json.dumps({"id": str(number), "comment": "Grün"}, ensure_ascii=False) for number in (1, 2, 3)]
        file.write_bytes(
            "\n".join(rows).encode().replace("Grün".encode(), b"Gr\xfcn", 2).replace(b"\xfc", b"\xc3\xbc", 1)
        )
    out, err = run(file)
    assert "2 stored, 0 known already, 1 left out" in out
    assert err == f"line {3 if name.endswith('csv') else 2}: byte 0xFC is not UTF-8 text; convert the file first\n"
    assert stored_ids() == ["1", "3"]
    assert set(Feedback.objects.values_list("comment", flat=True)) == {"Grün"}


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
def test_a_line_without_end_costs_itself_and_is_not_kept(tmp_path: Path, name: str) -> None:
    endless = "x" * (3 * records.LINE_MAX)
    rows = [{"id": "1", "comment": "Good"}, {"id": "2", "comment": endless}, {"id": "3", "comment": "Good"}]
    file = csv_file(tmp_path, "id,comment\n" + "".join(f"{row['id']},{row['comment']}\n" for row in rows))
    if name.endswith("jsonl"):
        file = jsonl(tmp_path, *rows)
    out, err = run(file)
    assert "2 stored, 0 known already, 1 left out" in out
    assert f"more than {records.LINE_MAX} characters" in err
    assert stored_ids() == ["1", "3"]


def test_an_import_that_is_stopped_says_what_it_stored(tmp_path: Path) -> None:
    def stop(sender: object, rows: list[Feedback], **kwargs: Any) -> None:
        if rows[0].external_id == "3":
            raise KeyboardInterrupt

    file = jsonl(tmp_path, *({"id": str(number), "comment": "x y"} for number in range(1, 5)), "{not json")
    err = io.StringIO()
    feedback_received.connect(stop)
    try:
        with pytest.raises(KeyboardInterrupt):
            call_command("import_feedback", str(file), stdout=io.StringIO(), stderr=err)
    finally:
        feedback_received.disconnect(stop)
    assert "Stopped: 2 stored, 0 known already, 0 left out. Run it again to go on." in err.getvalue()
    assert stored_ids() == ["1", "2"]
    assert "2 stored, 2 known already, 1 left out" in run(file)[0]


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
        ("rows.csv", b'id,"comment\n1,x\n', "line 1: "),
        ("rows.jsonl", b"\xff\xfe{}", "UTF-16"),
        ("rows.jsonl", "{}".encode("utf-16-be"), "UTF-16"),
        ("rows.csv", "id,comment\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CommandError, match=words):
        run(tmp_path / name)
