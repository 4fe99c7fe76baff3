"""A version with an adapter is activated only when the files that were evaluated are there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from analyzer import adapters, versions
from analyzer.models import AnalyzerVersion
from tests.training import make_runs
from training import promotion
from training.refusals import NotPromotable

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.FINETUNE_DIR = tmp_path
    adapter = tmp_path / "run-3" / "adapter"
    adapter.mkdir(parents=True)
    (adapter / adapters.CONFIG).write_text("{}")
    (adapter / adapters.WEIGHTS).write_bytes(b"numbers")
    return adapter


def tuned(folder: Path, **values: Any) -> AnalyzerVersion:
    record = {
        "path": "run-3/adapter",
        "digest": adapters.digest(folder),
        "base": "/models/tiny",
        "method": "sft",
        "name": "triage-run-3",
        "run": 3,
    }
    return make_runs.version(
        **({"engine": "llm", "origin": "sft", "model": "triage-run-3", "adapter": record} | values)
    )


def test_an_unchanged_adapter_is_activated_and_taken_back(folder: Path, mia: User) -> None:
    before, version = make_runs.active(), tuned(folder)
    assert versions.activate(version=version, by=mia).status == "active"
    assert versions.activate(version=before, by=mia).status == "active"
    version.refresh_from_db()
    assert version.status == "retired"


@pytest.mark.parametrize("change", ["altered", "added", "removed", "gone"])
def test_whatever_happened_to_its_files_is_said_and_the_active_version_stays(
    folder: Path, mia: User, change: str
) -> None:
    before, version = make_runs.active(), tuned(folder)
    weights = folder / adapters.WEIGHTS
    if change == "altered":
        weights.write_bytes(b"number5")
    elif change == "added":
        (folder / "more.safetensors").write_bytes(b"x")
    elif change == "removed":
        weights.unlink()
    else:
        folder.rename(folder.with_name("elsewhere"))
    missing = change in ("removed", "gone")
    with pytest.raises(versions.NotUsable) as caught:
        versions.activate(version=version, by=mia)
    said = str(caught.value)
    assert said.startswith(f"Version {version.number} cannot be activated. Its adapter ")
    assert ("is missing" if missing else "is not the one that was evaluated") in said
    assert str(folder) in said
    before.refresh_from_db()
    assert before.status == "active"


def test_promoting_and_the_command_refuse_it_too(folder: Path, mia: User) -> None:
    version = tuned(folder)
    run = make_runs.run(candidate=version)
    (folder / adapters.WEIGHTS).write_bytes(b"number5")
    with pytest.raises(versions.NotUsable):
        promotion.promote(run=run, by=mia)
    run.refresh_from_db()
    assert run.outcome == "proposed"
    with pytest.raises(NotPromotable):
        promotion.promote(run=make_runs.run(better=False, candidate=version), by=mia)
    with pytest.raises(CommandError, match="not the one that was evaluated"):
        call_command("activate_analyzer", version.number)


def test_the_local_half_of_a_version_needs_no_adapter(folder: Path, mia: User) -> None:
    """Where no endpoint is set, its weights answer; the adapter is not used and need not be there."""
    version = tuned(folder, engine="local")
    (folder / adapters.WEIGHTS).unlink()
    assert versions.activate(version=version, by=mia).status == "active"


def test_the_page_of_a_version_names_its_adapter_and_says_when_it_was_changed(
    folder: Path, client: Client, ben: User
) -> None:
    version = tuned(folder)
    client.force_login(ben)
    address = f"/admin/analyzer/analyzerversion/{version.pk}/change/"
    page = client.get(address).content.decode()
    for needed in ("Fine-tuned", "run-3/adapter", "/models/tiny", adapters.digest(folder), "those that were evaluated"):
        assert needed in page
    (folder / adapters.WEIGHTS).write_bytes(b"number5")
    assert "is not the one that was evaluated" in client.get(address).content.decode()
    plain = make_runs.version()
    assert "as its maker left it" in client.get(f"/admin/analyzer/analyzerversion/{plain.pk}/change/").content.decode()


def test_a_digest_names_files_and_content(tmp_path: Path) -> None:
    def made(name: str, **files: bytes) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for file, content in files.items():
            (folder / file).write_bytes(content)
        return folder

    one, same = made("one", a=b"1", b=b"2"), made("same", b=b"2", a=b"1")
    assert adapters.digest(one) == adapters.digest(same)
    others = (made("x", a=b"1"), made("y", a=b"2", b=b"1"), made("z", a=b"1", c=b"2"), made("w", a=b"12", b=b""))
    assert len({adapters.digest(folder) for folder in (one, *others)}) == 5
