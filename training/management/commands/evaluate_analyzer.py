from __future__ import annotations

import hashlib
import json
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from analyzer import adapters, memory, versions
from analyzer.engines import EngineError, Spec
from analyzer.models import AnalyzerVersion
from analyzer.schema import Task, Verdict
from training import dataset, evaluation, jsonl, tables
from training.dataset import Example
from training.models import TrainingRun
from training.served import reaching, served
from training.watch import Unusable


class Command(BaseCommand):
    help = (
        "Measure a version of the analyzer: by default the active one, on the newest fifth of the items that people "
        "decided here, which no training sees. With --dataset on any labelled JSONL file; nothing stored changes. "
        "A fine-tuned version is served here for it, where no endpoint is set. Every figure comes with the number of "
        "items and a 95 % bootstrap interval."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Django's own --version prints Django's; here it names ours.
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dataset", type=Path, metavar="FILE", dest="file",
            help="JSONL with comment and category in each line; optional: type, rating, page, severity, split. "
            "Comments are redacted first, as at intake.",
        )  # fmt: skip
        parser.add_argument("--version", type=int, metavar="N", help="Which version; default: the active one.")
        parser.add_argument(
            "--engine", choices=AnalyzerVersion.Engine.values,
            help="Ask this engine instead of the version's own; llm and cascade send redacted items to the endpoint.",
        )  # fmt: skip
        parser.add_argument(
            "--split", metavar="NAME",
            help="Of our own items train, validation or test (the default); of a file the rows that name it.",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", dest="as_json", help="One JSON object instead of tables.")

    def handle(
        self,
        *,
        file: Path | None,
        version: int | None,
        engine: str | None,
        split: str | None,
        as_json: bool,
        **options: Any,
    ) -> None:
        chosen = _version(version, engine)
        spec = versions.spec(chosen)
        examples, data = _of_file(file, split) if file else _of_desk(split or "test")
        if not file and (seen := dataset.seen(examples, TrainingRun.objects.of_weights(chosen.weights_digest))):
            self.stderr.write(f"Version {chosen.number} may have learned from {seen} of these items and look too good.")
        try:
            with served(_ours(chosen), settings.FINETUNE_DIR) as url:
                spec = reaching(spec, chosen.adapter, url)
                verdicts = evaluation.predict(spec, examples, task_of=_with_memory(chosen, examples))
        except (EngineError, Unusable) as error:
            raise CommandError(f"Version {chosen.number} cannot be measured. {error}") from error
        self._tell_of_fallbacks(spec, verdicts)
        report = evaluation.evaluate(examples, verdicts, version=chosen.number)
        if as_json:
            everything = report.as_dict() | {"data": data, "engine": spec.engine}
            self.stdout.write(json.dumps(everything, ensure_ascii=False, allow_nan=False))
            return
        self.stdout.write(f"{chosen}, through the {spec.engine} engine")
        named = f"{data['name']}, split {data['split']}" if data["split"] else data["name"]
        self.stdout.write(f"{named}, digest {data['digest'][:12]}, n {report.n}")
        self.stdout.write("\n" + tables.text(report))

    def _tell_of_fallbacks(self, spec: Spec, verdicts: Sequence[Verdict]) -> None:
        """Raises CommandError when the engine answered nothing: its figures would be the local engine's."""
        reasons = Counter(verdict.fallback_reason for verdict in verdicts if verdict.fallback_reason)
        if not reasons:
            return
        said = f"The {spec.engine} engine did not answer {reasons.total()} of {len(verdicts)} items"
        most = f"most often: {reasons.most_common(1)[0][0]}"
        if reasons.total() == len(verdicts):
            raise CommandError(f"{said}; {most}")
        self.stderr.write(f"{said}, and the local engine answered instead; {most}")


def _ours(version: AnalyzerVersion) -> dict[str, Any]:
    """The adapter to serve for as long as the measurement takes: none where an endpoint is set, or none is asked."""
    if settings.TRIAGE_ENDPOINT or version.engine == AnalyzerVersion.Engine.LOCAL:
        return {}
    if fault := adapters.fault(version.adapter, settings.FINETUNE_DIR):
        raise CommandError(f"Version {version.number} cannot be measured. {fault}")
    return dict(version.adapter)


def _version(number: int | None, engine: str | None) -> AnalyzerVersion:
    """The version to measure; with an engine that is not its own, a copy in memory that is never saved."""
    try:
        version = versions.active() if number is None else AnalyzerVersion.objects.get(number=number)
    except AnalyzerVersion.DoesNotExist:
        known = ", ".join(str(n) for n in AnalyzerVersion.objects.values_list("number", flat=True)[:10])
        raise CommandError(f"There is no version {number}. The newest are: {known or 'none yet'}.") from None
    version.engine = engine or version.engine
    if version.engine != AnalyzerVersion.Engine.LOCAL and not settings.TRIAGE_ENDPOINT and not version.adapter:
        raise CommandError(
            f"The {version.engine} engine asks a model, but neither OPENAI_BASE_URL nor OPENAI_API_KEY is set; "
            "--engine local measures the weights alone."
        )
    return version


def _with_memory(version: AnalyzerVersion, examples: Sequence[Example]) -> Callable[[Example], Task]:
    """Tasks as an analysis by this version has them: with similar decisions, but none as new as what is measured."""
    shown = memory.examples_of(version)
    if not shown:
        return Example.task
    oldest = min((example.received_at for example in examples if example.received_at), default=None)
    known = memory.Memory(memory.remember(before=oldest, without=[example.feedback_id for example in examples]))

    def task_of(example: Example) -> Task:
        task = example.task()
        return task if task.held else task.model_copy(update={"examples": known.similar(task, shown=shown)})

    return task_of


def _of_file(file: Path, split: str | None) -> tuple[Sequence[Example], dict[str, Any]]:
    try:
        examples = jsonl.read(file, split=split)
    except jsonl.BadFile as error:
        raise CommandError(str(error)) from error
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return examples, {"name": file.name, "split": split or "", "digest": digest}


def _of_desk(split: str) -> tuple[Sequence[Example], dict[str, Any]]:
    try:
        data = dataset.build()
    except dataset.TooLittle as error:
        raise CommandError(f"{error} A labelled file can be evaluated with --dataset FILE.") from error
    if split not in data.splits():
        raise CommandError(f"Our own items have the splits {', '.join(data.splits())}, not {split!r}.")
    return data.splits()[split], {"name": "our own reviews", "split": split, "digest": data.digest}
