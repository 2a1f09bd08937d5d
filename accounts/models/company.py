"""The company that runs Keel, and the policy it sets by date: tiers and exchange rates."""

from django.db import models
from django.db.models import F, Q

from accounts.models.base import NOT_NAN, Fact, currency_field, is_currency, money_field
from config.lib.versions import version_of


class Company(Fact):
    """The one row of settings that change what a day and an amount mean."""

    name = models.CharField(max_length=200, default="Our company")
    time_zone = models.CharField(max_length=64, default="UTC")
    reporting_currency = currency_field(default="USD")
    is_only = models.BooleanField(default=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_only"], name="accounts_company_only_one"),
            models.CheckConstraint(condition=Q(is_only=True), name="accounts_company_is_only"),
            is_currency("accounts_company", "reporting_currency"),
        ]

    def __str__(self) -> str:
        return self.name


class Tier(Fact):
    """A named ARR band from a day on, with its engagement model.

    An account is in the tier with the highest `arr_from` that its ARR reaches.
    """

    name = models.CharField(max_length=60)
    arr_from = money_field()
    engagement_model = models.CharField(max_length=200, blank=True)
    cadence_days = models.PositiveSmallIntegerField(null=True, blank=True)
    most_accounts_per_tam = models.PositiveSmallIntegerField(null=True, blank=True)
    project_mandatory = models.BooleanField(default=False)
    start = models.DateField()
    end = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "start"], name="accounts_tier_one_per_start"),
            models.UniqueConstraint(
                fields=["arr_from", "start"], name="accounts_tier_one_band_per_start"
            ),
            models.CheckConstraint(
                condition=Q(arr_from__gte=0) & Q(arr_from__lt=NOT_NAN),
                name="accounts_tier_arr_from_is_an_amount",
            ),
            models.CheckConstraint(
                condition=Q(end=None) | Q(end__gt=F("start")), name="accounts_tier_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ExchangeRate(Fact):
    """Units of the reporting currency for one unit of `currency`, from a day on."""

    currency = currency_field()
    on = models.DateField()
    rate = models.DecimalField(max_digits=20, decimal_places=10)
    last_import = models.ForeignKey(
        "accounts.Import", models.SET_NULL, null=True, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["currency", "on"], name="accounts_rate_one_per_day"),
            models.CheckConstraint(
                condition=Q(rate__gt=0) & Q(rate__lt=1_000_000_000),
                name="accounts_rate_is_positive",
            ),
            is_currency("accounts_rate", "currency"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.on}"


CompanyVersion = version_of(Company)
TierVersion = version_of(Tier)
ExchangeRateVersion = version_of(ExchangeRate)
