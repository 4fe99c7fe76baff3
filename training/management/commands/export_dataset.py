from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from training import dataset, jsonl


class Command(BaseCommand):
    help = (
        "Write the items that people decided as JSONL: id, comment (redacted), type, rating, page, category, severity, "
        "provenance and split (train, validation, test, or null for what was accepted in bulk and is too new to "
        "learn from). Decisions that were undone and made-up items are left out."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--force", action="store_true", help="Replace the file if it is there.")

    def handle(self, *, file: Path, force: bool, **options: Any) -> None:
        if file.exists() and not force:
            raise CommandError(f"{file} is there already; --force replaces it.")
        if not file.parent.is_dir():
            raise CommandError(f"There is no folder {file.parent}.")
        data = dataset.split(dataset.collect())
        try:
            written = jsonl.write(file, data)
        except OSError as error:
            raise CommandError(f"{file} could not be written: {error.strerror}.") from error
        counts = ", ".join(f"{name} {n}" for name, n in data.summary["n"].items() if n) or "none"
        self.stdout.write(f"{written} decided items written to {file} ({counts}); digest {data.digest[:12]}.")
