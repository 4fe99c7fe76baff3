from __future__ import annotations

from argparse import ArgumentParser
from concurrent.futures.process import BrokenProcessPool
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from analyzer import analyses, backfill
from analyzer.models import QueueItem
from feedback.arguments import COUNT

HELD = "held by governance"


class Command(BaseCommand):
    help = "Queue analyses for the worker, or run them here. What people decided is never changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--pending", action="store_true", help="Items without an analysis (the default).")
        which.add_argument("--failed", action="store_true", help="Items whose analysis failed.")
        which.add_argument(
            "--fallback",
            action="store_true",
            help="Open items that the local engine answered because the endpoint failed: ask it again.",
        )
        which.add_argument("--all", action="store_true", help="Every item: analyse again with the active version.")
        parser.add_argument("--now", action="store_true", help="Run here, with a progress bar, instead of queueing.")
        parser.add_argument(
            "--processes",
            type=COUNT,
            default=backfill.cores(),
            help="With --now: how many (default: one a core).",
        )

    def handle(self, *, failed: bool, fallback: bool, all: bool, now: bool, processes: int, **options: Any) -> None:
        stage = QueueItem.Stage
        again = QueueItem.objects.none()
        if all:
            again = QueueItem.objects.filter(stage__in=(stage.DONE, stage.FAILED))
        elif failed:
            again = QueueItem.objects.filter(stage=stage.FAILED)
        elif fallback:
            # What governance holds never goes to the endpoint, so asking again would change nothing.
            again = QueueItem.objects.queue().filter(stage=stage.DONE).exclude(analysis__fallback_reason="")
            again = again.exclude(analysis__fallback_reason__startswith=HELD)
        requested = analyses.request(items=again, queue=not now)
        waiting = list(QueueItem.objects.unfinished().order_by("rank").values_list("pk", flat=True))
        if not waiting:
            self.stdout.write("Nothing waits for an analysis.")
        elif now:
            made = self._perform(waiting, processes)
            self.stdout.write(f"{made} of {len(waiting)} analysed; {len(waiting) - made} left to others or failed.")
        else:
            for key in [] if requested else waiting:
                analyses.enqueue(key)
            self.stdout.write(f"{len(waiting)} items wait in the queue; a running worker takes them.")

    def _perform(self, waiting: list[UUID], processes: int) -> int:
        results = backfill.run(waiting, processes=processes)
        try:
            return sum(tqdm(results, total=len(waiting), unit="item", desc="Analysing", disable=None))
        except BrokenProcessPool:
            raise CommandError(
                "A process was killed, perhaps for lack of memory. Nothing is lost: call this again in "
                f"{settings.ANALYSIS_LEASE_SECONDS} seconds, when what it had begun is free again."
            ) from None
