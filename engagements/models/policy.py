"""What the company decides by date: how strong a sign-off must be, how fast we are, our hours."""

import calendar
import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models.base import currency_field, money_field
from config.lib.models import Public, Stamped
from engagements.models.requests import Impact, ServiceRequest
from engagements.models.signoffs import SignOff

STRENGTHS = ("verbal", "written", "link", "esigned")


class Dated(Public, Stamped):
    """A row of policy: from a day on, up to, not including, another."""

    version = models.PositiveIntegerField(default=1, editable=False)
    start = models.DateField()
    end = models.DateField(null=True, blank=True)
    owner = models.CharField(max_length=120, default="DE lead")

    class Meta:
        abstract = True


class SignOffPolicy(Dated):
    """How links work, from a day on."""

    link_days = models.PositiveSmallIntegerField(default=14)
    # Days before the end at which the customer is reminded, once.
    remind_days = models.PositiveSmallIntegerField(default=3)
    needs_code = models.BooleanField(default=False)
    # Most days that Work at Risk may last.
    risk_days = models.PositiveSmallIntegerField(default=14)
    keep_years = models.PositiveSmallIntegerField(default=7)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["start"], name="engagements_policy_one_per_start")
        ]

    def __str__(self) -> str:
        return f"sign-off from {self.start}"


class SignOffMinimum(Dated):
    """How strong a sign-off must be at least; of all rows that match, the strongest stands."""

    # Matches where the SOW's amount is at least this.
    amount_from = money_field(default=0)
    currency = currency_field(default="USD")
    # Matches where the impact is this or better; null: whatever the impact.
    impact = models.PositiveSmallIntegerField(null=True, blank=True, choices=Impact.choices)
    strength = models.CharField(
        max_length=8, choices=[(way, SignOff.Way(way).label) for way in STRENGTHS]
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(strength__in=STRENGTHS), name="engagements_minimum_strength_is_known"
            ),
            models.CheckConstraint(
                condition=Q(end=None) | Q(end__gt=F("start")),
                name="engagements_minimum_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.strength} from {self.amount_from}"


class ServiceLevel(Dated):
    """How soon something must have happened, in business hours."""

    class Clock(models.TextChoices):
        ROUTED = "routed", "Submitted to routed"
        # DE's part of the way to the customer's answer.
        TRIAGED = "triaged", "Signed off to triaged"
        DELIVERED = "delivered", "Started to delivered"

    clock = models.CharField(max_length=9, choices=Clock.choices)
    # Null: whatever the impact.
    impact = models.PositiveSmallIntegerField(null=True, blank=True, choices=Impact.choices)
    hours = models.DecimalField(max_digits=7, decimal_places=2)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(hours__gt=0), name="engagements_level_takes_time"),
            models.CheckConstraint(
                condition=Q(end=None) | Q(end__gt=F("start")),
                name="engagements_level_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.clock} within {self.hours} hours"

    @property
    def time(self) -> dt.timedelta:
        return dt.timedelta(seconds=int(self.hours * 3600))


class LevelNote(Public, Stamped):
    """Why a clock of a request was missed, in the words of a lead."""

    request = models.ForeignKey(ServiceRequest, models.CASCADE, related_name="level_notes")
    clock = models.CharField(max_length=9, choices=ServiceLevel.Clock.choices)
    text = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "clock"], name="engagements_levelnote_one_a_clock"
            )
        ]

    def __str__(self) -> str:
        return self.text


class BusinessHours(models.Model):
    """When the company works on one day of the week, in its time zone; without a row it is off.

    The rows of one `since` are a whole week, in force until the next.
    """

    since = models.DateField(default=dt.date(2000, 1, 1))
    # 0 is Monday.
    weekday = models.PositiveSmallIntegerField()
    opens = models.TimeField()
    closes = models.TimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["since", "weekday"], name="engagements_hours_one_a_weekday"
            ),
            models.CheckConstraint(
                condition=Q(weekday__range=(0, 6)) & Q(closes__gt=F("opens")),
                name="engagements_hours_are_a_span",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day_name} {self.opens} to {self.closes}"

    @property
    def day_name(self) -> str:
        return calendar.day_name[self.weekday]


class Holiday(Public):
    """A day on which nobody is expected to work."""

    day = models.DateField(unique=True)
    name = models.CharField(max_length=120)

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class ReasonCode(Public):
    """Why a request was declined, cancelled or held: the words people choose from."""

    class Kind(models.TextChoices):
        DECLINE = "decline", "Decline"
        CANCEL = "cancel", "Cancel"
        HOLD = "hold", "Hold"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    code = models.SlugField(max_length=40)
    label = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "code"], name="engagements_reason_one_code")
        ]

    def __str__(self) -> str:
        return self.label
