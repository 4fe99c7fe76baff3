"""What the list of runs can be narrowed to."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from analyzer.admin.filters import Condition, OneOf
from training.algorithms import ALGORITHMS, AUTO
from training.models import TrainingRun


def _where(**conditions: Any) -> Condition:
    return lambda request: Q(**conditions)


class StatusFilter(OneOf):
    title = "status"
    parameter_name = "status"
    options = {value: (label.capitalize(), _where(status=value)) for value, label in TrainingRun.Status.choices}


class OutcomeFilter(OneOf):
    title = "outcome"
    parameter_name = "outcome"
    options = {value: (label.capitalize(), _where(outcome=value)) for value, label in TrainingRun.Outcome.choices}


class AlgorithmFilter(OneOf):
    """A run may have tried several, with commas between them."""

    title = "algorithm"
    parameter_name = "algorithm"
    options = {name: (name, _where(algorithm__contains=name)) for name in (AUTO, *ALGORITHMS)}


RUN_FILTERS = (StatusFilter, OutcomeFilter, AlgorithmFilter)
