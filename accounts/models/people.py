"""The people of an account: ours who are assigned to it, and the customer's."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from accounts.models.account import Account
from accounts.models.base import Fact, SourcedFact, ends_after_start, one_per_source
from config.lib.versions import version_of


class Contact(SourcedFact):
    """A person at the customer."""

    PERSONAL = frozenset({"name", "email", "title"})

    account = models.ForeignKey(Account, models.PROTECT, related_name="contacts")
    name = models.CharField(max_length=200)
    email = models.EmailField(max_length=254, blank=True)
    title = models.CharField(max_length=120, blank=True)
    roles = ArrayField(models.CharField(max_length=40), default=list, blank=True)

    class Meta:
        constraints = one_per_source("accounts_contact")
        indexes = [models.Index(fields=["name", "id"], name="accounts_contact_by_name")]

    def __str__(self) -> str:
        return self.name


class Assignment(Fact):
    """A person's role on an account; `end` is the first day it no longer holds."""

    class Role(models.TextChoices):
        TAM = "TAM", "TAM"
        CSM = "CSM", "CSM"
        AE = "AE", "Account executive"
        SA = "SA", "Solution architect"
        IE = "IE", "Implementation engineer"
        DE = "DE", "Deployment engineer"
        CRE = "CRE", "Customer reliability engineer"

    account = models.ForeignKey(Account, models.PROTECT, related_name="assignments")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="assignments")
    role = models.CharField(max_length=3, choices=Role.choices)
    primary = models.BooleanField(default=True)
    start = models.DateField()
    end = models.DateField(null=True, blank=True)
    last_import = models.ForeignKey(
        "accounts.Import", models.SET_NULL, null=True, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "user", "role", "start"],
                name="accounts_assignment_one_per_start",
            ),
            ends_after_start("accounts_assignment"),
            models.CheckConstraint(
                condition=Q(role__in=["TAM", "CSM", "AE", "SA", "IE", "DE", "CRE"]),
                name="accounts_assignment_role_is_known",
            ),
            ExclusionConstraint(
                name="accounts_assignment_one_primary",
                expressions=[
                    ("account", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    (
                        Func(
                            F("start"),
                            F("end"),
                            function="daterange",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(primary=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.user_id} on {self.account_id}"


ContactVersion = version_of(Contact)
AssignmentVersion = version_of(Assignment)
