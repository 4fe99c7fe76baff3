"""train_analyzer learns from decisions, compares on items it never saw, and only what is better goes live."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.utils import timezone

from analyzer import analyses, versions
from analyzer.models import AnalyzerVersion, QueueItem, Review
from analyzer.verdict import DEFAULT_THRESHOLD
from tests import make
from tests.llm_server import LLMServer, ok
from tests.llm_server import status as unauthorized
from tests.training import classroom
from training import dataset, promotion, refusals, runs
from training.algorithms import Lesson, Options, local
from training.models import TrainingRun
from training.watch import Control

pytestmark = pytest.mark.django_db
QUICK = Options(curve=False)


@pytest.fixture(autouse=True)
def cold() -> AnalyzerVersion:
    """What every desk starts with."""
    return make.working_version()


def train(*arguments: str) -> str:
    out = StringIO()
    call_command("train_analyzer", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def quietly(line: str) -> None:
    """Progress that nobody reads."""


def test_decisions_become_a_version_that_is_used_by_the_next_analysis(
    ada: User, mia: User, cold: AnalyzerVersion
) -> None:
    classroom.decide(ada, 360)
    told = train("--algorithm", "local", "--promote", "--by", "mia")
    run = TrainingRun.objects.get()
    assert told.splitlines()[-1].startswith(f"promoted, version {run.candidate.number}: Macro-F1 +")
    assert (run.status, run.outcome, run.approved_by, run.error) == ("finished", "promoted", mia, "")
    assert run.metrics["candidate"]["accuracy"] > run.metrics["active"]["accuracy"] + 0.2
    assert run.gate["promote"] is True
    assert [point["n"] for point in run.curve] == [0, 50, 100, 200, 234]
    assert run.curve[-1]["accuracy"] > run.curve[0]["accuracy"]
    assert "local begins" in run.log
    active = versions.active()
    assert (active, active.parent, active.origin) == (run.candidate, cold, "local")
    assert set(active.thresholds) == {"category", "severity"}
    assert active.calibration["method"] == "temperature"
    said = make.feedback("basedemu quindle tikilora rasevomu", type="", rating=None)
    assert analyses.perform(said.pk)
    item = QueueItem.objects.get(pk=said.pk)
    assert (item.analysis.version, item.category) == (active, classroom.MEANINGS["quindle"])


def test_a_promotion_can_be_replayed_from_its_record(ada: User, mia: User) -> None:
    classroom.decide(ada, 360)
    run = runs.execute(algorithm="local", options=QUICK, progress=quietly)
    assert run.outcome == "proposed"
    version = promotion.promote(run=run, by=mia)
    record = AnalyzerVersion.objects.get(pk=version.pk).metrics["promotion"]
    assert record["dataset"]["digest"] == run.dataset["digest"]
    assert record["dataset"]["n"] == {"train": 234, "validation": 54, "test": 72, "left_out": 0}
    assert record["gate"]["deltas"]["macro_f1"]["low"] > 0
    assert (record["by"], record["over"], record["forced"], record["seed"]) == ("mia", run.active.number, False, 0)


def test_the_same_data_learned_again_gives_the_same_weights_and_changes_nothing(ada: User) -> None:
    classroom.decide(ada, 360)
    first = runs.execute(algorithm="local", options=Options(curve=False, promote=True), progress=quietly)
    again = runs.execute(algorithm="local", options=QUICK, progress=quietly)
    assert again.dataset["digest"] == first.dataset["digest"]
    assert again.candidate.weights_digest == first.candidate.weights_digest
    assert again.outcome == "no-change"
    assert "not more than noise" in again.gate["reasons"][0]


def test_shuffled_labels_promote_nothing(ada: User) -> None:
    classroom.decide(ada, 360, label=lambda position, category: classroom.CATEGORIES[position * position * 7 % 11 % 6])
    run = runs.execute(algorithm="local", options=Options(curve=False, promote=True), progress=quietly)
    assert (run.status, run.outcome) == ("finished", "no-change")
    assert versions.active().origin == "cold-start"


def test_a_version_taught_wrongly_is_refused_and_a_forced_one_rolls_back_in_one_step(ada: User, mia: User) -> None:
    items = classroom.decide(ada, 360)
    good = runs.execute(algorithm="local", options=Options(curve=False, promote=True), progress=quietly).candidate
    for item in items[:288]:
        # Everything but the newest fifth is decided wrongly from now on.
        wrong = classroom.CATEGORIES[(classroom.CATEGORIES.index(item.category) + 1) % 6]
        item.review.category = wrong
        item.review.save(update_fields=("category",))
    run = runs.execute(algorithm="local", options=Options(curve=False, promote=True), progress=quietly)
    assert run.outcome == "no-change"
    assert versions.active() == good
    with pytest.raises(refusals.NotPromotable, match="did not pass the gate"):
        promotion.promote(run=run, by=mia)
    bad = promotion.promote(run=run, by=mia, force=True)
    said = make.feedback("basedemu quindle tikilora rasevomu", type="", rating=None)
    assert analyses.perform(said.pk)
    analysis = QueueItem.objects.get(pk=said.pk).analysis
    assert (analysis.version, analysis.category) == (bad, "content-gap")
    assert bad.metrics["promotion"]["forced"] is True
    versions.activate(version=good, by=mia)
    assert versions.active() == good


def test_a_version_that_asks_a_model_keeps_its_prompt_and_gets_new_weights(ada: User, cold: AnalyzerVersion) -> None:
    classroom.decide(ada, 360)
    asking = versions.create(
        engine="cascade",
        origin="apo",
        prompt="Be kind.",
        weights=bytes(cold.weights),
        model="m",
        thresholds={"cascade": 0.7, "category": 0.9},
    )
    control = Control(say=quietly)
    proposal = local.learn(Lesson(dataset.build(), versions.spec(asking), QUICK, control))
    assert (proposal.engine, proposal.prompt, proposal.model) == ("cascade", "Be kind.", None)
    assert proposal.weights != bytes(cold.weights)
    assert proposal.thresholds == {"cascade": 0.7}, "a field's would be the local engine's, which is not asked alone"
    assert proposal.gain > 0.2


def undecided(items: list[QueueItem]) -> list[QueueItem]:
    """These items, waiting for a decision again as they did before."""
    QueueItem.objects.filter(pk__in=[item.pk for item in items]).update(review=None, status="open")
    return items


def decided_since(items: list[QueueItem]) -> None:
    now = timezone.now()
    for item in items:
        Review.objects.filter(pk=item.review_id).update(created_at=now)
        QueueItem.objects.filter(pk=item.pk).update(review=item.review_id, status="decided")


def test_nothing_that_the_active_version_learned_from_examines_the_next(ada: User) -> None:
    backlog = undecided(classroom.decide(ada, 360)[:180])
    first = runs.execute(algorithm="local", options=Options(curve=False, promote=True), progress=quietly)
    assert (first.outcome, first.metrics["candidate"]["n"]) == ("promoted", 36)
    # The older half is decided too: the newest fifth now begins before what the first run was examined on.
    decided_since(backlog)
    again = runs.execute(algorithm="local", options=QUICK, progress=quietly)
    assert again.metrics["active"]["n"] == again.dataset["n"]["test"] == 36
    assert (again.dataset["learned"], again.dataset["n"]["left_out"]) == (36, 36)
    assert "36 of the newest decisions are left out of the examination: version 2 may have learned" in again.log


def test_too_few_items_that_the_active_version_has_not_learned_from_are_refused(ada: User) -> None:
    backlog = undecided(classroom.decide(ada, 360)[:300])
    first = runs.execute(algorithm="local", options=Options(curve=False), progress=quietly)
    promotion.promote(run=first, by=None, force=True)
    decided_since(backlog[:150])
    newest = list(QueueItem.objects.order_by("-received_at")[:9])
    undecided(newest)
    with pytest.raises(refusals.Refused, match="the active version may have learned from all but 3"):
        runs.execute(algorithm="local", options=QUICK, progress=quietly)
    assert TrainingRun.objects.count() == 1


@pytest.mark.parametrize(
    ("answered", "status"),
    [(12, "failed"), (10, "failed"), (0, "finished"), (24, "finished")],
    ids=["gone in between", "gone near the end of the first", "gone all along", "never gone"],
)
def test_an_endpoint_that_goes_away_during_the_comparison_decides_nothing(
    ada: User, cold: AnalyzerVersion, settings: Any, answered: int, status: str
) -> None:
    classroom.decide(ada, 60)
    asking = versions.create(engine="llm", origin="apo", weights=bytes(cold.weights), model="m")
    versions.activate(version=asking, by=None)
    with LLMServer(lambda request, n: ok() if n < answered else unauthorized(401)) as server:
        settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY, settings.TRIAGE_ENDPOINT = server.url, "k", True
        run = runs.execute(algorithm="local", options=QUICK, progress=quietly)
    assert run.status == status
    if status == "failed":
        assert f"the model answered for one of the two only on {answered} of the 12 held-out items" in run.error
        assert "HTTP 401" in run.error
        assert run.gate == {}


def test_what_was_accepted_in_bulk_does_not_say_how_sure_to_be(ada: User, cold: AnalyzerVersion) -> None:
    """Its label is the machine's own answer, so that the machine would look right about all of it."""
    classroom.decide(ada, 360)
    data = dataset.build()
    bulk = tuple(replace(one, provenance="bulk") for one in data.validation)
    lines: list[str] = []

    def lesson(validation: tuple[dataset.Example, ...]) -> Lesson:
        return Lesson(replace(data, validation=validation), versions.spec(cold), QUICK, Control(say=lines.append))

    measured, none = (local.learn(lesson(validation)) for validation in (data.validation, bulk))
    assert measured.thresholds["category"] != DEFAULT_THRESHOLD
    assert none.thresholds == {"category": DEFAULT_THRESHOLD, "severity": DEFAULT_THRESHOLD}
    assert measured.calibration["n"] == len(data.validation)
    assert none.calibration["folds"], "checked by cross-validation on what was learned from"
    assert local.curve(lesson(bulk)) == []
    assert lines[-1] == "no learning curve: every validation item was accepted in bulk"


def test_too_few_decisions_are_refused_with_what_is_missing(ada: User) -> None:
    classroom.decide(ada, 30)
    with pytest.raises(CommandError, match="Learning needs 50 decided items and there are 30: 20 are missing"):
        train("--algorithm", "local")
    assert not TrainingRun.objects.exists()


def test_a_second_run_at_once_is_refused(ada: User) -> None:
    classroom.decide(ada, 60)
    TrainingRun.objects.create(number=1, algorithm="apo", pid=1, host="elsewhere")
    with pytest.raises(CommandError, match=r"Run 1 \(apo\) is going on since"):
        train("--algorithm", "local")
    assert TrainingRun.objects.count() == 1


def test_a_dry_run_compares_and_stores_nothing(ada: User) -> None:
    classroom.decide(ada, 360)
    told = train("--algorithm", "local", "--dry-run", "--no-curve")
    assert "macro-F1" in told
    assert told.splitlines()[-1].startswith("proposed: Macro-F1 +")
    assert not TrainingRun.objects.exists()
    assert AnalyzerVersion.objects.count() == 1


def test_only_a_manager_promotes(ada: User) -> None:
    classroom.decide(ada, 60)
    with pytest.raises(PermissionDenied):
        runs.execute(algorithm="local", by=ada, options=Options(promote=True), progress=quietly)
    run = TrainingRun(number=1, algorithm="local", gate={"promote": True}, candidate=versions.active())
    with pytest.raises(PermissionDenied):
        promotion.promote(run=run, by=ada)


def test_a_run_that_was_compared_with_another_version_is_not_promoted(ada: User, mia: User) -> None:
    classroom.decide(ada, 360)
    run = runs.execute(algorithm="local", options=QUICK, progress=quietly)
    other = versions.create(engine="local", origin="test", weights=bytes(versions.active().weights) + b" ")
    versions.activate(version=other, by=mia)
    with pytest.raises(refusals.NotPromotable, match=f"version {other.number} is active now: train again"):
        promotion.promote(run=run, by=mia)


def test_a_run_that_cannot_go_on_is_failed_with_the_reason(ada: User, cold: AnalyzerVersion) -> None:
    classroom.decide(ada, 60)
    AnalyzerVersion.objects.filter(pk=cold.pk).update(weights=b"chewed")
    with pytest.raises(CommandError, match="failed: The weights of this version cannot be used"):
        train("--algorithm", "reinforce")
    run = TrainingRun.objects.get()
    assert (run.status, run.candidate) == ("failed", None)
    assert run.error.startswith("The weights of this version cannot be used")


def test_apo_without_a_model_is_refused_with_what_to_do(ada: User) -> None:
    with pytest.raises(CommandError, match="set OPENAI_BASE_URL or OPENAI_API_KEY"):
        train("--algorithm", "apo")


def test_an_unknown_algorithm_is_named(ada: User) -> None:
    with pytest.raises(CommandError, match="There is no algorithm magic; there are auto, local, apo, reinforce"):
        train("--algorithm", "local,magic")


def test_a_run_that_was_closed_while_it_worked_promotes_nothing(ada: User, cold: AnalyzerVersion) -> None:
    classroom.decide(ada, 360)

    def close(line: str) -> None:
        if "best on validation" in line:
            TrainingRun.objects.update(status="failed", error="No sign of life.")

    run = runs.execute(algorithm="local", options=Options(curve=False, promote=True), progress=close)
    assert (run.status, run.candidate) == ("failed", None)
    assert "was closed as failed while it worked" in run.error
    assert list(AnalyzerVersion.objects.all()) == [cold]
    assert TrainingRun.objects.get().error == "No sign of life."
