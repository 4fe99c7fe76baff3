"""Adapters: what fine-tuning adds to a model, as files beside the database; a version names them by their digest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

WEIGHTS: Final = "adapter_model.safetensors"
CONFIG: Final = "adapter_config.json"
_CHUNK: Final = 1 << 20


def digest(folder: Path) -> str:
    """Names the files of an adapter and what is in them; reads them whole. Raises OSError."""
    found = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if not file.is_file():
            continue
        content = hashlib.sha256()
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                content.update(chunk)
        found.update(f"{file.name}\0{content.hexdigest()}\n".encode())
    return found.hexdigest()


def fault(record: dict[str, Any], root: Path) -> str:
    """Why the adapter that a version names cannot be used, in a sentence; empty when it is there, unchanged."""
    folder = root / str(record.get("path", ""))
    missing = [name for name in (CONFIG, WEIGHTS) if not (folder / name).is_file()]
    if missing:
        return f"Its adapter is missing: there is no {' and no '.join(missing)} in {folder}."
    try:
        now = digest(folder)
    except OSError as error:
        return f"Its adapter in {folder} cannot be read: {error.strerror}."
    if now != record.get("digest"):
        return f"Its adapter in {folder} is not the one that was evaluated: the files were changed since."
    return ""
