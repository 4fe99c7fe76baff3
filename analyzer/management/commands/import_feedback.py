from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from tqdm import tqdm

from analyzer import reviews, roles
from feedback import intake, records
from feedback.forms import FeedbackForm

ERRORS_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Import feedback from a .jsonl or .csv file through the same checks as the form. Columns: id (required), "
        "comment, rating, type, page, page_title, source, received_at; with --labelled also category and severity. "
        "Importing again changes nothing: a row is known by source and id. Bad rows are named by line and left out."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--labelled", action="store_true", help="Record each row's category and severity as a review."
        )
        parser.add_argument("--by", help="Whose reviews these are (a user name); needed with --labelled.")
        parser.add_argument("--split", help="Only rows whose column split has this value.")

    def handle(self, *, file: Path, labelled: bool, by: str | None, split: str | None, **options: Any) -> None:
        person = _reviewer(by) if labelled else None
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        counts = {"stored": 0, "known": 0, "labelled": 0, "bad": 0}
        try:
            rows = records.read(file, split=split)
            for row in tqdm(rows, total=records.count_lines(file), unit="row", desc="Importing", disable=None):
                try:
                    if not isinstance(row, records.Record):
                        raise row[1]
                    self._take(row, person, counts)
                except (records.BadRecord, intake.Refused, ValidationError) as error:
                    counts["bad"] += 1
                    if counts["bad"] <= ERRORS_SHOWN:
                        line = row.line if isinstance(row, records.Record) else row[0]
                        self.stderr.write(f"line {line}: {_words(error)}")
        except records.BadRecord as error:
            raise CommandError(str(error)) from error
        except BaseException:
            # Ctrl-C, a disk or a database that is gone: what was taken stays.
            self.stderr.write(f"Stopped: {_sum(counts, person)} Run it again to go on.")
            raise
        if counts["bad"] > ERRORS_SHOWN:
            self.stderr.write(f"… and {counts['bad'] - ERRORS_SHOWN} more bad rows.")
        self.stdout.write(_sum(counts, person))

    def _take(self, row: records.Record, person: User | None, counts: dict[str, int]) -> None:
        """One row with its label, both or neither."""
        with transaction.atomic():
            receipt = intake.receive(
                form=FeedbackForm(row.data),
                source=row.source,
                external_id=row.external_id,
                received_at=row.received_at,
            )
            new_label = person is not None and row.category and not receipt.feedback.reviews.exists()
            if person is not None and new_label:
                reviews.record_imported(
                    feedback=receipt.feedback, by=person, category=row.category, severity=row.severity
                )
        counts["stored" if receipt.created else "known"] += 1
        counts["labelled"] += bool(new_label)


def _reviewer(name: str | None) -> User:
    if not name:
        raise CommandError("--labelled needs --by USER: a label is somebody's word.")
    try:
        person = User.objects.get(username=name)
    except User.DoesNotExist:
        raise CommandError(f"There is no user {name!r}; make one in the admin, or name another.") from None
    if not person.has_perm(roles.DECIDE):
        raise CommandError(f"{name} may not decide; add them to the group Reviewer.")
    return person


def _sum(counts: dict[str, int], person: User | None) -> str:
    said = f"{counts['stored']} stored, {counts['known']} known already, {counts['bad']} left out"
    return said + (f"; {counts['labelled']} labels recorded by {person}" if person else "") + "."


def _words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items())
    return str(error)
