"""What an account bought, where it runs, and how many seats are in use there."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models.account import Account
from accounts.models.base import (
    NOT_NAN,
    SourcedFact,
    currency_field,
    ends_after_start,
    is_currency,
    money_field,
    one_per_source,
)
from config.lib.versions import KnowledgeTime, version_of

MOST_SEATS = 2_147_483_647


class Subscription(SourcedFact):
    """One licence or contract line. `end` is the first day not covered."""

    class Kind(models.TextChoices):
        PAID = "paid", "Paid"
        TRIAL = "trial", "Trial"
        POC = "poc", "Proof of concept"

    account = models.ForeignKey(Account, models.PROTECT, related_name="subscriptions")
    product = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=5, choices=Kind.choices, default=Kind.PAID)
    seats = models.IntegerField(null=True, blank=True)
    unlimited = models.BooleanField(default=False)
    arr = money_field(null=True, blank=True)
    tcv = money_field(null=True, blank=True)
    currency = currency_field(default="USD")
    start = models.DateField()
    end = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            *one_per_source("accounts_subscription"),
            is_currency("accounts_subscription", "currency"),
            ends_after_start("accounts_subscription"),
            models.CheckConstraint(
                condition=Q(kind__in=["paid", "trial", "poc"]),
                name="accounts_subscription_kind_is_known",
            ),
            models.CheckConstraint(
                condition=Q(seats=None) | Q(seats__gte=0), name="accounts_subscription_seats_from_0"
            ),
            models.CheckConstraint(
                condition=Q(arr=None) | Q(tcv=None), name="accounts_subscription_arr_or_tcv"
            ),
            models.CheckConstraint(
                condition=Q(tcv=None) | Q(end__isnull=False),
                name="accounts_subscription_tcv_needs_an_end",
            ),
            *[
                models.CheckConstraint(
                    condition=Q(**{name: None})
                    | (Q(**{f"{name}__gte": 0}) & Q(**{f"{name}__lt": NOT_NAN})),
                    name=f"accounts_subscription_{name}_is_an_amount",
                )
                for name in ("arr", "tcv")
            ],
        ]
        indexes = [
            models.Index(fields=["start"], name="accounts_sub_by_start"),
            models.Index(fields=["end"], name="accounts_sub_by_end"),
        ]

    def __str__(self) -> str:
        return self.product or f"{self.source} {self.external_id}"


class Instance(SourcedFact):
    """One deployment of the product at an account; `counted` says whether its seats count."""

    DEFAULT = "default"

    account = models.ForeignKey(Account, models.PROTECT, related_name="instances")
    name = models.CharField(max_length=200)
    environment = models.CharField(max_length=60, default="production")
    counted = models.BooleanField(default=True)
    # Where readings go that name no instance; made when the first of them arrives.
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = [
            *one_per_source("accounts_instance"),
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(is_default=True),
                name="accounts_instance_one_default",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SeatReading(models.Model):
    """Active seats of one instance at a moment, from a source. Partitioned by month.

    Append only: a correction closes the row (`known_to`) and adds another with the same
    instance, moment and source.
    """

    APPEND_ONLY = True
    UPDATABLE_COLUMNS = ("known_to",)

    pk = models.CompositePrimaryKey("instance_id", "observed_at", "source", "known_from")
    # The import checks instances set-wise; a foreign key would make COPY four times slower.
    instance = models.ForeignKey(
        Instance, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="readings"
    )
    observed_at = models.DateTimeField()
    source = models.CharField(max_length=60)
    known_from = models.DateTimeField(db_default=KnowledgeTime())
    known_to = models.DateTimeField(null=True)
    seats = models.IntegerField()
    monthly_active = models.IntegerField(null=True)
    note = models.CharField(max_length=500, blank=True, db_default="")
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    last_import = models.ForeignKey(
        "accounts.Import",
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["instance", "observed_at", "source"],
                condition=Q(known_to=None),
                name="accounts_reading_one_known",
            ),
            models.CheckConstraint(condition=Q(seats__gte=0), name="accounts_reading_seats_from_0"),
            models.CheckConstraint(
                condition=Q(monthly_active=None) | Q(monthly_active__gte=0),
                name="accounts_reading_monthly_active_from_0",
            ),
            models.CheckConstraint(
                condition=Q(known_to=None) | Q(known_to__gt=F("known_from")),
                name="accounts_reading_known_to_after_from",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seats} seats at {self.observed_at}"


SubscriptionVersion = version_of(Subscription)
InstanceVersion = version_of(Instance)
