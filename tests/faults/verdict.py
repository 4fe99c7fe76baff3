"""What a round was, and whether everything that its clients were told lies in the database, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.faults.people import Crowd, Decided

# Some columns of all rows of a table of the round's database: read(table, *columns).
Read = Callable[..., list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Plan:
    """What one round is made of."""

    seed: int
    items: int
    kills: int
    database: str = "postgres"
    broker: str = "redis"
    # Workers hand their rollouts to a shared LightningStore server, which is killed too.
    store: bool = False
    pace: float = 40.0
    visitors: int = 4
    # Let minutes pass in the rows instead of on the clock while the desk heals.
    hurry: bool = False


@dataclass
class Round:
    """What came of one."""

    plan: Plan
    kills: list[str] = field(default_factory=list)
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    unfinished: int = 0
    decisions: int = 0
    decisions_lost: int = 0
    retries: int = 0
    restarts: int = 0
    seconds: float = 0.0
    surprises: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def survived(self) -> bool:
        wrong = self.lost + self.doubled + self.unfinished + self.decisions_lost
        return self.acknowledged == self.plan.items and wrong == 0 and not self.surprises

    @property
    def line(self) -> str:
        """One row of the table."""
        hit = Counter(kill.partition(" ")[2].partition(" ")[0] for kill in self.kills)
        return (
            f"| {self.plan.seed} | {self.plan.database}, {self.plan.broker}{', store' * self.plan.store} "
            f"| {', '.join(f'{count} × {name}' for name, count in sorted(hit.items()))} "
            f"| {self.plan.items} | {self.acknowledged} | {self.lost} | {self.doubled} | {self.unfinished} "
            f"| {self.decisions} | {self.decisions_lost} | {self.retries} | {self.seconds:.0f} |"
        )


HEAD = (
    "| seed | database, broker, LightningStore | kill -9 of | sent | acknowledged | lost | doubled | not analysed "
    "| decisions | decisions lost | retries by clients | seconds |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def judge(read: Read, crowd: Crowd, result: Round) -> None:
    """Compare what the clients were told with what is stored."""
    _judge_submissions(read, crowd, result)
    _judge_decisions(read, crowd, result)
    result.surprises += crowd.surprises
    wrong = {status: count for status, count in crowd.statuses.items() if status >= 500 and status != 503}
    result.surprises += [f"{count} answers with {status}" for status, count in wrong.items()]
    result.retries, result.statuses = crowd.retries, crowd.statuses


def _judge_submissions(read: Read, crowd: Crowd, result: Round) -> None:
    """Each that was acknowledged is there under its key, each that is there was acknowledged and is analysed once."""
    rows = read("feedback_feedback", "source", "external_id", "id")
    stored = {(source, key): _plain(row) for source, key, row in rows}
    told = {(sent.source, sent.key): _plain(sent.id) for sent in crowd.sent}
    analyses = Counter(_plain(key) for (key,) in read("analyzer_analysis", "feedback_id"))
    items = read("analyzer_queueitem", "feedback_id", "stage", "analysis_id")
    done = {_plain(key) for key, stage, analysis in items if stage == "done" and analysis is not None}
    result.acknowledged = len(crowd.sent)
    # The form's thanks name no id.
    result.lost = sum(name not in stored or key not in ("", stored[name]) for name, key in told.items())
    result.doubled += len(rows) - len(stored) + sum(count - 1 for count in analyses.values())
    result.unfinished = sum(not analyses[key] or key not in done for key in stored.values())
    if untold := stored.keys() - told.keys():
        result.surprises.append(f"{len(untold)} stored that nobody was told of")


def _judge_decisions(read: Read, crowd: Crowd, result: Round) -> None:
    """Each that was acknowledged counts, and each is whole: its row, and the item that it moved."""
    names = dict(read("auth_user", "id", "username"))
    reviews = read("analyzer_review", "role", "id", "feedback_id", "reviewer_id", "category", "severity")
    made = {_plain(key): rest for role, key, *rest in reviews if role == "first"}
    items = read("analyzer_queueitem", "feedback_id", "status", "review_id")
    counts = {_plain(review) for _, _, review in items if review is not None}
    in_force = {
        (names[by], _plain(item), category, severity)
        for key, (item, by, category, severity) in made.items()
        if key in counts
    }
    result.decisions = len(crowd.decided)
    result.decisions_lost = sum(_told(decided) not in in_force for decided in crowd.decided)
    result.doubled += len(made) - len(counts)
    if half := [key for key, status, review in items if (status == "decided") != (review is not None)]:
        result.surprises.append(f"{len(half)} items decided without a decision, or the other way round")


def _told(decided: Decided) -> tuple[str, str, str, str]:
    return decided.reviewer, _plain(decided.item), decided.category, decided.severity


def _plain(key: object) -> str:
    """A UUID as each database writes it, alike."""
    return str(key).replace("-", "")
