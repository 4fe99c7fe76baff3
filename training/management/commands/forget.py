from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from analyzer.models import AnalyzerVersion
from training import erasure


class Command(BaseCommand):
    help = (
        "Remove feedback for a person who asks to be forgotten: the row with its analyses, traces, decisions and "
        "notes, and whatever else in the database quotes it. Lists the versions that may have learned from it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", nargs="+", type=_key, help="The id, as the item's address and the logs have it.")
        parser.add_argument("--dry-run", action="store_true", help="Say what there is, and change nothing.")

    def handle(self, *, id: list[UUID], dry_run: bool, **options: Any) -> None:
        act = erasure.examine if dry_run else erasure.forget
        for key in id:
            try:
                found = act(key)
            except erasure.Unknown:
                raise CommandError(f"There is no feedback {key}; what was named before it is done.") from None
            self._tell(found, "Would forget" if dry_run else "Forgot")
        self.stdout.write(
            f"Not reached: files that were exported, archived traces, backups, job folders of fine-tuning (in "
            f"{settings.FINETUNE_DIR} and wherever --prepare wrote them), and what a model's endpoint keeps."
        )

    def _tell(self, found: erasure.Erasure, done: str) -> None:
        self.stdout.write(
            f"{done} {found.feedback}: {found.analyses} analyses with their traces, {found.decisions} decisions, "
            f"{found.notes} notes and events."
        )
        if found.source.startswith("mongo:"):
            self.stdout.write(f"  It came from {found.source}: remove it there too, else an edit there brings it back.")
        for version in found.learned:
            self.stdout.write(f"  {version} may have learned from it{_note(version)}.")
        for place in found.quoted:
            self.stdout.write(f"  A piece of it stands in {place}; train again and do not use that one.")


def _note(version: AnalyzerVersion) -> str:
    active = version.status == AnalyzerVersion.Status.ACTIVE
    return "; it is the active one: train_analyzer makes one that has not" if active else ""


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CommandError(f"{text!r} is no id such as 01a21812-8d9b-754d-9c63-e863f8c4d168.") from None
