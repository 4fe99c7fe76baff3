"""Going on with a hosted run whose process is gone: its job did not need it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from analyzer import versions
from training import availability, dataset, promotion, refusals, runs
from training.algorithms import HOSTED, Options
from training.hosted import unfinished
from training.models import TrainingRun

if TYPE_CHECKING:
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)


def resume(
    *,
    number: int | None = None,
    by: User | None = None,
    promote: bool = False,
    max_minutes: float | None = None,
    progress: Callable[[str], None] = logger.info,
) -> TrainingRun:
    """Find the job of a run, follow it to its end and compare its model; no decision is sent anew.

    number is the run's; None is the newest with something left to do. Raises refusals.Refused or PermissionDenied.
    """
    if promote:
        promotion.check_promoter(by)
    availability.chosen(HOSTED)
    TrainingRun.objects.reap()
    runs.refuse_second()
    run = unfinished.resumable(number)
    if run is None:
        which = f"Run {number} cannot" if number is not None else "There is no hosted run that can"
        raise refusals.Refused(f"{which} be resumed: only one that failed or was stopped after it began to send.")
    try:
        data = unfinished.dataset_of(run)
    except dataset.TooLittle as error:
        raise refusals.Refused(str(error)) from error
    run = runs.claim(run)
    known = {field.name for field in fields(Options)}
    options = Options(**{name: value for name, value in run.parameters.items() if name in known})
    options = replace(options, promote=promote, max_minutes=max_minutes)
    run.active = versions.active()
    progress(f"run {run.number} goes on")
    return runs.carry_out(run, [HOSTED], data, run.active, options, progress=progress, by=by)
