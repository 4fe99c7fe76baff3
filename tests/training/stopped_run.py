"""A prompt search in a process of its own, to be stopped from outside: python -m tests.training.stopped_run URL."""

from __future__ import annotations

import os
import sys


def main(url: str) -> None:
    os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from analyzer import versions
    from analyzer.engines import local
    from tests import make
    from tests.training import classroom, scripted_model

    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = url, "unset"
    settings.TRIAGE_ENDPOINT, settings.TRIAGE_MODEL = True, "scripted"
    classroom.decide(make.user("ada", "Reviewer"), 102)
    few = [local.LabelledText(f"{word} {word}", category, None) for word, category in classroom.MEANINGS.items()]
    version = versions.create(
        engine="llm", origin="test", weights=local.fit(few * 2).to_bytes(), prompt=scripted_model.BASE
    )
    versions.activate(version=version, by=None)
    call_command("train_analyzer", "--algorithm", "apo", "--rounds", "50", "--rollouts", "5000", "--runners", "2")


if __name__ == "__main__":
    main(sys.argv[1])
