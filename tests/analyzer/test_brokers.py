"""The queue on each broker and database: two clusters share the work without doubling it, and a broker may vanish."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.processes import kill_family
from tests.servers import Redis, make_postgres_database, run_redis
from tests.worker import Desk, until

ANALYSES = "SELECT count(*) FROM analyzer_analysis"
ITEMS = "SELECT count(*) FROM analyzer_queueitem"
UNFINISHED = f"{ITEMS} WHERE stage != 'done'"
AGAIN = f"{ITEMS} WHERE attempts != 1 OR request != 1"
GROUPED = 'SELECT count(*) FROM analyzer_queueitem WHERE "group" IS NOT NULL'
BEATS = "SELECT count(*) FROM analyzer_heartbeat"
ITEM_COUNT = 80

pytestmark = pytest.mark.servers


class PostgresDesk(Desk):
    """A desk whose rows are asked for on PostgreSQL."""

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.environment["DATABASE_URL"]) as connection:
            return connection.execute(query).fetchall()


def comments(first: int, count: int) -> list[str]:
    return [f"The button number {number} on the page does nothing at all" for number in range(first, first + count)]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def make_desk(stack: ExitStack, folder: Path, *, database: str, broker: str) -> Desk:
    environment = {"Q_BROKER": "orm", "Q_WORKERS": "2"}
    if broker == "redis":
        environment["Q_BROKER"] = stack.enter_context(run_redis(folder)).url
    if database == "sqlite":
        return Desk(folder, **environment)
    url = stack.enter_context(make_postgres_database(f"test_brokers_{os.getpid()}"))
    return PostgresDesk(folder, **environment, DATABASE_URL=url)


@pytest.mark.parametrize(("database", "broker"), [("sqlite", "orm"), ("sqlite", "redis"), ("postgres", "redis")])
def test_two_clusters_on_one_broker_analyse_every_item_once(
    tmp_path: Path, stack: ExitStack, database: str, broker: str
) -> None:
    desk = make_desk(stack, tmp_path, database=database, broker=broker)
    desk.submit(comments(0, ITEM_COUNT))
    for _ in range(2):
        stack.callback(kill_family, desk.start_worker())
    until(lambda: desk.count(ANALYSES) > 0, "the first analysis")
    # More while both work.
    desk.submit(comments(0, 2 * ITEM_COUNT))
    until(lambda: desk.count(UNFINISHED) == 0, "the last analysis")
    assert desk.count(ITEMS) == desk.count(ANALYSES) == 2 * ITEM_COUNT
    assert desk.count("SELECT count(DISTINCT feedback_id) FROM analyzer_analysis") == 2 * ITEM_COUNT
    # They nearly repeat each other, so that all workers write what they share.
    assert desk.count(AGAIN) == 0
    assert desk.count("SELECT sum(size) FROM analyzer_reportgroup") == desk.count(GROUPED) > ITEM_COUNT


def test_submissions_survive_a_broker_that_is_gone_and_are_analysed_when_it_is_back(
    tmp_path: Path, stack: ExitStack
) -> None:
    server: Redis = stack.enter_context(run_redis(tmp_path))
    desk = Desk(tmp_path, Q_BROKER=server.url)
    worker = desk.start_worker()
    stack.callback(kill_family, worker)
    until(lambda: desk.count(BEATS) == 1, "the worker")
    server.kill()
    desk.submit(comments(0, 20))
    assert desk.count(UNFINISHED) == 20

    server.start()
    # A minute later, as the scheduled sweep sees it.
    desk.manage(
        "shell", "-v0", "-c",
        "from datetime import timedelta; from analyzer import analyses; from analyzer.models import QueueItem\n"
        "from django.db.models import F\n"
        "QueueItem.objects.update(queued_at=F('queued_at') - 2 * analyses.STALE)\n"
        "assert analyses.sweep() == 20",
    )  # fmt: skip
    until(lambda: desk.count(UNFINISHED) == 0, "the analyses after the broker came back")
    assert worker.poll() is None, "the worker outlived its broker"
    assert desk.count(ANALYSES) == 20
    assert desk.count(AGAIN) == 0
