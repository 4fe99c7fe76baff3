from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from training.finetune.job import BadJob, Directory
from training.verl import config


class Command(BaseCommand):
    help = (
        "Write what verl 0.5.0 on Ray needs to work off a GRPO job on a cluster into FOLDER/verl: configuration, rows, "
        "reward, launch script. FOLDER comes from train_analyzer --algorithm grpo --prepare FOLDER. Its authors had no "
        "cluster to run it on: see docs/cluster.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("folder", type=Path, metavar="FOLDER")
        add("--nodes", type=int, default=1, help="Machines (1).")
        add("--gpus", type=int, default=8, help="GPUs of each machine (8).")
        add("--parallel", type=int, default=1, help="GPUs that one copy of the model is spread over to answer (1).")
        add("--batch", type=int, help="Rows a step (the job's); times its answers per row a multiple of all GPUs.")

    def handle(self, *, folder: Path, nodes: int, gpus: int, parallel: int, batch: int | None, **options: Any) -> None:
        try:
            written = config.write(Directory(folder), nodes=nodes, gpus=gpus, parallel=parallel, batch=batch)
        except BadJob as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{written} is ready: FEEDBACK_TRIAGE={Path.cwd()} bash {written / 'launch.sh'}")
