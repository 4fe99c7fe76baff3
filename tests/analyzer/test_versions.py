"""One version is active; the next analysis uses it; taking it back is the same step."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from pytest_django import Settings

from analyzer import adapters, analyses, tasks, versions
from analyzer.models import AnalyzerVersion, QueueItem
from tests import make

pytestmark = pytest.mark.django_db


def test_an_empty_desk_makes_itself_a_version_from_the_synthetic_examples() -> None:
    version = versions.active()
    assert (version.number, version.engine, version.origin, version.status) == (1, "local", "cold-start", "active")
    assert "synthetic" in version.calibration["data"]
    assert versions.active() == version


def test_the_next_analysis_uses_the_version_that_was_activated(mia: User) -> None:
    first, said = make.working_version(), make.feedback()
    tasks.analyze_feedback(str(said.pk))
    second = versions.create(engine="local", origin="test", weights=bytes(first.weights), parent=first)
    versions.activate(version=second, by=mia)
    analyses.request(items=QueueItem.objects.all())
    tasks.analyze_feedback(str(said.pk))
    assert [row.version.number for row in said.analyses.order_by("created_at")] == [1, 2]
    first.refresh_from_db()
    assert first.status == "retired"


def test_the_command_activates_and_rolls_back_by_number() -> None:
    first = make.working_version()
    versions.create(engine="local", origin="test", weights=bytes(first.weights))
    out = io.StringIO()
    call_command("activate_analyzer", "2", stdout=out)
    call_command("activate_analyzer", "1", stdout=out)
    assert "Active: v1 local (cold-start). Before: v2 local (test)." in out.getvalue()
    assert AnalyzerVersion.objects.get(status="active").number == 1
    with pytest.raises(CommandError, match=r"There is no version 9\. The newest are: 2, 1"):
        call_command("activate_analyzer", "9")


def test_a_reviewer_may_not_activate(ada: User) -> None:
    with pytest.raises(PermissionDenied):
        versions.activate(version=make.working_version(), by=ada)


def test_a_version_without_weights_cannot_become_active() -> None:
    make.working_version()
    with pytest.raises(versions.NotUsable, match="no weights"):
        versions.activate(version=versions.create(engine="llm", origin="test"), by=None)


def test_adding_an_endpoint_makes_a_version_that_asks_it_and_removing_it_goes_back(settings: Settings) -> None:
    first = make.working_version()
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_ENGINE = True, "cascade"
    asking = versions.active()
    assert (asking.engine, asking.parent, asking.weights_digest) == ("cascade", first, first.weights_digest)
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_ENGINE = False, "local"
    assert versions.active() == first
    assert AnalyzerVersion.objects.count() == 2


def test_a_promoted_local_version_stays_active_when_an_endpoint_is_added(settings: Settings) -> None:
    first = make.working_version()
    promoted = versions.create(engine="local", origin="local", weights=bytes(first.weights), parent=first)
    versions.activate(version=promoted, by=None)
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_ENGINE = True, "cascade"
    assert versions.active() == promoted


def promoted_model(**values: Any) -> AnalyzerVersion:
    """A version that asks a fine-tuned model and is active, over the weights that every desk starts with."""
    first = make.working_version()
    tuned = versions.create(
        **({"engine": "llm", "origin": "hosted", "model": "ft:one", "weights": bytes(first.weights)} | values),
        parent=first,
    )
    return versions.activate(version=tuned, by=None)


def test_a_promoted_model_is_asked_again_when_the_endpoint_is_back(settings: Settings) -> None:
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_ENGINE = False, "local"
    tuned = promoted_model()
    standing_in = versions.active()
    assert (standing_in.engine, standing_in.parent) == ("local", tuned)
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_ENGINE = True, "cascade"
    assert versions.active() == tuned
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_ENGINE = False, "local"
    assert versions.active() == standing_in
    assert AnalyzerVersion.objects.count() == 3


def test_a_local_version_that_a_manager_chose_stays_though_it_stood_in_for_a_model(
    mia: User, settings: Settings
) -> None:
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_ENGINE = False, "local"
    tuned = promoted_model()
    standing_in = versions.active()
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_ENGINE = True, "cascade"
    assert versions.active() == tuned
    versions.activate(version=standing_in, by=mia)
    assert versions.active() == standing_in


def test_the_command_says_when_the_environment_asks_for_another_engine(settings: Settings) -> None:
    first = make.working_version()
    settings.TRIAGE_ENGINE, settings.TRIAGE_ENDPOINT = "cascade", True
    asking = versions.active()
    assert asking != first
    with pytest.raises(CommandError, match="Set TRIAGE_ENGINE=local"):
        call_command("activate_analyzer", str(first.number))
    assert versions.active() == asking


def test_a_local_version_with_weights_of_its_own_stands_in_for_nobody(settings: Settings) -> None:
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_ENGINE = False, "local"
    promoted_model()
    learned = versions.create(
        engine="local", origin="local", model="ft:one", weights=b"others", parent=versions.active()
    )
    versions.activate(version=learned, by=None)
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_ENGINE = True, "cascade"
    assert versions.active() == learned


def test_the_stand_in_goes_on_while_the_files_of_the_adapter_are_not_there(settings: Settings, tmp_path: Path) -> None:
    settings.FINETUNE_DIR = tmp_path
    adapter = tmp_path / "run-3" / "adapter"
    adapter.mkdir(parents=True)
    for name in (adapters.CONFIG, adapters.WEIGHTS):
        (adapter / name).write_bytes(b"{}")
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_ENGINE = False, "local"
    tuned = promoted_model(adapter={"path": "run-3/adapter", "digest": adapters.digest(adapter)})
    standing_in = versions.active()
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_ENGINE = True, "cascade"
    adapter.rename(tmp_path / "elsewhere")
    assert versions.active() == standing_in
    (tmp_path / "elsewhere").rename(adapter)
    assert versions.active() == tuned


def test_the_stand_in_has_what_its_version_was_evaluated_with(settings: Settings) -> None:
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_ENGINE = False, "local"
    tuned = promoted_model(thresholds={"category": 0.9}, calibration={"examples": 0})
    other = versions.create(
        engine="local", origin="test", model="ft:one", weights=bytes(tuned.weights), thresholds={"category": 0.1}
    )
    standing_in = versions.active()
    assert standing_in != other
    assert (standing_in.thresholds, standing_in.calibration) == (tuned.thresholds, tuned.calibration)


def test_the_database_allows_one_active_version() -> None:
    from django.db import IntegrityError

    make.working_version()
    with pytest.raises(IntegrityError):
        AnalyzerVersion.objects.create(number=7, engine="local", origin="test", status="active")
