"""The one definition of an acceptable submission, whichever way it comes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import RegexValidator

from feedback.choices import FormType
from feedback.models import COMMENT_MAX, PAGE_MAX, TITLE_MAX

RATINGS = [(5, "5, very good"), (4, "4, good"), (3, "3, so-so"), (2, "2, poor"), (1, "1, very poor")]


class FeedbackForm(forms.Form):
    """Type, rating, comment and page; a submission must carry a rating or a comment, else there is nothing to read."""

    type = forms.ChoiceField(
        label="What is it about?",
        choices=[("", "Choose…"), *FormType.choices],
        required=False,
        error_messages={"invalid_choice": "“%(value)s” is not a type; use one of: " + ", ".join(FormType.values) + "."},
    )
    rating = forms.TypedChoiceField(
        label="How would you rate this page?",
        choices=RATINGS,
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "A rating is a whole number from 1 to 5."},
    )
    comment = forms.CharField(
        label="What would you like to tell us?",
        required=False,
        max_length=COMMENT_MAX,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={
            "max_length": "The comment has %(show_value)d characters; please shorten it to %(limit_value)d.",
            "null_characters_not_allowed": "The comment contains characters that are not text.",
        },
    )
    page = forms.CharField(required=False, widget=forms.HiddenInput)
    page_title = forms.CharField(required=False, widget=forms.HiddenInput)
    viewport = forms.CharField(
        required=False,
        max_length=20,
        widget=forms.HiddenInput,
        validators=[RegexValidator(r"^\d{1,5}x\d{1,5}$", "The viewport is written as 1280x800.")],
    )

    def clean_page(self) -> str:
        # Where a long address is cut matters to nobody; refusing the comment for it would lose what was said.
        return str(self.cleaned_data["page"])[:PAGE_MAX]

    def clean_page_title(self) -> str:
        return str(self.cleaned_data["page_title"])[:TITLE_MAX]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if "comment" in data and "rating" in data and not data["comment"] and data["rating"] is None:
            self.add_error("comment", "Please write a comment or choose a rating.")
        return data
