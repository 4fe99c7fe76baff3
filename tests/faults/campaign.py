"""Rounds of a working desk whose processes are killed at random: what was acknowledged must be there, once.

    python -m tests.faults.campaign --rounds 10 --items 2000

Visitors send and reviewers decide over HTTP while kill -9 hits the web server, the worker, single processes of both,
the database, the broker and a shared LightningStore server, at moments drawn from the round's seed. A supervisor starts
again what ended, and nothing else helps: the round ends when the desk has healed by itself, and is judged by what lies
in the database.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import psycopg
from pymongo.errors import PyMongoError

from tests.faults import verdict
from tests.faults.people import PASSWORD, Crowd, Reviewer, Visitor
from tests.faults.postgres import run_postgres
from tests.faults.secantus import read_mongodb, run_secantus
from tests.faults.site import Service, Site, Supervisor
from tests.faults.verdict import Plan, Read, Round
from tests.processes import outlasting
from tests.servers import free_port, run_redis
from tests.worker import until

REVIEWERS = ("ada", "eve")
# Seconds that a cut-off analysis is left to whoever began it; the product's own default is two and a half minutes.
LEASE_SECONDS = 45
HEAL_SECONDS = 900.0
STILL_SECONDS = 8.0
# As the sweep sees the rows when so much time has passed.
MINUTES_LATER = """
from datetime import timedelta
from django.db.models import F
from analyzer import analyses
from analyzer.models import QueueItem
by = timedelta(minutes=3)
QueueItem.objects.unfinished().update(queued_at=F("queued_at") - by, lease_until=F("lease_until") - by)
analyses.sweep()
"""


def run(plan: Plan) -> Round:
    """One round, from an empty database to the verdict."""
    began = time.monotonic()
    chance = random.Random(plan.seed)
    result = Round(plan)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="desk-faults-")))
        targets: dict[str, Callable[[], str]] = {}
        supervisor = Supervisor(pause=0.5 + 2 * chance.random())
        environment = {"Q_BROKER": "orm"}
        services: dict[str, Service] = {}
        if plan.database == "postgres":
            postgres = stack.enter_context(run_postgres())
            url = postgres.url
            targets |= {
                "database": _named(postgres.kill),
                "database-connection": _named(postgres.kill_backend),
            }
        elif plan.database == "mongodb":
            mongo = stack.enter_context(run_secantus(folder))
            url = mongo.url
            targets["database"] = _named(mongo.kill)
        else:
            url = f"sqlite:///{folder / 'desk.sqlite3'}"
            targets["disk-full"] = _named(lambda: _fill_disk(services.values(), 1 + 3 * chance.random()))
            targets["database-lock"] = _named(lambda: _lock(folder / "desk.sqlite3", 1 + 3 * chance.random()))
        if plan.broker == "redis":
            redis = stack.enter_context(run_redis(folder))
            environment["Q_BROKER"] = redis.url
            targets["broker"] = _named(redis.kill)
        if plan.store:
            port = free_port()
            environment["LIGHTNING_STORE_URL"] = f"http://127.0.0.1:{port}"
        environment |= {
            "ANALYSIS_LEASE_SECONDS": str(LEASE_SECONDS),
            "Q_TIMEOUT": str(LEASE_SECONDS),
            "Q_RETRY": str(LEASE_SECONDS + 5),
        }
        site = Site(folder, database=url, **environment)
        _make_people(site)
        services |= {name: site.service(name) for name in ("web", "worker")}
        if plan.store:
            services["store"] = site.run(f".venv/bin/python manage.py run_store --port {port}")
        for name, service in services.items():
            stack.callback(service.kill)
            targets[name] = _named(service.kill)
            # The store is a single process.
            if name != "store":
                targets[f"{name}-process"] = _single(service, chance)
        read = _reader(url, folder)
        with supervisor:
            if plan.database == "postgres":
                supervisor.keep(lambda: postgres.running, postgres.start)
            if plan.database == "mongodb":
                supervisor.keep(lambda: mongo.running, mongo.start)
            if plan.broker == "redis":
                supervisor.keep(lambda: redis.running, redis.start)
            for service in services.values():
                supervisor.keep(lambda service=service: service.running, service.start)
            site.wait()
            until(lambda: bool(read("analyzer_heartbeat", "name")), "the worker")
            crowd = _let_people_work(plan, site, chance, targets, result, read)
            result.restarts = supervisor.restarts
        families = [process for service in services.values() for process in service.family()]
        for service in services.values():
            service.stop()
        left = outlasting(families)
        result.surprises += [f"{len(left)} processes outlived their service"] if left else []
        verdict.judge(read, crowd, result)
    result.seconds = time.monotonic() - began
    return result


def _let_people_work(
    plan: Plan, site: Site, chance: random.Random, targets: dict[str, Callable[[], str]], result: Round, read: Read
) -> Crowd:
    """Until everything was sent, killed and analysed; the kills come when so many submissions have gone so far."""
    crowd, gone, ending = Crowd(), threading.Event(), threading.Event()
    numbers = iter(range(plan.items))
    visitors = [
        Visitor(
            crowd,
            site.port,
            f"203.0.113.{each}",
            gone,
            numbers=numbers,
            chance=random.Random(chance.random()),
            pace=plan.visitors / plan.pace,
            backlog=max(60, plan.items // 5),
        )
        for each in range(plan.visitors)
    ]
    reviewers = [
        Reviewer(
            crowd,
            site.port,
            f"198.51.100.{each}",
            ending,
            user=name,
            chance=random.Random(chance.random()),
            pause=0.5,
        )
        for each, name in enumerate(REVIEWERS)
    ]
    counting = threading.Thread(target=_count, args=(plan, site, crowd, read, ending), daemon=True)
    for each in (counting, *visitors, *reviewers):
        each.start()
    # Every kind once, then whichever; in an order and at moments of the seed's choosing.
    names = [*targets, *(chance.choice(list(targets)) for _ in range(plan.kills))][: max(plan.kills, len(targets))]
    chance.shuffle(names)
    moments = sorted(chance.sample(range(plan.items // 20, plan.items * 19 // 20), len(names)))
    for moment, name in zip(moments, names, strict=True):
        until(lambda moment=moment: crowd.progress >= moment, f"submission number {moment}", patience=HEAL_SECONDS)
        result.kills.append(f"{len(crowd.sent)} {name} {targets[name]()}".rstrip())
    for visitor in visitors:
        visitor.join(HEAL_SECONDS)
    _await_healing(read)
    ending.set()
    gone.set()
    for reviewer in reviewers:
        reviewer.join(HEAL_SECONDS)
    stuck = [person for person in (*visitors, *reviewers) if person.is_alive()]
    result.surprises += [f"{type(person).__name__} got no answer" for person in stuck]
    return crowd


def _count(plan: Plan, site: Site, crowd: Crowd, read: Read, ending: threading.Event) -> None:
    """Look how far the analyses are; in a hurry, let minutes pass wherever nothing moves."""
    moved = time.monotonic()
    while not ending.wait(0.3):
        before, crowd.analysed = crowd.analysed, len(read("analyzer_analysis", "feedback_id"))
        if crowd.analysed != before:
            moved = time.monotonic()
        elif plan.hurry and time.monotonic() - moved > STILL_SECONDS and _unfinished(read):
            # It fails where the database is away, and comes again.
            with suppress(AssertionError):
                site.manage("shell", "-v0", "-c", MINUTES_LATER)
            moved = time.monotonic()


def _await_healing(read: Read) -> None:
    """The desk is left alone until nothing waits, or until it is clear that something waits for ever."""
    deadline = time.monotonic() + HEAL_SECONDS
    while time.monotonic() < deadline and _unfinished(read):
        time.sleep(0.5)


def _named(act: Callable[[], object]) -> Callable[[], str]:
    def kill() -> str:
        act()
        return ""

    return kill


def _single(service: Service, chance: random.Random) -> Callable[[], str]:
    return lambda: service.kill_one(chance)


def _fill_disk(services: Iterable[Service], seconds: float) -> None:
    for service in services:
        service.fill_disk(True)
    time.sleep(seconds)
    for service in services:
        service.fill_disk(False)


def _lock(database: Path, seconds: float) -> None:
    """Somebody else writes for a while."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        other.execute("ROLLBACK")


def _unfinished(read: Read) -> int:
    return sum(stage in ("pending", "running") for (stage,) in read("analyzer_queueitem", "stage"))


def _reader(url: str, folder: Path) -> Read:
    """Columns of a table of the database, asked for again while it is away."""

    def rows(table: str, *columns: str) -> list[tuple[Any, ...]]:
        if url.startswith("mongodb"):
            return read_mongodb(url, table, *columns)
        query = f"SELECT {', '.join(columns)} FROM {table}"
        if url.startswith("sqlite"):
            with closing(sqlite3.connect(folder / "desk.sqlite3", timeout=30)) as file:
                return file.execute(query).fetchall()
        with psycopg.connect(url, connect_timeout=5) as server:
            return server.execute(query.encode()).fetchall()

    def read(table: str, *columns: str) -> list[tuple[Any, ...]]:
        for attempt in itertools.count():
            try:
                return rows(table, *columns)
            except (psycopg.OperationalError, sqlite3.OperationalError, PyMongoError):
                if attempt == 60:
                    raise
                time.sleep(0.5)
        raise AssertionError

    return read


def _make_people(site: Site) -> None:
    site.manage(
        "shell", "-v0", "-c",
        "from django.contrib.auth.models import Group, User\n"
        f"for name in {REVIEWERS!r}:\n"
        f"    person = User.objects.create_user(name, password={PASSWORD!r}, is_staff=True)\n"
        "    person.groups.add(Group.objects.get(name='Reviewer'))",
    )  # fmt: skip


def plans(options: argparse.Namespace) -> Iterator[Plan]:
    """PostgreSQL with Redis, the same with a LightningStore server, SQLite with its own queue: in turn."""
    for number in range(options.rounds):
        seed = options.seed + number
        which = ("postgres", "redis") if number % 3 < 2 else ("sqlite", "orm")
        database, broker = options.on.split(",") if options.on else which
        store = number % 3 == 1
        yield Plan(seed, options.items, options.kills, database, broker, store, pace=options.pace)


def _run_all(chosen: list[Plan], together: int) -> Iterator[Round]:
    if together == 1:
        yield from map(run, chosen)
        return
    with ThreadPoolExecutor(together) as pool:
        yield from pool.map(run, chosen)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--items", type=int, default=2_000, help="Submissions a round.")
    parser.add_argument("--kills", type=int, default=12, help="Kills a round; at least one of each kind.")
    parser.add_argument("--seed", type=int, default=1, help="Of the first round; the next ones count on.")
    parser.add_argument("--pace", type=float, default=40.0, help="Submissions a second, while all is well.")
    parser.add_argument("--together", type=int, default=1, help="Rounds at once; one can work while another heals.")
    parser.add_argument("--on", help="database,broker for every round: postgres,redis, sqlite,orm or mongodb,redis.")
    options = parser.parse_args(arguments)
    # What a round has started ends with it, also when somebody stops the command.
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    began, rounds = time.monotonic(), []
    print(verdict.HEAD, flush=True)
    for finished in _run_all(list(plans(options)), options.together):
        rounds.append(finished)
        print(finished.line, flush=True)
        for surprise in finished.surprises:
            print(f"  !! {surprise}", flush=True)
    for finished in rounds:
        print(f"seed {finished.plan.seed}: {'; '.join(finished.kills)}; answers {dict(finished.statuses)}")
    print(
        f"{len(rounds)} rounds, {sum(each.acknowledged for each in rounds)} acknowledged, "
        f"{sum(each.lost for each in rounds)} lost, {sum(each.doubled for each in rounds)} doubled, "
        f"{sum(each.decisions for each in rounds)} decisions, {sum(each.decisions_lost for each in rounds)} lost, "
        f"{sum(len(each.kills) for each in rounds)} kills, {time.monotonic() - began:.0f} s, "
        f"{os.cpu_count()} cores"
    )
    return 0 if all(each.survived for each in rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
