from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from tqdm import tqdm

from analyzer import writeback
from feedback import mirror, outages, website
from feedback.arguments import COUNT
from feedback.models import SyncProblem

PROBLEMS_SHOWN = 20
WRITE_BACK_SECONDS = 60.0
LONGEST_WAIT = 60.0


class Command(BaseCommand):
    help = (
        "Mirror the website's MongoDB collection (MONGO_MIRROR_URL) into the desk, through the same checks as the "
        "form: new documents and edits since the last time, each once. It can be killed and run again at any point. "
        "A document that is no submission is noted (--problems lists them) and tried again when it changes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--watch", action="store_true", help="Go on: by change stream, or by looking again.")
        parser.add_argument(
            "--write-back", action="store_true", help="Put category, severity, priority and status on the documents."
        )
        parser.add_argument("--limit", type=COUNT, help="Stop after so many documents; the next run goes on there.")
        parser.add_argument("--reset", action="store_true", help="Read every document again, under today's checks.")
        parser.add_argument("--problems", action="store_true", help="Only list the documents that could not be taken.")

    def handle(
        self, *, watch: bool, write_back: bool, limit: int | None, reset: bool, problems: bool, **options: Any
    ) -> None:
        if problems:
            self._list_problems(None)
            return
        if watch and limit is not None:
            raise CommandError("--watch goes on for ever; --limit does not go with it.")
        try:
            site = website.connect()
            self._pass(site, limit=limit, reset=reset)
            if write_back:
                self._write_back(site)
        except website.Unreachable as error:
            raise CommandError(str(error)) from error
        if watch:
            try:
                self._watch(write_back)
            except KeyboardInterrupt:
                self.stdout.write("Stopped; the next run goes on from here.")

    def _pass(self, site: website.Website, *, limit: int | None, reset: bool) -> None:
        state, began, expected = mirror.begin(website=site, reset=reset), time.monotonic(), None
        if self.stderr.isatty():
            # Only a bar needs the number, and a large collection takes a while to count.
            expected = site.count(after=state.cursor_at)
            expected = min(expected, limit or expected)
        with tqdm(total=expected, unit="doc", desc="Syncing", disable=None) as bar:
            tally = mirror.catch_up(website=site, limit=limit, progress=lambda part: _move(bar, part))
        seconds = time.monotonic() - began
        self.stdout.write(f"{_words(tally)}: {tally.read} documents in {seconds:.1f} s, {tally.read / seconds:.0f}/s.")
        if tally.bad:
            self._list_problems(PROBLEMS_SHOWN)

    def _watch(self, write_back: bool) -> None:
        wait, wrote_at = 1.0, time.monotonic()
        self.stdout.write("Watching; Ctrl-C stops.")
        while True:
            try:
                site = website.connect()
                for tally in mirror.follow(website=site):
                    wait = 1.0
                    if tally.stored or tally.revised or tally.bad:
                        self.stdout.write(f"{_words(tally)}.")
                    if write_back and time.monotonic() - wrote_at >= WRITE_BACK_SECONDS:
                        self._write_back(site)
                        wrote_at = time.monotonic()
                    close_old_connections()
            except Exception as error:
                ours = outages.is_one(error)
                if not ours and not isinstance(error, website.Unreachable):
                    raise
                said = "The desk's own database does not answer." if ours else str(error)
                self.stderr.write(f"{said} Trying again in {wait:.0f} s.")
                close_old_connections()
                time.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT)

    def _write_back(self, site: website.Website) -> None:
        written = writeback.write(website=site)
        self.stdout.write(
            f"Write-back: {written.changed} documents changed, {written.checked - written.changed - written.gone} "
            f"right already, {written.gone} no longer there."
        )

    def _list_problems(self, most: int | None) -> None:
        found = SyncProblem.objects.all()
        for problem in found[:most]:
            self.stderr.write(f"{problem.external_id}: {problem.reason}")
        if most is not None and (more := found.count() - most) > 0:
            self.stderr.write(f"… and {more} more; --problems lists them all.")


def _move(bar: tqdm, part: mirror.Tally) -> None:
    bar.update(part.read)


def _words(tally: mirror.Tally) -> str:
    return f"{tally.stored} stored, {tally.revised} revised, {tally.unchanged} unchanged, {tally.bad} left out"
