from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

SCRATCH = "TRIAGE_BENCHMARK_SCRATCH"


class Command(BaseCommand):
    help = (
        "Measure intake, classifier, rollout and the whole analysis task against the queue's own no-op rate, on a "
        "scratch SQLite database that is removed afterwards. Compare ratios; items a second are this machine's."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--items", type=int, default=500, help="Items per stage and repeat (default 500).")
        parser.add_argument("--repeats", type=int, default=3, help="Repeats (default 3).")
        parser.add_argument("--json", action="store_true", help="Print JSON instead of the table.")

    def handle(self, *, items: int, repeats: int, **options: Any) -> None:
        if items < 10 or repeats < 1:
            raise CommandError("Measure at least 10 items and 1 repeat.")
        if os.environ.get(SCRATCH):
            self._measure(items, repeats, as_json=options["json"])
            return
        # Another process, since the database is chosen when Django starts.
        with tempfile.TemporaryDirectory(prefix="triage-benchmark-") as folder:
            environment = os.environ | {
                SCRATCH: "1",
                "DATABASE_URL": f"sqlite:///{Path(folder) / 'scratch.sqlite3'}",
                "Q_BROKER": "orm",
            }
            done = subprocess.run([sys.executable, *sys.argv], cwd=settings.BASE_DIR, env=environment, check=False)  # noqa: S603 (our own command line)
        if done.returncode:
            raise CommandError("The measurement failed; see the lines above.")

    def _measure(self, items: int, repeats: int, *, as_json: bool) -> None:
        from analyzer import benchmark

        call_command("migrate", verbosity=0)
        stages = benchmark.measure(items=items, repeats=repeats, report=lambda line: self.stderr.write(line))
        if as_json:
            self.stdout.write(json.dumps([stage.as_dict() for stage in stages], indent=2))
            return
        workers = settings.Q_CLUSTER["workers"]
        self.stdout.write(
            f"Synthetic comments, n = {items} a stage, {repeats} repeats, {workers} workers, desk {settings.VERSION}."
        )
        self.stdout.write(f"{'stage':<16}{'items/s':>10}{'lowest':>10}{'highest':>10}   ratio to its floor")
        for stage in stages:
            ratio = f"{stage.ratio:.2f} of {stage.floor}" if stage.ratio is not None else ""
            self.stdout.write(
                f"{stage.name:<16}{stage.median:>10.0f}{stage.lowest:>10.0f}{stage.highest:>10.0f}   {ratio}"
            )
