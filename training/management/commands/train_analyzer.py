from __future__ import annotations

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter

from feedback.arguments import COUNT, not_negative, positive, whole_number
from training import jsonl, refusals, runs
from training.algorithms import ALGORITHMS, AUTO, HOSTED, Options
from training.models import TrainingRun

HELP = """\
Learn from what people decided, compare the result with the active version on the newest items, which no algorithm
saw, and say: promoted, proposed, or no change and why. Nothing goes live without --promote or a manager's click.

  train_analyzer --mode setup                 check that everything is there
  train_analyzer                              learn by whatever is available, and propose
  train_analyzer --algorithm local --promote  go live at once, if the gate lets it
  train_analyzer --algorithm apo --rounds 3 --max-tokens 500000 --max-minutes 30
  train_analyzer --algorithm sft --base-model FOLDER      fine-tune a model on this machine; see docs/finetune.md
  train_analyzer --algorithm sft --resume 12              go on with run 12, which was stopped or killed
  train_analyzer --algorithm hosted --training-price 3    show what would be sent and cost, ask, send, follow
  train_analyzer --algorithm hosted --resume              go on with a hosted run whose process is gone

algorithms:
  local      fits the built-in engine; seconds for 1,000 decisions, offline
  apo        lets a model improve its own prompt, within the budget; needs OPENAI_BASE_URL or OPENAI_API_KEY
  reinforce  policy gradient from rewards alone; for decisions whose right answer nobody names
  sft        fine-tunes a language model (LoRA) on the decisions; needs make install-finetune, and a GPU for a real one
  grpo       lets it answer and learn from the reward, beginning with the active version's adapter or --start's
  dpo        teaches it to prefer people's corrections to the machine's answers
  hosted     fine-tunes a model at OPENAI_BASE_URL, in OpenAI's API; sends redacted text, costs money, never in auto
  auto       local, and apo where a model may be asked; the better one on validation items goes on
  Several with commas: local,reinforce
Ctrl-C or SIGTERM stops in order: the best prompt so far is kept as a candidate."""

# What --resume stands for without a run.
NEWEST = "newest"


class Formatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Django's order of options, and our line breaks."""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=Formatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--mode", choices=("train", "setup"), default="train", help="setup only checks, one line each.")
        add("--algorithm", default=AUTO, help=f"{', '.join((AUTO, *ALGORITHMS))}, or several with commas.")
        add("--promote", action="store_true", help="Activate the candidate when it passes the gate.")
        add("--dry-run", action="store_true", help="Train and compare, but store nothing.")
        add("--by", metavar="USER", help="Who lets it go live; must be a manager. Default: the system.")
        add("--seed", type=whole_number(0), default=0, help="The same seed and data give the same local candidate.")
        add("--minimum", type=COUNT, default=50, metavar="N", help="Refuse to learn from fewer decisions (50).")
        add("--no-curve", action="store_false", dest="curve", help="Leave out the learning curve.")
        budget = parser.add_argument_group("budget of apo and reinforce")
        add = budget.add_argument
        add("--rounds", type=COUNT, default=2, help="Rounds of prompt search (2).")
        add("--beam", type=COUNT, default=2, help="Prompts kept per round, and new ones made of each (2).")
        add("--rollouts", type=COUNT, help="At most so many rollouts (apo 400, reinforce 5000).")
        add("--runners", type=whole_number(0), help="Runner processes (apo 4, else 0: in this process).")
        add("--max-tokens", type=COUNT, help="Stop before so many tokens, the comparison afterwards included.")
        add("--max-minutes", type=positive, help="Stop the search after so many minutes.")
        add("--blank", action="store_true", help="reinforce begins with a policy that knows nothing.")
        add("--no-few-shot", action="store_false", dest="few_shot", help="Do not show the model similar decisions.")
        add("--input-price", type=not_negative, help="Per million tokens; with --output-price, costs are told.")
        add("--output-price", type=not_negative, help="Per million tokens.")
        tuning = parser.add_argument_group("fine-tuning (sft, grpo, dpo)")
        add = tuning.add_argument
        add("--base-model", default="", metavar="MODEL", help="A folder with a chat model, or the name of one.")
        add(
            "--start",
            type=whole_number(0),
            metavar="N",
            help="Begin with version N's adapter (the active one's; 0: none).",
        )
        add("--epochs", type=positive, help="Passes over the data (sft 4, grpo 1, dpo 2).")
        add("--batch", type=COUNT, help="Items per step (sft 16, grpo and dpo 8).")
        add("--learning-rate", type=positive, help="Of the adapter (sft 5e-4, grpo and dpo 2e-5).")
        add("--lora-rank", type=COUNT, help="Size of the adapter (16).")
        add("--group-size", type=whole_number(2), help="grpo: answers per item, rewarded against each other (8).")
        add("--kl", type=not_negative, help="grpo: what it costs to drift from the beginning (0).")
        add(
            "--max-length",
            type=COUNT,
            help="Tokens of prompt and answer together; longer items are left out (2048).",
        )
        add("--max-answer", type=COUNT, help="Tokens that an answer may take (256).")
        add(
            "--resume",
            nargs="?",
            const=NEWEST,
            default="",
            metavar="RUN",
            help="Go on with a run's number or a folder.",
        )
        add("--prepare", type=Path, metavar="FOLDER", help="Only write the job's folder, for a worker elsewhere.")
        add("--examine", type=Path, metavar="FILE", help="With --prepare: labelled JSONL to ask before and after.")
        add("--split", metavar="NAME", help="With --examine: only the rows that name this split.")
        hosted = parser.add_argument_group(
            "hosted fine-tuning (beside --base-model, --epochs, --resume and the prices)"
        )
        add = hosted.add_argument
        add("--method", choices=("supervised", "preference"), default="supervised", help="preference: from overrides.")
        add("--training-price", type=not_negative, help="Per million trained tokens.")
        add("--yes", action="store_true", help="Send without asking, for scripts.")

    def handle(
        self,
        *,
        mode: str,
        algorithm: str,
        by: str | None,
        prepare: Path | None,
        examine: Path | None,
        split: str | None,
        **given: Any,
    ) -> None:
        if mode == "setup":
            sys.exit(self._check())
        options = Options(**{field.name: given[field.name] for field in fields(Options)})
        if options.resume == NEWEST and algorithm != HOSTED:
            raise CommandError("--resume needs a run's number or a job's folder, except with --algorithm hosted.")
        self.agreed: bool = given["yes"]
        try:
            if prepare is not None:
                runs.prepare(
                    algorithm=algorithm,
                    directory=prepare,
                    options=options,
                    progress=self._say,
                    examination=jsonl.read(examine, split=split) if examine else (),
                )
                return
            person = self._person(by)
            if algorithm == HOSTED and options.resume:
                run = self._resume(person, options)
            else:
                run = runs.execute(
                    algorithm=algorithm, by=person, options=options, progress=self._say, confirm=self._confirm
                )
        except (refusals.Refused, jsonl.BadFile, PermissionDenied) as error:
            raise CommandError(str(error)) from error
        self._report(run)

    def _person(self, name: str | None) -> User | None:
        if name is None:
            return None
        found = User.objects.filter(username=name).first()
        if found is None:
            raise CommandError(f"--by {name}: there is no such user.")
        return found

    def _say(self, line: str) -> None:
        self.stderr.write(self.style.NOTICE("· ") + line)

    def _confirm(self, what: str) -> bool:
        """Whether somebody agrees that this leaves the machine; raises CommandError where nobody can be asked."""
        self.stdout.write(f"This would leave the machine:\n{what}")
        if self.agreed:
            return True
        if not sys.stdin.isatty():
            raise CommandError("Nothing was sent: there is no terminal to ask at. With --yes it is sent as shown.")
        try:
            return input("Send it? [y/N] ").strip().lower() in ("y", "yes")
        except (EOFError, KeyboardInterrupt):
            return False

    def _resume(self, by: User | None, options: Options) -> TrainingRun:
        from training.hosted import resumption

        if options.resume != NEWEST and not options.resume.isdecimal():
            raise CommandError(f"--resume {options.resume}: a hosted run is named by its number.")
        return resumption.resume(
            number=None if options.resume == NEWEST else int(options.resume),
            by=by,
            promote=options.promote,
            max_minutes=options.max_minutes,
            progress=self._say,
        )

    def _check(self) -> int:
        """One line for each thing that training needs, and 1 when one is missing; a – may be absent and counts not."""
        from training import readiness

        missing = 0
        for check in readiness.checks():
            absent = self.style.ERROR("✗") if check.needed else self.style.WARNING("–")
            mark = self.style.SUCCESS("✓") if check.ready else absent
            self.stdout.write(f"{mark} {check.name}: {check.detail}")
            missing += check.needed and not check.ready
        return min(missing, 1)

    def _report(self, run: TrainingRun) -> None:
        """The table, then one line that says what became of it; raises CommandError when nothing did."""
        from training import scoreboard

        if "candidate" in run.metrics:
            self.stdout.write(scoreboard.text(run.metrics, run.gate))
        if run.status != TrainingRun.Status.FINISHED:
            raise CommandError(f"{run.get_status_display()}: {run.error}")
        named = f", version {run.candidate.number}" if run.candidate else ""
        reasons = " ".join(run.gate.get("reasons", ()))
        self.stdout.write(self.style.SUCCESS(f"{run.get_outcome_display()}{named}: {reasons}"))
