"""The full form on an item's page: every field, each with an optional reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import normalize_newlines

from analyzer.models import CATEGORY_CHOICES, SEVERITY_CHOICES, TEXT_MAX, Analysis, Review
from analyzer.schema import ACTION_MAX

FIELDS = ("category", "severity", "action", "priority")
REASON_MAX = 200


class LinesField(forms.CharField):
    """A text of several lines. Browsers send a line end as two characters, and count it as one against the limit."""

    def to_python(self, value: Any) -> str:
        return str(super().to_python(normalize_newlines(value) if isinstance(value, str) else value))


def _reason(what: str) -> forms.CharField:
    return forms.CharField(label=f"Why another {what}? (optional)", required=False, max_length=REASON_MAX)


class DecisionForm(forms.Form):
    """What a person says of an item. Starts with what counts now; only what differs from the machine is an override."""

    category = forms.ChoiceField(choices=CATEGORY_CHOICES, widget=forms.RadioSelect)
    category_reason = _reason("category")
    severity = forms.ChoiceField(choices=SEVERITY_CHOICES, widget=forms.RadioSelect)
    severity_reason = _reason("severity")
    action = LinesField(
        label="Suggested action",
        required=False,
        max_length=ACTION_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    action_reason = _reason("action")
    priority = forms.IntegerField(
        min_value=0,
        max_value=100,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), "A whole number from 0 to 100."),
        help_text="0 to 100. Left as it is, it follows from the severity and the category.",
    )
    priority_reason = _reason("priority")
    note = LinesField(
        label="Note (optional)", required=False, max_length=TEXT_MAX, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, analysis: Analysis, review: Review | None, data: Any = None) -> None:
        initial = {name: getattr(analysis, name) for name in FIELDS}
        if review:
            initial |= {name: value for name in FIELDS if (value := getattr(review, name)) not in ("", None)}
        # Without the browser's own limits: our messages stand beside the field and say what to do.
        super().__init__(data, initial=initial, label_suffix="", use_required_attribute=False)
        self.analysis = analysis

    def overridden(self) -> dict[str, Any]:
        """The fields that differ from the machine's, as reviews.override takes them."""
        given = {name: self.cleaned_data[name] for name in FIELDS if name in self.fields}
        return {name: value for name, value in given.items() if value != getattr(self.analysis, name)}

    def reasons(self) -> dict[str, str]:
        """Why, for the fields that were overridden."""
        given = {name: self.cleaned_data.get(f"{name}_reason", "").strip() for name in self.overridden()}
        return {name: text for name, text in given.items() if text}
