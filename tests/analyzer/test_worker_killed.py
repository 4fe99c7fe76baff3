"""kill -9 of the worker in mid-batch: afterwards every item is analysed, and once."""

from __future__ import annotations

from pathlib import Path

from tests.worker import Desk, kill, until

ANALYSES = "SELECT count(*) FROM analyzer_analysis"
UNFINISHED = "SELECT count(*) FROM analyzer_queueitem WHERE stage != 'done'"


def test_after_kill_9_in_mid_batch_every_item_is_analysed_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ANALYSIS_LEASE_SECONDS="4", Q_TIMEOUT="5", Q_RETRY="6")
    desk.submit([f"The button number {number} on the page does nothing at all" for number in range(250)])
    worker = desk.start_worker()
    try:
        until(lambda: desk.count(ANALYSES) >= 20, "the first analyses")
    finally:
        kill(worker)
    done = desk.count(ANALYSES)
    assert 20 <= done < 250, "the kill came in mid-batch"

    worker = desk.start_worker()
    try:
        until(lambda: desk.count(UNFINISHED) == 0, "the rest of the analyses")
    finally:
        kill(worker)
    assert desk.count(ANALYSES) == 250
    assert desk.count("SELECT count(DISTINCT feedback_id) FROM analyzer_analysis") == 250
