"""Slots of work and who is on what in them."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.lib.models import Public, Stamped
from config.lib.versions import version_of
from projects.models.projects import Project


class Team(Public, Stamped):
    version = models.PositiveIntegerField(default=1, editable=False)
    name = models.CharField(max_length=120, unique=True)
    # How long its increments are by default.
    weeks = models.PositiveSmallIntegerField(default=2, choices=[(1, "1 week"), (2, "2 weeks")])
    archived = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="projects_team_has_a_name"),
            models.CheckConstraint(condition=Q(weeks__in=[1, 2]), name="projects_team_weeks"),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(Public):
    """A person's part in a team, from a day on."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    # Days of project work in a week of five working days.
    days_a_week = models.DecimalField(max_digits=2, decimal_places=1, default=4)
    start = models.DateField()
    # The first day not covered; null: open.
    end = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(days_a_week__gt=0, days_a_week__lte=5),
                name="projects_membership_days_a_week",
            ),
            models.CheckConstraint(
                condition=Q(end=None) | Q(end__gt=F("start")),
                name="projects_membership_ends_after_start",
            ),
            models.UniqueConstraint(
                fields=["team", "person"],
                condition=Q(end=None),
                name="projects_membership_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.team_id}"

    @property
    def last(self) -> dt.date | None:
        """The last day covered, as people say it."""
        return self.end and self.end - dt.timedelta(days=1)


class Increment(Public, Stamped):
    """A one- or two-week slot of a team. `end` is its last day."""

    version = models.PositiveIntegerField(default=1, editable=False)
    team = models.ForeignKey(Team, models.PROTECT, related_name="increments")
    name = models.CharField(max_length=60)
    start = models.DateField()
    end = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "start"], name="projects_increment_one_start"),
            models.CheckConstraint(
                condition=Q(end__gte=F("start")) & Q(end__lte=F("start") + dt.timedelta(days=13)),
                name="projects_increment_two_weeks_at_most",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Allocation(Public):
    """Days of a person for a project in an increment: pencilled in (soft) or promised (hard)."""

    increment = models.ForeignKey(Increment, models.CASCADE, related_name="allocations")
    project = models.ForeignKey(Project, models.CASCADE, related_name="allocations")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    days = models.DecimalField(max_digits=4, decimal_places=1)
    is_hard = models.BooleanField(default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["increment", "project", "person"], name="projects_allocation_one_each"
            ),
            models.CheckConstraint(
                condition=Q(days__gt=0, days__lte=14), name="projects_allocation_days"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} on {self.project_id}"


class PreEmption(Public):
    """Work that was stopped for other work, and what that costs."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="pre_emptions")
    by_project = models.ForeignKey(Project, models.PROTECT, related_name="+")
    # Days lost by stopping and taking up again, as told by who decided.
    cost_days = models.DecimalField(max_digits=4, decimal_places=1)
    reason = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    resumed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(cost_days__gte=0), name="projects_pre_emption_costs_no_less_than_0"
            )
        ]

    def __str__(self) -> str:
        return f"{self.by_project_id} before {self.project_id}"


IncrementVersion = version_of(Increment, ("name", "start", "end"))
