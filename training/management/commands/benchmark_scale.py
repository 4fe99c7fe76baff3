from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from feedback.arguments import COUNT
from training.scale import table
from training.scale.scratch import NoScratch, Scratch, require

SIZES: Final = "1000,10000,100000,1000000"


class Command(BaseCommand):
    help = (
        "Measure pages and tasks on made-up desks of several sizes, in scratch databases that are made for it and "
        "removed afterwards. Prints medians and how they grow. A million rows take 7 GB and a quarter of an hour."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sizes", default=SIZES, help=f"Rows of each desk, smallest first (default {SIZES}).")
        parser.add_argument(
            "--on", default="sqlite", metavar="URL", help="postgres://… that may make databases (default: SQLite)."
        )
        parser.add_argument("--rounds", type=COUNT, default=3, help="Rounds over all sizes (default 3).")
        parser.add_argument("--repeats", type=COUNT, default=5, help="Repeats in each round (default 5).")
        parser.add_argument("--only", default="", help="Only what begins like this, such as 'search'.")
        parser.add_argument("--mongo", default="", metavar="URL", help="Measure sync_feedback against this server too.")
        parser.add_argument("--keep", type=Path, metavar="FOLDER", help="Keep the desks there, and use what is there.")
        parser.add_argument("--fill-only", action="store_true", help="Fill them, measure nothing; with --keep.")
        parser.add_argument(
            "--seconds", type=float, help="Stop filling after so many seconds; the next run goes on, with --keep."
        )
        parser.add_argument("--no-training", action="store_true", help="Leave the data set of training out.")
        parser.add_argument("--json", action="store_true", help="Print every sample as JSON.")
        # What a process of its own does for the others, on its database.
        parser.add_argument("--step", choices=("fill", "measure", "training"), help="Used by the command itself.")

    def handle(self, *, step: str | None, **options: Any) -> None:
        try:
            if step:
                self._step(step, options)
            else:
                self._all(options)
        except NoScratch as error:
            raise CommandError(str(error)) from error

    def _all(self, options: dict[str, Any]) -> None:
        sizes = _sizes(options["sizes"])
        with tempfile.TemporaryDirectory(prefix="triage-scale-") as temporary:
            folder: Path = options["keep"] or Path(temporary)
            sqlite = options["on"] == "sqlite"
            scratch = Scratch(folder if sqlite else None, "" if sqlite else options["on"])
            try:
                self._run(scratch, sizes, options)
            finally:
                for size in sizes if not options["keep"] else ():
                    scratch.remove(size)

    def _run(self, scratch: Scratch, sizes: list[int], options: dict[str, Any]) -> None:
        for size in sizes:
            scratch.make(size)
            self._child(scratch, size, "fill", options)
        if options["fill_only"]:
            return
        parts = [self._child(scratch, size, "measure", options) for _ in range(options["rounds"]) for size in sizes]
        trained = [] if options["no_training"] else [self._child(scratch, size, "training", options) for size in sizes]
        stages = table.merge(parts)
        if options["json"]:
            told = {"database": scratch.kind, "version": settings.VERSION, "stages": stages, "training": trained}
            self.stdout.write(json.dumps(told, indent=2))
            return
        times = options["rounds"] * options["repeats"]
        self.stdout.write(
            f"{scratch.kind}, desk {settings.VERSION}, made-up rows. Milliseconds in the process: median of {times} "
            f"(least–most), {options['rounds']} rounds over all sizes.\n"
        )
        self.stdout.write(table.markdown(stages, sizes))
        if trained:
            self.stdout.write("\nThe data set of training, once each:\n")
            self.stdout.write(table.training(trained))

    def _child(self, scratch: Scratch, size: int, step: str, options: dict[str, Any]) -> dict[str, Any]:
        """One step in a process of its own, since a database is chosen when Django starts."""
        self.stderr.write(f"{step} {size:,}")
        given = [f"--{name}={options[name]}" for name in ("repeats", "only", "mongo")]
        given += [f"--seconds={options['seconds']}"] if options["seconds"] else []
        command = [sys.executable, "manage.py", "benchmark_scale", f"--step={step}", f"--sizes={size}", *given]
        environment = os.environ | {
            "DATABASE_URL": scratch.url(size),
            "Q_BROKER": "orm",
            # One machine sends more here than a visitor may.
            "FEEDBACK_RATE_LIMIT": "0",
        }
        done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, check=False)  # noqa: S603 (our own)
        if done.returncode:
            raise CommandError(f"{step} at {size:,} rows failed; see the lines above.")
        told: dict[str, Any] = json.loads(done.stdout or "{}")
        return told

    def _step(self, step: str, options: dict[str, Any]) -> None:
        require()
        (size,) = _sizes(options["sizes"])
        if step == "fill":
            self._fill(size, options["seconds"])
        elif step == "measure":
            from training.scale import stages

            samples = stages.measure(repeats=options["repeats"], mongo=options["mongo"], only=options["only"])
            self.stdout.write(json.dumps({"size": size, "samples": [sample.as_dict() for sample in samples]}))
        else:
            from training.scale import learning

            self.stdout.write(json.dumps({"size": size, **learning.measure()}))

    def _fill(self, size: int, seconds: float | None) -> None:
        from training.scale import rows

        call_command("migrate", verbosity=0)
        there = rows.fill(size, seconds=seconds, progress=lambda done: self.stderr.write(f"  {done:,} of {size:,}"))
        if there < size:
            raise CommandError(f"{there:,} of {size:,} rows after {seconds:.0f} seconds; run it again to go on.")


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(size) for size in text.split(",")]
    except ValueError:
        raise CommandError(f"--sizes {text!r} is no list of numbers such as {SIZES}.") from None
    if min(sizes) < 100 or sizes != sorted(set(sizes)):
        raise CommandError("Sizes are at least 100 rows, each larger than the one before.")
    return sizes
