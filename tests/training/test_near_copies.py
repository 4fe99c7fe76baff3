"""Near-copies share a group, and different reports do not."""

from __future__ import annotations

import pytest

from tests.training.desk import comments
from training import duplicates


def test_a_copy_with_other_case_space_and_punctuation_is_a_near_copy() -> None:
    first, second, other = duplicates.groups(
        ["The checkout button does nothing.", "the checkout  button\ndoes nothing!!", "The search finds no invoices."]
    )
    assert first == second != other


def test_a_typo_and_a_changed_number_make_a_near_copy() -> None:
    longer = "The checkout button does nothing on Safari since the update, order 4711, please help me soon"
    assert len(set(duplicates.groups([longer, longer.replace("4711", "4712"), longer.replace("button", "buton")]))) == 1


def test_a_copy_of_a_copy_belongs_to_the_group() -> None:
    steps = ["one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"]
    for word in ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot"):
        steps.append(steps[-1].split(" ", 1)[1] + f" {word}")
    assert duplicates.groups([steps[0], steps[-1]]) == [0, 1], "the ends alone are not alike"
    assert len(set(duplicates.groups(steps))) == 1


def test_groups_are_numbered_by_first_appearance() -> None:
    assert duplicates.groups(["bravo report", "alpha story", "bravo report", "charlie note"]) == [0, 1, 0, 2]


def test_empty_comments_are_no_copies_of_each_other() -> None:
    assert duplicates.groups(["", "  ", ""]) == [0, 1, 2]
    assert duplicates.groups([]) == []


def test_texts_without_letters_are_compared_too() -> None:
    assert duplicates.groups(["👍", "👍 ", "👎", "我喜欢你的网站", "我喜欢你的网站！"]) == [0, 0, 1, 2, 2]


def test_copies_are_found_across_the_chunks_in_which_texts_are_compared() -> None:
    different = comments(duplicates.CHUNK * 2)
    numbers = duplicates.groups([*different, different[0].upper(), different[-1] + "!"])
    assert numbers[-2] == numbers[0]
    assert numbers[-1] == numbers[len(different) - 1]
    assert len(set(numbers)) > len(different) * 0.95


def test_many_texts_are_grouped_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past EVERY_PAIR only likely pairs are compared; on these texts that finds the same."""
    different = comments(600)
    edited = [text.replace("the", "teh", 1) for text in different[::3]]
    chain = ["one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"]
    for word in ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot"):
        chain.append(chain[-1].split(" ", 1)[1] + f" {word}")
    texts = [*different, *edited, "👍", "", *chain]
    exact = duplicates.groups(texts)
    assert len(set(exact)) < len(texts) - 100, "there are near-copies to find"
    monkeypatch.setattr(duplicates, "EVERY_PAIR", 0)
    assert duplicates.groups(texts) == exact
    assert duplicates.groups(["👍", "👎"]) == [0, 1]
    assert duplicates.groups(["!", "?"]) == [0, 1]
