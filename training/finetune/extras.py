"""What fine-tuning needs beside the desk's own packages, and whether it is there; imports none of it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

PACKAGES: Final = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")
INSTALL: Final = "make install-finetune (or pip install -r requirements-finetune.txt -c constraints.txt)"


def missing() -> list[str]:
    """The packages of requirements-finetune.txt that are not installed."""
    return [name for name in PACKAGES if find_spec(name) is None]


def advice(absent: list[str]) -> str:
    """What to do without these packages, in one line."""
    return (
        f"Fine-tuning needs {', '.join(absent)}: {INSTALL}. Without: --algorithm local learns on any machine, and "
        "hosted through a fine-tuning API."
    )
