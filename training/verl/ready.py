"""Run on the cluster before verl starts: whether its version, its keys and the reward are what this folder was written
for; and the rows as parquet, which is what verl reads. Copied beside the configuration; knows nothing of the project.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

VERSION = "0.5.0"
# Where verl 0.5.0 keeps all its defaults in one file.
DEFAULTS = "trainer/config/_generated_ppo_trainer.yaml"
# Hydra's own, which are not verl's.
HYDRA = ("hydra", "defaults")


def unknown(config: Mapping[str, Any], known: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Keys of a configuration that the defaults do not have, with their whole path."""
    for key, value in config.items():
        name = f"{path}{key}"
        if not path and key in HYDRA:
            continue
        if key not in known:
            yield name
        elif isinstance(value, Mapping):
            below = known[key]
            yield from unknown(value, below if isinstance(below, Mapping) else {}, f"{name}.")


def check(folder: Path) -> list[str]:
    """What is wrong; empty when verl may start."""
    import yaml

    try:
        found = version("verl")
    except PackageNotFoundError:
        return [f"verl is not installed in this environment; {VERSION} is needed."]
    if found != VERSION:
        return [f"verl {found} is installed, and this folder was written for {VERSION}: their keys differ."]
    spec = find_spec("verl")
    places = list(spec.submodule_search_locations or ()) if spec else []
    known = yaml.safe_load((Path(places[0]) / DEFAULTS).read_text(encoding="utf-8"))
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    problems = [f"verl {VERSION} has no key {name}." for name in unknown(config, known)]
    try:
        _load(folder / "reward.py")
    except ImportError as error:
        problems.append(f"The reward cannot be loaded ({error}): is the project on PYTHONPATH, and what it imports?")
    return problems


def convert(folder: Path) -> None:
    """The rows as parquet."""
    from datasets import load_dataset

    for split in ("train", "validation"):
        rows = load_dataset("json", data_files=str(folder / f"{split}.jsonl"), cache_dir=str(folder / "cache"))["train"]
        rows.to_parquet(str(folder / f"{split}.parquet"))


def _load(path: Path) -> None:
    spec = spec_from_file_location("feedback_reward", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    spec.loader.exec_module(module_from_spec(spec))


def main() -> int:
    folder = Path(__file__).resolve().parent
    problems = check(folder)
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    if not problems:
        convert(folder)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
