"""Nothing leaves before somebody has seen what it is and what it may cost, and has agreed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.conf import settings

from analyzer import versions
from analyzer.models import AnalyzerVersion
from training.hosted import api, shipment, unfinished
from training.refusals import Refused
from training.watch import Unusable

if TYPE_CHECKING:
    from training.algorithms import Options
    from training.dataset import Dataset


def refuse(options: Options) -> None:
    """Raises Refused where a hosted run could not be resumed, or where an earlier one may still cost."""
    if options.dry_run:
        raise Refused(
            "A dry run stores nothing, and a job that no row knows of could not be followed. To see what would be sent "
            "and what it may cost, begin without --dry-run and answer no."
        )
    earlier = unfinished.newest()
    if earlier is not None:
        raise Refused(
            f"The job of run {earlier.number} may still be going on. train_analyzer --algorithm hosted --resume "
            "follows it to its end; Ctrl-C then cancels it."
        )


def obtain(
    data: Dataset, active: AnalyzerVersion, options: Options, confirm: Callable[[str], bool]
) -> shipment.Shipment:
    """What would be sent, once somebody has seen it and agreed: these very bytes. Raises Refused."""
    spec = versions.spec(AnalyzerVersion.objects.get(pk=active.pk))
    try:
        cargo = shipment.pack(
            data,
            active=spec,
            # The name of a model that we serve ourselves means nothing there.
            base_model=options.base_model or (not active.adapter and active.model) or settings.TRIAGE_MODEL,
            to=api.where(spec.base_url),
            options=options,
        )
    except Unusable as error:
        raise Refused(str(error)) from error
    if not confirm(str(cargo)):
        raise Refused("Not confirmed: nothing was sent and nothing was stored.")
    return cargo
