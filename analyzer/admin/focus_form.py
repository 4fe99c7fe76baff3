"""What the card of the focus view sends: the fields of a decision with reasons as chips, and when it was shown."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django import forms
from django.core import signing
from django.core.exceptions import BadRequest

from analyzer.admin.decision_form import FIELDS, DecisionForm
from analyzer.models import Analysis

REASONS: Final = {
    "category": ("wrong area", "misread", "new topic", "PII"),
    "severity": ("too severe", "not severe enough", "misread", "PII"),
    "action": ("misread", "new topic", "PII"),
    "priority": ("too severe", "not severe enough", "new topic"),
}
# A page that was left open for longer says nothing about how long the decision took.
LONGEST_LOOK: Final = 3_600.0
_SALT: Final = "analyzer.focus.shown"


class ReasonsField(forms.MultipleChoiceField):
    """Chips of which any number may be pressed; kept as one text. What is not a chip is left out, never refused."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, what: str) -> None:
        self.reasons = REASONS[what]
        super().__init__(
            label=f"Why another {what}? (optional)",
            required=False,
            choices=[(reason, reason) for reason in self.reasons],
        )

    def clean(self, value: Any) -> str:
        chosen = set(super().to_python(value))
        return ", ".join(reason for reason in self.reasons if reason in chosen)


class FocusForm(DecisionForm):
    """The full decision with reasons as chips. With labels_only nothing is filled in for the person."""

    def __init__(self, analysis: Analysis, data: Any = None, *, labels_only: bool = False) -> None:
        super().__init__(analysis, None, data)
        for name in FIELDS:
            if labels_only:
                del self.fields[f"{name}_reason"]
            else:
                self.fields[f"{name}_reason"] = ReasonsField(name)
        if labels_only:
            self.initial = {}
            for name in FIELDS[2:]:
                del self.fields[name]
            for name in FIELDS[:2]:
                self.fields[name].error_messages["required"] = f"Please choose a {name}."

    @property
    def meant(self) -> str:
        """The field that the person chose by hand though it stayed as the machine had it; empty without JavaScript."""
        return "severity" if self.data.get("meant") == "severity" else ""

    def overridden(self) -> dict[str, Any]:
        """Beside what differs, the severity that was named with another category: it does not follow from that."""
        found = super().overridden()
        return found | {"severity": self.cleaned_data["severity"]} if self.meant and "category" in found else found


@dataclass(frozen=True, slots=True)
class Shown:
    """What the server knows of a page that it sent: which item, when, and whether the suggestion could be seen.

    Signed, so that decision times and blindness cannot be made up in the browser.
    """

    item: UUID
    visible: bool
    at: float

    @classmethod
    def now(cls, item: UUID, *, visible: bool) -> Shown:
        return cls(item, visible, time.time())

    @property
    def written(self) -> str:
        """As a hidden field carries it."""
        return signing.dumps([str(self.item), self.visible, self.at], salt=_SALT)

    @classmethod
    def read(cls, text: str, item: UUID) -> Shown:
        """Raises BadRequest for what was not signed here for this item."""
        try:
            key, visible, at = signing.loads(text, salt=_SALT)
        except signing.BadSignature as error:
            raise BadRequest("The page did not say when the item was shown.") from error
        if key != str(item):
            raise BadRequest("The page was that of another item.")
        return cls(item, visible, at)

    @property
    def seconds(self) -> float | None:
        """From showing until now; None when the page was left open."""
        passed = time.time() - self.at
        return round(passed, 2) if 0 <= passed <= LONGEST_LOOK else None
