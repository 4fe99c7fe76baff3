"""What goes into the agent and what may come out: closed, typed, and nothing extra."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from analyzer.taxonomy import Category, Severity

ACTION_MAX = 400
QUOTE_MAX = 200

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Quote = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=QUOTE_MAX)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Example(Strict):
    """A past item that a person decided, shown to a model: redacted, and never one that tried to give it orders."""

    comment: str
    type: str = ""
    category: Category
    severity: Severity
    action: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=ACTION_MAX)]


class Task(Strict):
    """One item as the agent sees it: redacted text and what the form said. A dict of this is the rollout's task."""

    id: str
    comment: str
    type: str = ""
    rating: int | None = None
    page: str = ""
    similar: int = Field(default=0, ge=0, description="How many other reports say nearly the same.")
    held: bool = Field(default=False, description="Governance held it for a person: it must not leave this machine.")
    injection: bool = Field(default=False, description="The text tries to give the model orders.")
    examples: tuple[Example, ...] = Field(default=(), max_length=8)
    # Only in training: what a person decided, for the reward.
    decision: dict[str, Any] | None = None


class Answer(Strict):
    """What a model is asked for: the response format of the llm engine."""

    category: Category
    severity: Severity
    action: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=ACTION_MAX)]
    evidence: list[Quote] = Field(max_length=3, description="Exact quotes from the comment.")


class Prediction(Strict):
    """An engine's opinion: the answer with probabilities that sum to one over each closed set.

    probabilities are calibrated on held-out reviews where the version says so (its calibration record).
    """

    category: Category
    severity: Severity
    action: Annotated[str, StringConstraints(strip_whitespace=True, max_length=ACTION_MAX)] = ""
    evidence: tuple[Quote, ...] = ()
    category_probabilities: dict[Category, Probability]
    severity_probabilities: dict[Severity, Probability]


class Reason(Strict):
    """One summand of a priority, or one thing the agent noticed, in words."""

    label: str
    points: float = 0.0


class Finding(Strict):
    """Something the agent noticed that a person should know; rule is stable, reason is a sentence."""

    rule: str
    reason: str


class Usage(Strict):
    """What asking a model cost; zeros for the local engine."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Verdict(Strict):
    """The agent's finished opinion, as it is stored: an Analysis row without its keys."""

    category: Category
    severity: Severity
    action: str
    priority: Annotated[int, Field(ge=0, le=100)]
    priority_reasons: tuple[Reason, ...]
    category_confidence: Probability
    severity_confidence: Probability
    category_probabilities: dict[Category, Probability]
    severity_probabilities: dict[Severity, Probability]
    evidence: tuple[Quote, ...]
    findings: tuple[Finding, ...]
    needs_person: bool
    route: str
    engine: str
    fallback_reason: str = ""
    usage: Usage = Usage()
