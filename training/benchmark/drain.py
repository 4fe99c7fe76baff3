"""A file of feedback through import, the real queue and the real worker, and what came of each row."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.core.management import CommandError, call_command
from django.db.models import Count, Max, Min

from analyzer import versions
from analyzer.models import Analysis
from feedback.models import Feedback
from training.benchmark import cluster, comments, machine, stages

# Repeats of the floor, of which the median stands.
FLOORS: Final = 3


def measure(file: Path, *, workers: int) -> dict[str, Any]:
    """Import the file with no worker running, then start one and let it drain the queue; JSON-ready values.

    The rate is that between the first analysis and the last, so that a cluster's start is not in it. The floor is a
    burst of as many no-op tasks in the same cluster, right after. Raises CommandError when there is nothing to drain.
    """
    told = machine.Machine()
    version = versions.active()
    began = time.perf_counter()
    said = StringIO()
    call_command("import_feedback", file, stdout=said)
    import_seconds = time.perf_counter() - began
    submitted = Feedback.objects.count()
    if submitted < 2:
        raise CommandError(f"{file.name} has no two rows that can be imported, so that there is no rate.")
    signs = _signs()
    with cluster.run(workers=workers) as running:
        running.drain()
        analysed = _analysed()
        floors = sorted(_floor(running, submitted, sign) for sign in signs)
    return {
        "machine": told.as_dict(version),
        "file": file.name,
        "import": {"said": said.getvalue().strip(), "rows": submitted, "a_second": submitted / import_seconds},
        "workers": workers,
        **analysed,
        "no_op_a_second": {"median": floors[len(floors) // 2], "lowest": floors[0], "highest": floors[-1]},
        "share_of_no_op": analysed["a_second"] / floors[len(floors) // 2],
    }


def lines(found: dict[str, Any]) -> Iterator[str]:
    told = found["machine"]
    yield (
        f"Desk {told['desk']}, version {told['version']}; {told['database']}, broker {told['broker']}; "
        f"{told['cores']} cores, {told['load_before']} processes wanted a core before, {told['load_after']} at the end."
    )
    yield f"{found['file']}: {found['import']['said']} {found['import']['a_second']:,.0f} rows a second."
    yield (
        f"{found['analyses']:,} analyses of {found['import']['rows']:,} items, {found['lost']:,} lost, "
        f"{found['doubled']:,} doubled; "
        + ", ".join(f"{count:,} by {engine}" for engine, count in found["by_engine"].items())
        + "."
    )
    for reason, count in found["fallbacks"].items():
        yield f"    {count:5,}  {reason}"
    noop = found["no_op_a_second"]
    yield (
        f"{found['a_second']:,.1f} analyses a second with {found['workers']} workers; no-op tasks in the same run "
        f"{noop['median']:,.0f} ({noop['lowest']:,.0f}–{noop['highest']:,.0f}) a second: {found['share_of_no_op']:.3f} "
        "of that."
    )


def _analysed() -> dict[str, Any]:
    made = Analysis.objects.aggregate(n=Count("pk"), first=Min("created_at"), last=Max("created_at"))
    reasons = Analysis.objects.exclude(fallback_reason="").values_list("fallback_reason", flat=True)
    seconds = (made["last"] - made["first"]).total_seconds()
    return {
        "analyses": made["n"],
        "lost": Feedback.objects.exclude(source=stages.SOURCE).filter(analyses=None).count(),
        "doubled": Feedback.objects.annotate(made=Count("analyses")).filter(made__gt=1).count(),
        "by_engine": dict(Counter(Analysis.objects.values_list("engine", flat=True))),
        "fallbacks": dict(Counter(reason.partition(":")[0] for reason in reasons).most_common()),
        "a_second": (made["n"] - 1) / seconds,
    }


def _signs() -> list[UUID]:
    """An item for each repeat of the floor, whose analysis says that the no-op tasks before it are done.

    Their own tasks find them parked and leave them alone.
    """
    signs = [stages.submit(comment) for comment in islice(comments.synthetic(), FLOORS)]
    stages.park(signs)
    return signs


def _floor(running: cluster.Cluster, count: int, sign: UUID) -> float:
    """No-op tasks a second."""
    calls: list[tuple[str, Any]] = [(cluster.NO_OP, number) for number in range(count)]
    stages.release([sign])
    return count / running.perform([*calls, (cluster.ANALYSIS, str(sign))]).seconds
