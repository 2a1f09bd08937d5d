"""How an account fares: parts and weights as policy, a score of each night, overrides."""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from accounts.models import Account
from config.lib.models import Public, Stamped
from metrics.models.runs import MetricRun


class HealthPolicy(Public, Stamped):
    """Parts, weights and bands, from a day on. Rows are not edited once their day has come."""

    version = models.PositiveIntegerField(default=1, editable=False)
    number = models.PositiveSmallIntegerField(unique=True)
    start = models.DateField(unique=True)
    owner = models.CharField(max_length=120, default="Metric owner")
    note = models.TextField(blank=True)
    # {"code", "weight", ...parameters}: metrics.rules.health.
    parts = models.JSONField()
    # The lowest points of each band, best first.
    bands = models.JSONField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"health policy {self.number}"


class HealthNight(Public):
    """A day of which every customer's health was said, from the rows of its run. Said once."""

    APPEND_ONLY = True

    day = models.DateField(unique=True)
    run = models.ForeignKey(MetricRun, models.PROTECT, related_name="+")
    policy = models.ForeignKey(HealthPolicy, models.PROTECT, related_name="+")
    accounts = models.BigIntegerField()
    changed = models.BigIntegerField()
    computed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"health of {self.day}"


class HealthRow(models.Model):
    """What the nights said of an account, from a day up to, not including, another."""

    APPEND_ONLY = True
    UPDATABLE_COLUMNS = ("to_day",)

    account = models.ForeignKey(
        Account, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    from_day = models.DateField()
    to_day = models.DateField(null=True)
    policy = models.ForeignKey(HealthPolicy, models.PROTECT, related_name="+", db_index=False)
    # From 0 to 100; null: no part is known.
    score = models.DecimalField(max_digits=4, decimal_places=1, null=True)
    # The share of the weights that is known.
    known = models.DecimalField(max_digits=4, decimal_places=3)
    band = models.CharField(max_length=20, blank=True)
    # By part: {"state", "value", "points", "share", "told"}: metrics.services.health.
    parts = models.JSONField()
    # Of the facts it was made from: the same ones need not be judged again.
    digest = models.BigIntegerField(default=0)
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "from_day"], name="metrics_health_one_per_start"
            ),
            models.UniqueConstraint(
                fields=["account"], condition=Q(to_day=None), name="metrics_health_one_open"
            ),
            models.CheckConstraint(
                condition=Q(to_day=None) | Q(to_day__gt=F("from_day")),
                name="metrics_health_ends_after_start",
            ),
        ]
        indexes = [
            # The list of today, worst first, and the rows of a day that is past.
            models.Index(
                fields=["score", "id"], condition=Q(to_day=None), name="metrics_health_worst"
            ),
            BrinIndex(fields=["from_day"], name="metrics_health_by_start"),
            BrinIndex(fields=["to_day"], name="metrics_health_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} from {self.from_day}: {self.score}"


class HealthOverride(Public):
    """An owner's word against the score: a band, why, and until when."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    band = models.CharField(max_length=20)
    reason = models.TextField()
    # The last day it stands.
    until = models.DateField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(ended_at=None),
                name="metrics_health_one_override",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""), name="metrics_health_override_has_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return self.band
