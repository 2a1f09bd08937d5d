"""When a number has to be looked at, and when it was."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from config.lib.models import Public, Stamped
from metrics.models.runs import MetricRun


class AlertRule(Public, Stamped):
    """A condition on a number, asked after each published run."""

    class Kind(models.TextChoices):
        ABOVE = "above", "Is above"
        BELOW = "below", "Is below"
        ROSE = "rose", "Rose by at least"
        FELL = "fell", "Fell by at least"
        COVERAGE_FELL = "coverage_fell", "Coverage fell by at least"

    version = models.PositiveIntegerField(default=1, editable=False)
    slug = models.SlugField(max_length=60)
    kind = models.CharField(max_length=13, choices=Kind.choices)
    # In the unit of the number; shares and coverage as shares, so 0.05 is five points.
    value = models.DecimalField(max_digits=24, decimal_places=6)
    # Changes are from so many days before.
    days = models.PositiveSmallIntegerField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)
    # Codes of people.models.Role.
    tells = ArrayField(models.CharField(max_length=30), default=list)
    is_active = models.BooleanField(default=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["above", "below"], days=None)
                | Q(kind__in=["rose", "fell", "coverage_fell"], days__gte=1, days__lte=366),
                name="metrics_alert_rule_days_for_changes",
            ),
            models.CheckConstraint(condition=Q(value__gte=0), name="metrics_alert_rule_from_0"),
        ]

    def __str__(self) -> str:
        return f"{self.slug} {self.kind} {self.value}"


class Alert(Public, Stamped):
    """A rule that holds: one is open at a time, however many runs say so again.

    `state` is written by events.workflow only.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        SNOOZED = "snoozed", "Snoozed"
        OVER = "over", "Over"

    version = models.PositiveIntegerField(default=1, editable=False)
    state = models.CharField(max_length=7, choices=State.choices, default="open")
    rule = models.ForeignKey(AlertRule, models.PROTECT, related_name="alerts")
    # The run that raised it, and the newest one that it was asked of.
    raised_by = models.ForeignKey(MetricRun, models.PROTECT, related_name="+")
    last_run = models.ForeignKey(MetricRun, models.PROTECT, related_name="+")
    # What was true then and is now, in a sentence.
    said = models.TextField()
    says = models.TextField()
    raised_at = models.DateTimeField()
    snoozed_until = models.DateField(null=True, blank=True)
    over_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rule"], condition=~Q(state="over"), name="metrics_alert_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(state="snoozed") | Q(snoozed_until__isnull=False),
                name="metrics_alert_snoozed_until",
            ),
        ]
        indexes = [models.Index(fields=["-raised_at", "-id"], name="metrics_alert_newest")]

    def __str__(self) -> str:
        return self.says
