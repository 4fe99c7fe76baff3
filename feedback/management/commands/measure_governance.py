from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback.governance import measurement


class Command(BaseCommand):
    help = "Precision and recall of each kind of personal data, on the test set that comes with the project."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--split",
            choices=["dev", "test", "all"],
            default="all",
            help="dev: the half that the rules were tuned on; test: the half that they were not.",
        )
        parser.add_argument("--misses", action="store_true", help="Also print every wrong decision.")
        parser.add_argument("--json", action="store_true", help="Print JSON instead of a table.")

    def handle(self, *, split: measurement.Split, misses: bool, json: bool, **options: Any) -> None:
        report = measurement.measure(split=split)
        show = measurement.as_json if json else measurement.as_table
        self.stdout.write(show(report, misses=misses))
