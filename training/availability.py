"""Which algorithms can run here."""

from __future__ import annotations

from django.conf import settings

from training.algorithms import ALGORITHMS, APO, AUTO, HOSTED, LOCAL, TUNING
from training.finetune import extras
from training.refusals import Unavailable


def available() -> list[str]:
    """What auto tries: the local engine always, the prompt where a model may be asked.

    Reinforce is left out: where a decision names the right answer, as here, local learns more from as many items.
    """
    return [LOCAL, APO] if may_ask() else [LOCAL]


def chosen(algorithm: str) -> list[str]:
    """The named algorithms; raises Unavailable."""
    names = [name.strip() for name in algorithm.split(",")]
    for name in names:
        if name not in ALGORITHMS:
            raise Unavailable(f"There is no algorithm {name}; there are {', '.join((AUTO, *ALGORITHMS))}.")
    if APO in names and not may_ask():
        raise Unavailable(
            "apo improves the prompt by asking a model: set OPENAI_BASE_URL or OPENAI_API_KEY, and not "
            "TRIAGE_ENGINE=local. To learn without a model: --algorithm local."
        )
    if HOSTED in names and len(names) > 1:
        raise Unavailable("hosted runs alone: its job may take a day, and goes on when the run has ended.")
    if HOSTED in names and not may_ask():
        raise Unavailable(
            "hosted sends decisions to a fine-tuning API: set OPENAI_API_KEY or OPENAI_BASE_URL, and not "
            "TRIAGE_ENGINE=local. To learn on this machine: --algorithm local, reinforce, or sft."
        )
    if any(name in TUNING for name in names) and (absent := extras.missing()):
        raise Unavailable(extras.advice(absent))
    return names


def may_ask() -> bool:
    """Whether there is a model, and the environment does not forbid to ask it."""
    return bool(settings.TRIAGE_ENDPOINT) and asking_engine() != "local"


def asking_engine() -> str:
    """The engine that a prompt is for: the one that the environment names, else the plain one."""
    if settings.TRIAGE_ENGINE_NAMED:
        return str(settings.TRIAGE_ENGINE)
    return "llm"
