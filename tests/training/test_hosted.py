"""Hosted fine-tuning end to end against a scripted API: what is sent, what comes of it, and every way it can fail."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from analyzer import analyses, reviews, versions
from analyzer.engines import Spec, local
from analyzer.models import QueueItem, Review
from tests import make
from tests.llm_server import Received, Scripted, dropped, not_json, status
from tests.training import classroom
from tests.training.tuning_server import MODEL, STATES, TuningServer, rows
from training import dataset, runs, watch
from training.algorithms import Lesson, Options, hosted
from training.hosted import resumption
from training.hosted.api import API
from training.models import TrainingRun

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits of a real API, shortened; their order and bounds stay."""
    monkeypatch.setattr(hosted, "POLL", 0.01)
    monkeypatch.setattr(hosted, "PAUSE", 0.01)
    monkeypatch.setattr(watch, "LOOK", 0.02)


@pytest.fixture
def desk(ada: User, settings: Any) -> Any:
    """A desk with 60 decisions whose active version asks a scripted base model; its local engine knows nothing."""
    classroom.decide(ada, 60)
    ignorant = local.fit([local.LabelledText(f"{name} {name}", name, None) for name in classroom.CATEGORIES] * 2)
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_MODEL, settings.OPENAI_API_KEY = True, "scripted-base", "sk-scripted"
    version = versions.create(engine="llm", origin="test", weights=ignorant.to_bytes(), prompt="Sort it. {categories}")
    versions.activate(version=version, by=None)
    return settings


@pytest.fixture
def server(desk: Any) -> Iterator[TuningServer]:
    with TuningServer() as running:
        desk.OPENAI_BASE_URL = running.url
        yield running


def tune(**changes: Any) -> tuple[TrainingRun, list[str]]:
    """A confirmed run, and what it told."""
    lines: list[str] = []
    given = {"confirm": lambda what: True} | {name: changes.pop(name) for name in ("confirm",) if name in changes}
    run = runs.execute(algorithm="hosted", options=Options(**changes), progress=lines.append, **given)
    return run, lines


def kept(run: TrainingRun) -> dict[str, Any]:
    facts: dict[str, Any] = TrainingRun.objects.get(pk=run.pk).metrics["hosted"]
    return facts


def test_a_model_that_learned_from_the_decisions_is_compared_promoted_and_used(server: TuningServer, ada: User) -> None:
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
    assert server.files == {}
    assert run.parameters["base_model"] == "scripted-small"


def test_the_job_is_asked_for_with_method_seed_epochs_and_a_name(server: TuningServer) -> None:
    run, _ = tune(seed=7, epochs=2)
    (asked,) = (one.json for one in server.asked("POST fine_tuning/jobs") if "cancel" not in one.path)
    assert asked["model"] == "scripted-base"
    assert asked["method"] == {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}}
    assert (asked["seed"], asked["suffix"]) == (7, f"desk-run-{run.number}")
    assert asked["training_file"] != asked["validation_file"]


def test_only_training_and_validation_items_are_uploaded_as_conversations(server: TuningServer) -> None:
    data = dataset.build()
    tune()
    (train,) = (rows(content) for name, content in server.stored.items() if "train" in name)
    (validation,) = (rows(content) for name, content in server.stored.items() if "validation" in name)
    assert [len(train), len(validation)] == [len(data.train), len(data.validation)]
    for part, examples in ((train, data.train), (validation, data.validation)):
        for row, example in zip(part, examples, strict=True):
            assert [message["role"] for message in row["messages"]] == ["system", "user", "assistant"]
            assert row["messages"][0]["content"].startswith("Sort it. ")
            assert example.comment in row["messages"][1]["content"]
            assert json.loads(row["messages"][2]["content"])["category"] == example.category
    everything = "\n".join(server.stored.values())
    assert not any(example.comment in everything for example in data.test)


def test_overrides_are_uploaded_as_preferences(server: TuningServer, ada: User) -> None:
    reviewed = QueueItem.objects.select_related("feedback").order_by("received_at")
    for item in reviewed:
        analysis = make.analysis(item.feedback, category="content-gap", severity="medium")
        kept = analysis.action if item.category == analysis.category else ""
        Review.objects.filter(pk=item.review_id).update(analysis=analysis, provenance="overridden", action=kept)
        QueueItem.objects.filter(pk=item.pk).update(review=item.review_id, category=item.category)
    run, _ = tune(method="preference")
    assert run.status == "finished"
    (train,) = (rows(content) for name, content in server.stored.items() if "train" in name)
    assert len(train) == len([one for one in dataset.build().train if one.category != "content-gap"])
    for row in train:
        assert [message["role"] for message in row["input"]["messages"]] == ["system", "user"]
        (preferred,), (rejected,) = row["preferred_output"], row["non_preferred_output"]
        assert (
            json.loads(rejected["content"])["category"] == "content-gap" != json.loads(preferred["content"])["category"]
        )
    (asked,) = (one.json for one in server.asked("POST fine_tuning/jobs"))
    assert asked["method"] == {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 3}}}


def test_without_overrides_there_is_no_preference_and_nothing_is_sent(server: TuningServer) -> None:
    with pytest.raises(runs.Refused, match="needs 10 overrides that changed an answer and there are 0"):
        tune(method="preference")
    assert server.requests == []


def test_what_is_not_confirmed_is_not_sent(server: TuningServer) -> None:
    shown: list[str] = []
    with pytest.raises(runs.Refused, match="nothing was sent"):
        tune(confirm=lambda what: bool(shown.append(what)), training_price=3.0, input_price=1.0, output_price=2.0)
    assert server.requests == []
    assert not TrainingRun.objects.exists()
    (what,) = shown
    for word in ("127.0.0.1:", "39 items to learn from, 9 to validate with", "epochs = ", "in all", "scripted-base"):
        assert word in what


def test_nobody_to_ask_is_a_no(server: TuningServer) -> None:
    with pytest.raises(runs.Refused, match="Not confirmed"):
        runs.execute(algorithm="hosted", progress=[].append)
    assert server.requests == []


def test_hosted_is_refused_without_an_endpoint_and_never_tried_by_auto(desk: Any) -> None:
    assert "hosted" not in runs.available()
    desk.TRIAGE_ENDPOINT = False
    with pytest.raises(runs.Unavailable, match="set OPENAI_API_KEY or OPENAI_BASE_URL"):
        tune()
    desk.TRIAGE_ENDPOINT, desk.TRIAGE_ENGINE_NAMED, desk.TRIAGE_ENGINE = True, True, "local"
    with pytest.raises(runs.Unavailable, match="and not TRIAGE_ENGINE=local"):
        tune()


def test_hosted_runs_alone(server: TuningServer) -> None:
    with pytest.raises(runs.Unavailable, match="hosted runs alone"):
        runs.execute(algorithm="local,hosted", progress=[].append, confirm=lambda what: True)
    assert server.requests == []


def test_a_dry_run_sends_nothing(server: TuningServer) -> None:
    with pytest.raises(runs.Refused, match="A dry run stores nothing"):
        tune(dry_run=True)
    assert server.requests == []


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
def test_a_refused_upload_fails_the_run_with_the_reason(server: TuningServer, fault: Scripted, reason: str) -> None:
    server.faults["POST files"] = [fault]
    run, _ = tune()
    assert (run.status, run.candidate) == ("failed", None)
    assert re.search(reason, run.error)
    assert "sk-scripted" not in run.error
    assert server.jobs == {}
    assert kept(run)["state"] == "none"


def test_after_a_run_that_sent_nothing_another_may_begin(server: TuningServer) -> None:
    server.faults["POST files"] = [status(401)]
    assert tune()[0].status == "failed"
    assert tune()[0].status == "finished"


def test_an_upload_that_is_refused_for_a_while_is_tried_again(server: TuningServer) -> None:
    server.faults["POST files"] = [status(429), dropped(), status(503)]
    run, lines = tune()
    assert run.status == "finished"
    assert sum("Trying again to upload the train file" in line for line in lines) == 3


def test_an_api_that_never_takes_the_upload_is_given_up(server: TuningServer) -> None:
    server.faults["POST files"] = [status(503, message="closed")] * hosted.ATTEMPTS
    run, _ = tune()
    assert run.status == "failed"
    assert "is out of order (HTTP 503): closed Given up after 4 attempts to upload the train file." in run.error


def test_a_second_file_that_is_refused_has_the_first_deleted(server: TuningServer) -> None:
    server.faults["POST files"] = [lambda request: None, status(400, message="not JSONL")]
    run, lines = tune()
    assert "refused the request (HTTP 400): not JSONL" in run.error
    assert len(server.stored) == 1
    assert server.files == {}
    assert any("deleted 1 uploaded file" in line for line in lines)


def test_a_file_that_the_api_finds_invalid_fails_the_run(server: TuningServer) -> None:
    server.faults["POST fine_tuning"] = [status(400, message="invalid training_file")]
    run, _ = tune()
    assert run.error.endswith("refused the request (HTTP 400): invalid training_file")
    assert server.files == {}
    assert kept(run)["state"] == "none"


def test_a_job_whose_start_got_no_answer_is_found_and_not_paid_for_twice(server: TuningServer) -> None:
    def started(request: Received) -> Scripted:
        server.answer(Received(request.path, request.headers, request.body, request.at))
        return dropped()

    server.faults["POST fine_tuning"] = [started]
    run, _ = tune()
    assert run.status == "finished"
    assert list(server.jobs) == ["ftjob-1"]


def test_uploads_of_a_run_that_may_not_have_started_a_job_are_cleaned_up_when_it_is_resumed(
    server: TuningServer,
) -> None:
    server.faults["POST fine_tuning"] = [status(503)] * hosted.ATTEMPTS
    server.faults["GET fine_tuning"] = [status(503)] * hosted.ATTEMPTS
    run, _ = tune()
    assert run.error.endswith("Whether a job was started is not known: --resume finds out.")
    assert len(server.files) == 2
    server.faults.clear()
    again = resumption.resume(progress=[].append)
    assert again.error == "The run had uploaded 2 files, now deleted, but had started no job. Begin anew."
    assert server.files == {}
    assert tune()[0].status == "finished"


def test_a_failed_job_fails_the_run_with_the_apis_reason(server: TuningServer) -> None:
    server.states = ["validating_files", "failed"]
    server.error = {"code": "invalid_training_file", "message": "Line 3\nhas no assistant message", "param": ""}
    run, _ = tune()
    assert (run.status, run.error) == ("failed", "Job ftjob-1 failed: Line 3 has no assistant message")
    assert (kept(run)["state"], run.candidate) == ("failed", None)
    assert server.files == {}


def test_a_job_that_somebody_else_cancelled_fails_the_run(server: TuningServer) -> None:
    server.states = ["queued", "running", "cancelled"]
    run, _ = tune()
    assert run.error == "Job ftjob-1 was cancelled, but not by this run."


def test_a_lost_connection_is_waited_for_and_the_run_goes_on(server: TuningServer) -> None:
    server.states = ["queued", *["running"] * 6, "succeeded"]
    quiet: list[Any] = [lambda request: None] * 6
    server.faults["GET fine_tuning"] = [*quiet, dropped(), status(502), not_json(), status(429)]
    run, lines = tune()
    assert run.status == "finished"
    assert sum("The job goes on there; asking again" in line for line in lines) == 1
    assert any("answers again" in line for line in lines)


def test_an_api_without_events_is_followed_by_the_jobs_state(server: TuningServer) -> None:
    def no_events(request: Received) -> Scripted | None:
        return status(404) if "/events" in request.path else None

    server.faults["GET fine_tuning"] = [no_events] * 50
    run, lines = tune()
    assert run.status == "finished"
    assert sum(line.startswith("no events: ") for line in lines) == 1
    assert any("job ftjob-1: running" in line for line in lines)


def test_a_long_outage_ends_the_run_but_not_the_job_and_can_be_resumed(
    server: TuningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosted, "OUTAGE", 0.05)
    server.states = ["running"]
    away: list[Any] = [*[lambda request: None] * 6, *[dropped()] * 100]
    server.faults["GET fine_tuning"] = away
    run, _ = tune()
    assert run.status == "failed"
    assert "job ftjob-1 goes on there, and train_analyzer --algorithm hosted --resume follows it again." in run.error
    server.faults.clear()
    server.states = ["succeeded"]
    again = resumption.resume(progress=[].append)
    assert (again.pk, again.status) == (run.pk, "finished")
    assert again.candidate is not None
    assert again.candidate.model == MODEL
    assert len(server.stored) == 2


def stopped_while_running(server: TuningServer) -> tuple[TrainingRun, list[str]]:
    """A run that is stopped from outside at its third look at a job which would run for ever."""
    server.states = ["running"]

    def stop(request: Received) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    server.faults["GET fine_tuning"] = [*[lambda request: None] * 5, stop]
    return tune()


def test_a_stop_cancels_the_job_and_keeps_what_is_known(server: TuningServer) -> None:
    run, lines = stopped_while_running(server)
    assert (run.status, run.error) == ("stopped", "Stopped on request; job ftjob-1 was cancelled.")
    assert [one.path for one in server.asked("POST fine_tuning") if one.path.endswith("/cancel")]
    facts = kept(run)
    assert (facts["job"], facts["state"]) == ("ftjob-1", "cancelled")
    assert server.files == {}
    assert any("job ftjob-1: cancelled" in line for line in lines)


def test_while_the_job_of_a_killed_run_may_go_on_no_second_one_is_paid_for(server: TuningServer) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    run = TrainingRun.objects.create(
        number=1,
        algorithm="hosted",
        host=socket.gethostname(),
        pid=gone.pid,
        metrics={"hosted": {"state": "running", "job": "ftjob-1"}},
    )
    with pytest.raises(runs.Refused, match="The job of run 1 may still be going on"):
        tune()
    run.refresh_from_db()
    assert run.status == "failed"
    assert server.requests == []


def test_a_job_that_cannot_be_cancelled_is_named_and_can_be_followed_again(server: TuningServer) -> None:
    server.faults["POST fine_tuning"] = [lambda request: None, status(500)]
    run, _ = stopped_while_running(server)
    assert "job ftjob-1 could not be cancelled" in run.error
    with pytest.raises(runs.Refused, match=f"The job of run {run.number} may still be going on"):
        tune()
    server.states = ["cancelled"]
    again = resumption.resume(progress=[].append)
    assert (again.pk, again.error) == (run.pk, "Job ftjob-1 was cancelled.")


def test_a_job_that_the_api_no_longer_knows_ends_its_run(server: TuningServer) -> None:
    server.faults["POST fine_tuning"] = [lambda request: None, status(500)]
    stopped_while_running(server)
    server.jobs.clear()
    server.states = list(STATES)
    again = resumption.resume(progress=[].append)
    assert again.status == "failed"
    assert "knows no such thing" in again.error
    assert tune()[0].status == "finished"


def test_a_run_without_time_sends_nothing(server: TuningServer) -> None:
    run, _ = tune(max_minutes=0.0)
    assert (run.status, run.error) == ("failed", "the time is used up")
    assert server.stored == {}


def test_a_job_that_takes_too_long_is_cancelled(server: TuningServer) -> None:
    server.states = ["queued"]
    api = API(base_url=server.url, api_key="")
    job = api.create(
        model="scripted",
        training=api.upload("train.jsonl", io.BytesIO()),
        validation=None,
        method="supervised",
        epochs=1,
        seed=0,
        suffix="desk",
        mark="one",
    )
    control = watch.Control(say=[].append, deadline=0.0)
    nothing = dataset.Dataset((), (), (), (), "", {})
    lesson = Lesson(dataset=nothing, active=Spec(engine="llm"), options=Options(), control=control)
    with pytest.raises(watch.Stopped, match=f"The time is used up; job {job.id} was cancelled"):
        hosted.Tuning(api, lesson).follow(job)


def test_a_model_that_is_late_is_waited_for(server: TuningServer) -> None:
    server.faults["POST chat"] = [status(404), status(404)]
    run, lines = tune()
    assert run.status == "finished"
    assert sum(f"{MODEL} does not answer yet" in line for line in lines) == 2


def test_a_model_that_never_answers_fails_the_run(server: TuningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosted, "ARRIVAL", 0.0)
    server.faults["POST chat"] = [status(404)] * 50
    run, _ = tune()
    assert run.status == "failed"
    assert f"{MODEL} was made, but does not answer" in run.error


def test_decisions_made_while_the_job_ran_do_not_change_what_is_examined(
    server: TuningServer, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosted, "ARRIVAL", 0.0)
    server.faults["POST chat"] = [status(404)] * 50
    held_out = {one.feedback_id for one in dataset.build().test}
    run, _ = tune()
    server.faults.clear()
    classroom.decide(ada, 60, seed=3)
    first = QueueItem.objects.filter(pk__in=held_out).select_related("analysis").first()
    assert first is not None
    analysis = make.analysis(first.feedback)
    reviews.override(analysis=analysis, by=ada, category="noise", after=first.review)
    again = resumption.resume(number=run.number, progress=[].append)
    assert again.status == "finished"
    assert again.metrics["candidate"]["n"] == len(held_out)


def test_a_run_that_needs_no_going_on_is_refused(server: TuningServer) -> None:
    with pytest.raises(runs.Refused, match="There is no hosted run that can be resumed"):
        resumption.resume()
    run, _ = tune()
    with pytest.raises(runs.Refused, match=f"Run {run.number} cannot be resumed"):
        resumption.resume(number=run.number)
