"""The cascade: the local engine where it is sure, the llm where it is not."""

from __future__ import annotations

import pytest

from analyzer.engines import EngineError, Reply
from analyzer.engines.cascade import CascadeEngine
from analyzer.schema import Prediction, Task, Usage

TASK = Task(id="1", comment="It crashes")


class Opinion:
    """An engine with one opinion that counts how often it was asked."""

    def __init__(self, name: str, category: float = 0.9, severity: float = 0.9) -> None:
        self.name = name
        self.asked: list[str] = []
        self.prediction = Prediction(
            category="website-bug",
            severity="high",
            category_probabilities={"website-bug": category, "noise": 1 - category},
            severity_probabilities={"high": severity, "low": 1 - severity},
        )

    def predict(self, task: Task, *, prompt: str) -> Reply:
        self.asked.append(prompt)
        return Reply(self.prediction, engine=self.name, usage=Usage(calls=int(self.name == "llm")))


class Broken:
    def predict(self, task: Task, *, prompt: str) -> Reply:
        raise EngineError("timeout", "too slow")


@pytest.mark.parametrize(
    ("category", "severity", "answers"),
    [(0.8, 0.5, "local"), (0.99, 0.9, "local"), (0.79, 0.9, "llm"), (0.9, 0.49, "llm")],
)
def test_the_local_engine_answers_only_what_it_is_sure_of(category: float, severity: float, answers: str) -> None:
    local, llm = Opinion("local", category, severity), Opinion("llm")
    reply = CascadeEngine(local, llm, sure=0.8).predict(TASK, prompt="be brief")
    assert reply.engine == answers
    assert reply.note == ""
    assert local.asked == [""]
    assert llm.asked == (["be brief"] if answers == "llm" else [])
    assert reply.usage.calls == len(llm.asked)


def test_a_fault_of_the_model_is_passed_on() -> None:
    with pytest.raises(EngineError, match="too slow"):
        CascadeEngine(Opinion("local", 0.3), Broken(), sure=0.8).predict(TASK, prompt="")


def test_a_fault_of_the_model_costs_nothing_where_the_local_engine_is_sure() -> None:
    assert CascadeEngine(Opinion("local"), Broken(), sure=0.8).predict(TASK, prompt="").engine == "local"
