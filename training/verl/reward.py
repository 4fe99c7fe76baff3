"""What verl asks of every answer: the reward against the person's decision, and what being readable is worth.

Copied beside the configuration, and loaded there by path; the project must be on PYTHONPATH. Needs no Django.
"""

from __future__ import annotations

from typing import Any

from training.finetune.rows import Row
from training.finetune.scoring import FORM_WEIGHT, score


def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: dict[str, Any] | None = None
) -> dict[str, float]:
    """The same sum as in training on one machine; ground_truth is a row as JSON. The names are verl's."""
    found = score(Row.model_validate_json(ground_truth), solution_str)
    return {
        "score": found.reward + FORM_WEIGHT * found.well_formed,
        "reward": found.reward,
        "well_formed": float(found.well_formed),
    }
