from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback.arguments import COUNT


class Command(BaseCommand):
    help = (
        "Roll made-up items through a LightningStore server that is started for it: how many come back with their "
        "reward and all spans, how fast, and what the server holds in memory."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rollouts", type=COUNT, default=10_000)
        parser.add_argument("--runners", type=COUNT, default=4)
        parser.add_argument("--keep", type=COUNT, default=2_000, help="Finished rollouts that the server keeps.")

    def handle(self, *, rollouts: int, runners: int, keep: int, **options: Any) -> None:
        from training import store_measurement

        self.stdout.write("  rollouts      lost   seconds   a second   server MiB")
        rounds = store_measurement.measure(rollouts=rollouts, runners=runners, keep=keep, say=self._say)
        lost = sum(one.lost for one in rounds)
        if lost:
            raise CommandError(f"{lost} of {rollouts} rollouts came back without a reward or without all their spans.")
        self.stdout.write(f"None of {rollouts} lost, {runners} runners, {keep} finished rollouts kept.")

    def _say(self, done: Any) -> None:
        rate = done.asked / done.seconds
        self.stdout.write(f"{done.asked:10,}{done.lost:10,}{done.seconds:10.1f}{rate:11.1f}{done.resident:13.0f}")
        self.stdout.flush()
