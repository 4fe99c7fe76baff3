"""Rows for tests, made the way the product makes them wherever it has a way."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.auth.models import Group, User

from analyzer import cold_start, priority, similar, standing, versions
from analyzer.engines import local
from analyzer.models import Analysis, AnalyzerVersion, QueueItem, rank
from feedback import intake
from feedback.forms import FeedbackForm
from feedback.models import Feedback

PASSWORD = "correct horse battery staple"


def user(name: str, role: str | None) -> User:
    """Somebody with a role; None is a signed-in stranger who is not staff."""
    person = User.objects.create_user(name, password=PASSWORD, is_staff=role is not None)
    if role:
        person.groups.add(Group.objects.get(name=role))
    return person


def feedback(comment: str = "The checkout button does nothing on Safari", **values: Any) -> Feedback:
    """A submission, received through the real intake."""
    data = {"comment": comment, "type": "bug", "rating": 2, "page": "/checkout"} | values
    source = data.pop("source", "form")
    extra = {name: data.pop(name) for name in ("external_id", "received_at", "synthetic") if name in data}
    return intake.receive(form=FeedbackForm(data), source=source, **extra).feedback


def version(**values: Any) -> AnalyzerVersion:
    """The active version, without weights: for tests that need rows, not opinions."""
    found = AnalyzerVersion.objects.filter(status="active").first()
    return found or AnalyzerVersion.objects.create(
        **({"number": 1, "engine": "local", "origin": "test", "status": "active"} | values)
    )


def revise(said: Feedback, comment: str, **values: Any) -> Feedback:
    """An edit at the source, through the real intake."""
    data = {"comment": comment, "type": said.type, "rating": said.rating, "page": said.page} | values
    now = Feedback.objects.get(pk=said.pk)
    assert intake.revise(feedback=now, form=FeedbackForm(data))
    return now


@cache
def cold_start_weights() -> tuple[bytes, dict[str, Any]]:
    """Fitting takes seconds and always gives the same, so once per test run is enough."""
    fitted = local.fit_cold_start(cold_start.load())
    return fitted.to_bytes(), fitted.calibration


def working_version() -> AnalyzerVersion:
    """The version that an empty desk makes for itself, active: for tests that analyse."""
    weights, calibration = cold_start_weights()
    made = versions.create(engine="local", origin=versions.COLD_START, weights=weights, calibration=calibration)
    return versions.activate(version=made, by=None)


def analysis(said: Feedback, **values: Any) -> Analysis:
    """An analysis as a worker would have stored it, with given values."""
    item = said.queue_item
    category, severity = values.get("category", "website-bug"), values.get("severity", "high")
    points, reasons = priority.score(
        severity=severity,
        category=category,
        rating=said.rating,
        similar=item.similar,
        form_type=said.type,
        held=said.compliance == "hold",
    )
    row = Analysis.objects.create(
        **(
            {
                "feedback": said,
                "version": version(),
                "request": item.request,
                "category": category,
                "severity": severity,
                "action": f"Reproduce “{said.comment[:60]}” on {said.page} and fix what fails.",
                "priority": points,
                "priority_reasons": [reason.model_dump() for reason in reasons],
                "category_confidence": 0.8,
                "severity_confidence": 0.7,
                "category_probabilities": {category: 0.8, "content-gap": 0.2},
                "severity_probabilities": {severity: 0.7, "medium": 0.3},
                "evidence": [said.comment[:20]] if said.comment else [],
                "engine": "local",
                "quality": {"total": 1.0},
            }
            | values
        )
    )
    QueueItem.objects.filter(pk=item.pk).update(
        stage="done",
        analysis=row,
        category=category,
        severity=severity,
        priority=row.priority,
        rank=rank(row.priority, item.received_at),
        flagged=row.needs_person or said.compliance != "accept",
        **standing.marks(row),
    )
    item.refresh_from_db()
    return row


def compare(item: QueueItem) -> None:
    """Look for near-copies of an item, as the worker does before it analyses; the item follows."""
    similar.mark(item)
    similar.find(item)


def item(comment: str = "The checkout button does nothing on Safari", **values: Any) -> QueueItem:
    """A received and analysed item; values named like an Analysis field go there, the rest to the submission."""
    names = {field.name for field in Analysis._meta.get_fields()}
    said = feedback(comment, **{name: value for name, value in values.items() if name not in names})
    analysis(said, **{name: value for name, value in values.items() if name in names})
    return QueueItem.objects.select_related("feedback", "analysis").get(pk=said.pk)
