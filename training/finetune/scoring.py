"""What a model's answer is worth: read as the llm engine reads it, rewarded as a person's decision rewards it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from analyzer import priority, rewards
from analyzer.engines import Completion
from analyzer.engines.llm import Malformed, read
from analyzer.schema import Answer
from training.finetune.rows import Row

# What being well-formed is worth beside the reward for what was said: enough to be learned first, and to be kept.
FORM_WEIGHT: Final = 0.2


@dataclass(frozen=True, slots=True)
class Score:
    """reward in [0, 1] against the decision, 0 for what could not be read; answer is None then."""

    reward: float
    answer: Answer | None

    @property
    def well_formed(self) -> bool:
        return self.answer is not None


def score(row: Row, text: str, *, cut_off: bool = False) -> Score:
    """The model's own answer against the decision, before the rules that hold whatever a model says.

    Else a model would be rewarded for what the severity floor and the suggested actions put right.
    """
    try:
        answer = read(Completion(text=text, cut_off=cut_off))
    except Malformed:
        return Score(0.0, None)
    task = row.task
    points, _ = priority.score(
        severity=answer.severity,
        category=answer.category,
        rating=task.rating,
        similar=task.similar,
        form_type=task.type,
        held=task.held,
    )
    judged = rewards.Judged(category=answer.category, severity=answer.severity, action=answer.action, priority=points)
    reward = rewards.reward(judged, cast(rewards.Judged, row.decision))
    return Score(reward["total"], answer)
