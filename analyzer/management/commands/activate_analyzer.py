from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analyzer import versions
from analyzer.models import AnalyzerVersion


class Command(BaseCommand):
    help = "Make a version the one that new analyses use; an older number rolls back. Running workers follow at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", type=int, help="The version's number, as the admin and train_analyzer show it.")

    def handle(self, *, number: int, **options: Any) -> None:
        before = versions.active()
        try:
            version = AnalyzerVersion.objects.get(number=number)
            versions.activate(version=version, by=None)
        except AnalyzerVersion.DoesNotExist:
            known = ", ".join(str(n) for n in AnalyzerVersion.objects.values_list("number", flat=True)[:10])
            raise CommandError(f"There is no version {number}. The newest are: {known}.") from None
        except versions.NotUsable as error:
            raise CommandError(str(error)) from error
        try:
            now = versions.active()
        except versions.NotUsable as error:
            versions.activate(version=before, by=None)
            raise CommandError(
                f"{before} stays active: this environment asks for another engine over {version}, which cannot be "
                f"used. {error}"
            ) from error
        if now != version:
            raise CommandError(
                f"Active: {now}, not {version}: they differ in their engine only, and this environment asks for "
                f"{now.engine}. Set TRIAGE_ENGINE={version.engine} for web and worker to keep that one."
            )
        self.stdout.write(self.style.SUCCESS(f"Active: {version}. Before: {before}."))
