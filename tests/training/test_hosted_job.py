"""A hosted job that was asked for: however it ends and whoever stops looking, it is paid for once."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
from typing import Any

import pytest
from django.contrib.auth.models import User

from analyzer import reviews
from analyzer.engines import Spec
from analyzer.models import QueueItem
from tests import make
from tests.llm_server import Received, Scripted, dropped, not_json, status
from tests.training import classroom
from tests.training.tuned_desk import kept, tune
from tests.training.tuning_server import MODEL, STATES, TuningServer
from training import dataset, refusals, watch
from training.algorithms import Lesson, Options, hosted
from training.hosted import resumption
from training.hosted.api import API
from training.models import TrainingRun

pytestmark = pytest.mark.django_db


def test_a_job_whose_start_got_no_answer_is_found_and_not_paid_for_twice(tuning: TuningServer) -> None:
    def started(request: Received) -> Scripted:
        tuning.answer(Received(request.path, request.headers, request.body, request.at))
        return dropped()

    tuning.faults["POST fine_tuning"] = [started]
    run, _ = tune()
    assert run.status == "finished"
    assert list(tuning.jobs) == ["ftjob-1"]


def test_uploads_of_a_run_that_may_not_have_started_a_job_are_cleaned_up_when_it_is_resumed(
    tuning: TuningServer,
) -> None:
    tuning.faults["POST fine_tuning"] = [status(503)] * hosted.ATTEMPTS
    tuning.faults["GET fine_tuning"] = [status(503)] * hosted.ATTEMPTS
    run, _ = tune()
    assert run.error.endswith("Whether a job was started is not known: --resume finds out.")
    assert len(tuning.files) == 2
    tuning.faults.clear()
    again = resumption.resume(progress=[].append)
    assert again.error == "The run had uploaded 2 files, now deleted, but had started no job. Begin anew."
    assert tuning.files == {}
    assert tune()[0].status == "finished"


def test_a_failed_job_fails_the_run_with_the_apis_reason(tuning: TuningServer) -> None:
    tuning.states = ["validating_files", "failed"]
    tuning.error = {"code": "invalid_training_file", "message": "Line 3\nhas no assistant message", "param": ""}
    run, _ = tune()
    assert (run.status, run.error) == ("failed", "Job ftjob-1 failed: Line 3 has no assistant message")
    assert (kept(run)["state"], run.candidate) == ("failed", None)
    assert tuning.files == {}


def test_a_job_that_somebody_else_cancelled_fails_the_run(tuning: TuningServer) -> None:
    tuning.states = ["queued", "running", "cancelled"]
    run, _ = tune()
    assert run.error == "Job ftjob-1 was cancelled, but not by this run."


def test_a_lost_connection_is_waited_for_and_the_run_goes_on(tuning: TuningServer) -> None:
    tuning.states = ["queued", *["running"] * 6, "succeeded"]
    quiet: list[Any] = [lambda request: None] * 6
    tuning.faults["GET fine_tuning"] = [*quiet, dropped(), status(502), not_json(), status(429)]
    run, lines = tune()
    assert run.status == "finished"
    assert sum("The job goes on there; asking again" in line for line in lines) == 1
    assert any("answers again" in line for line in lines)


def test_an_api_without_events_is_followed_by_the_jobs_state(tuning: TuningServer) -> None:
    def no_events(request: Received) -> Scripted | None:
        return status(404) if "/events" in request.path else None

    tuning.faults["GET fine_tuning"] = [no_events] * 50
    run, lines = tune()
    assert run.status == "finished"
    assert sum(line.startswith("no events: ") for line in lines) == 1
    assert any("job ftjob-1: running" in line for line in lines)


def test_a_long_outage_ends_the_run_but_not_the_job_and_can_be_resumed(
    tuning: TuningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosted, "OUTAGE", 0.05)
    tuning.states = ["running"]
    away: list[Any] = [*[lambda request: None] * 6, *[dropped()] * 100]
    tuning.faults["GET fine_tuning"] = away
    run, _ = tune()
    assert run.status == "failed"
    assert "job ftjob-1 goes on there, and train_analyzer --algorithm hosted --resume follows it again." in run.error
    tuning.faults.clear()
    tuning.states = ["succeeded"]
    again = resumption.resume(progress=[].append)
    assert (again.pk, again.status) == (run.pk, "finished")
    assert again.candidate is not None
    assert again.candidate.model == MODEL
    assert len(tuning.stored) == 2


def stopped_while_running(tuning: TuningServer) -> tuple[TrainingRun, list[str]]:
    """A run that is stopped from outside at its third look at a job which would run for ever."""
    tuning.states = ["running"]

    def stop(request: Received) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    tuning.faults["GET fine_tuning"] = [*[lambda request: None] * 5, stop]
    return tune()


def test_a_stop_cancels_the_job_and_keeps_what_is_known(tuning: TuningServer) -> None:
    run, lines = stopped_while_running(tuning)
    assert (run.status, run.error) == ("stopped", "Stopped on request; job ftjob-1 was cancelled.")
    assert [one.path for one in tuning.asked("POST fine_tuning") if one.path.endswith("/cancel")]
    facts = kept(run)
    assert (facts["job"], facts["state"]) == ("ftjob-1", "cancelled")
    assert tuning.files == {}
    assert any("job ftjob-1: cancelled" in line for line in lines)


def test_while_the_job_of_a_killed_run_may_go_on_no_second_one_is_paid_for(tuning: TuningServer) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    run = TrainingRun.objects.create(
        number=1,
        algorithm="hosted",
        host=socket.gethostname(),
        pid=gone.pid,
        metrics={"hosted": {"state": "running", "job": "ftjob-1"}},
    )
    with pytest.raises(refusals.Refused, match="The job of run 1 may still be going on"):
        tune()
    run.refresh_from_db()
    assert run.status == "failed"
    assert tuning.requests == []


def test_a_job_that_cannot_be_cancelled_is_named_and_can_be_followed_again(tuning: TuningServer) -> None:
    tuning.faults["POST fine_tuning"] = [lambda request: None, status(500)]
    run, _ = stopped_while_running(tuning)
    assert "job ftjob-1 could not be cancelled" in run.error
    with pytest.raises(refusals.Refused, match=f"The job of run {run.number} may still be going on"):
        tune()
    tuning.states = ["cancelled"]
    again = resumption.resume(progress=[].append)
    assert (again.pk, again.error) == (run.pk, "Job ftjob-1 was cancelled.")


def test_a_job_that_the_api_no_longer_knows_ends_its_run(tuning: TuningServer) -> None:
    tuning.faults["POST fine_tuning"] = [lambda request: None, status(500)]
    stopped_while_running(tuning)
    tuning.jobs.clear()
    tuning.states = list(STATES)
    again = resumption.resume(progress=[].append)
    assert again.status == "failed"
    assert "knows no such thing" in again.error
    assert tune()[0].status == "finished"


def test_a_run_without_time_sends_nothing(tuning: TuningServer) -> None:
    run, _ = tune(max_minutes=0.0)
    assert (run.status, run.error) == ("failed", "the time is used up")
    assert tuning.stored == {}


def test_a_job_that_takes_too_long_is_cancelled(tuning: TuningServer) -> None:
    tuning.states = ["queued"]
    api = API(base_url=tuning.url, api_key="")
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


def test_a_model_that_is_late_is_waited_for(tuning: TuningServer) -> None:
    tuning.faults["POST chat"] = [status(404), status(404)]
    run, lines = tune()
    assert run.status == "finished"
    assert sum(f"{MODEL} does not answer yet" in line for line in lines) == 2


def test_a_model_that_never_answers_fails_the_run(tuning: TuningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosted, "ARRIVAL", 0.0)
    tuning.faults["POST chat"] = [status(404)] * 50
    run, _ = tune()
    assert run.status == "failed"
    assert f"{MODEL} was made, but does not answer" in run.error


def test_decisions_made_while_the_job_ran_do_not_change_what_is_examined(
    tuning: TuningServer, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosted, "ARRIVAL", 0.0)
    tuning.faults["POST chat"] = [status(404)] * 50
    held_out = {one.feedback_id for one in dataset.build().test}
    run, _ = tune()
    tuning.faults.clear()
    classroom.decide(ada, 60, seed=3)
    first = QueueItem.objects.filter(pk__in=held_out).select_related("analysis").first()
    assert first is not None
    analysis = make.analysis(first.feedback)
    reviews.override(analysis=analysis, by=ada, category="noise", after=first.review)
    again = resumption.resume(number=run.number, progress=[].append)
    assert again.status == "finished"
    assert again.metrics["candidate"]["n"] == len(held_out)


def test_a_run_that_needs_no_going_on_is_refused(tuning: TuningServer) -> None:
    with pytest.raises(refusals.Refused, match="There is no hosted run that can be resumed"):
        resumption.resume()
    run, _ = tune()
    with pytest.raises(refusals.Refused, match=f"Run {run.number} cannot be resumed"):
        resumption.resume(number=run.number)
