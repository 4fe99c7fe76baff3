"""A number out of its bounds stops a command before anything was done or paid for, with what it may be."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("train_analyzer --seed -1", "--seed: '-1' is not a whole number from 0 on."),
        ("train_analyzer --rollouts 0", "--rollouts: '0' is not a whole number from 1 on."),
        ("train_analyzer --rounds many", "--rounds: 'many' is not a whole number from 1 on."),
        ("train_analyzer --max-minutes 0", "--max-minutes: '0' is not a number above 0."),
        ("train_analyzer --learning-rate nan", "--learning-rate: 'nan' is not a number above 0."),
        ("train_analyzer --kl -0.1", "--kl: '-0.1' is not a number from 0 on."),
        ("train_analyzer --by nobody", "--by nobody: there is no such user."),
        ("prune_traces --days 40000", "--days: '40000' is not a whole number from 1 to 36500."),
        ("analyze_feedback --now --processes 0", "--processes: '0' is not a whole number from 1 on."),
        ("sync_feedback --limit 0", "--limit: '0' is not a whole number from 1 on."),
        ("run_store --port 70000", "--port: '70000' is not a whole number from 0 to 65535."),
        ("run_desk --port 70000", "--port: '70000' is not a whole number from 0 to 65535."),
    ],
)
def test_the_error_names_the_argument_and_what_it_may_be(line: str, says: str) -> None:
    with pytest.raises(CommandError) as refused:
        call_command(*line.split())
    assert says in str(refused.value)
