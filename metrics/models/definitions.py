"""Definitions of numbers, the changes proposed to them, and what they are wanted to be."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from config.lib.models import Public


class MetricDefinition(Public):
    """One version of the rule behind a number. A change is a new version, never an edit."""

    APPEND_ONLY = True
    UPDATABLE_COLUMNS = ("number", "valid_from", "valid_to")

    class Unit(models.TextChoices):
        SHARE = "share", "Share"
        COUNT = "count", "Count"
        DURATION = "duration", "Duration"
        MONEY = "money", "Money"

    slug = models.SlugField(max_length=60)
    # Null: on trial, for a back-test; nobody sees its runs as the number.
    number = models.PositiveSmallIntegerField(null=True)
    # Which rule reads the policy: several numbers may share one. See metrics.rules.
    rule = models.SlugField(max_length=60)
    title = models.CharField(max_length=120)
    unit = models.CharField(max_length=8, choices=Unit.choices)
    # Markdown, shown on the definition page as it stands.
    text = models.TextField()
    # The parameters of the rules: rules.Policy.
    policy = models.JSONField(default=dict)
    owner = models.CharField(max_length=120, default="Metric owner")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slug", "number"], name="metrics_definition_one"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")),
                name="metrics_definition_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug} v{self.number}" if self.number else f"{self.slug} on trial"


class MetricTarget(Public):
    """What leadership wants the number to be, and by when; the newest one stands."""

    slug = models.SlugField(max_length=60)
    # A share from 0 to 1, a count, an amount, or hours.
    value = models.DecimalField(max_digits=24, decimal_places=6)
    # The number should not be above it, where less is better.
    at_most = models.BooleanField(default=False)
    by_day = models.DateField(null=True, blank=True)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    set_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(value__gte=0), name="metrics_target_from_0"),
        ]

    def __str__(self) -> str:
        return f"{self.slug} {self.value}"
