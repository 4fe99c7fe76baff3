"""The cascade engine: the local engine where it is sure, the llm where it is not."""

from __future__ import annotations

from typing import Final

from analyzer.engines import Engine, Reply
from analyzer.schema import Task

# A severity counts as known when it is more likely than all the others together.
SEVERITY_KNOWN: Final = 0.5


class CascadeEngine:
    """Asks the cheaper engine first; the reply's engine says who answered, and being sure is no fault to note."""

    def __init__(self, local: Engine, llm: Engine, sure: float) -> None:
        self._local = local
        self._llm = llm
        self._sure = sure

    def predict(self, task: Task, *, prompt: str) -> Reply:
        """The local reply when its category is at least `sure` probable and its severity known, else the llm's."""
        reply = self._local.predict(task, prompt="")
        opinion = reply.prediction
        category = opinion.category_probabilities.get(opinion.category, 0.0)
        severity = opinion.severity_probabilities.get(opinion.severity, 0.0)
        if category >= self._sure and severity >= SEVERITY_KNOWN:
            return reply
        return self._llm.predict(task, prompt=prompt)
