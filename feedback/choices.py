"""The closed sets a submission is described with."""

from __future__ import annotations

from django.db import models


class FormType(models.TextChoices):
    BUG = "bug", "Something is broken"
    TECHNICAL_QUESTION = "technical_question", "A technical question"
    FEATURE = "feature", "An idea or a wish"
    GENERAL = "general", "General feedback"
    RESEARCH = "research", "Research"
    COMMERCIAL = "commercial", "A business matter"


class ComplianceOutcome(models.TextChoices):
    ACCEPT = "accept", "accepted"
    FLAG = "flag", "flagged"
    HOLD = "hold", "held for a person"
    # A refusal is answered at once and never stored; the word is here because findings use it.
    REFUSE = "refuse", "refused"
