"""Forgetting what one person said: everywhere in the database, and a list of what has learned from it.

A row of feedback takes its analyses with their traces, decisions, notes and fingerprint with it. What else quotes it is
found and removed here; what cannot be unsaid, the weights that were fitted on it among others, is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.db import connection

from analyzer.models import Analysis, AnalyzerVersion, Event, Review
from feedback import search_index
from feedback.models import Feedback, SyncProblem
from feedback.transactions import transact
from training.dataset import WEIGHTS, may_have_learned
from training.models import TrainingRun

# Shorter pieces of a comment are anybody's.
QUOTED: Final = 24
# These go on from the weights or the prompt of the version before them.
CONTINUES: Final = frozenset({"reinforce", "apo"})


class Unknown(LookupError):
    """There is no such feedback."""


@dataclass(slots=True)
class Erasure:
    """What was there, and what may have learned from it or quotes it."""

    feedback: UUID
    source: str
    analyses: int
    decisions: int
    notes: int
    learned: list[AnalyzerVersion] = field(default_factory=list)
    quoted: list[str] = field(default_factory=list)


def examine(key: UUID) -> Erasure:
    """What forget would remove and could not reach; changes nothing. Raises Unknown."""
    said = Feedback.objects.filter(pk=key).first()
    if said is None:
        raise Unknown(str(key))
    return Erasure(
        feedback=said.pk,
        source=said.source,
        analyses=Analysis.objects.filter(feedback=said.pk).count(),
        decisions=Review.objects.filter(feedback=said.pk).count(),
        notes=Event.objects.filter(feedback=said.pk).count(),
        learned=_learners(said),
        quoted=list(_quoting(said)),
    )


def forget(key: UUID) -> Erasure:
    """Remove one feedback and all that came of it, whole or not at all. Raises Unknown.

    A worker that shows decided items to a model has forgotten it within a minute.
    """
    found = examine(key)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # Else its words stay in the free pages of the file until something else is written there.
            cursor.execute("PRAGMA secure_delete = ON")
    transact(lambda: _remove(key))
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite" and not connection.in_atomic_block:
            # Else they stay in the write-ahead log.
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return found


def _remove(key: UUID) -> None:
    said = Feedback.objects.get(pk=key)
    if said.external_id:
        SyncProblem.objects.filter(source=said.source, external_id=said.external_id).delete()
    # Of a key of any shape, as the admin's log writes it.
    LogEntry.objects.filter(object_id__in=(str(key), key.hex)).delete()
    said.delete()
    search_index.scrub()


def _learners(said: Feedback) -> list[AnalyzerVersion]:
    """Versions that a run may have fitted on it: decided when the run began, and received early enough."""
    decided = Review.objects.filter(feedback=said.pk, provenance__in=WEIGHTS).exclude(role=Review.Role.SECOND)
    first = decided.order_by("created_at").values_list("created_at", flat=True).first()
    if first is None or said.synthetic:
        return []
    runs = TrainingRun.objects.filter(started_at__gt=first, candidate__isnull=False).only("dataset", "candidate_id")
    fitted = {run.candidate_id for run in runs if may_have_learned(run, said.received_at)}
    found: dict[UUID, AnalyzerVersion] = {}
    digests: set[str] = set()
    versions = AnalyzerVersion.objects.only("number", "engine", "origin", "status", "weights_digest", "parent_id")
    # From parents to children: a version is made after the one that it goes on from.
    for version in versions.order_by("number"):
        goes_on = version.origin in CONTINUES and version.parent_id in found
        same = bool(version.weights_digest) and version.weights_digest in digests
        if version.pk in fitted or goes_on or same:
            found[version.pk] = version
            digests.add(version.weights_digest)
    return list(found.values())


def _quoting(said: Feedback) -> Iterator[str]:
    """Prompts and records of runs that hold a piece of the comment, word for word."""
    pieces = list(_pieces(said.comment))
    if not pieces:
        return
    for version in AnalyzerVersion.objects.only("number", "prompt").exclude(prompt="").order_by("number"):
        if any(piece in version.prompt for piece in pieces):
            yield f"the prompt of v{version.number}"
    for run in TrainingRun.objects.order_by("number"):
        told: list[Any] = [run.log, run.error, run.metrics, run.gate, run.curve, run.parameters]
        if any(piece in text for piece in pieces for text in map(str, told)):
            yield f"the record of run {run.number}"


def _pieces(comment: str) -> Iterator[str]:
    """Lines and halves of lines that are long enough to be this comment's own."""
    for line in comment.splitlines():
        words = line.split()
        for part in (words[: len(words) // 2], words[len(words) // 2 :]):
            if len(piece := " ".join(part)) >= QUOTED:
                yield piece
