"""Files that are not what they say: import_feedback names the bad lines, keeps the good ones and never falls over."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback.models import Feedback

pytestmark = pytest.mark.django_db

FUZZ = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SUMMARY = re.compile(r"(\d+) stored, (\d+) known already, (\d+) left out\.\n")
COLUMNS = ("id", "comment", "rating", "type", "page", "page_title", "viewport", "source", "received_at", "category")

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
TEXTS = ("\x00", "a\x00b", "\u202e", "\ud800", "=cmd|' /C calc'!A0", '"', "x" * 6_000, "9" * 400, "\r\n", "../../x")
TIMES = (
    "2026-13-45T99:99:99Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59",
    "2026-01-01", "1900-01-01T00:00:00Z", "2999-01-01T00:00:00Z",
)  # fmt: skip
NASTY = (*TEXTS, *TIMES, [], {}, 1e400, True, -1, 10**300)
ROWS = st.dictionaries(st.sampled_from(COLUMNS), SCALARS | st.sampled_from(NASTY), max_size=6)


def run(content: bytes, suffix: str) -> tuple[int, int, int]:
    """Stored, known and left out; a file that is refused as a whole counts as nothing of each."""
    out, err = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"fuzz{suffix}"
        file.write_bytes(content)
        try:
            call_command("import_feedback", str(file), stdout=out, stderr=err)
        except CommandError:
            return 0, 0, 0
    stored, known, bad = (int(number) for number in SUMMARY.fullmatch(out.getvalue()).groups())
    assert (bad > 0) == bool(err.getvalue())
    return stored, known, bad


# Lines that break a record by themselves, in either kind of file.
BROKEN = (
    b'b,"he said "no" twice"', b'b,"never closed', b"b,Gr\xfcn", b"b\xff\xfe,x", b'"', b'b,"x",",",y', b"{",
    b"b,1,2,3,4,5",
)  # fmt: skip


def stored_as(name: str) -> int:
    return Feedback.objects.filter(external_id=name).count()


@FUZZ
@given(content=st.binary(max_size=400), suffix=st.sampled_from([".jsonl", ".csv"]))
def test_random_bytes_are_no_traceback(content: bytes, suffix: str) -> None:
    run(content, suffix)


@FUZZ
@given(row=ROWS, broken=st.text(max_size=40))
def test_a_bad_json_line_costs_itself_and_nothing_else(row: dict[str, Any], broken: str) -> None:
    Feedback.objects.all().delete()
    lines = ['{"id": "before", "comment": "Good"}', json.dumps(row), broken.replace("\n", " ").replace("\r", " ")]
    content = "\n".join([*lines, '{"id": "after", "rating": 4}']).encode("utf-8", "surrogatepass")
    stored, known, bad = run(content, ".jsonl")
    assert stored_as("before") == stored_as("after") == 1
    assert stored == Feedback.objects.count()
    assert 2 <= stored + known + bad <= 4


@pytest.mark.parametrize("column", COLUMNS)
def test_a_nasty_value_in_any_column_costs_its_row_at_most(column: str) -> None:
    rows = [{"id": f"{number}", "comment": "Fine"} | {column: value} for number, value in enumerate(NASTY)]
    lines = [json.dumps(row) for row in [*rows, {"id": "after", "rating": 4}]]
    stored, known, bad = run("\n".join(lines).encode(), ".jsonl")
    assert stored + known + bad == len(lines)
    assert stored_as("after") == 1


@FUZZ
@given(row=ROWS)
def test_a_bad_csv_row_costs_itself_and_nothing_else(row: dict[str, Any]) -> None:
    Feedback.objects.all().delete()
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerow({"id": "before", "comment": "Good"})
    writer.writerow(row)
    writer.writerow({"id": "after", "rating": 4})
    run(text.getvalue().encode("utf-8", "replace"), ".csv")
    assert stored_as("before") == stored_as("after") == 1


@FUZZ
@given(broken=st.lists(st.sampled_from(BROKEN), min_size=1, max_size=4), suffix=st.sampled_from([".jsonl", ".csv"]))
def test_broken_lines_between_good_ones_cost_no_good_one(broken: list[bytes], suffix: str) -> None:
    Feedback.objects.all().delete()
    good = [b'g%d,"Fine, really",4' % number for number in range(len(broken) + 1)]
    if suffix == ".jsonl":
        good = [b'{"id": "g%d", "comment": "Fine, really"}' % number for number in range(len(broken) + 1)]
    lines = [*([b"id,comment,rating"] if suffix == ".csv" else []), good[0]]
    for bad, row in zip(broken, good[1:], strict=True):
        lines += [bad, row]
    stored, _, bad_rows = run(b"\n".join(lines), suffix)
    assert stored == Feedback.objects.filter(external_id__startswith="g").count() == len(good)
    assert bad_rows == len(broken)


@FUZZ
@given(data=st.data())
def test_a_file_that_was_damaged_on_the_way_is_no_traceback(data: st.DataObject) -> None:
    suffix = data.draw(st.sampled_from([".jsonl", ".csv"]))
    rows = [{"id": str(number), "comment": "Words, “quoted”", "rating": 3} for number in range(3)]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    if suffix == ".csv":
        text = 'id,comment,rating\r\n1,"Words, “quoted”",3\r\n2,"two\nlines",4\r\n'
    content = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    run(bytes(content), suffix)
