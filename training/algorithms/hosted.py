"""A model learns at somebody else's: the decisions are uploaded as they were confirmed, a job is started and followed,
and the fine-tuned model's name becomes a proposal.

What is known of the job is kept in the run's row as soon as it is known, so that a run that died can be resumed: the
job goes on without us.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from analyzer import engines
from analyzer.engines import EngineError, Spec
from analyzer.schema import Task
from training import algorithms, lightning
from training.algorithms import Lesson, Proposal
from training.dataset import Example
from training.evaluation import predict
from training.hosted import shipment
from training.hosted.api import API, Gone, Job, Unreachable, shorten
from training.served import reaching, served
from training.watch import Control, Stopped, Unusable

ResultT = TypeVar("ResultT")

# Seconds: between two looks at a job, and the longest between two attempts while the API cannot be reached.
POLL: Final = 10.0
LONGEST: Final = 60.0
# Seconds without an answer after which a run gives up; the job goes on, and so may the run.
OUTAGE: Final = 1_800.0
# How often an upload and the start of a job are tried, and seconds before the second attempt.
ATTEMPTS: Final = 4
PAUSE: Final = 2.0
# Minutes that a run may take where nobody said: queues are long, but not endless.
MINUTES: Final = 24 * 60.0
# Seconds that a new model gets to be there, after its job has ended.
ARRIVAL: Final = 300.0

# States of a run beside those of its job: on the way, never started, no longer known to the API.
SENDING: Final = "sending"
NONE: Final = "none"
GONE: Final = "gone"


def learn(lesson: Lesson) -> Proposal:
    """The fine-tuned model as a proposal; hours, most of them in a queue.

    Nothing is sent but the lesson's shipment, which somebody confirmed. Stopped, or out of time, it asks the API to
    cancel. Raises Stopped, and Unusable with the API's own reason.
    """
    control, active = lesson.control, lesson.active
    minutes = MINUTES if lesson.options.max_minutes is None else lesson.options.max_minutes
    control.deadline = time.monotonic() + 60 * minutes
    try:
        tuning = Tuning(API(base_url=active.base_url, api_key=active.api_key), lesson)
        job = tuning.follow(tuning.found() if lesson.resumed else tuning.start())
        if not job.fine_tuned_model:
            raise Unusable(f"Job {job.id} ended well, but the API names no model.")
        return _proposal(lesson, job, job.fine_tuned_model)
    finally:
        control.deadline = None


class Tuning:
    """One job from the upload to its end. Everything known is kept: the files, the job, its state, the last event."""

    def __init__(self, api: API, lesson: Lesson) -> None:
        self.api = api
        self.lesson = lesson
        self.control: Control = lesson.control
        self.known: dict[str, Any] = dict(lesson.resumed)
        self.mark = lesson.mark
        # Whether the API tells no events.
        self.mute = False

    def start(self) -> Job:
        """Upload and start; files of a job that could not be started are deleted again."""
        cargo = self.lesson.shipment
        if cargo is None:
            raise Unusable("Nobody confirmed what would be sent, so nothing was.")
        if not self._keep(state=SENDING, **cargo.as_dict()):
            raise Unusable("The run's row could not be written, so nothing was sent.")
        files: dict[str, str] = {}
        try:
            for part, sent in (("train", cargo.train), ("validation", cargo.validation)):
                if sent.items:
                    files[part] = self._upload(part, sent)
                    self._keep(files=dict(files))
        except (Unusable, Stopped):
            self._clean()
            raise
        try:
            job = self._persist(lambda again: self._create(cargo, files, again=again), "start the job")
        except (Unusable, Stopped) as reason:
            self._withdraw(reason)
            raise
        self._keep(job=job.id, state=job.status)
        self.control.say(f"job {job.id} started on {cargo.base_model}: {job.status}")
        return job

    def _withdraw(self, reason: Unusable | Stopped) -> None:
        """After a start that failed or was stopped: no job may go on unseen, and no file stay."""
        try:
            job = self.api.find(self.mark)
        except (Unreachable, Unusable):
            raise Unusable(f"{reason} Whether a job was started is not known: --resume finds out.") from None
        if job is None:
            self._clean()
            return
        self._keep(job=job.id, state=job.status)
        raise Stopped(self._cancel(job, str(reason)))

    def found(self) -> Job:
        """The job that a dead run had started; without one its files are deleted, and Unusable says so."""
        known = self.known.get("job")
        try:
            job = self._persist(lambda _: self.api.job(known) if known else self.api.find(self.mark), "find the job")
        except Gone:
            self._keep(state=GONE)
            raise
        if job is None:
            gone = self._clean()
            raise Unusable(
                f"The run had uploaded {gone} file{'s' * (gone != 1)}, now deleted, but had started no job. Begin anew."
                if gone
                else "The run had neither uploaded anything nor started a job. Begin anew."
            )
        self._keep(job=job.id, state=job.status)
        self.control.say(f"job {job.id} found again: {job.status}")
        return job

    def follow(self, job: Job) -> Job:
        """Until the job has ended; tells its events. Raises Stopped when it was cancelled by us, Unusable otherwise."""
        silent_since: float | None = None
        wait = POLL
        while True:
            try:
                self.control.check()
            except Stopped as reason:
                raise Stopped(self._cancel(job, str(reason))) from None
            try:
                self._tell_events(job)
                if job.ended:
                    break
                job, wait = self._progress(job), POLL
                if silent_since is not None:
                    self.control.say(f"{self.api.name} answers again")
                silent_since = None
            except Unreachable as fault:
                now = time.monotonic()
                if silent_since is None:
                    silent_since, wait = now, POLL
                    self.control.say(f"{fault} The job goes on there; asking again")
                elif now - silent_since > OUTAGE:
                    raise Unusable(
                        f"{fault} Given up after {OUTAGE / 60:.0f} minutes; job {job.id} goes on there, and "
                        "train_analyzer --algorithm hosted --resume follows it again."
                    ) from None
                else:
                    wait = min(LONGEST, 2 * wait)
            if not job.ended:
                self.control.stop.wait(wait)
        return self._ended(job)

    def _progress(self, job: Job) -> Job:
        now = self.api.job(job.id)
        if (now.status, now.trained_tokens) != (job.status, job.trained_tokens):
            trained = f", {now.trained_tokens:,} tokens trained" if now.trained_tokens else ""
            self.control.say(f"job {now.id}: {now.status}{trained}")
            self._keep(state=now.status, trained_tokens=now.trained_tokens)
        return now

    def _tell_events(self, job: Job) -> None:
        if self.mute:
            return
        try:
            news = self.api.events(job.id, after=str(self.known.get("event", "")))
        except Unusable as fault:
            # Not every API tells events, and the job's state says what matters.
            self.mute = True
            self.control.say(f"no events: {fault}")
            return
        for event in news:
            level = "" if event.level == "info" else f"{event.level}: "
            self.control.say(f"{self.api.name} says: {level}{shorten(event.message)}")
        if news:
            self._keep(event=news[-1].id)

    def _ended(self, job: Job) -> Job:
        self._keep(state=job.status, trained_tokens=job.trained_tokens, model=job.fine_tuned_model)
        self._clean()
        if job.status == "failed":
            raise Unusable(f"Job {job.id} failed: {job.complaint}")
        if job.status == "cancelled":
            raise Unusable(f"Job {job.id} was cancelled{'' if self.lesson.resumed else ', but not by this run'}.")
        return job

    def _cancel(self, job: Job, reason: str) -> str:
        """Ask the API to cancel, and say what came of it."""
        try:
            job = self.api.cancel(job.id)
        except (Unreachable, Unusable) as fault:
            return (
                f"{reason[0].upper()}{reason[1:]}, but job {job.id} could not be cancelled: {fault} It may go on and "
                "cost; cancel it there, or see with --resume."
            )
        self._keep(state=job.status, trained_tokens=job.trained_tokens)
        if job.ended:
            self._clean()
        self.control.say(f"job {job.id}: {job.status}")
        told = "was cancelled." if job.status == "cancelled" else f"is {job.status}; --resume sees to it."
        return f"{reason[0].upper()}{reason[1:]}; job {job.id} {told}"

    def _upload(self, part: str, cargo: shipment.Part) -> str:
        name = f"{self._prefix}{part}.jsonl"

        def once(again: bool) -> str:
            # An attempt whose answer got lost may have stored it.
            for file in self.api.files(name) if again else ():
                self.api.delete(file)
            return self.api.upload(name, cargo.file)

        file = self._persist(once, f"upload the {part} file")
        self.control.say(f"uploaded {cargo.items} rows, {cargo.size / 1e3:,.0f} kB, as {file} ({name})")
        return file

    def _create(self, cargo: shipment.Shipment, files: dict[str, str], *, again: bool) -> Job:
        # A job whose answer got lost must not be paid for twice.
        return (self.api.find(self.mark) if again else None) or self.api.create(
            model=cargo.base_model,
            training=files["train"],
            validation=files.get("validation"),
            method="preference" if cargo.method == shipment.PREFERENCE else "supervised",
            epochs=cargo.epochs,
            seed=cargo.seed,
            suffix=f"desk-run-{self.lesson.number}",
            mark=self.mark,
        )

    def _persist(self, attempt: Callable[[bool], ResultT], what: str) -> ResultT:
        """What the attempt gives, tried a few times while the API cannot be reached; raises Unusable and Stopped.

        It is told whether it was made before.
        """
        for n in range(ATTEMPTS):
            self.control.check()
            try:
                return attempt(n > 0)
            except Unreachable as fault:
                last = fault
                if n < ATTEMPTS - 1:
                    self.control.say(f"{fault} Trying again to {what}")
                    self.control.stop.wait(PAUSE * 2**n)
        raise Unusable(f"{last} Given up after {ATTEMPTS} attempts to {what}.")

    def _clean(self) -> int:
        """Delete what was uploaded: nobody needs it any more. How many are gone; what could not be deleted is told."""
        gone = 0
        try:
            files = self.api.files(self._prefix)
        except (Unreachable, Unusable):
            files = list(self.known.get("files", {}).values())
        for file in files:
            try:
                self.api.delete(file)
            except (Unreachable, Unusable) as fault:
                self.control.say(f"{file} is still stored there, and could not be deleted: {fault}")
            else:
                gone += 1
        if gone:
            self.control.say(f"deleted {gone} uploaded files")
        if not self.known.get("job"):
            self._keep(state=NONE)
        return gone

    @property
    def _prefix(self) -> str:
        return f"desk-{self.mark}-"

    def _keep(self, **facts: Any) -> bool:
        self.known |= facts
        return self.control.keep(algorithms.HOSTED, facts)


def _proposal(lesson: Lesson, job: Job, model: str) -> Proposal:
    """The fine-tuned model against the active version on validation items, asked as it was taught: without examples."""
    active, taught = lesson.active, lesson.taught or lesson.active
    # The engine that would go live is the one that is measured.
    engine = lesson.engine if lesson.engine != "local" else "llm"
    spec = replace(active, engine=engine, model=model, prompt=taught.prompt)
    examples = shipment.chosen(lesson.dataset, seed=lesson.options.seed)
    _await(replace(spec, engine="llm"), examples[0], lesson.control)
    rewards = _earned(lesson, spec, examples, shown=0)
    shown = lesson.examples if active.engine != "local" else 0
    with served(lesson.adapter, lesson.adapters) as url:
        before = _earned(lesson, reaching(active, lesson.adapter, url), examples, shown=shown)
    return Proposal(
        algorithm=algorithms.HOSTED,
        engine=engine,
        weights=active.weights,
        prompt=taught.prompt,
        model=model,
        adapter={},
        thresholds=algorithms.other_thresholds(active),
        calibration=lesson.calibration | {"examples": 0},
        rewards=rewards,
        before=before,
        notes={"job": job.id, "model": model, "base_model": job.model, "trained_tokens": job.trained_tokens},
    )


def _await(spec: Spec, example: Example, control: Control) -> None:
    """Returns when the model answers: a new one may take a while to be there. Raises Unusable, and Stopped."""
    engine, until = engines.build(spec), time.monotonic() + ARRIVAL
    task = example.task().model_copy(update={"decision": None})
    while True:
        control.check()
        try:
            engine.predict(task, prompt=spec.prompt)
        except EngineError as error:
            if time.monotonic() > until:
                raise Unusable(f"{spec.model} was made, but does not answer: {error}") from None
            control.say(f"{spec.model} does not answer yet: {error}")
            control.stop.wait(POLL)
        else:
            return


def _earned(lesson: Lesson, spec: Spec, examples: Sequence[Example], *, shown: int) -> dict[str, float]:
    """The reward by item of what a version says, on the product's own path."""
    memory = lesson.memory() if shown else None

    def task_of(example: Example) -> Task:
        task = example.task()
        return task if memory is None else task.model_copy(update={"examples": memory.similar(task, shown=shown)})

    rewards: dict[str, float] = {}
    for example in examples:
        lesson.control.check()
        (verdict,) = predict(spec, [example], task_of=task_of, progress=False)
        lesson.control.usage = algorithms.total((lesson.control.usage, verdict.usage))
        rewards[example.feedback_id] = lightning.judge(example.task(), verdict)["total"]
    return rewards
