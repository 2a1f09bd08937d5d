"""A customer company and the narrow row of what is true of it now."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from accounts.models.base import SourcedFact, currency_field, is_currency, one_per_source
from accounts.models.company import Tier
from config.lib.versions import version_of


class Account(SourcedFact):
    """A company we sell to. Two accounts may share a name, never an external id of one source."""

    class Status(models.TextChoices):
        PROSPECT = "prospect", "Prospect"
        CUSTOMER = "customer", "Customer"
        CHURNED = "churned", "Churned"

    name = models.CharField(max_length=200)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.CUSTOMER)
    # The first day it is no customer any more.
    churned_on = models.DateField(null=True, blank=True)
    internal = models.BooleanField(default=False)
    archived = models.BooleanField(default=False)
    region = models.CharField(max_length=60, blank=True)
    segment = models.CharField(max_length=60, blank=True)
    currency = currency_field(default="USD")
    strategic = models.BooleanField(default=False)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )

    class Meta:
        constraints = [
            *one_per_source("accounts_account"),
            is_currency("accounts_account", "currency"),
            models.CheckConstraint(
                condition=Q(status__in=["prospect", "customer", "churned"]),
                name="accounts_account_status_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(status="churned") | Q(churned_on__isnull=False),
                name="accounts_account_churned_has_its_day",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="accounts_account_has_a_name"),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=F("id")), name="accounts_account_no_own_parent"
            ),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="accounts_account_by_name"),
            models.Index(fields=["region", "name", "id"], name="accounts_account_by_region"),
            models.Index(fields=["-updated_at", "-id"], name="accounts_account_by_update"),
            # Any part of a name or outer id, as config.lib.filters.search_condition asks for it.
            GinIndex(OpClass(Lower("name"), "gin_trgm_ops"), name="accounts_account_name_parts"),
            GinIndex(
                OpClass(Lower("external_id"), "gin_trgm_ops"), name="accounts_account_id_parts"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def number(self) -> str:
        """How people and page addresses name it."""
        return f"ACC-{self.pk}"


class DataState(models.TextChoices):
    """How much of an account's deployed seats can be known on the day."""

    COMPLETE = "complete", "Complete"
    PARTIAL = "partial", "Some instances have no usable reading"
    STALE = "stale", "Every reading is stale"
    NO_READING = "no_reading", "No reading yet"
    NO_INSTANCE = "no_instance", "No counted instance"


class AccountFacts(models.Model):
    """What is true of an account today, as the current definition sees it.

    Written by the metrics app through services.record_current_facts, only where something
    differs: no timestamps here, or every night would rewrite every row.
    """

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="facts")
    # Null: unknown, for the reason given.
    arr = models.DecimalField(max_digits=24, decimal_places=6, null=True)
    reason = models.CharField(max_length=24, blank=True)
    licensed = models.BigIntegerField(default=0)
    unlimited = models.BooleanField(default=False)
    # Null: no usable reading.
    deployed = models.BigIntegerField(null=True)
    # Billions of seats on one licence are nonsense, and no reason to fail.
    share = models.DecimalField(max_digits=24, decimal_places=6, null=True)
    seats_to_go = models.BigIntegerField(null=True)
    data_state = models.CharField(max_length=12, choices=DataState.choices)
    eligible = models.BooleanField(default=False)
    # Null: unknown, or not eligible.
    passes = models.BooleanField(null=True)
    renewal_on = models.DateField(null=True)
    tier = models.ForeignKey(
        Tier, models.SET_NULL, null=True, related_name="+", db_constraint=False, db_index=False
    )
    tam = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )

    class Meta:
        db_table = "accounts_account_facts"
        # What lists sort by and nights seldom change. No index on seats or share: with one, the
        # nightly update would rewrite the index as well as the row.
        indexes = [
            models.Index(fields=["arr", "account"], name="accounts_facts_by_arr"),
            models.Index(fields=["renewal_on", "account"], name="accounts_facts_by_renewal"),
        ]

    def __str__(self) -> str:
        return f"facts of {self.account_id}"


AccountVersion = version_of(Account)
