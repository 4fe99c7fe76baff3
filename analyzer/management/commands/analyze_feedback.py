from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from analyzer import analyses
from analyzer.models import QueueItem

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

    def handle(self, *, failed: bool, fallback: bool, all: bool, now: bool, **options: Any) -> None:
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
            made = sum(analyses.perform(key) for key in tqdm(waiting, unit="item", desc="Analysing", disable=None))
            self.stdout.write(f"{made} of {len(waiting)} analysed; {len(waiting) - made} left to others or failed.")
        else:
            for key in [] if requested else waiting:
                analyses.enqueue(key)
            self.stdout.write(f"{len(waiting)} items wait in the queue; a running worker takes them.")
