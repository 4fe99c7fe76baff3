"""A policy learns from rewards alone: it is never told a right answer, and the local engine serves what it learned."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from analyzer import versions
from tests import make
from tests.training import classroom
from training import dataset, runs
from training.algorithms import Lesson, Options, reinforce
from training.watch import Control

pytestmark = pytest.mark.django_db


def test_the_mean_reward_rises_from_chance(ada: User) -> None:
    classroom.decide(ada, 120)
    spec = versions.spec(make.working_version())
    lines: list[str] = []
    options = Options(rollouts=1_000, blank=True)
    proposal = reinforce.learn(Lesson(dataset.build(), spec, options, Control(say=lines.append)))
    told = [float(line.rsplit(" ", 1)[1]) for line in lines if "mean reward of the last" in line]
    assert told[-1] > told[0] + 0.15
    assert proposal.notes == {"rollouts": 1_000, "from": "nothing"}
    served = reinforce.LocalModel.from_bytes(proposal.weights)
    assert served.calibration["method"] == "temperature"


def test_no_right_answer_reaches_the_policy(ada: User) -> None:
    """With every reward the same there is nothing to learn, whatever the decisions say."""
    classroom.decide(ada, 120)
    data = dataset.build()
    model = reinforce.LocalModel.from_bytes(bytes(make.working_version().weights))
    policy = reinforce.Policy(model, data.train, blank=True, seed=0)
    before, _ = policy.chances(reinforce.np.arange(len(data.train)))
    for rows in reinforce.batches(len(data.train), 500, policy.random):
        drawn = reinforce.np.array([policy.draw(*chances) for chances in zip(*policy.chances(rows), strict=True)])
        policy.learn(rows, drawn[:, 0], drawn[:, 1], reinforce.np.zeros(len(rows)))
    after, _ = policy.chances(reinforce.np.arange(len(data.train)))
    assert abs(after - before).max() < 1e-9


def test_a_run_of_both_learners_keeps_the_better_on_validation_items(ada: User) -> None:
    classroom.decide(ada, 360)
    make.working_version()
    options = Options(rollouts=200, curve=False)
    run = runs.execute(algorithm="local,reinforce", options=options, progress=[].append)
    tried = run.metrics["validation"]
    assert tried["local"]["n"] == tried["reinforce"]["n"] == 54
    assert tried["local"]["gain"] > tried["reinforce"]["gain"]
    assert run.candidate is not None
    assert run.candidate.origin == "local"
