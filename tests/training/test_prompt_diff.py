"""What changed between two prompts, for people who approve one: marked by sign, word by word where lines are alike."""

from __future__ import annotations

from analyzer.prompts import BUILT_IN
from training import prompt_diff
from training.prompt_diff import Line


def said(line: Line) -> str:
    return "".join(text for text, _ in line.parts)


def test_the_same_prompt_shows_nothing_and_an_empty_one_is_the_built_in() -> None:
    assert prompt_diff.lines("", BUILT_IN) == []


def test_a_changed_line_is_shown_as_removed_and_added_with_the_words_that_differ() -> None:
    removed, added = prompt_diff.lines("Be kind to people.", "Be very kind to everybody.")
    assert (removed.marker, said(removed)) == ("−", "Be kind to people.")
    assert (added.marker, said(added)) == ("+", "Be very kind to everybody.")
    assert [text for text, differs in removed.parts if differs] == ["people"]
    assert [text.strip() for text, differs in added.parts if differs] == ["very", "everybody"]


def test_lines_that_share_nothing_are_shown_whole() -> None:
    removed, added = prompt_diff.lines("Be kind to people.", "12345 67890 abc")
    assert [part for line in (removed, added) for part in line.parts] == [
        ("Be kind to people.", False),
        ("12345 67890 abc", False),
    ]


def test_only_the_neighbourhood_of_a_change_is_shown() -> None:
    before = [f"line {number}" for number in range(40)]
    after = [*before[:20], "something new", *before[20:], "the end"]
    found = prompt_diff.lines("\n".join(before), "\n".join(after))
    assert [line.kind for line in found] == [
        "skipped",
        *("same",) * 2,
        "added",
        *("same",) * 2,
        "skipped",
        *("same",) * 2,
        "added",
    ]
    assert [said(line) for line in found if line.kind == "added"] == ["something new", "the end"]


def test_a_line_of_thousands_of_words_is_compared_whole() -> None:
    before, after = "word " * 5_000, "other " * 5_000
    removed, added = prompt_diff.lines(before, after)
    assert (len(removed.parts), len(added.parts)) == (1, 1)
