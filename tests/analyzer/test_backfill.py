"""analyze_feedback --now: batches and processes make it quicker, and nothing else about an analysis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from analyzer import backfill, engines, versions
from analyzer.engines import Reply
from analyzer.engines.local import LocalEngine
from analyzer.models import Analysis, AnalyzerVersion, QueueItem
from analyzer.schema import Task
from tests import make
from tests.worker import ROOT, Desk, until

ANALYSES = "SELECT count(*) FROM analyzer_analysis"
ONCE = "SELECT count(DISTINCT feedback_id) FROM analyzer_analysis"
# A processor may add up the rows of a batch in another order than one row.
ROUNDING = 1e-6
COMMENTS = [f"The button number {number} on the page does nothing at all" for number in range(3 * backfill.BATCH)]


@pytest.fixture
def engine(db: None) -> LocalEngine:
    version = make.working_version()
    return LocalEngine.from_bytes(bytes(AnalyzerVersion.objects.get(pk=version.pk).weights))


@pytest.mark.django_db
def test_a_foreseen_opinion_is_the_one_that_would_be_given(engine: LocalEngine) -> None:
    fields = st.builds(
        Task,
        id=st.just("1"),
        comment=st.text(max_size=80) | st.sampled_from(("It crashes.", "Please add a dark mode", "")),
        type=st.sampled_from(("", "bug", "feature")),
        rating=st.none() | st.integers(1, 5),
        page=st.sampled_from(("", "/pay")),
    )

    @given(tasks=st.lists(fields, max_size=6))
    def check(tasks: list[Task]) -> None:
        engine.foresee([])
        alone = [engine.predict(task) for task in tasks]
        engine.foresee(tasks)
        for task, one in zip(tasks, alone, strict=True):
            foreseen = engine.predict(task)
            assert shares(foreseen) == pytest.approx(shares(one), abs=ROUNDING)
            assert without_shares(foreseen) == without_shares(one)

    check()


def shares(reply: Reply) -> dict[str, float]:
    said = reply.prediction
    return {**said.category_probabilities, **said.severity_probabilities}


def without_shares(reply: Reply) -> tuple[object, ...]:
    said = reply.prediction
    return said.category, said.severity, said.action, said.evidence, reply.engine, reply.note


@pytest.mark.django_db
def test_each_item_of_a_batch_has_its_own_rollout_with_its_own_spans() -> None:
    make.working_version()
    for number in range(3):
        make.feedback(f"The pay button number {number} crashes the page")
    call_command("analyze_feedback", now=True)
    traces = list(Analysis.objects.values_list("trace", flat=True))
    assert [len(trace) for trace in traces] == [3, 3, 3]
    told = {str(trace) for trace in traces}
    assert len(told) == 3


@pytest.mark.django_db
def test_a_version_that_was_activated_after_the_batch_was_judged_answers_for_itself() -> None:
    make.working_version()
    said = make.feedback("The pay button crashes the page")
    backfill._foresee([said.pk])
    assert engines.local_of(versions.cached_spec(versions.active()))._foreseen
    newer = make.working_version()
    assert all(backfill.run([said.pk], processes=1))
    assert QueueItem.objects.get(pk=said.pk).analysis.version_id == newer.pk


def command(desk: Desk) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "analyze_feedback", "--now", "--processes", "2"],
        cwd=ROOT,
        env=desk.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def children(process: subprocess.Popen[str]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to find the processes")
def test_a_process_that_is_killed_loses_nothing_and_the_next_call_goes_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ANALYSIS_LEASE_SECONDS="1")
    desk.submit(COMMENTS)
    first = command(desk)
    until(lambda: desk.count(ANALYSES) > 0, "the first analysis")
    assert len(children(first)) == 2
    os.kill(children(first)[0], signal.SIGKILL)
    told, _ = first.communicate(timeout=120)
    assert first.returncode == 1
    assert "call this again" in told
    assert "Traceback" not in told

    def complete() -> bool:
        desk.manage("analyze_feedback", "--now", "--processes", "2")
        return desk.count(ANALYSES) >= len(COMMENTS)

    until(complete, "the rest")
    assert desk.count(ANALYSES) == desk.count(ONCE) == len(COMMENTS)
