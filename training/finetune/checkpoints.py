"""Checkpoints that can be gone on from, and the adapter that comes out at the end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

from analyzer.adapters import CONFIG, WEIGHTS

_STATE: Final = "trainer_state.json"
# The state is written last; without the others a trainer would start with empty hands and not say so.
_NEEDED: Final = (CONFIG, WEIGHTS, "optimizer.pt", "scheduler.pt", _STATE)


def newest(folder: Path) -> Path | None:
    """The newest whole checkpoint. One that a killed worker left half-written is removed: it would be taken for it."""
    found = sorted(folder.glob("checkpoint-*"), key=_step, reverse=True)
    for checkpoint in found:
        if _whole(checkpoint):
            return checkpoint
        shutil.rmtree(checkpoint)
    return None


def step(checkpoint: Path | None) -> int:
    """At which step a checkpoint was written; 0 for none."""
    return _step(checkpoint) if checkpoint else 0


def publish(model: Any, folder: Path) -> None:
    """Write a model's adapter into folder, whole or not at all."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    model.save_pretrained(str(part), selected_adapters=["default"])
    # A model card full of placeholders, which would be part of the digest.
    (part / "README.md").unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def take(checkpoint: Path, folder: Path) -> None:
    """The adapter of a checkpoint as a result, whole or not at all."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    for name in (CONFIG, WEIGHTS):
        shutil.copyfile(checkpoint / name, part / name)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def _step(checkpoint: Path) -> int:
    number = checkpoint.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else -1


def _whole(checkpoint: Path) -> bool:
    if _step(checkpoint) < 0 or not all((checkpoint / name).is_file() for name in _NEEDED):
        return False
    try:
        json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
    except ValueError:
        return False
    return True
