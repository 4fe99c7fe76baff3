"""Hosted fine-tuning in a process of its own, to be killed from outside: python -m tests.training.tuned_run URL ARGS.

The desk is made on the first call and found again on the next; the waits of a real API are shortened.
"""

from __future__ import annotations

import os
import sys


def main(url: str, *arguments: str) -> None:
    os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from analyzer.models import AnalyzerVersion
    from tests import make
    from tests.training import tuned_desk
    from training.algorithms import hosted

    hosted.POLL = 0.05
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = url, "unset"
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_MODEL = True, "scripted-base"
    call_command("migrate", verbosity=0)
    if not AnalyzerVersion.objects.exists():
        tuned_desk.furnish(make.user("ada", "Reviewer"))
    call_command("train_analyzer", "--algorithm", "hosted", *arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
