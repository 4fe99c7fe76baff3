"""Engines: each turns a Task into a Prediction. Chosen by a Spec, built once per process, free of the ORM."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from analyzer.schema import Prediction, Task, Usage

if TYPE_CHECKING:
    from analyzer.engines.local import LocalEngine


class EngineError(Exception):
    """An engine gave no usable answer; the message is a sentence that staff can read.

    kind is stable: unreachable, timeout, rate-limited, refused, malformed, oversized, rejected, paused.
    """

    def __init__(self, kind: str, message: str, *, usage: Usage | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.usage = usage or Usage()


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote; cut_off when it ran into the token limit."""

    text: str
    cut_off: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """A prediction, which engine it came from, what it cost, and why not from the one asked first."""

    prediction: Prediction
    engine: str
    usage: Usage = field(default_factory=Usage)
    note: str = ""


class Engine(Protocol):
    def predict(self, task: Task, *, prompt: str) -> Reply:
        """The engine's opinion of one task; raises EngineError. prompt is empty for the built-in one."""
        ...


@dataclass(frozen=True, slots=True)
class Spec:
    """Everything an engine is built from: an AnalyzerVersion and the environment, as plain values."""

    engine: str
    weights: bytes = field(default=b"", repr=False)
    weights_digest: str = ""
    prompt: str = ""
    model: str = ""
    # Neither is shown, for a spec may stand in a traceback, and a URL may hold a password.
    base_url: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    timeout: float = 30.0
    thresholds: tuple[tuple[str, float], ...] = ()
    # How far the llm's answer is trusted against the local engine's probabilities, in [0, 1].
    llm_trust: float = 0.5

    @property
    def key(self) -> str:
        """Names the engine this spec builds, in a resource that Agent Lightning can carry; no secret in it."""
        parts = (
            self.engine,
            self.weights_digest,
            self.prompt,
            self.model,
            self.base_url,
            str(self.llm_trust),
        )
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]

    def threshold(self, name: str, default: float) -> float:
        return dict(self.thresholds).get(name, default)


@lru_cache(maxsize=8)
def build(spec: Spec) -> Engine:
    """The engine for a spec, one per process; imports scikit-learn or openai only here."""
    from analyzer.engines.local import LocalEngine

    local = LocalEngine.from_bytes(spec.weights)
    if spec.engine == "local":
        return local
    from analyzer.engines.llm import LLMEngine

    llm = LLMEngine(spec, local)
    if spec.engine == "llm":
        return llm
    from analyzer.engines.cascade import CascadeEngine

    return CascadeEngine(local, llm, sure=spec.threshold("cascade", 0.8))


def local_of(spec: Spec) -> LocalEngine:
    """The local engine of a version, whatever its first choice: what answers when nothing else does."""
    engine = build(replace(spec, engine="local", prompt="", model="", base_url="", api_key=""))
    return cast("LocalEngine", engine)


def as_dict(reply: Reply) -> dict[str, Any]:
    """A reply as JSON-ready values, for a trace."""
    return {
        "engine": reply.engine,
        "note": reply.note,
        "usage": reply.usage.model_dump(),
        "prediction": reply.prediction.model_dump(mode="json"),
    }
