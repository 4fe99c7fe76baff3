"""Fine-tuned versions asked through a server of our own, for as long as somebody compares or measures them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from analyzer.engines import Spec
from training.finetune.server import ServingFailed, serving
from training.watch import Unusable

# Seconds an answer may take on this machine, where a CPU may be all there is.
TIMEOUT: Final = 120.0


@contextmanager
def served(record: dict[str, Any], root: Path) -> Iterator[str]:
    """The address of a server for the adapter that a version's record names; empty where it names none.

    Raises Unusable when it cannot be served.
    """
    if not record:
        yield ""
        return
    try:
        with serving(base_model=record["base"], adapter=root / record["path"], name=record["name"]) as url:
            yield url
    except ServingFailed as error:
        raise Unusable(str(error)) from error


def reaching(spec: Spec, record: dict[str, Any], url: str) -> Spec:
    """A spec that asks this server for its model; the spec as it is where there is none."""
    if not url:
        return spec
    return replace(spec, base_url=url, api_key="", model=record["name"], timeout=max(spec.timeout, TIMEOUT))
