"""Training runs: what was tried, on which data, what came out, and who let it go live."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from analyzer.models import AnalyzerVersion
from feedback.ids import new_id

# A run says that it lives far more often than this; one that was silent so long is gone.
SILENT: Final = timedelta(minutes=2)


class TrainingRunQuerySet(models.QuerySet["TrainingRun"]):
    def running(self) -> TrainingRunQuerySet:
        return self.filter(status=TrainingRun.Status.RUNNING)

    def of_weights(self, digest: str) -> TrainingRun | None:
        """The run that made these weights, whichever versions carry them now."""
        return self.filter(candidate__weights_digest=digest).exclude(candidate__weights_digest="").first()

    def reap(self) -> int:
        """Turn runs whose process is gone into failed ones with the reason; returns how many. Call before starting."""
        now, host, reaped = timezone.now(), socket.gethostname(), 0
        for run in self.running():
            if run.host == host and not _alive(run.pid):
                reason = f"Its process ({run.pid} on {run.host}) ended without a word: killed, or out of memory."
            elif run.beat_at < now - SILENT:
                reason = f"No sign of life since {run.beat_at:%Y-%m-%d %H:%M:%S} UTC (process {run.pid} on {run.host})."
            else:
                continue
            # Conditional, so that a run which finishes at this very moment stays finished.
            reaped += self.filter(pk=run.pk, status=TrainingRun.Status.RUNNING, beat_at=run.beat_at).update(
                status=TrainingRun.Status.FAILED, error=reason, finished_at=now
            )
        return reaped


class TrainingRun(models.Model):
    """One attempt at a better analyzer; at most one is running, which the database holds."""

    class Status(models.TextChoices):
        RUNNING = "running", "running"
        FINISHED = "finished", "finished"
        FAILED = "failed", "failed"
        STOPPED = "stopped", "stopped"

    class Outcome(models.TextChoices):
        """What became of the candidate of a finished run."""

        PROMOTED = "promoted", "promoted"
        NO_CHANGE = "no-change", "no change"
        PROPOSED = "proposed", "proposed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.PositiveIntegerField(unique=True)
    algorithm = models.CharField(max_length=40, help_text="local, apo, reinforce, auto, …")
    status = models.CharField(max_length=10, choices=Status, default=Status.RUNNING)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    beat_at = models.DateTimeField(default=timezone.now, help_text="The last sign of life.")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    host = models.CharField(max_length=255, blank=True)
    pid = models.PositiveIntegerField(default=0)
    seed = models.IntegerField(default=0)
    parameters: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)
    dataset: models.JSONField[dict[str, Any]] = models.JSONField(
        default=dict, blank=True, help_text="Digest, how many per split and class, where time was cut, provenance."
    )
    metrics: models.JSONField[dict[str, Any]] = models.JSONField(
        default=dict, blank=True, help_text="Reports on the held-out items: candidate, active, others."
    )
    gate: models.JSONField[dict[str, Any]] = models.JSONField(
        default=dict, blank=True, help_text="The judgement: promote or not, reasons, differences with intervals."
    )
    curve: models.JSONField[list[dict[str, Any]]] = models.JSONField(
        default=list, blank=True, help_text="The learning curve: quality against the number of reviews."
    )
    log = models.TextField(blank=True)
    error = models.TextField(blank=True)
    candidate = models.ForeignKey(
        AnalyzerVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="training_runs"
    )
    active = models.ForeignKey(
        AnalyzerVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text="The version that the candidate was compared with.",
    )  # fmt: skip
    usage: models.JSONField[dict[str, int]] = models.JSONField(
        default=dict, blank=True, help_text="Calls and tokens that a model was asked for."
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)

    objects = TrainingRunQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("status",), condition=Q(status="running"), name="training_one_running"),
        )

    def __str__(self) -> str:
        return f"run {self.number} {self.algorithm}: {self.outcome or self.status}"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # Somebody else's process: it exists.
        return True
    return True
