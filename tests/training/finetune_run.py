"""A fine-tuning run in a process of its own, to be stopped from outside.

python -m tests.training.finetune_run BASE [N]

The desk's database and FINETUNE_DIR are those of the environment. N is the run to go on with.
"""

from __future__ import annotations

import os
import sys


def main(base: str, *resume: str) -> None:
    os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from tests import make
    from tests.training import sorted_desk

    if not User.objects.exists():
        make.working_version()
        sorted_desk.decide(make.user("ada", "Reviewer"), 150)
    sorted_desk.train("--base-model", base, "--epochs", "40", *(("--resume", *resume) if resume else ()))


if __name__ == "__main__":
    main(*sys.argv[1:])
