"""What people do with an item beside deciding it: appended, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from analyzer import roles
from analyzer.models import Event, QueueItem

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def add_note(*, item: QueueItem, by: User, text: str) -> Event:
    """Keep a remark with an item, for whoever opens it next. Raises PermissionDenied, or ValidationError on text."""
    roles.require_reviewer(by)
    if not text.strip():
        raise ValidationError({"text": "Please write something."})
    return record(feedback=item.pk, kind=Event.Kind.NOTE, by=by, text=text)


def record(*, feedback: UUID, kind: str, by: User, text: str = "", value: dict[str, Any] | None = None) -> Event:
    """Append an event. Whoever calls has checked that the person may do it. Raises ValidationError by field."""
    event = Event(feedback_id=feedback, kind=kind, by=by, text=text.strip(), value=value or {})
    event.full_clean(exclude=("feedback", "by"))
    event.save(force_insert=True)
    return event


def history(item: QueueItem) -> QuerySet[Event]:
    """All that happened to an item, newest first, with the people; one query."""
    return Event.objects.filter(feedback=item.pk).select_related("by").defer("by__password")
