"""Hosted fine-tuning against a scripted API: what is sent to it, up to the job."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User

from analyzer import analyses, versions
from analyzer.models import QueueItem, Review
from tests import make
from tests.llm_server import Scripted, dropped, status
from tests.training import classroom
from tests.training.tuned_desk import kept, tune
from tests.training.tuning_server import MODEL, TuningServer, rows
from training import availability, dataset, refusals, runs
from training.algorithms import hosted
from training.models import TrainingRun

pytestmark = pytest.mark.django_db


def test_a_model_that_learned_from_the_decisions_is_compared_promoted_and_used(tuning: TuningServer, ada: User) -> None:
    classroom.decide(ada, 60, seed=1)
    run, lines = tune(promote=True, base_model="scripted-small", epochs=2, seed=7)
    assert (run.status, run.outcome, run.error) == ("finished", "promoted", "")
    active = versions.active()
    assert (active.engine, active.model, active.origin) == ("llm", MODEL, "hosted")
    assert run.metrics["active"]["accuracy"] < 0.5 < 0.9 < run.metrics["candidate"]["accuracy"]
    found = run.metrics["validation"]["hosted"]
    assert (found["model"], found["base_model"]) == (MODEL, "scripted-small")
    assert found["trained_tokens"] == 2_000
    said = make.feedback("badeki quindle tikilora rasevomu", type="", rating=None)
    assert analyses.perform(said.pk)
    assert QueueItem.objects.get(pk=said.pk).category == classroom.MEANINGS["quindle"]
    told = "\n".join(lines)
    for word in ("uploaded 78 rows", "started on scripted-small: validating_files", "says: Now running", "succeeded"):
        assert word in told
    assert kept(run)["job"] == "ftjob-1"
    assert "held_out" not in kept(run)
    assert tuning.files == {}
    assert run.parameters["base_model"] == "scripted-small"


def test_what_goes_live_is_the_engine_that_was_compared(tuning: TuningServer, ada: User, settings: Any) -> None:
    classroom.decide(ada, 60, seed=1)
    settings.TRIAGE_ENGINE_NAMED, settings.TRIAGE_ENGINE = True, "cascade"
    run, _ = tune(promote=True)
    assert (run.outcome, run.candidate.engine) == ("promoted", "cascade")
    assert versions.active() == run.candidate


def test_the_job_is_asked_for_with_method_seed_epochs_and_a_name(tuning: TuningServer) -> None:
    run, _ = tune(seed=7, epochs=2)
    (asked,) = (one.json for one in tuning.asked("POST fine_tuning/jobs") if "cancel" not in one.path)
    assert asked["model"] == "scripted-base"
    assert asked["method"] == {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}}
    assert (asked["seed"], asked["suffix"]) == (7, f"desk-run-{run.number}")
    assert asked["training_file"] != asked["validation_file"]


def test_only_training_and_validation_items_are_uploaded_as_conversations(tuning: TuningServer) -> None:
    data = dataset.build()
    tune()
    (train,) = (rows(content) for name, content in tuning.stored.items() if "train" in name)
    (validation,) = (rows(content) for name, content in tuning.stored.items() if "validation" in name)
    assert [len(train), len(validation)] == [len(data.train), len(data.validation)]
    for part, examples in ((train, data.train), (validation, data.validation)):
        for row, example in zip(part, examples, strict=True):
            assert [message["role"] for message in row["messages"]] == ["system", "user", "assistant"]
            assert row["messages"][0]["content"].startswith("Sort it. ")
            assert example.comment in row["messages"][1]["content"]
            assert json.loads(row["messages"][2]["content"])["category"] == example.category
    everything = "\n".join(tuning.stored.values())
    assert not any(example.comment in everything for example in data.test)


def test_overrides_are_uploaded_as_preferences(tuning: TuningServer, ada: User) -> None:
    reviewed = QueueItem.objects.select_related("feedback").order_by("received_at")
    for item in reviewed:
        analysis = make.analysis(item.feedback, category="content-gap", severity="medium")
        kept = analysis.action if item.category == analysis.category else ""
        Review.objects.filter(pk=item.review_id).update(analysis=analysis, provenance="overridden", action=kept)
        QueueItem.objects.filter(pk=item.pk).update(review=item.review_id, category=item.category)
    run, _ = tune(method="preference")
    assert run.status == "finished"
    (train,) = (rows(content) for name, content in tuning.stored.items() if "train" in name)
    assert len(train) == len([one for one in dataset.build().train if one.category != "content-gap"])
    for row in train:
        assert [message["role"] for message in row["input"]["messages"]] == ["system", "user"]
        (preferred,), (rejected,) = row["preferred_output"], row["non_preferred_output"]
        assert (
            json.loads(rejected["content"])["category"] == "content-gap" != json.loads(preferred["content"])["category"]
        )
    (asked,) = (one.json for one in tuning.asked("POST fine_tuning/jobs"))
    assert asked["method"] == {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 3}}}


def test_without_overrides_there_is_no_preference_and_nothing_is_sent(tuning: TuningServer) -> None:
    with pytest.raises(refusals.Refused, match="needs 10 overrides that changed an answer and there are 0"):
        tune(method="preference")
    assert tuning.requests == []


def test_what_is_not_confirmed_is_not_sent(tuning: TuningServer) -> None:
    shown: list[str] = []
    with pytest.raises(refusals.Refused, match="nothing was sent"):
        tune(confirm=lambda what: bool(shown.append(what)), training_price=3.0, input_price=1.0, output_price=2.0)
    assert tuning.requests == []
    assert not TrainingRun.objects.exists()
    (what,) = shown
    for word in ("127.0.0.1:", "39 items to learn from, 9 to validate with", "epochs = ", "in all", "scripted-base"):
        assert word in what


def test_nobody_to_ask_is_a_no(tuning: TuningServer) -> None:
    with pytest.raises(refusals.Refused, match="Not confirmed"):
        runs.execute(algorithm="hosted", progress=[].append)
    assert tuning.requests == []


def test_hosted_is_refused_without_an_endpoint_and_never_tried_by_auto(untuned: Any) -> None:
    assert "hosted" not in availability.available()
    untuned.TRIAGE_ENDPOINT = False
    with pytest.raises(refusals.Unavailable, match="set OPENAI_API_KEY or OPENAI_BASE_URL"):
        tune()
    untuned.TRIAGE_ENDPOINT, untuned.TRIAGE_ENGINE_NAMED, untuned.TRIAGE_ENGINE = True, True, "local"
    with pytest.raises(refusals.Unavailable, match="and not TRIAGE_ENGINE=local"):
        tune()


def test_hosted_runs_alone(tuning: TuningServer) -> None:
    with pytest.raises(refusals.Unavailable, match="hosted runs alone"):
        runs.execute(algorithm="local,hosted", progress=[].append, confirm=lambda what: True)
    assert tuning.requests == []


def test_a_dry_run_sends_nothing(tuning: TuningServer) -> None:
    with pytest.raises(refusals.Refused, match="A dry run stores nothing"):
        tune(dry_run=True)
    assert tuning.requests == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (status(401, message="Bad key sk-scripted"), r"did not accept the key; check OPENAI_API_KEY \(HTTP 401\): Bad"),
        (status(413), r"finds the file too large.*\(HTTP 413\)"),
        (status(404), r"not every OpenAI-compatible endpoint has a fine-tuning API.*\(HTTP 404\)"),
        (
            Scripted(b'{"error": {"message": "Pay first", "code": "insufficient_quota"}}', 429),
            r"has no budget left for this key \(HTTP 429\): Pay first",
        ),
    ],
    ids=["401", "413", "404", "quota"],
)
def test_a_refused_upload_fails_the_run_with_the_reason(tuning: TuningServer, fault: Scripted, reason: str) -> None:
    tuning.faults["POST files"] = [fault]
    run, _ = tune()
    assert (run.status, run.candidate) == ("failed", None)
    assert re.search(reason, run.error)
    assert "sk-scripted" not in run.error
    assert tuning.jobs == {}
    assert kept(run)["state"] == "none"


def test_after_a_run_that_sent_nothing_another_may_begin(tuning: TuningServer) -> None:
    tuning.faults["POST files"] = [status(401)]
    assert tune()[0].status == "failed"
    assert tune()[0].status == "finished"


def test_an_upload_that_is_refused_for_a_while_is_tried_again(tuning: TuningServer) -> None:
    tuning.faults["POST files"] = [status(429), dropped(), status(503)]
    run, lines = tune()
    assert run.status == "finished"
    assert sum("Trying again to upload the train file" in line for line in lines) == 3


def test_an_api_that_never_takes_the_upload_is_given_up(tuning: TuningServer) -> None:
    tuning.faults["POST files"] = [status(503, message="closed")] * hosted.ATTEMPTS
    run, _ = tune()
    assert run.status == "failed"
    assert "is out of order (HTTP 503): closed Given up after 4 attempts to upload the train file." in run.error


def test_a_second_file_that_is_refused_has_the_first_deleted(tuning: TuningServer) -> None:
    tuning.faults["POST files"] = [lambda request: None, status(400, message="not JSONL")]
    run, lines = tune()
    assert "refused the request (HTTP 400): not JSONL" in run.error
    assert len(tuning.stored) == 1
    assert tuning.files == {}
    assert any("deleted 1 uploaded file" in line for line in lines)


def test_a_file_that_the_api_finds_invalid_fails_the_run(tuning: TuningServer) -> None:
    tuning.faults["POST fine_tuning"] = [status(400, message="invalid training_file")]
    run, _ = tune()
    assert run.error.endswith("refused the request (HTTP 400): invalid training_file")
    assert tuning.files == {}
    assert kept(run)["state"] == "none"
