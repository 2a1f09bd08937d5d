"""Changes proposed to a definition, and what they would have come to."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.lib.models import Public, Stamped
from metrics.models.definitions import MetricDefinition


class DefinitionProposal(Public, Stamped):
    """A definition as somebody would have it; `state` is written by events.workflow only.

    A `slug` that no definition has yet makes a second number beside the one it starts from.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        PROPOSED = "proposed", "Proposed"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        WITHDRAWN = "withdrawn", "Withdrawn"

    version = models.PositiveIntegerField(default=1, editable=False)
    state = models.CharField(max_length=9, choices=State.choices, default="draft")
    # The version it starts from.
    base = models.ForeignKey(MetricDefinition, models.PROTECT, related_name="+")
    slug = models.SlugField(max_length=60)
    title = models.CharField(max_length=120)
    text = models.TextField()
    policy = models.JSONField(default=dict)
    owner = models.CharField(max_length=120)
    effective_on = models.DateField()
    why = models.TextField(blank=True)

    # What was back-tested and what came of it: metrics.services.backtests.
    trial = models.ForeignKey(MetricDefinition, models.PROTECT, null=True, related_name="+")

    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    # The version that it became.
    made = models.OneToOneField(
        MetricDefinition, models.PROTECT, null=True, related_name="proposal"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by")),
                name="metrics_proposal_decided_by_a_second",
            ),
            models.CheckConstraint(
                condition=Q(state="approved", made__isnull=False)
                | (~Q(state="approved") & Q(made=None)),
                name="metrics_proposal_approved_makes_one",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def number(self) -> str:
        return f"DEF-{self.pk}"


class Backtest(Public):
    """A proposal's content computed for the days of the ledger, one after the other.

    The row is the truth; the task that works on it may be lost and is found again by its heartbeat.
    """

    class Progress(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"

    proposal = models.ForeignKey(DefinitionProposal, models.CASCADE, related_name="backtests")
    trial = models.ForeignKey(MetricDefinition, models.PROTECT, related_name="backtests")
    # Of the proposal's slug, policy and base: another content needs another back-test.
    digest = models.CharField(max_length=64)
    first_day = models.DateField()
    last_day = models.DateField()
    # Up to and with this day it is computed.
    done_to = models.DateField(null=True)
    progress = models.CharField(max_length=7, choices=Progress.choices, default="waiting")
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")), name="metrics_backtest_has_days"
            ),
            models.UniqueConstraint(
                fields=["proposal"],
                condition=Q(progress__in=["waiting", "running"]),
                name="metrics_backtest_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.proposal_id}: {self.progress}"
