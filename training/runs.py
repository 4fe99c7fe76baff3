"""Training runs: started, watched, ended and recorded. A candidate is stored whole at the end, or not at all."""

from __future__ import annotations

import logging
import os
import shutil
import socket
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from analyzer import adapters, memory, versions
from analyzer.engines import EngineError
from analyzer.models import AnalyzerVersion
from training import availability, promotion, watch
from training.algorithms import AUTO, HOSTED, TUNING, Lesson, Options, Proposal
from training.models import TrainingRun
from training.refusals import Busy, Refused

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from training.contest import Comparison
    from training.dataset import Dataset, Example
    from training.hosted.shipment import Shipment

logger = logging.getLogger(__name__)
STATUS = TrainingRun.Status


class Overtaken(watch.Ended):
    """The run's row was closed by somebody else while it worked; nothing was stored."""


def execute(
    *,
    algorithm: str = AUTO,
    by: User | None = None,
    options: Options | None = None,
    progress: Callable[[str], None] = logger.info,
    confirm: Callable[[str], bool] = lambda what: False,
) -> TrainingRun:
    """Train, compare with the active version on the held-out items, and store what came of it.

    algorithm is one of ALGORITHMS, several with commas, or auto. by is None for the system itself. confirm is shown
    what a hosted algorithm would send, and what it may cost, before anything leaves. A run that cannot learn, or is
    stopped, is returned as failed or stopped with the reason. Raises Refused or PermissionDenied before anything is
    stored or sent.
    """
    options = options or Options()
    names = availability.available() if algorithm == AUTO else availability.chosen(algorithm)
    if options.promote:
        promotion.check_promoter(by)
        if options.dry_run:
            raise Refused("A dry run stores nothing, so that there is nothing to promote.")
    TrainingRun.objects.reap()
    refuse_second()
    if HOSTED in names:
        from training.hosted import consent

        consent.refuse(options)
    from training import dataset

    try:
        data = dataset.build(minimum=options.minimum)
        active = versions.active()
        data = dataset.unlearned(data, _behind(active, options))
    except dataset.TooLittle as error:
        raise Refused(str(error)) from error
    cargo = consent.obtain(data, active, options, confirm) if HOSTED in names else None
    run = _start(algorithm, by, options, data, active, hosted=cargo is not None)
    return carry_out(run, names, data, active, options, progress=progress, by=by, cargo=cargo)


def carry_out(
    run: TrainingRun,
    names: list[str],
    data: Dataset,
    active: AnalyzerVersion,
    options: Options,
    *,
    progress: Callable[[str], None],
    by: User | None,
    cargo: Shipment | None = None,
) -> TrainingRun:
    """The work of a run that has its row; whatever happens, the row says how it ended."""
    journal = watch.Journal(run, progress, stored=not options.dry_run)
    with watch.interruptible():
        try:
            _train(run, names, data, active, options, journal, cargo)
        except KeyboardInterrupt:
            _fail(run, options, STATUS.STOPPED, "Stopped on request.")
        except (watch.Ended, EngineError) as error:
            _fail(run, options, STATUS.FAILED, str(error))
        except Exception as error:
            _fail(run, options, STATUS.FAILED, f"{type(error).__name__}: {error}")
            raise
    if options.promote and run.outcome == TrainingRun.Outcome.PROPOSED:
        promotion.promote(run=run, by=by)
    return run


def _train(
    run: TrainingRun,
    names: list[str],
    data: Dataset,
    active: AnalyzerVersion,
    options: Options,
    journal: watch.Journal,
    cargo: Shipment | None,
) -> None:
    """Learn, compare, store; the row ends as finished, stopped or failed, with what was found until then."""
    from training import contest

    control = watch.Control(say=journal.say, keep=journal.keep)
    # A dry run has no number.
    workplace = f"run-{run.number}" if run.number else f"dry-run-{os.getpid()}"
    lesson = _lesson(data, active, options, control, workplace=workplace)
    if HOSTED in names:
        from training.hosted import unfinished

        lesson = unfinished.equipped(lesson, run, cargo)
    journal.say(f"data {data.digest[:12]} {data.summary['n']}; active: {active}; algorithms: {', '.join(names)}")
    learned, compared = contest.Learned(), None
    if learned_before := data.summary.get("learned"):
        journal.say(
            f"{learned_before} of the newest decisions are left out of the examination: version {active.number} may "
            "have learned from them, or the one that is gone on from"
        )
    try:
        watch.perform(lambda: contest.learn(names, lesson, learned), control=control, journal=journal)
        best = learned.best
        if best is not None and not control.stop.is_set():
            journal.say(f"best on validation: {best.algorithm}, reward {best.gain:+.4f}; now {len(data.test)} others")
            compared = watch.perform(
                lambda: contest.compare(lesson, best, number=active.number), control=control, journal=journal
            )
    except watch.Ended as reason:
        run.error = str(reason)
    finally:
        if options.dry_run:
            # Rows with what people wrote, and checkpoints.
            shutil.rmtree(lesson.workplace, ignore_errors=True)
        run.usage = control.usage.model_dump()
        run.curve = learned.curve
        run.metrics = run.metrics | {"validation": learned.as_dict()}
    if compared is not None:
        _judge(run, compared, journal)
        _end(run, options, STATUS.FINISHED, learned.best, active)
    elif run.error or control.stop.is_set():
        stopped = control.stop.is_set()
        kept = " What was found until then is kept as a candidate that was not compared." if learned.best else ""
        if stopped and run.error in ("", watch.ON_REQUEST):
            run.error = "Stopped on request."
        run.error += kept
        _end(run, options, STATUS.STOPPED if stopped else STATUS.FAILED, learned.best, active)
    else:
        run.outcome = TrainingRun.Outcome.NO_CHANGE
        run.gate = {"promote": False, "reasons": ["No algorithm found anything better on the validation items."]}
        _end(run, options, STATUS.FINISHED, None, active)


def prepare(
    *,
    algorithm: str,
    directory: Path,
    options: Options,
    progress: Callable[[str], None],
    examination: Sequence[Example] = (),
) -> None:
    """Write what a fine-tuning algorithm would learn from into a folder, for a worker elsewhere; stores nothing.

    examination are labelled items that the worker is to ask before and after. Raises Refused.
    """
    if algorithm not in TUNING:
        raise Refused(f"Only {', '.join(TUNING)} work off a folder; {algorithm} does not.")
    from training import dataset
    from training.algorithms import finetune

    try:
        data = dataset.build(minimum=options.minimum)
        control = watch.Control(say=progress)
        lesson = _lesson(data, versions.active(), options, control, workplace=str(directory.resolve()))
        finetune.prepared(lesson, algorithm, directory.resolve(), examination)
    except (dataset.TooLittle, watch.Unusable) as error:
        raise Refused(str(error)) from error


def _lesson(
    data: Dataset, active: AnalyzerVersion, options: Options, control: watch.Control, *, workplace: str
) -> Lesson:
    """Everything that the work needs as plain values: it has no database. Raises Unusable."""
    return Lesson(
        dataset=data,
        active=versions.spec(AnalyzerVersion.objects.get(pk=active.pk)),
        options=options,
        control=control,
        engine=active.engine if active.engine != "local" else availability.asking_engine(),
        model=active.model or settings.TRIAGE_MODEL,
        examples=int(active.calibration.get("examples", memory.SHOWN)),
        calibration=dict(active.calibration),
        store_url=settings.LIGHTNING_STORE_URL,
        workplace=settings.FINETUNE_DIR / workplace,
        adapters=settings.FINETUNE_DIR,
        adapter=dict(active.adapter) if active.engine != AnalyzerVersion.Engine.LOCAL else {},
        start=_start_adapter(active, options),
    )


def _behind(active: AnalyzerVersion, options: Options) -> list[TrainingRun]:
    """The runs that made the active version, the one to begin with, and those that these go on from."""
    parents = dict(AnalyzerVersion.objects.values_list("pk", "parent_id"))
    chain: list[UUID] = []
    named = AnalyzerVersion.objects.filter(number=options.start or 0).values_list("pk", flat=True)
    for first in (active.pk, *named):
        key: UUID | None = first
        while key is not None and key not in chain:
            chain.append(key)
            key = parents.get(key)
    return list(TrainingRun.objects.filter(candidate__in=chain).only("dataset", "started_at"))


def _start_adapter(active: AnalyzerVersion, options: Options) -> dict[str, Any]:
    """The adapter that fine-tuning begins with; raises Unusable when it is named and not there."""
    if options.start == 0:
        return {}
    version = active
    if options.start is not None:
        found = AnalyzerVersion.objects.defer("weights").filter(number=options.start).first()
        if found is None or not found.adapter:
            raise watch.Unusable(f"There is no version {options.start} with an adapter to begin with.")
        version = found
    fault = adapters.fault(version.adapter, settings.FINETUNE_DIR) if version.adapter else ""
    if fault:
        raise watch.Unusable(f"Version {version.number} cannot be begun with. {fault} --start 0 begins without.")
    return dict(version.adapter)


def _judge(run: TrainingRun, compared: Comparison, journal: watch.Journal) -> None:
    """Write the comparison into the run, and tell it."""
    run.metrics |= {
        "candidate": compared.candidate.as_dict(),
        "active": compared.active.as_dict(),
        "fallbacks": compared.fallbacks,
    }
    if any(compared.fallbacks.values()):
        journal.say(f"answered by the local engine because the model did not: {compared.fallbacks}")
    run.gate = compared.judgement.as_dict()
    run.outcome = TrainingRun.Outcome.PROPOSED if run.gate["promote"] else TrainingRun.Outcome.NO_CHANGE
    journal.say(f"{run.get_outcome_display()}: {' '.join(run.gate['reasons'])}")
    journal.write()


def _start(
    algorithm: str, by: User | None, options: Options, data: Dataset, active: AnalyzerVersion, *, hosted: bool
) -> TrainingRun:
    """The run's row; raises Busy when another run was faster. A dry run has none."""
    run = TrainingRun(
        number=0,
        algorithm=algorithm,
        started_by=by,
        host=socket.gethostname(),
        pid=os.getpid(),
        seed=options.seed,
        parameters=asdict(options),
        dataset=data.summary,
        active=active,
    )
    if hosted:
        from training.hosted import unfinished

        run.metrics = {HOSTED: {"version": active.number, "held_out": unfinished.kept_back(data)}}
    if options.dry_run:
        return run
    for _ in range(5):
        run.number = (TrainingRun.objects.aggregate(highest=Max("number"))["highest"] or 0) + 1
        try:
            with transaction.atomic():
                run.save(force_insert=True)
        except IntegrityError:
            refuse_second()
        else:
            return run
    raise Busy("No free run number was found in five attempts; try again.")


def claim(run: TrainingRun) -> TrainingRun:
    """An ended run's row as a running one of this process; raises Busy when another run was faster."""
    mine = {"status": STATUS.RUNNING, "host": socket.gethostname(), "pid": os.getpid(), "beat_at": timezone.now()}
    try:
        with transaction.atomic():
            taken = TrainingRun.objects.filter(pk=run.pk, status=run.status).update(
                **mine, error="", outcome="", finished_at=None
            )
    except IntegrityError:
        taken = 0
    if not taken:
        refuse_second()
        raise Busy(f"Run {run.number} changed meanwhile; try again.")
    return TrainingRun.objects.select_related("active", "started_by").get(pk=run.pk)


def refuse_second() -> None:
    other = TrainingRun.objects.running().first()
    if other is not None:
        raise Busy(
            f"Run {other.number} ({other.algorithm}) is going on since {other.started_at:%H:%M:%S} UTC, process "
            f"{other.pid} on {other.host}. Two at once would learn from each other's halves: wait for it, or stop it "
            f"with kill {other.pid}."
        )


def _end(run: TrainingRun, options: Options, status: str, proposal: Proposal | None, active: AnalyzerVersion) -> None:
    """Store the end of a run and its candidate, both or neither; raises Overtaken when the row was closed meanwhile."""
    run.status, run.finished_at = status, timezone.now()
    if options.dry_run:
        return
    if status == STATUS.FINISHED and HOSTED in run.metrics:
        # Needed to go on only, and long.
        run.metrics[HOSTED].pop("held_out", None)
    with transaction.atomic():
        if proposal is not None:
            run.candidate = _candidate(run, proposal, active)
        stored = ("outcome", "metrics", "gate", "curve", "usage", "error", "log", "candidate", "active", "finished_at")
        values = {name: getattr(run, name) for name in stored}
        running = TrainingRun.objects.filter(pk=run.pk, status=STATUS.RUNNING)
        if not running.update(status=status, **values):
            run.candidate, run.outcome = None, ""
            raise Overtaken(f"Run {run.number} was closed as failed while it worked; its candidate was not stored.")


def _candidate(run: TrainingRun, proposal: Proposal, active: AnalyzerVersion) -> AnalyzerVersion:
    tested = run.metrics.get("candidate")
    # An algorithm that leaves the model leaves its adapter too, which names the run that made it.
    kept = active.adapter if proposal.adapter is None else {}
    return versions.create(
        engine=proposal.engine,
        origin=proposal.algorithm,
        weights=proposal.weights,
        prompt=proposal.prompt,
        model=active.model if proposal.model is None else proposal.model,
        thresholds=proposal.thresholds,
        calibration=proposal.calibration,
        adapter=proposal.adapter | {"run": run.number} if proposal.adapter else kept,
        metrics={
            "run": run.number,
            "dataset": run.dataset["digest"],
            "validation": proposal.as_dict(),
            "test": tested,
            "over": active.number,
        },
        parent=active,
    )


def _fail(run: TrainingRun, options: Options, status: str, reason: str) -> None:
    run.status, run.error, run.finished_at = status, reason, timezone.now()
    if not options.dry_run:
        stored = ("error", "log", "finished_at", "usage", "metrics", "curve")
        TrainingRun.objects.filter(pk=run.pk, status=STATUS.RUNNING).update(
            status=status, **{name: getattr(run, name) for name in stored}
        )
