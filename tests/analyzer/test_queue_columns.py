"""What the queue's filters ask is copied into its rows: kept up by every act, and filled in for rows of before."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from analyzer import reviews
from analyzer.models import QueueItem
from feedback import intake
from feedback.forms import FeedbackForm
from tests import make

COLUMNS = ("type", "rating", "held", "needs_person", "fallback", "unsure", "edited", "provenance", "decided_by")


def columns(key: Any) -> dict[str, Any]:
    return QueueItem.objects.values(*COLUMNS).get(pk=key)


@pytest.mark.django_db
def test_they_follow_the_feedback_the_analysis_and_the_decisions(ada: User) -> None:
    said = make.feedback("The page is blank", type="bug", rating=1)
    nothing = {"needs_person": False, "fallback": False, "unsure": False, "edited": False}
    nothing |= {"provenance": "", "decided_by": None}
    assert columns(said.pk) == {"type": "bug", "rating": 1, "held": False, **nothing}
    analysis = make.analysis(said, needs_person=True, fallback_reason="timeout: no answer", severity_confidence=0.2)
    judged = {"needs_person": True, "fallback": True, "unsure": True}
    assert columns(said.pk) == {"type": "bug", "rating": 1, "held": False} | nothing | judged
    first = reviews.validate(analysis=analysis, by=ada)
    assert columns(said.pk)["provenance"] == "validated"
    second = reviews.override(analysis=analysis, by=ada, category="noise", after=first)
    assert (columns(said.pk)["provenance"], columns(said.pk)["decided_by"]) == ("overridden", ada.pk)
    reviews.undo(review=second, by=ada)
    assert columns(said.pk)["provenance"] == "validated"
    reviews.undo(review=first, by=ada)
    assert (columns(said.pk)["provenance"], columns(said.pk)["decided_by"]) == ("", None)


@pytest.mark.django_db
def test_they_follow_an_edit_at_the_source() -> None:
    said = make.feedback("The page is blank", type="bug", rating=1)
    intake.revise(feedback=said, form=FeedbackForm({"comment": "I will see you in court", "type": "general"}))
    said.refresh_from_db()
    found = columns(said.pk)
    assert (found["type"], found["rating"], found["held"]) == ("general", None, said.compliance == "hold")


@pytest.mark.django_db(transaction=True)
def test_a_desk_of_before_gets_them_filled_in() -> None:
    ada = make.user("ada", "Manager")
    make.version(thresholds={"category": 0.9})
    make.feedback("Not analysed yet", type="general", rating=None)
    make.item("Unsure by its own version", category_confidence=0.85)
    make.item("Needs a person", needs_person=True, category_confidence=0.95)
    make.item("Another engine", fallback_reason="timeout: no answer", rating=5, category_confidence=0.95)
    held = make.item("Held", category_confidence=0.95)
    QueueItem.objects.filter(pk=held.pk).update(held=True)
    held.feedback.compliance = "hold"
    held.feedback.save()
    decided = make.item("Decided", category_confidence=0.95)
    reviews.override(analysis=decided.analysis, by=ada, category="noise")
    edited = make.item("Decided", category_confidence=0.95)
    reviews.override(analysis=edited.analysis, by=ada, category="noise")
    make.revise(edited.feedback, "Edited afterwards")
    anew = make.item("Edited before", category_confidence=0.95)
    reviews.validate(analysis=make.analysis(make.revise(anew.feedback, "Decided anew"), request=2), by=ada)
    imported = make.feedback("Imported")
    reviews.record_imported(feedback=imported, by=ada, category="positive")
    before = {item.pk: columns(item.pk) for item in QueueItem.objects.all()}
    for column in COLUMNS:
        assert len({str(values[column]) for values in before.values()}) > 1, column
    try:
        call_command("migrate", "analyzer", "0004", verbosity=0)
    finally:
        call_command("migrate", verbosity=0)
    assert {item.pk: columns(item.pk) for item in QueueItem.objects.all()} == before
