"""A language model learns: its adapter is trained by a worker process, then served and judged like any version.

Neither torch nor transformers is imported here. The worker (training/finetune) knows no Django; what they share is a
job directory.
"""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from analyzer import adapters
from training import algorithms, lightning
from training.algorithms import DPO, Lesson, Proposal
from training.algorithms.local import Trials
from training.finetune import checkpoints, process, rows
from training.finetune.job import DEFAULTS, EXAMINATION, GRACE, BadJob, Directory, Job
from training.served import reaching, served
from training.watch import Control, Stopped, Unusable

if TYPE_CHECKING:
    from training.dataset import Example

# Validation items that the served model is asked about, and that the worker may probe.
ASKED: Final = 100
# Seconds between two lines of the journal, and between two records of the steps.
SAID_EVERY: Final = 15.0
# Points that a curve keeps.
POINTS: Final = 300
# What a worker tells when it begins and when it ends.
_TURNS: Final = ("started", "stopped", "failed", "done")
_OWN: Final = ("epochs", "batch", "learning_rate", "lora_rank", "group_size", "kl", "max_length", "max_answer")


def learn(lesson: Lesson, method: str) -> Proposal:
    """The active version with a fine-tuned model in place of its model.

    A run that is stopped leaves its checkpoint for --resume and raises Stopped; one whose time is used up proposes what
    was learned until then. Raises Unusable when there is nothing to learn from, the worker failed or the served model
    does not answer.
    """
    control = lesson.control
    if lesson.options.max_minutes is not None:
        control.deadline = time.monotonic() + 60 * lesson.options.max_minutes
    control.patience = GRACE + 10
    try:
        directory = resumed(lesson, method) if lesson.options.resume else prepared(lesson, method, lesson.workplace)
        watched = Watched(control)
        _train(directory, watched, lesson)
    except (BadJob, process.Failed) as error:
        raise Unusable(str(error)) from error
    finally:
        control.deadline = None
    record = {
        "path": os.path.relpath(directory.adapter, lesson.adapters),
        "digest": adapters.digest(directory.adapter),
        "base": directory.job().base_model,
        "method": method,
        "name": name_of(lesson.workplace),
    }
    return _proposal(lesson, method, record, watched)


def prepared(lesson: Lesson, method: str, folder: Path, examination: Sequence[Example] = ()) -> Directory:
    """A job directory with this lesson's rows; raises Unusable when there are none.

    examination are labelled items of elsewhere that the model is to be asked before and after.
    """
    job = job_of(lesson, method)
    directory = Directory(folder)
    if (folder / "job.json").exists():
        # Of an earlier desk, or somebody else: it is not to be mixed with this one.
        raise Unusable(f"{folder} holds a job already: move it away, or go on with it (--resume {folder}).")
    data, prompt, active = lesson.dataset, lesson.active.prompt, lesson.active
    train = rows.weighed(data.train, seed=job.seed)
    chosen = algorithms.draw(rows.teachable(data.validation), ASKED, seed=job.seed)
    # A prefix of them is probed, which must not be the oldest ones.
    random.Random(job.seed).shuffle(chosen)  # noqa: S311 (an order, not a secret)
    made = rows.pairs if method == DPO else rows.conversations
    written = {
        "train": made(train, prompt=prompt, active=active),
        "validation": rows.conversations(chosen, prompt=prompt, active=active),
    }
    if examination:
        written[EXAMINATION] = rows.conversations(examination, prompt=prompt, active=active)
    counts = directory.write(job, written)
    if not counts["train"]:
        nothing = "no corrections to prefer" if method == DPO else "nothing that a model may be taught"
        raise Unusable(f"There is {nothing}: held items and those that give orders are left out.")
    if lesson.start:
        shutil.copytree(lesson.adapters / lesson.start["path"], directory.start)
    lesson.control.say(
        f"{method}: {counts['train']} rows of {len(data.train)} decisions in {folder}"
        + (f", beginning with {lesson.start['name']}" if lesson.start else "")
    )
    return directory


def resumed(lesson: Lesson, method: str) -> Directory:
    """A copy of an earlier job directory, to go on with; raises BadJob, and Unusable when its rows may not be learned.

    It is copied because the earlier run may have a candidate, whose adapter must not change.
    """
    given = lesson.options.resume
    source = Directory(lesson.adapters / f"run-{given}" if given.isdecimal() else Path(given).resolve())
    job = source.job()
    if job.method != method:
        raise Unusable(f"{source.path} is a job for {job.method}: --algorithm {job.method} --resume {given}.")
    if _worked_on(source):
        raise Unusable(f"A worker is still at work in {source.path}.")
    held_out = {one.feedback_id for one in lesson.dataset.test}
    if any(row.task.id in held_out for split in ("train", "validation") for row in source.rows(split)):
        raise Unusable(f"Some rows of {source.path} are held out now: begin anew, without --resume.")
    target = Directory(lesson.workplace)
    # An adapter that was taken from a checkpoint because the time was up is no end.
    taken = ("adapter",) if _unfinished(source) else ()
    left = shutil.ignore_patterns("cache", "lock", "*.part", "worker.err", "verl", *taken)
    shutil.copytree(source.path, target.path, ignore=left)
    at = checkpoints.step(checkpoints.newest(target.checkpoints))
    lesson.control.say(f"goes on with {source.path}" + (f" from step {at}" if at else ""))
    return target


def job_of(lesson: Lesson, method: str) -> Job:
    """The job that the options ask for, with the method's own defaults for the rest; raises Unusable."""
    options = lesson.options
    base = options.base_model or lesson.start.get("base", "")
    if not base:
        raise Unusable(f"{method} needs --base-model: a folder with a model, or the name of one.")
    if lesson.start and options.base_model and _located(options.base_model) != _located(lesson.start["base"]):
        raise Unusable(
            f"The adapter to begin with was trained on {lesson.start['base']}, not on {base}: --start 0 begins with "
            "the base model alone."
        )
    given = {name: value for name in _OWN if (value := getattr(options, name)) is not None}
    own = {"method": method, "base_model": _located(base), "seed": options.seed, "dataset": lesson.dataset.digest}
    try:
        return Job.model_validate(own | DEFAULTS[method] | given)
    except ValidationError as error:
        problems = (f"--{str(one['loc'][0]).replace('_', '-')}: {one['msg']}" for one in error.errors())
        raise Unusable("; ".join(problems)) from None


def name_of(folder: Path) -> str:
    """What the model with the adapter of a job directory is called by its server."""
    return f"triage-{folder.name}"


@dataclass(slots=True)
class Watched:
    """What a worker tells, turned into lines of the journal and a record of the run."""

    control: Control
    steps: list[dict[str, Any]] = field(default_factory=list)
    probes: list[dict[str, Any]] = field(default_factory=list)
    said_at: float = 0.0

    def tell(self, line: dict[str, Any]) -> None:
        """One line of the worker's log."""
        event, now = line.get("event"), time.monotonic()
        if event == "said":
            self.control.say(str(line["text"]))
        elif event == "probe":
            self.probes.append({name: value for name, value in line.items() if name not in ("event", "at", "rewards")})
            self.control.say(_probe_words(line))
            self.keep()
        elif event == "saved":
            self.control.say(f"step {line['step']}: saved")
        elif "loss" in line:
            self.steps.append({name: value for name, value in line.items() if name != "at"})
            if now - self.said_at > SAID_EVERY or line["step"] == line["of"]:
                self.said_at = now
                self.control.say(_step_words(line))
                self.keep()

    def keep(self) -> None:
        """Store what was measured so far in the run, for its page."""
        self.control.keep("finetune", {"steps": thinned(self.steps), "probes": self.probes} | self.summary())

    def summary(self) -> dict[str, Any]:
        """What it took, in figures."""
        if not self.steps:
            return {}
        speeds = [step["examples_per_s"] for step in self.steps]
        return {
            "step": self.steps[-1]["step"],
            "examples_per_s": round(median(speeds), 2),
            "memory_mb": max(step["memory_mb"] for step in self.steps),
            "training_s": round(sum(step["seconds"] for step in self.steps), 1),
        }


def thinned(steps: Sequence[dict[str, Any]], points: int = POINTS) -> list[dict[str, Any]]:
    """At most so many of the steps: neighbours as their mean, so that no swing is hidden by chance."""
    size = -(-len(steps) // points) if steps else 1
    return [_mean(steps[first : first + size]) for first in range(0, len(steps), size)]


def _train(directory: Directory, watched: Watched, lesson: Lesson) -> None:
    """Have the worker end with an adapter; raises Stopped, process.Failed and Unusable."""
    # What was told before a run was resumed belongs to its curves.
    for line in directory.told()[0]:
        if line.get("event") == "probe" or "loss" in line:
            watched.tell(line | {"of": 0} if "loss" in line else line)
    if directory.adapter.is_dir():
        lesson.control.say("the worker is done already, elsewhere or before")
        return
    try:
        finished = process.work_off(directory, tell=watched.tell, check=lesson.control.check)
    except Stopped:
        checkpoint = checkpoints.newest(directory.checkpoints)
        if lesson.control.stop.is_set() or checkpoint is None:
            at = f" at step {checkpoints.step(checkpoint)}, which --resume goes on from" if checkpoint else ""
            lesson.control.say(f"the worker has ended{at}")
            raise
        lesson.control.say(f"the time is used up: taken as it is at step {checkpoints.step(checkpoint)}")
        checkpoints.take(checkpoint, directory.adapter)
        return
    finally:
        watched.keep()
    if not finished:
        raise Stopped("The worker was told to stop by somebody else; --resume goes on from its checkpoint.")


def _proposal(lesson: Lesson, method: str, record: dict[str, Any], watched: Watched) -> Proposal:
    """The candidate with its rewards on validation items beside the active version's, both through the agent."""
    active, control = lesson.active, lesson.control
    asked = rows.teachable(algorithms.draw(lesson.dataset.validation, ASKED, seed=lesson.options.seed))
    engine = lesson.engine if lesson.engine != "local" else "llm"
    with ExitStack() as stack:
        url = stack.enter_context(served(record, lesson.adapters))
        present = reaching(active, lesson.adapter, stack.enter_context(served(lesson.adapter, lesson.adapters)))
        control.say(f"{record['name']} is served for the comparison")
        tuned = reaching(replace(active, engine=engine), record, url)
        trials = Trials(control, {"present": present, method: tuned})
        lightning.fit(trials, lightning.feedback_agent, validation=algorithms.tasks(asked))
    if trials.fallbacks[method] > len(asked) / 2:
        raise Unusable(
            f"The fine-tuned model gave no usable answer to {trials.fallbacks[method]} of {len(asked)} validation "
            "items: more steps, or a larger model."
        )
    return Proposal(
        algorithm=method,
        engine=engine,
        weights=active.weights,
        prompt=active.prompt,
        model=record["name"],
        adapter=record,
        thresholds=algorithms.other_thresholds(active),
        # It was taught without examples of others, and is asked without any.
        calibration=lesson.calibration | {"examples": 0},
        rewards=trials.rewards[method],
        before=trials.rewards["present"],
        notes={"base": record["base"], "fallbacks": trials.fallbacks[method], **watched.summary()},
    )


def _unfinished(directory: Directory) -> bool:
    """Whether our worker began and did not get to its end; one elsewhere (verl) may keep no log of ours."""
    told = [line.get("event") for line in directory.told()[0]]
    return next((event != "done" for event in reversed(told) if event in _TURNS), False)


def _worked_on(directory: Directory) -> bool:
    lock = directory.path / "lock"
    if not lock.is_file():
        return False
    with lock.open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _located(base: str) -> str:
    """A folder by its whole path, a name as it is."""
    return str(Path(base).resolve()) if Path(base).exists() else base


def _mean(steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if len(steps) == 1:
        return dict(steps[0])
    found: dict[str, Any] = {"step": steps[-1]["step"]}
    for name in steps[-1]:
        values = [value for step in steps if isinstance(value := step.get(name), int | float)]
        if name not in ("step", "of") and values:
            found[name] = round(sum(values) / len(values), 6)
    return found


def _step_words(line: dict[str, Any]) -> str:
    parts = [f"step {line['step']} of {line['of']}"]
    for name, words in (
        ("loss", "loss {:.3f}"),
        ("reward", "reward {:.3f}"),
        ("well_formed", "well-formed {:.0%}"),
        ("kl", "KL {:.3f}"),
        ("length", "{:.0f} tokens an answer"),
        ("preferred", "preferred {:.0%}"),
        ("examples_per_s", "{:.1f} examples a second"),
    ):
        if line.get(name) is not None:
            parts.append(words.format(line[name]))
    return ", ".join(parts)


def _probe_words(line: dict[str, Any]) -> str:
    def told(name: str) -> str:
        found = line[name]
        return f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"

    return (
        f"step {line['step']}: on {line['n']} validation rows reward {told('reward')}, well-formed "
        f"{told('well_formed')}, category right {told('category')}"
    )
