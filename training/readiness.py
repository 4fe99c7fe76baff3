"""Whether everything is there that training needs: each thing is tried, not assumed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version as installed
from typing import Final

from django.conf import settings

from analyzer import versions
from analyzer.engines import EngineError
from analyzer.models import AnalyzerVersion
from analyzer.schema import Task
from training.finetune.process import ROOT, environment

PROBE: Final = Task(
    id="probe",
    comment="The save button does nothing on the settings page.",
    type="bug",
    decision={"category": "website-bug"},
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried, and what came of it in a sentence. needed: whether training as such needs it."""

    name: str
    ready: bool
    detail: str
    needed: bool = True


class Absent(Exception):
    """Something that one algorithm needs and that is not here; the others work without."""


def checks() -> Iterator[Check]:
    """Every check in turn, as its result is known; one that fails keeps none of the others from being made."""
    named: dict[str, Callable[[], str]] = {
        "data set": _dataset,
        "agent": _agent,
        "rollout": lambda: _rollouts(runners=0, store_url=""),
        "store": _store,
        "engine": _engine,
        "algorithms": _extras,
        "fine-tuning": _fine_tuning,
        "hosted": _hosted,
    }
    for name, attempt in named.items():
        try:
            yield Check(name, True, attempt())
        except Absent as reason:
            yield Check(name, False, str(reason), needed=False)
        except Exception as error:  # noqa: BLE001 (whatever is wrong with it is the answer)
            yield Check(name, False, str(error) or type(error).__name__)


def _dataset() -> str:
    from training import dataset

    data = dataset.build()
    n = data.summary["n"]
    counts: dict[str, int] = {}
    for split in data.summary["classes"].values():
        for category, count in split.items():
            counts[category] = counts.get(category, 0) + count
    classes = ", ".join(f"{category} {count}" for category, count in sorted(counts.items()))
    return f"{n['train']} to learn from, {n['validation']} to choose with, {n['test']} held out; {classes}"


def _agent() -> str:
    from analyzer import rollout

    active = versions.active()
    return f"{rollout.feedback_analyzer_agent.__name__} with {active}"


def _rollouts(*, runners: int, store_url: str) -> str:
    from training import lightning, watch

    probe = lightning.Probe(versions.spec(_whole()), watch.Control(say=lambda line: None))
    task = PROBE.model_dump(mode="json")
    lightning.fit(probe, lightning.feedback_agent, validation=[task, task], runners=runners, store_url=store_url)
    rewards = [one.total for one in probe.rolled]
    if None in rewards or len(rewards) != 2:
        reasons = {one.error for one in probe.rolled if one.error}
        raise RuntimeError(
            f"{rewards.count(None)} of 2 rollouts failed: {'; '.join(sorted(reasons)) or 'no reason told'}"
        )
    return f"2 rollouts, {sum(one.spans for one in probe.rolled)} spans back, rewards {rewards}"


def _store() -> str:
    """A server is asked over HTTP, as runners do it: the shared one where it is set, else one of our own."""
    url = settings.LIGHTNING_STORE_URL
    where = url or "a LightningStoreServer of our own"
    try:
        return f"{where}: {_rollouts(runners=1, store_url=url)}"
    except Exception as error:
        raise RuntimeError(f"{where}: {error}") from error


def _engine() -> str:
    from analyzer import engines

    spec = versions.spec(_whole())
    where = f" at {settings.OPENAI_BASE_URL or 'api.openai.com'}, model {spec.model}" if spec.engine != "local" else ""
    try:
        if spec.engine != "local":
            # The model itself: a cascade might not have asked it.
            from dataclasses import replace

            spec = replace(spec, engine="llm")
        reply = engines.build(spec).predict(PROBE.model_copy(update={"decision": None}), prompt=spec.prompt)
    except EngineError as error:
        raise RuntimeError(f"the {spec.engine} engine{where}: {error}") from error
    return f"{spec.engine}{where} answers {reply.prediction.category}"


def _extras() -> str:
    """What the algorithms need beside the rest: poml starts a Node of its own, so that it is tried."""
    from training import lightning

    lightning.critique_example()
    packages = ("agentlightning", "poml", "openai", "scikit-learn", "opentelemetry-sdk")
    return ", ".join(f"{name} {installed(name)}" for name in packages)


def _fine_tuning() -> str:
    """Its extras may be absent, for everything else learns without; but what is installed must work."""
    from training.finetune import extras, server

    absent = sorted({*extras.missing(), *server.missing_extras()})
    if absent:
        raise Absent(f"not installed ({', '.join(absent)}); {extras.INSTALL} brings it")
    # In a process of its own: it brings torch.
    tried = subprocess.run(
        [sys.executable, "-c", "from training.finetune import loading, trainers; print(loading.hardware())"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode:
        last = tried.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise RuntimeError(f"its packages cannot be imported: {last[0]}")
    packages = ", ".join(f"{package} {installed(package)}" for package in ("torch", "transformers", "trl", "peft"))
    return f"{packages}; {tried.stdout.strip().splitlines()[-1]}"


def _hosted() -> str:
    """Asks the endpoint for its jobs, which costs nothing and sends nothing."""
    from training import availability
    from training.algorithms import HOSTED
    from training.hosted.api import API, Unreachable
    from training.refusals import Unavailable
    from training.watch import Unusable

    try:
        availability.chosen(HOSTED)
        api = API(base_url=settings.OPENAI_BASE_URL, api_key=settings.OPENAI_API_KEY)
        api.check()
    except (Unavailable, Unreachable, Unusable) as reason:
        raise Absent(str(reason)) from None
    return f"{api.name} has a fine-tuning API that takes the key; nothing is sent to it before somebody agrees"


def _whole() -> AnalyzerVersion:
    return AnalyzerVersion.objects.get(pk=versions.active().pk)
