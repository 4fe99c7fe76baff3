"""Analyzer versions: made once, activated and taken back by one function."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from analyzer import adapters, roles
from analyzer.engines import Spec
from analyzer.models import AnalyzerVersion
from feedback.transactions import transact

if TYPE_CHECKING:
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)

COLD_START = "cold-start"


_specs: dict[UUID, Spec] = {}


class NotUsable(Exception):
    """A version that cannot be activated, with the reason."""


def active() -> AnalyzerVersion:
    """The version that new analyses use; the first call on an empty desk fits one on the synthetic examples.

    When the environment asks for another engine than the active version has (a key was added or taken away), a
    version with that engine over the same weights takes over, so that every analysis still names what made it. One
    that stood in for a version with a model hands back to it when there is an endpoint again.
    """
    usable = AnalyzerVersion.objects.defer("weights")
    if settings.TRIAGE_ENDPOINT:
        # Only then may its parent be wanted.
        usable = usable.select_related("parent").defer("parent__weights")
    found = usable.filter(status=AnalyzerVersion.Status.ACTIVE).first() or _bootstrap()
    wanted = _wanted_engine(found)
    if wanted == found.engine:
        return found
    try:
        return _with_engine(found, wanted)
    except NotUsable:
        if not _stands_in(found):
            raise
        # The model's files are not here: better the stand-in than no analysis at all.
        return found


def create(
    *,
    engine: str,
    origin: str,
    weights: bytes = b"",
    prompt: str = "",
    model: str = "",
    thresholds: dict[str, float] | None = None,
    calibration: dict[str, Any] | None = None,
    metrics: dict[str, Any] | None = None,
    adapter: dict[str, Any] | None = None,
    parent: AnalyzerVersion | None = None,
) -> AnalyzerVersion:
    """A new candidate with the next number. adapter is a record as adapters.fault reads it."""
    for _ in range(5):
        highest = AnalyzerVersion.objects.aggregate(highest=Max("number"))["highest"] or 0
        try:
            with transaction.atomic():
                return AnalyzerVersion.objects.create(
                    number=highest + 1,
                    engine=engine,
                    origin=origin,
                    weights=weights,
                    weights_digest=hashlib.sha256(weights).hexdigest() if weights else "",
                    prompt=prompt,
                    model=model,
                    thresholds=thresholds or {},
                    calibration=calibration or {},
                    metrics=metrics or {},
                    adapter=adapter or {},
                    parent=parent,
                )
        except IntegrityError:
            # Somebody else took the number between the question and the insert.
            continue
    raise NotUsable("No free version number was found in five attempts; try again.")


def activate(*, version: AnalyzerVersion, by: User | None) -> AnalyzerVersion:
    """Make a version the active one and retire the one before; also how to roll back. by None is the system itself.

    Raises PermissionDenied, or NotUsable when the version could not analyse anything, or not with what was evaluated.
    """
    if by is not None and not by.has_perm(roles.ACTIVATE):
        raise PermissionDenied("Only a manager may activate a version.")
    if not version.weights_digest:
        raise NotUsable(f"Version {version.number} has no weights, not even to fall back on.")
    if version.adapter and version.engine != AnalyzerVersion.Engine.LOCAL:
        fault = adapters.fault(version.adapter, settings.FINETUNE_DIR)
        if fault:
            raise NotUsable(f"Version {version.number} cannot be activated. {fault}")
    transact(lambda: _switch(version, by))
    return version


def _switch(version: AnalyzerVersion, by: User | None) -> None:
    AnalyzerVersion.objects.filter(status=AnalyzerVersion.Status.ACTIVE).exclude(pk=version.pk).update(
        status=AnalyzerVersion.Status.RETIRED
    )
    version.status = AnalyzerVersion.Status.ACTIVE
    version.activated_at = timezone.now()
    version.activated_by = by
    version.save(update_fields=("status", "activated_at", "activated_by"))


def spec(version: AnalyzerVersion) -> Spec:
    """What an engine is built from: the version, and the endpoint that the environment names."""
    return Spec(
        engine=version.engine,
        weights=bytes(version.weights),
        weights_digest=version.weights_digest,
        prompt=version.prompt,
        model=(version.model or settings.TRIAGE_MODEL) if version.engine != "local" else "",
        base_url=settings.OPENAI_BASE_URL,
        api_key=settings.OPENAI_API_KEY,
        timeout=settings.TRIAGE_TIMEOUT,
        thresholds=tuple(sorted(version.thresholds.items())),
        llm_trust=float(version.calibration.get("llm_trust", 0.5)),
    )


def cached_spec(version: AnalyzerVersion) -> Spec:
    """spec for a row read without its weights: megabytes are read once per version and process, not per analysis."""
    key = version.pk
    if key not in _specs:
        _specs.clear()
        _specs[key] = spec(AnalyzerVersion.objects.get(pk=key))
    return _specs[key]


def _wanted_engine(version: AnalyzerVersion) -> str:
    """The version's own engine, unless the environment names one or has no endpoint that it could ask."""
    if settings.TRIAGE_ENGINE_NAMED or not settings.TRIAGE_ENDPOINT or version.origin == COLD_START:
        return str(settings.TRIAGE_ENGINE)
    if version.parent is not None and _stands_in(version):
        return version.parent.engine
    return version.engine


def _stands_in(version: AnalyzerVersion) -> bool:
    """Whether this is a local copy, made when no endpoint was there, of a version that asks a model.

    One that a person activated since is their choice, and stands in for nobody.
    """
    asking, local = version.parent, AnalyzerVersion.Engine.LOCAL
    if asking is None or version.engine != local or asking.engine == local or version.activated_by_id is not None:
        return False
    return version.weights_digest == asking.weights_digest and _same(version, asking)


def _same(one: AnalyzerVersion, other: AnalyzerVersion) -> bool:
    """Whether two versions over the same weights differ in their engine only."""
    # Compared here: databases disagree on when two JSON values are equal.
    names = ("prompt", "model", "adapter", "thresholds", "calibration")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _with_engine(version: AnalyzerVersion, engine: str) -> AnalyzerVersion:
    over = AnalyzerVersion.objects.defer("weights").filter(engine=engine, weights_digest=version.weights_digest)
    alike = next((one for one in over.order_by("number") if _same(one, version)), None)
    other = alike or create(
        engine=engine,
        origin=version.origin,
        weights=bytes(version.weights),
        prompt=version.prompt,
        model=version.model,
        thresholds=version.thresholds,
        calibration=version.calibration,
        adapter=version.adapter,
        parent=version,
    )
    made = activate(version=other, by=None)
    # Where two processes disagree about the endpoint they hand it to and fro, which wants to be seen.
    logger.warning("%s takes over from %s: this process is to use the engine %s", made, version, engine)
    return made


def _bootstrap() -> AnalyzerVersion:
    """Version 1: the configured engine over weights fitted on our own synthetic examples."""
    from analyzer import cold_start
    from analyzer.engines import local

    fitted = local.fit_cold_start(cold_start.load())
    version = create(
        engine=settings.TRIAGE_ENGINE,
        origin=COLD_START,
        weights=fitted.to_bytes(),
        calibration=fitted.calibration,
    )
    try:
        return activate(version=version, by=None)
    except IntegrityError:
        # Another worker was first; ours stays a candidate that nobody needs.
        version.delete()
        return AnalyzerVersion.objects.get(status=AnalyzerVersion.Status.ACTIVE)
