"""The ledger of what was computed under the definitions."""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import Account, DataState, Tier
from config.lib.models import Public
from metrics.models.definitions import MetricDefinition

# The reason on the row of an account that a later revision no longer found; never shown.
GONE = "gone"


class MetricRun(Public):
    """One computation of a definition for a day. Never edited: a correction is a revision.

    `known_at` is the moment up to which it knew the facts; `digest` a hash of those it used.
    A held run is no number anybody sees until the metric owner publishes it, which changes
    nothing of what it says.
    """

    APPEND_ONLY = True
    UPDATABLE_COLUMNS = ("status", "published_at", "published_by_id", "publish_reason")

    class Status(models.TextChoices):
        PUBLISHED = "published", "Published"
        HELD = "held", "Held"
        # Of a definition on trial; never published.
        TRIAL = "trial", "On trial"

    definition = models.ForeignKey(MetricDefinition, models.PROTECT, related_name="runs")
    day = models.DateField()
    revision = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PUBLISHED)
    known_at = models.DateTimeField()
    computed_at = models.DateTimeField(db_default=Now(), editable=False)
    digest = models.CharField(max_length=64)
    numerator = models.BigIntegerField(null=True)
    denominator = models.BigIntegerField(null=True)
    unknown = models.BigIntegerField(default=0)
    covered = models.BigIntegerField(default=0)
    oldest_reading = models.DateTimeField(null=True)
    # How many accounts stand outside the ratio, by reason.
    excluded = models.JSONField(default=dict)
    # {"code", "detail"} of what looked wrong beside the last published run.
    held_for = models.JSONField(default=list)
    # Null while it is held.
    published_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    publish_reason = models.TextField(blank=True)
    # How many accounts were judged anew; fewer than all where it was computed from a run before.
    judged = models.BigIntegerField(null=True)
    # What a definition without accounts comes to: a share, a count, or hours of business time.
    value = models.DecimalField(max_digits=24, decimal_places=6, null=True)
    # Its parts, by owner, impact or reason, and what else it says. See rules.request_figures.
    parts = models.JSONField(default=dict)
    # The order-free sum of the hashes of what it knew of each account, as hex.
    inputs_sum = models.CharField(max_length=64, blank=True)
    # How what was known is written down for the hash: selectors.digests.FORMAT. A run goes on
    # only from one of its own format.
    inputs_format = models.PositiveSmallIntegerField(default=1)
    # The run whose rows of accounts it was worked out from; null: it has its own, or none.
    base = models.ForeignKey("self", models.PROTECT, null=True, related_name="derived")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["definition", "day", "revision"], name="metrics_run_one_per_revision"
            ),
            models.CheckConstraint(
                condition=Q(revision__gte=1), name="metrics_run_revision_from_1"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["held", "trial"], published_at=None)
                | Q(status="published", published_at__isnull=False),
                name="metrics_run_held_or_published",
            ),
            models.CheckConstraint(
                condition=Q(denominator=None)
                | (
                    Q(numerator__gte=0)
                    & Q(numerator__lte=F("denominator"))
                    & Q(unknown__lte=F("denominator"))
                    & Q(covered__lte=F("denominator"))
                ),
                name="metrics_run_parts_within_the_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.definition_id} {self.day} r{self.revision}"


class MetricRow(models.Model):
    """What the runs of a layer saw for one account, from a day up to, not including, another.

    `layer` is the revision that wrote it. A run (day, revision) sees for each account the row
    of the highest layer up to its revision that covers the day. Closing `to_day` is the only
    change ever made to a row. See docs/decisions/0002-two-times-and-the-ledger.md.
    """

    APPEND_ONLY = True
    UPDATABLE_COLUMNS = ("to_day",)

    definition = models.ForeignKey(
        MetricDefinition, models.PROTECT, related_name="+", db_index=False
    )
    layer = models.PositiveSmallIntegerField()
    account = models.ForeignKey(
        Account, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    from_day = models.DateField()
    to_day = models.DateField(null=True)
    arr = models.DecimalField(max_digits=24, decimal_places=6, null=True)
    licensed = models.BigIntegerField()
    unlimited = models.BooleanField()
    deployed = models.BigIntegerField(null=True)
    data_state = models.CharField(max_length=12, choices=DataState.choices)
    eligible = models.BooleanField()
    passes = models.BooleanField(null=True)
    reason = models.CharField(max_length=24)
    # Of the same readings as `deployed`; null: not counted for every one of them.
    monthly_active = models.BigIntegerField(null=True)
    # When the first of the running contracts ends, and when the first one ever began.
    renewal_on = models.DateField(null=True)
    customer_since = models.DateField(null=True)
    region = models.CharField(max_length=60, blank=True)
    tier = models.ForeignKey(
        Tier, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    tam = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                # The account first: this is also how its rows are found.
                fields=["account", "definition", "layer", "from_day"],
                name="metrics_row_one_per_start",
            ),
            models.CheckConstraint(
                condition=Q(to_day=None) | Q(to_day__gt=F("from_day")),
                name="metrics_row_ends_after_start",
            ),
        ]
        # Where the rows of one day and of another are not the same ones: selectors.other_rows. Rows
        # are written in the order of their days, mostly; a tree would cost each changed account a
        # sixth more.
        indexes = [
            BrinIndex(fields=["from_day"], name="metrics_row_by_start"),
            models.Index(
                fields=["definition", "layer", "from_day"],
                condition=Q(layer__gt=1),
                name="metrics_row_of_corrections",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} from {self.from_day}"


class FactsRefresh(models.Model):
    """Up to when the current facts of all accounts were brought up to date; one row."""

    definition = models.ForeignKey(MetricDefinition, models.PROTECT, related_name="+")
    day = models.DateField()
    known_at = models.DateTimeField()
    is_only = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(is_only=True), name="metrics_refresh_is_only"),
        ]

    def __str__(self) -> str:
        return f"{self.day}"
