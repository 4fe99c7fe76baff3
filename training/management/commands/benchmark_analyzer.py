from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core import serializers
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from analyzer.models import AnalyzerVersion
from feedback.arguments import COUNT, whole_number
from feedback.models import Feedback

# What the process is told that measures: its part, and a file with the version to be measured.
SCRATCH: Final = "TRIAGE_BENCHMARK_SCRATCH"
VERSION: Final = "TRIAGE_BENCHMARK_VERSION"
# As behind a proxy in production; another process, since all this is chosen when Django starts.
PRODUCTION: Final = {"DEBUG": "", "ALLOWED_HOSTS": "127.0.0.1", "BEHIND_PROXY": "1", "FEEDBACK_RATE_LIMIT": ""}
NO_ENDPOINT: Final = {"OPENAI_BASE_URL": "", "OPENAI_API_KEY": "", "TRIAGE_ENGINE": "local"}


class Command(BaseCommand):
    help = (
        "Measure the desk against its own floors: intake over HTTP, the queue with one and more workers, classifier, "
        "rollout, and what the pipeline adds to a call of a model. Or, with --report, write five stress figures; or, "
        "with --drain, put a file of feedback through import, queue and worker. On a scratch database that is removed "
        "afterwards. Compare ratios; rates are this machine's."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--items", type=whole_number(10), default=300, help="Items of a stage and repeat (default 300)."
        )
        parser.add_argument("--repeats", type=COUNT, default=3, help="Repeats (default 3).")
        parser.add_argument(
            "--workers", type=_numbers, default=(1, 2), help="Workers to try (default 1,2; --drain: the last)."
        )
        parser.add_argument("--seconds", type=COUNT, default=5, help="Of wrk, a repeat (default 5).")
        parser.add_argument(
            "--calls", type=COUNT, default=200, help="Of the scripted endpoint, a repeat (default 200)."
        )
        parser.add_argument(
            "--stages", type=_words, default=(), help="Of engine,intake,queue,endpoint only these (default all)."
        )
        parser.add_argument("--json", action="store_true", help="Print JSON instead of tables.")
        parser.add_argument("--database-url", help="An empty scratch database instead of a temporary SQLite file.")
        parser.add_argument("--broker", default="orm", help="orm (the default), or a redis:// that nobody else uses.")
        parser.add_argument("--report", type=Path, metavar="FILE.md", help="Write the stress report instead.")
        parser.add_argument(
            "--drain", type=Path, metavar="FILE", help="Import this file, let workers drain it, count what came of it."
        )
        parser.add_argument(
            "--misbehaving", action="store_true",
            help="With --drain: ask a scripted endpoint (no model) of which every second answer is bad in another way.",
        )  # fmt: skip
        parser.add_argument("--dataset", type=Path, metavar="FILE", help="For its accuracy: labelled JSONL.")
        parser.add_argument("--split", help="Of the data set only rows with this split.")
        parser.add_argument(
            "--engine", choices=AnalyzerVersion.Engine.values, default="local",
            help="For the report: llm and cascade ask the endpoint that the environment names (default local).",
        )  # fmt: skip

    def handle(self, **options: Any) -> None:
        part = os.environ.get(SCRATCH)
        if part:
            _prepare()
            self._measure(part, options)
        elif options["report"]:
            self._report(options)
        elif options["drain"]:
            self._drain(options)
        else:
            self._run("stages", options, NO_ENDPOINT)

    def _report(self, options: dict[str, Any]) -> None:
        """The figures of the engine that was asked for, then those of a scripted endpoint, then the file."""
        from training.benchmark import endpoint, report

        if options["engine"] != "local" and not settings.TRIAGE_ENDPOINT:
            raise CommandError(
                f"The {options['engine']} engine asks a model, but neither OPENAI_BASE_URL nor OPENAI_API_KEY is set."
            )
        asked = NO_ENDPOINT if options["engine"] == "local" else {"TRIAGE_ENGINE": options["engine"]}
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".json") as file:
            file.write(_active())
            file.flush()
            figures = json.loads(self._run("stress", options, asked | {VERSION: file.name}, capture=True))
        with endpoint.serve() as url:
            figures |= json.loads(self._run("faults", options, _scripted(url), capture=True))
        options["report"].write_text(report.markdown(figures), encoding="utf-8")
        self.stdout.write(f"Written to {options['report']}.")

    def _drain(self, options: dict[str, Any]) -> None:
        from training.benchmark import endpoint

        if not options["drain"].is_file():
            raise CommandError(f"There is no file {options['drain']}.")
        options["drain"] = options["drain"].resolve()
        with ExitStack() as stack:
            url = stack.enter_context(endpoint.serve(misbehaving=True)) if options["misbehaving"] else ""
            self._run("drain", options, _scripted(url) if url else NO_ENDPOINT)

    def _run(self, part: str, options: dict[str, Any], environment: dict[str, str], *, capture: bool = False) -> str:
        """This command again, in a process over a scratch database; returns what it wrote when captured."""
        with ExitStack() as stack:
            url = options["database_url"]
            if not url:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="triage-benchmark-"))
                url = f"sqlite:///{Path(folder) / 'scratch.sqlite3'}"
            scratch = PRODUCTION | {
                SCRATCH: part,
                "SECRET_KEY": secrets.token_urlsafe(50),
                "DATABASE_URL": url,
                "Q_BROKER": options["broker"],
            }
            done = subprocess.run(  # noqa: S603 (our own command line)
                [sys.executable, *sys.argv],
                cwd=settings.BASE_DIR,
                env=os.environ | scratch | environment,
                stdout=subprocess.PIPE if capture else None,
                text=True,
                check=False,
            )
        if done.returncode:
            raise CommandError("The measurement failed; see the lines above.")
        return done.stdout or ""

    def _measure(self, part: str, options: dict[str, Any]) -> None:
        from training.benchmark import drain, machine, stages, stress, tables

        if part == "stress":
            self.stdout.write(json.dumps(stress.measure(**_chosen(options, "items", "dataset", "split"))))
            return
        if part == "faults":
            self.stdout.write(json.dumps({"faults": stress.measure_faults(each=max(1, options["items"] // 50))}))
            return
        if part == "drain":
            found = drain.measure(options["drain"], workers=options["workers"][-1])
            self.stdout.write(json.dumps(found, indent=2) if options["json"] else "\n".join(drain.lines(found)))
            return
        wanted = options["stages"] or stages.STAGES
        if unknown := set(wanted) - set(stages.STAGES):
            raise CommandError(f"There is no stage {min(unknown)}; there are {', '.join(stages.STAGES)}.")
        told = machine.Machine()
        run = stages.Run(
            parts=wanted,
            report=lambda line: self.stderr.write(line),
            **_chosen(options, "items", "workers", "seconds", "calls"),
        )
        run.measure(options["repeats"])
        if options["json"]:
            self.stdout.write(json.dumps(told.as_dict(run.version) | tables.as_dict(run), indent=2))
            return
        for line in told.lines(run.version):
            self.stdout.write(line)
        self.stdout.write(
            f"Synthetic comments; {options['repeats']} repeats, median and (lowest–highest) of them.\n\n"
            + tables.text(run, workers=options["workers"])
        )


def _scripted(url: str) -> dict[str, str]:
    """Settings of a desk that asks the scripted endpoint."""
    from training.benchmark import endpoint

    asked = {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "scripted", "TRIAGE_MODEL": endpoint.MODEL}
    return asked | {"TRIAGE_ENGINE": "llm", "TRIAGE_TIMEOUT": "1"}


def _active() -> str:
    """The desk's active version, for the scratch database; empty where there is none, or no desk yet."""
    active = AnalyzerVersion.objects.filter(status=AnalyzerVersion.Status.ACTIVE)
    # Who made and activated it stays at home.
    fields = [field.name for field in AnalyzerVersion._meta.fields if not field.is_relation]
    try:
        return str(serializers.serialize("json", active, fields=fields))
    except DatabaseError:
        return "[]"


def _prepare() -> None:
    """Migrate the scratch database. Raises CommandError when it holds what somebody may want to keep."""
    from django_q.brokers import get_broker

    from training.benchmark import stages

    call_command("migrate", verbosity=0)
    if Feedback.objects.exclude(source=stages.SOURCE).exists():
        raise CommandError("The scratch database holds submissions: name one that nobody needs.")
    if get_broker().queue_size():
        raise CommandError("Tasks wait in the broker: name one that nobody else uses.")
    if VERSION in os.environ and not AnalyzerVersion.objects.exists():
        for row in serializers.deserialize("json", Path(os.environ[VERSION]).read_text(encoding="utf-8")):
            row.save()


def _chosen(options: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: options[name] for name in names}


def _numbers(text: str) -> Sequence[int]:
    try:
        numbers = tuple(int(word) for word in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 1:
        raise ArgumentTypeError(f"{text!r} is no list of numbers such as 1,2,4")
    return numbers


def _words(text: str) -> Sequence[str]:
    return tuple(text.split(","))
