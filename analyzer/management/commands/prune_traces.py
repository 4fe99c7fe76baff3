from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from analyzer import retention
from feedback.arguments import whole_number


class Command(BaseCommand):
    help = (
        "Remove the traces of old analyses; verdicts and decisions stay. Stopped anywhere, it is run again. "
        "RETENTION_DAYS makes the worker do so by itself."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--days",
            type=whole_number(1, retention.LONGEST),
            required=True,
            help="Traces older than so many days.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Say how many and how large, and change nothing.")
        parser.add_argument(
            "--archive", type=Path, metavar="FILE.jsonl.gz", help="Write them there first; added to what is there."
        )

    def handle(self, *, days: int, dry_run: bool, archive: Path | None, **options: Any) -> None:
        if archive and not archive.name.endswith(".jsonl.gz"):
            raise CommandError(f"{archive.name} would not say what is in it: name it FILE.jsonl.gz.")
        before = retention.since(days)
        with tqdm(unit=" traces", desc="Reading" if dry_run else "Pruning", disable=None) as bar:

            def progress(tally: retention.Tally) -> None:
                bar.update(tally.traces - bar.n)

            try:
                if dry_run:
                    done = retention.weigh(before=before, progress=progress)
                else:
                    done = retention.prune(before=before, archive=archive, progress=progress)
            except retention.Damaged as error:
                raise CommandError(
                    f"{archive} is damaged ({error}), so what is added could not be read. "
                    "Name another file; nothing was removed."
                ) from error
            except OSError as error:
                raise CommandError(
                    f"{archive} could not be written, so nothing more was removed: {error.strerror}."
                ) from error
        size = f"{done.traces} traces made before {before:%Y-%m-%d %H:%M} UTC, {done.bytes / 1e6:.1f} MB of JSON"
        if dry_run:
            self.stdout.write(f"Would remove {size}. Nothing was changed.")
            return
        where = f" after writing them to {archive}" if archive and done.traces else ""
        self.stdout.write(f"Removed {size}{where}. The database keeps its size and fills the room again.")
