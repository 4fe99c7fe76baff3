"""A candidate goes live: past the gate, by somebody who may, and on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from analyzer import roles, versions
from analyzer.models import AnalyzerVersion
from training.models import TrainingRun
from training.refusals import NotPromotable

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def promote(*, run: TrainingRun, by: User | None, force: bool = False) -> AnalyzerVersion:
    """Make a run's candidate the active version and record why it may be; by None is the system itself.

    Raises PermissionDenied, or NotPromotable when the run did not pass the gate against the version that is active
    now. force goes past the gate, and the record says so.
    """
    check_promoter(by)
    version, now = run.candidate, timezone.now()
    if version is None:
        raise NotPromotable(f"Run {run.number} made no candidate.")
    before = versions.active()
    if before.pk == version.pk:
        raise NotPromotable(f"Version {version.number} is active already.")
    if not force:
        if not run.gate.get("promote"):
            reasons = " ".join(run.gate.get("reasons", ())) or "It was never compared on held-out items."
            raise NotPromotable(f"Run {run.number} did not pass the gate. {reasons}")
        if run.active_id != before.pk:
            raise NotPromotable(
                f"Run {run.number} was compared with version {run.active and run.active.number}, but version "
                f"{before.number} is active now: train again."
            )
    record = {
        "run": run.number,
        "over": before.number,
        "forced": force,
        "by": by.get_username() if by else "system",
        "at": now.isoformat(),
        "seed": run.seed,
        "dataset": {key: run.dataset.get(key) for key in ("digest", "shares", "n", "from")},
        "gate": run.gate,
    }
    with transaction.atomic():
        version.metrics = version.metrics | {"promotion": record}
        version.save(update_fields=("metrics",))
        versions.activate(version=version, by=by)
        run.outcome, run.approved_by, run.approved_at = TrainingRun.Outcome.PROMOTED, by, now
        run.metrics = run.metrics | {"promotion": record}
        run.save(update_fields=("outcome", "approved_by", "approved_at", "metrics"))
    return version


def check_promoter(by: User | None) -> None:
    """Raises PermissionDenied."""
    if by is not None and not by.has_perm(roles.ACTIVATE):
        raise PermissionDenied("Only a manager may let a version go live.")
