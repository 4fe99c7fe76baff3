"""Where a run was taken: the machine, how busy it was, and what ran on it."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import connection

from analyzer import backfill
from analyzer.models import AnalyzerVersion


class Machine:
    """Made before anything is measured, so that it knows how busy the machine was without us."""

    def __init__(self) -> None:
        self.before = os.getloadavg()[0]

    def as_dict(self, version: AnalyzerVersion) -> dict[str, Any]:
        """JSON-ready values; load is the average number of processes that wanted a core, over a minute."""
        return {
            "desk": settings.VERSION,
            "version": f"{version.number} ({version.origin})",
            "engine": version.engine,
            "cores": backfill.cores(),
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "database": database(),
            "broker": settings.Q_BROKER.partition(":")[0],
            "load_before": round(self.before, 1),
            "load_after": round(os.getloadavg()[0], 1),
        }

    def lines(self, version: AnalyzerVersion) -> Iterator[str]:
        told = self.as_dict(version)
        yield (
            f"Desk {told['desk']}, version {told['version']}, {told['engine']} engine; {told['database']}, "
            f"broker {told['broker']}."
        )
        yield (
            f"{told['system']}, {told['cores']} cores, Python {told['python']}; {told['load_before']} processes wanted "
            f"a core before this run began, {told['load_after']} at its end."
        )


def database() -> str:
    """The database's name and release."""
    return f"{connection.display_name} {'.'.join(map(str, connection.get_database_version()))}"
