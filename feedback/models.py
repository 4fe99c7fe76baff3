"""What people said, redacted, changed by nothing but an edit at its source; and how far mirrors have read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from feedback.choices import ComplianceOutcome, FormType
from feedback.ids import new_id

COMMENT_MAX = 5_000
PAGE_MAX = 500
TITLE_MAX = 200


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    def within_window(self, client_key: str, seconds: int) -> FeedbackQuerySet:
        """What one client sent lately, oldest first: the rate limit counts these rows."""
        # What a clock that was wrong has dated into the future would be counted for hours.
        now = timezone.now()
        since = now - timedelta(seconds=seconds)
        sent = self.filter(client_key=client_key, received_at__gt=since, received_at__lte=now)
        return sent.order_by("received_at")


class Feedback(models.Model):
    """One submission, as it was after governance; the text before redaction is not kept anywhere."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.CharField(max_length=60, help_text="form, api, widget, demo, or the name of an import.")
    external_id = models.CharField(
        max_length=200, null=True, blank=True, help_text="The source's own id, or the API's idempotency key."
    )
    type = models.CharField(max_length=20, choices=FormType, blank=True)
    rating = models.PositiveSmallIntegerField(null=True, blank=True, help_text="1 to 5 stars.")
    comment = models.TextField(max_length=COMMENT_MAX, blank=True)
    page = models.CharField(max_length=PAGE_MAX, blank=True)
    page_title = models.CharField(max_length=TITLE_MAX, blank=True)
    viewport = models.CharField(max_length=20, blank=True, help_text="Width x height in CSS pixels.")
    received_at = models.DateTimeField(default=timezone.now)
    pii: models.JSONField[dict[str, int]] = models.JSONField(
        default=dict, blank=True, help_text="What was redacted, by kind and count."
    )
    sentiment = models.FloatField(null=True, blank=True, help_text="-1 to 1; advisory, English only.")
    compliance = models.CharField(max_length=10, choices=ComplianceOutcome, default=ComplianceOutcome.ACCEPT)
    findings: models.JSONField[list[dict[str, Any]]] = models.JSONField(
        default=list, blank=True, help_text="Compliance rules that fired: rule, outcome, reason."
    )
    client_key = models.CharField(
        max_length=32, blank=True, help_text="A keyed digest of the address that changes every day."
    )
    digest = models.CharField(max_length=64, blank=True, help_text="Of what was sent, to recognise a repeat.")
    synthetic = models.BooleanField(default=False, help_text="Made up for the demo; never counted as real.")
    revised_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When an edit at the source last changed what is said; earlier decisions were about other words.",
    )

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "feedback"
        ordering = ("-received_at",)
        constraints = (
            models.UniqueConstraint(fields=("source", "external_id"), name="feedback_source_id_once"),
            models.CheckConstraint(
                condition=Q(rating__isnull=True) | Q(rating__gte=1, rating__lte=5),
                name="feedback_rating_range",
            ),
        )
        indexes = (
            models.Index(fields=("client_key", "received_at"), name="feedback_client_window"),
            models.Index(fields=("received_at",), name="feedback_received"),
        )

    def __str__(self) -> str:
        return self.comment[:60] or f"{self.rating} stars, no comment"

    def has_finding(self, rule: str) -> bool:
        return any(finding["rule"] == rule for finding in self.findings)


class SyncState(models.Model):
    """How far the mirror of one foreign collection has read; saved in the transaction that stores what was read.

    A pass reads the documents in the order (updatedAt, _id) from cursor to end, then those without an updatedAt.
    """

    source = models.CharField(primary_key=True, max_length=60)
    cursor_at = models.DateTimeField(null=True, blank=True, help_text="updatedAt of the last document read.")
    cursor_id = models.CharField(
        max_length=200, blank=True, help_text="Its _id; empty: documents of that very moment are to be read again."
    )
    undated_id = models.CharField(max_length=200, blank=True, help_text="The same for those without an updatedAt.")
    began_at = models.DateTimeField(null=True, blank=True, help_text="When the unfinished pass began, if there is one.")
    settled_at = models.DateTimeField(
        null=True, blank=True, help_text="Documents changed before this have all been read, late ones too."
    )
    stream_token = models.TextField(blank=True, help_text="Where the change stream goes on.")

    def __str__(self) -> str:
        return f"{self.source} up to {self.cursor_at}"


class SyncProblem(models.Model):
    """A document that could not be taken, until a later version of it can."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.CharField(max_length=60)
    external_id = models.CharField(max_length=200)
    reason = models.CharField(max_length=300)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-seen_at",)
        constraints = (models.UniqueConstraint(fields=("source", "external_id"), name="feedback_problem_once"),)

    def __str__(self) -> str:
        return f"{self.external_id}: {self.reason}"
