"""A scripted model for prompt optimisation: it knows a made-up word only if the prompt tells what it means.

No model: how much better its answers get says nothing about any real one. It shows that prompts are tried, compared,
kept and used. Its critic says a fixed sentence, and its editor adds the next rules to the prompt.
"""

from __future__ import annotations

import json
from typing import Any

from tests.llm_server import Received, Scripted, status, text
from tests.training import classroom

# Braces of JSON and a placeholder: neither may get lost on the way.
BASE = 'You sort feedback.\n{categories}\nA past answer: {"category": "noise", "why": {"sure": true}}'
RULES = [f"The word {word} means {category}." for word, category in classroom.MEANINGS.items()]
RULES_PER_EDIT = 3


def kind(request: dict[str, Any]) -> str:
    """What a request asks for: analysis, critique or edit."""
    said = everything(request)
    if "Answer with one JSON object and nothing else" in said:
        return "analysis"
    return "edit" if said.startswith("Revise the") else "critique"


def everything(request: dict[str, Any]) -> str:
    return "\n".join(str(message["content"]) for message in request["messages"])


def of_kind(requests: list[Received], wanted: str) -> list[str]:
    """The texts of all requests of a kind."""
    return [everything(request.json) for request in requests if kind(request.json) == wanted]


def answer(request: dict[str, Any], n: int) -> Scripted:
    if kind(request) == "analysis":
        return analyse(request)
    if kind(request) == "critique":
        return text("- Say what the made-up words mean.")
    told = sum(rule in everything(request) for rule in RULES)
    return text("\n".join([BASE, *RULES[: told + RULES_PER_EDIT]]))


def analyse(request: dict[str, Any]) -> Scripted:
    prompt, item = request["messages"][0]["content"], request["messages"][-1]["content"]
    category = "noise"
    for word, meant in classroom.MEANINGS.items():
        if word in item and f"The word {word} means {meant}." in prompt:
            category = meant
    severity = classroom.SEVERITIES.get(category, "low")
    action = "Reproduce what the comment says and write down what you see."
    return text(json.dumps({"category": category, "severity": severity, "action": action, "evidence": []}))


def half_failing(request: dict[str, Any], n: int) -> Scripted:
    """Every other request is refused: an analysis for good, so that its rollout fails; a critic may ask again."""
    if n % 2:
        return answer(request, n)
    return status(400 if kind(request) == "analysis" else 500)
