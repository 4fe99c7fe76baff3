from __future__ import annotations

import signal
import time
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from analyzer import adapters
from analyzer.models import AnalyzerVersion
from feedback.arguments import PORT, positive
from training.finetune.server import START_SECONDS, ServingFailed, running

LOOK_SECONDS = 1.0


class Command(BaseCommand):
    help = (
        "Serve a fine-tuned model on 127.0.0.1 for the llm engine, until Ctrl-C: for one machine. It prints what to "
        "set for the desk. Only what was evaluated is served: changed files of an adapter are refused."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Django's own --version prints Django's; here it names ours.
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--version", type=int, metavar="N", help="A version that was fine-tuned here.")
        what.add_argument("--adapter", type=Path, metavar="DIR", help="Any LoRA adapter, with --base-model.")
        parser.add_argument(
            "--base-model", metavar="MODEL",
            help="The model below the adapter: a folder, or a name that this machine has. With --version: where it "
            "lies now. Alone it is served as it is.",
        )  # fmt: skip
        parser.add_argument("--name", help="What to call it; default: the version's own name, or the folder's.")
        parser.add_argument("--port", type=PORT, default=8011, help="Port on 127.0.0.1 (default 8011).")
        parser.add_argument(
            "--timeout", type=positive, default=START_SECONDS, metavar="S",
            help=f"Seconds that loading may take (default {START_SECONDS:g}).",
        )  # fmt: skip

    def handle(
        self,
        *,
        version: int | None,
        adapter: Path | None,
        base_model: str | None,
        name: str | None,
        port: int,
        timeout: float,
        **options: Any,
    ) -> None:
        model = of_version(version) if version is not None else _given(adapter, base_model)
        name = name or model.name
        _stop_on_signals()
        try:
            with running(
                base_model=base_model or model.base, adapter=model.adapter, name=name, port=port, timeout=timeout
            ) as served:
                self._say(f"{model.title} is served as {name}; Ctrl-C stops it. Set for the desk:")
                self._say(f"OPENAI_BASE_URL={served.url}\nTRIAGE_MODEL={name}")
                while True:
                    served.check()
                    time.sleep(LOOK_SECONDS)
        except ServingFailed as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self._say("\nStopped.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        # Piped into a file it would otherwise stay in a buffer until the end.
        self.stdout.flush()


@dataclass(frozen=True, slots=True)
class _Model:
    title: str
    name: str
    base: str
    adapter: Path | None


def of_version(number: int) -> _Model:
    """What a version was evaluated with; raises CommandError when that is not there any more."""
    version = AnalyzerVersion.objects.defer("weights").filter(number=number).first()
    if version is None:
        raise CommandError(f"There is no version {number}.")
    record = version.adapter
    if not record:
        tuned = AnalyzerVersion.objects.exclude(adapter={}).values_list("number", flat=True)[:10]
        known = f"These have one: {', '.join(map(str, tuned))}." if tuned else "No version has one yet."
        raise CommandError(f"Version {number} has no adapter, so there is nothing of ours to serve. {known}")
    if fault := adapters.fault(record, settings.FINETUNE_DIR):
        raise CommandError(f"Version {number} is not served. {fault}")
    return _Model(str(version), version.model or record["name"], record["base"], settings.FINETUNE_DIR / record["path"])


def _given(adapter: Path | None, base_model: str | None) -> _Model:
    if not base_model:
        raise CommandError("Say what to serve: --version N, or --adapter DIR --base-model MODEL.")
    if adapter is None:
        return _Model(base_model, Path(base_model).name, base_model, None)
    return _Model(f"The adapter in {adapter}", adapter.resolve().name, base_model, adapter)


def _stop_on_signals() -> None:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # SIGINT too: a shell that starts this in the background has it ignored, which children inherit.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
