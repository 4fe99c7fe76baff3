"""Machine opinions (Analysis), human opinions (Review), where each item stands (QueueItem), and who analyses."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from analyzer import priority
from analyzer.schema import ACTION_MAX
from analyzer.taxonomy import CATEGORY_NAMES, OUTCOME_NAMES, Category, Outcome, Route, Severity
from feedback.choices import FormType
from feedback.ids import new_id
from feedback.models import Feedback

CATEGORY_CHOICES = [(category.value, CATEGORY_NAMES[category]) for category in Category]
SEVERITY_CHOICES = [(severity.value, severity.value.capitalize()) for severity in Severity]
OUTCOME_CHOICES = [(outcome.value, OUTCOME_NAMES[outcome]) for outcome in Outcome]
ROUTE_CHOICES = [(Route.DESK.value, "The desk"), (Route.PEOPLE.value, "Passed on to people")]

# Of what a person writes. A TextField's max_length is checked by forms only, so these carry validators.
TEXT_MAX = 2_000

# By how much the clocks of two machines differ at most. A lease or a claim that ends later than one made now would end
# was given by a clock that was wrong and has been put back since: it does not count.
CLOCKS_DIFFER = timedelta(minutes=1)

# Rank sorts the queue by priority, then by age, in one indexed column: 2**42 milliseconds reach to the year 2109.
_RANK_STEP = 2**42


def rank(priority_points: int, received_at: datetime) -> int:
    """The queue's sort key, ascending: highest priority first, oldest first among equals."""
    return (100 - priority_points) * _RANK_STEP + int(received_at.timestamp() * 1000)


class Heartbeat(models.Model):
    """When a worker last swept: what tells a stopped worker from a quiet day."""

    name = models.CharField(primary_key=True, max_length=40)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%H:%M:%S}"


class AnalyzerVersion(models.Model):
    """One way of analysing: an engine with its prompt, model, weights and thresholds; only its status ever changes."""

    class Engine(models.TextChoices):
        LOCAL = "local", "local"
        LLM = "llm", "llm"
        CASCADE = "cascade", "cascade"

    class Status(models.TextChoices):
        CANDIDATE = "candidate", "candidate"
        ACTIVE = "active", "active"
        RETIRED = "retired", "retired"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.PositiveIntegerField(unique=True)
    engine = models.CharField(max_length=10, choices=Engine)
    origin = models.CharField(max_length=60, help_text="Where it came from: cold-start, local, apo, …")
    status = models.CharField(max_length=10, choices=Status, default=Status.CANDIDATE)
    prompt = models.TextField(blank=True, help_text="What the model is told; empty for the built-in prompt.")
    model = models.CharField(max_length=200, blank=True, help_text="The model's name; empty for TRIAGE_MODEL.")
    weights = models.BinaryField(blank=True, default=b"", help_text="Of the local engine: arrays and JSON, never code.")
    weights_digest = models.CharField(max_length=64, blank=True)
    adapter: models.JSONField[dict[str, Any]] = models.JSONField(
        default=dict, blank=True,
        help_text="What fine-tuning added to a model: its folder, the digest of its files, base model, method, run.",
    )  # fmt: skip
    thresholds: models.JSONField[dict[str, float]] = models.JSONField(
        default=dict, blank=True, help_text="Confidence below which a field says “not sure”."
    )
    calibration: models.JSONField[dict[str, Any]] = models.JSONField(
        default=dict, blank=True, help_text="How confidence was calibrated: on what, n, ECE."
    )
    metrics: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    created_at = models.DateTimeField(default=timezone.now)
    activated_at = models.DateTimeField(null=True, blank=True)
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(
                fields=("status",), condition=Q(status="active"), name="analyzer_one_active_version"
            ),
        )

    def __str__(self) -> str:
        return f"v{self.number} {self.engine} ({self.origin})"


class Analysis(models.Model):
    """One machine opinion of one item; append-only. QueueItem.analysis names the one that counts now."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    feedback = models.ForeignKey(Feedback, on_delete=models.CASCADE, related_name="analyses")
    version = models.ForeignKey(AnalyzerVersion, on_delete=models.PROTECT, related_name="analyses")
    request = models.PositiveIntegerField(
        default=1,
        help_text="Which request for an analysis this answers; a repeated task cannot answer twice.",
    )
    created_at = models.DateTimeField(default=timezone.now)
    category = models.CharField(max_length=20, choices=CATEGORY_CHOICES)
    severity = models.CharField(max_length=10, choices=SEVERITY_CHOICES)
    action = models.CharField(max_length=ACTION_MAX)
    priority = models.PositiveSmallIntegerField(validators=[MinValueValidator(0), MaxValueValidator(100)])
    priority_reasons: models.JSONField[list[dict[str, Any]]] = models.JSONField(default=list)
    category_confidence = models.FloatField()
    severity_confidence = models.FloatField()
    category_probabilities: models.JSONField[dict[str, float]] = models.JSONField(default=dict)
    severity_probabilities: models.JSONField[dict[str, float]] = models.JSONField(default=dict)
    evidence: models.JSONField[list[str]] = models.JSONField(default=list)
    findings: models.JSONField[list[dict[str, str]]] = models.JSONField(default=list)
    needs_person = models.BooleanField(default=False, help_text="The action is one that only a person may decide.")
    route = models.CharField(max_length=10, choices=ROUTE_CHOICES, default=Route.DESK.value)
    engine = models.CharField(max_length=10, help_text="Which engine answered in the end.")
    fallback_reason = models.CharField(max_length=300, blank=True, help_text="Why not the engine that was asked first.")
    quality: models.JSONField[dict[str, float]] = models.JSONField(default=dict)
    duration_ms = models.FloatField(default=0.0)
    usage: models.JSONField[dict[str, int]] = models.JSONField(default=dict)
    trace: models.JSONField[list[dict[str, Any]]] = models.JSONField(
        default=list, help_text="The rollout's spans: what the agent emitted, in order."
    )

    class Meta:
        verbose_name_plural = "analyses"
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(fields=("feedback", "request"), name="analyzer_request_answered_once"),
            models.CheckConstraint(condition=Q(priority__gte=0, priority__lte=100), name="analyzer_priority_range"),
            models.CheckConstraint(
                condition=Q(category_confidence__gte=0, category_confidence__lte=1),
                name="analyzer_confidence_range",
            ),
        )

    def __str__(self) -> str:
        return f"{self.category}/{self.severity} by v{self.version_id and self.version.number}"


class ReviewQuerySet(models.QuerySet["Review"]):
    def one_by_one(self) -> ReviewQuerySet:
        """Decisions that somebody made by looking at one item, newest first, by the index of time.

        In force or not: that is for who reads them to see by the item's review. As a condition it makes PostgreSQL
        expect a single row, and sort all decisions to find it.
        """
        alone = self.filter(
            provenance__in=(Review.Provenance.VALIDATED, Review.Provenance.OVERRIDDEN),
            undone_at=None,
            # All of them; the bound is there for SQLite, which else does not see that the index by time is the one.
            created_at__lte=timezone.now(),
        )
        return alone.order_by("-created_at")


class Review(models.Model):
    """One human opinion about one analysis; append-only. QueueItem.review names the one that counts now."""

    class Role(models.TextChoices):
        """What the opinion was asked for; a second one never counts, it only agrees or not."""

        FIRST = "first", "decision"
        SECOND = "second", "second opinion"
        ADJUDICATION = "adjudication", "adjudication"

    class Provenance(models.TextChoices):
        VALIDATED = "validated", "validated"
        OVERRIDDEN = "overridden", "overridden"
        BULK = "bulk", "accepted in bulk"
        IMPORTED = "imported", "imported"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    feedback = models.ForeignKey(Feedback, on_delete=models.CASCADE, related_name="reviews")
    analysis = models.ForeignKey(
        Analysis, null=True, blank=True, on_delete=models.CASCADE, related_name="reviews",
        help_text="What the person saw; empty for an imported label that came before any analysis.",
    )  # fmt: skip
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews")
    role = models.CharField(max_length=12, choices=Role, default=Role.FIRST)
    provenance = models.CharField(max_length=12, choices=Provenance)
    created_at = models.DateTimeField(default=timezone.now)
    # Empty and null mean: not judged. An imported label may know the category only.
    category = models.CharField(max_length=20, choices=CATEGORY_CHOICES)
    severity = models.CharField(max_length=10, choices=SEVERITY_CHOICES, blank=True)
    action = models.CharField(max_length=ACTION_MAX, blank=True)
    priority = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    reasons: models.JSONField[dict[str, str]] = models.JSONField(
        default=dict, blank=True, help_text="Why a field was overridden, by field."
    )
    note = models.TextField(blank=True, validators=[MaxLengthValidator(TEXT_MAX)])
    reward: models.JSONField[dict[str, float]] = models.JSONField(
        default=dict, blank=True, help_text="Per judged field and total; empty without an analysis."
    )
    reward_total = models.FloatField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True, help_text="From seeing the item to deciding, where known.")
    suggestion_visible = models.BooleanField(default=True)
    batch = models.UUIDField(null=True, blank=True, db_index=True, help_text="Decisions made together.")
    replaces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.RESTRICT, related_name="replaced_by_set",
        help_text="The decision that counted before this one, which undoing brings back; of a second opinion: the "
        "decision it is about.",
    )  # fmt: skip
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=("reviewer", "-created_at"), name="analyzer_review_by_person"),
            models.Index(fields=("created_at",), name="analyzer_review_time"),
            models.Index(fields=("role", "-created_at"), name="analyzer_review_role"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(reward_total__isnull=True) | Q(reward_total__gte=0, reward_total__lte=1),
                name="analyzer_reward_range",
            ),
        )
        permissions = (("adjudicate_review", "Can settle decisions that two people disagree about"),)

    def __str__(self) -> str:
        return f"{self.provenance} as {self.category}/{self.severity or '-'} by {self.reviewer}"


# What the list is filtered by, beside status and category.
FILTERED = (
    *(
        "received_at",
        "synthetic",
        "severity",
        "type",
        "rating",
        "flagged",
        "held",
        "needs_person",
        "fallback",
        "unsure",
        "edited",
    ),
    *("provenance", "decided_by", "outcome"),
)


class QueueItemQuerySet(models.QuerySet["QueueItem"]):
    def queue(self) -> QueueItemQuerySet:
        """What needs a decision, most important first; one index serves filter and order."""
        return self.filter(status=QueueItem.Status.OPEN).order_by("rank")

    def real(self) -> QueueItemQuerySet:
        """Without what was made up for the demo. Written as IN, since SQLite serves NOT column from no index."""
        return self.filter(synthetic__in=(False,))

    def unfinished(self) -> QueueItemQuerySet:
        """Items whose analysis is outstanding or was cut off."""
        return self.filter(stage__in=(QueueItem.Stage.PENDING, QueueItem.Stage.RUNNING))


class ReportGroup(models.Model):
    """Reports that say nearly the same, counted in one row: a count in each member's would make all of them wait.

    A group that lost all members but one stays, since more copies may come.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    size = models.PositiveIntegerField(help_text="How many members there are.")

    def __str__(self) -> str:
        return f"{self.size} reports like {self.id}"


class QueueItem(models.Model):
    """Where one feedback stands: a projection of its newest Analysis and Review that the queue is read from.

    The only mutable row of the desk; everything in it but the work state can be rebuilt from the append-only rows.
    """

    class Stage(models.TextChoices):
        """How far the machine is."""

        PENDING = "pending", "waiting for analysis"
        RUNNING = "running", "being analysed"
        DONE = "done", "analysed"
        FAILED = "failed", "analysis failed"

    class Status(models.TextChoices):
        """How far people are."""

        OPEN = "open", "needs a decision"
        DECIDED = "decided", "decided"

    class Second(models.TextChoices):
        """Where the second opinion stands; wanted on an open item: somebody did not know and asked for another."""

        NONE = "", "not wanted"
        WANTED = "wanted", "wanted"
        AGREED = "agreed", "both agree"
        DISPUTED = "disputed", "they disagree"
        SETTLED = "settled", "settled"

    feedback = models.OneToOneField(Feedback, primary_key=True, on_delete=models.CASCADE, related_name="queue_item")
    # Copied from the feedback, the analysis and the decision that count, so that the queue, its filters and its figures
    # read one table: looked up row by row elsewhere, a filter that few of a million items match takes many seconds.
    received_at = models.DateTimeField()
    synthetic = models.BooleanField(default=False)
    type = models.CharField(max_length=20, choices=FormType, blank=True)
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    held = models.BooleanField(default=False, help_text="Governance held it for a person.")
    needs_person = models.BooleanField(default=False, help_text="The suggested action is only a person's to decide.")
    fallback = models.BooleanField(default=False, help_text="Another engine answered than the one that was asked.")
    unsure = models.BooleanField(default=False, help_text="The machine is not sure of the category or the severity.")
    edited = models.BooleanField(default=False, help_text="What was said was changed after the decision that counts.")
    provenance = models.CharField(max_length=12, choices=Review.Provenance, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.PENDING)
    request = models.PositiveIntegerField(default=1, help_text="Counts requests for an analysis of this item.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Of the current request.")
    lease_until = models.DateTimeField(null=True, blank=True, help_text="When a running analysis counts as cut off.")
    queued_at = models.DateTimeField(default=timezone.now)
    error = models.CharField(max_length=500, blank=True)
    analysis = models.ForeignKey(Analysis, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    review = models.ForeignKey(Review, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    # What counts now: the person's word, else the machine's.
    category = models.CharField(max_length=20, choices=CATEGORY_CHOICES, blank=True)
    severity = models.CharField(max_length=10, choices=SEVERITY_CHOICES, blank=True)
    priority = models.PositiveSmallIntegerField(default=priority.UNKNOWN)
    rank = models.BigIntegerField()
    flagged = models.BooleanField(default=False, help_text="Something about it rules out any automatic acceptance.")
    group = models.ForeignKey(
        ReportGroup,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_column="group",
        db_index=False,
    )
    # A claim is advice to others, never a lock: nobody is handed the item meanwhile, but anybody may decide it.
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    claimed_until = models.DateTimeField(null=True, blank=True)
    second = models.CharField(max_length=10, choices=Second, blank=True, default=Second.NONE)
    # What came of it; only decided items have an outcome.
    outcome = models.CharField(max_length=15, choices=OUTCOME_CHOICES, blank=True)
    duplicate_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="duplicates"
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = QueueItemQuerySet.as_manager()

    class Meta:
        verbose_name = "item"
        verbose_name_plural = "queue"
        indexes = (
            # Everything that the list is filtered by, so that any filter is answered while walking in the list's order.
            models.Index(fields=("status", "rank", *FILTERED), name="analyzer_queue"),
            models.Index(fields=("rank",), name="analyzer_queue_all"),
            models.Index(fields=("status", "category", "rank"), name="analyzer_queue_category"),
            models.Index(fields=("status", "severity", "rank"), name="analyzer_queue_severity"),
            models.Index(fields=("stage", "queued_at"), name="analyzer_stage"),
            models.Index(fields=("status", "stage", "rank"), name="analyzer_queue_ready"),
            models.Index(fields=("status", "synthetic", "severity", "received_at"), name="analyzer_queue_age"),
            models.Index(fields=("second", "rank"), name="analyzer_second"),
            models.Index(fields=("group", "status"), name="analyzer_group"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(priority__gte=0, priority__lte=100), name="analyzer_item_priority"),
            models.CheckConstraint(
                condition=Q(outcome="") | Q(status="decided", closed_at__isnull=False),
                name="analyzer_closed_is_decided",
            ),
        )

    def __str__(self) -> str:
        return f"{self.category or 'not analysed'}: {self.feedback}"

    @property
    def similar(self) -> int:
        """Other reports that say nearly the same; a query when the group was not selected with the item."""
        return 0 if self.group is None else max(0, self.group.size - 1)

    @property
    def age(self) -> timedelta:
        return timezone.now() - self.received_at

    @property
    def due_at(self) -> datetime | None:
        """By when somebody should have decided; None while the severity is not known."""
        hours = settings.TARGET_HOURS.get(self.severity)
        return None if hours is None else self.received_at + timedelta(hours=hours)

    @property
    def overdue(self) -> bool:
        """Whether it still waits although its target has passed."""
        due = self.due_at
        return self.status == self.Status.OPEN and due is not None and due < timezone.now()

    @property
    def claimed(self) -> bool:
        """Whether somebody has it open now; a claim that has run out is none."""
        if self.claimed_by_id is None or self.claimed_until is None:
            return False
        left = self.claimed_until - timezone.now()
        return timedelta(0) < left <= timedelta(minutes=settings.CLAIM_MINUTES) + CLOCKS_DIFFER


class Event(models.Model):
    """Something people did with an item beside deciding it; append-only."""

    class Kind(models.TextChoices):
        NOTE = "note", "wrote a note"
        TAKE_OVER = "take-over", "took it over"
        SECOND_WANTED = "second-wanted", "asked for a second opinion"
        SECOND_WITHDRAWN = "second-withdrawn", "needs no second opinion any more"
        OUTCOME = "outcome", "closed it"
        OUTCOME_UNDONE = "outcome-undone", "took the outcome back"
        REOPENED = "reopened", "reopened it"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    feedback = models.ForeignKey(Feedback, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=20, choices=Kind)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    text = models.TextField(blank=True, validators=[MaxLengthValidator(TEXT_MAX)])
    value: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("-at",)
        indexes = (models.Index(fields=("kind", "-at"), name="analyzer_event_kind"),)

    def __str__(self) -> str:
        return f"{self.by} {self.get_kind_display()}"


class Aside(models.Model):
    """An item that somebody does not want to be handed next: skipped for now, or passed on to others for good."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    feedback = models.ForeignKey(Feedback, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    passed_on = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "feedback"), name="analyzer_aside_once"),)

    def __str__(self) -> str:
        return f"{self.feedback_id} {'passed on' if self.passed_on else 'skipped'} by {self.user}"


class Fingerprint(models.Model):
    """Eight numbers of a comment, of which near-copies are likely to share one; see analyzer.similar."""

    feedback = models.OneToOneField(Feedback, primary_key=True, on_delete=models.CASCADE, related_name="+")
    band_1 = models.BigIntegerField(db_index=True)
    band_2 = models.BigIntegerField(db_index=True)
    band_3 = models.BigIntegerField(db_index=True)
    band_4 = models.BigIntegerField(db_index=True)
    band_5 = models.BigIntegerField(db_index=True)
    band_6 = models.BigIntegerField(db_index=True)
    band_7 = models.BigIntegerField(db_index=True)
    band_8 = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return f"of {self.feedback_id}"


class DeskPreference(models.Model):
    """How one person likes to work in the focus view; nobody needs a row to work."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="desk_preference"
    )
    keys = models.BooleanField("keyboard shortcuts", default=True)
    suggestion = models.BooleanField("show the suggestion before I decide", default=True)

    def __str__(self) -> str:
        return f"preferences of {self.user}"


class SavedView(models.Model):
    """Filters of the queue under a name: one person's own, or everybody's where a manager shares them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=500, help_text="Filters as the list's own address writes them.")
    shared = models.BooleanField(default=False)

    class Meta:
        ordering = ("-shared", "name")
        constraints = (models.UniqueConstraint(fields=("owner", "name"), name="analyzer_view_name_once"),)
        permissions = (("share_savedview", "Can show a saved view to everybody"),)

    def __str__(self) -> str:
        return self.name
