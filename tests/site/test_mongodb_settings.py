"""Which settings MongoDB needs, and what a wrong one says."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from triage_site.environment import env_paths, parse_database_url

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("options", "patience"),
    [("retryWrites=true", {"serverSelectionTimeoutMS": 10_000}), ("serverSelectionTimeoutMS=9", {})],
)
def test_a_mongodb_address_selects_the_engine_and_keeps_every_option(options: str, patience: dict[str, int]) -> None:
    url = f"mongodb+srv://jo:p%40ss@cluster.example/desk?{options}"
    assert parse_database_url(url, base_dir=HERE) == {
        "ENGINE": "triage_site.mongodb",
        "NAME": "desk",
        "HOST": url,
        "OPTIONS": patience,
    }


@pytest.mark.parametrize("url", ["mongodb://jo:hunter2@localhost", "mongodb://jo:hunter2@localhost/"])
def test_an_address_without_a_database_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="names no database") as caught:
        parse_database_url(url, base_dir=HERE)
    assert "hunter2" not in str(caught.value)


def test_a_field_map_replaces_what_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_FIELDS", '{"comment": "body.text"}')
    assert env_paths("SOME_FIELDS", {"comment": "comment", "page": "page"}) == {"comment": "body.text", "page": "page"}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{comment: x}", "must be a JSON object of text"),
        ('["comment"]', "must be a JSON object of text"),
        ('{"comment": 5}', "must be a JSON object of text"),
        ('{"comment": ""}', "must be a JSON object of text"),
        ('{"coment": "x"}', "names 'coment', which is no field: use comment, page."),
    ],
)
def test_a_field_map_that_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch, value: str, words: str) -> None:
    monkeypatch.setenv("SOME_FIELDS", value)
    with pytest.raises(ImproperlyConfigured, match=words):
        env_paths("SOME_FIELDS", {"comment": "comment", "page": "page"})
