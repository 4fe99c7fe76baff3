"""The one way into the desk: form, API, widget, import and mirror all store feedback through receive."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from feedback.forms import FeedbackForm
from feedback.governance import assess
from feedback.models import PAGE_MAX, TITLE_MAX, Feedback
from feedback.signals import feedback_changed, feedback_received
from feedback.transactions import transactional


class Refused(Exception):
    """A submission that breaks a rule; errors maps field names ("__all__" for the whole) to sentences."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{field}: {' '.join(texts)}" for field, texts in errors.items()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a submission; created is False when its id had been stored before, same when with this content.

    digest is that of the content that came, feedback the row that is stored.
    """

    feedback: Feedback
    digest: str
    created: bool
    same: bool = True


def receive(
    *,
    form: FeedbackForm,
    source: str,
    external_id: str | None = None,
    client_key: str = "",
    received_at: datetime | None = None,
    synthetic: bool = False,
) -> Receipt:
    """Check, redact and store one submission; the same source and external id twice stores one row.

    Raises Refused with the reasons, which are added to the form too.
    """
    feedback = compose(
        form=form,
        source=source,
        external_id=external_id,
        client_key=client_key,
        received_at=received_at,
        synthetic=synthetic,
    )
    if external_id is not None and (stored := _stored(feedback)):
        return stored
    try:
        store(rows=[feedback])
    except IntegrityError:
        # Two requests with one id at the same moment: the other one won, and its row is the answer.
        if external_id is None or not (stored := _stored(feedback)):
            raise
        return stored
    return Receipt(feedback, feedback.digest, created=True)


def compose(
    *,
    form: FeedbackForm,
    source: str,
    external_id: str | None = None,
    client_key: str = "",
    received_at: datetime | None = None,
    synthetic: bool = False,
) -> Feedback:
    """One submission after every check, as it may be stored; nothing is written. Raises Refused as receive does."""
    return Feedback(
        source=source,
        external_id=external_id,
        received_at=received_at or timezone.now(),
        client_key=client_key,
        synthetic=synthetic,
        **_governed(form),
    )


@transactional
def store(*, rows: Sequence[Feedback]) -> None:
    """Store composed submissions and have them analysed: all or none, with a few statements however many there are.

    Raises IntegrityError when one of them is there already.
    """
    Feedback.objects.bulk_create(rows)
    feedback_received.send(sender=Feedback, rows=rows)


def revise(*, feedback: Feedback, form: FeedbackForm) -> bool:
    """Put an edit made at the source in place of what was said, through the same checks; False when it changes nothing.

    Raises Refused and leaves the row as it was when the edit breaks a rule.
    """
    values = _governed(form)
    changed = [name for name, value in values.items() if getattr(feedback, name) != value]
    if not changed:
        return False
    said_anew = "digest" in changed
    before = copy.copy(feedback)
    for name in changed:
        setattr(feedback, name, values[name])
    if said_anew:
        feedback.revised_at = timezone.now()
        changed.append("revised_at")
    with transaction.atomic():
        feedback.save(update_fields=changed)
        if said_anew or "compliance" in changed:
            feedback_changed.send(sender=Feedback, feedback=feedback, before=before)
    return True


def _governed(form: FeedbackForm) -> dict[str, Any]:
    """The columns that say what was said, after every check. Raises Refused."""
    if not form.is_valid():
        raise Refused(_texts(form))
    data = form.cleaned_data
    assessment = assess(
        comment=data["comment"], rating=data["rating"], page=data["page"], page_title=data["page_title"]
    )
    if not assessment.comment and data["rating"] is None:
        # What was sent had characters, but none that anybody can see.
        form.add_error("comment", "Please write a comment or choose a rating.")
        raise Refused(_texts(form))
    if assessment.outcome == "refuse":
        for finding in assessment.findings:
            if finding.outcome == "refuse":
                form.add_error("comment", finding.reason)
        raise Refused(_texts(form))
    # A placeholder may be longer than what it replaced.
    page = assessment.page[:PAGE_MAX]
    return {
        "type": data["type"],
        "rating": data["rating"],
        "comment": assessment.comment,
        "page": page,
        "page_title": assessment.page_title[:TITLE_MAX],
        "viewport": data["viewport"],
        "pii": assessment.pii,
        "sentiment": assessment.sentiment.score,
        "compliance": str(assessment.outcome),
        "findings": [asdict(finding) | {"outcome": str(finding.outcome)} for finding in assessment.findings],
        "digest": _digest([data["type"], data["rating"], assessment.comment, page]),
    }


def _stored(feedback: Feedback) -> Receipt | None:
    found = Feedback.objects.filter(source=feedback.source, external_id=feedback.external_id).first()
    return Receipt(found, feedback.digest, created=False, same=found.digest == feedback.digest) if found else None


def _digest(said: list[Any]) -> str:
    """Of the redacted content, so that nothing can be guessed from it that the row does not say."""
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def _texts(form: FeedbackForm) -> dict[str, list[str]]:
    return {field: [str(text) for text in errors] for field, errors in form.errors.items()}
