"""What stays after a project, and whether it did what it promised."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.lib.models import Public, Stamped
from engagements.models import MaintenanceOwner
from projects.models.projects import Project


class ProjectArtefact(Public, Stamped):
    """Something a project leaves behind. What a single request leaves is engagements.Artefact."""

    version = models.PositiveIntegerField(default=1, editable=False)
    project = models.ForeignKey(Project, models.PROTECT, related_name="artefacts")
    name = models.CharField(max_length=200)
    url = models.URLField(max_length=500, blank=True)
    # Empty: nobody yet, and that stands in the way of delivering.
    maintained_by = models.CharField(max_length=8, choices=MaintenanceOwner.choices, blank=True)
    # The person who knows it.
    keeper = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    depends_on_server_version = models.BooleanField(default=False)
    review_on = models.DateField(null=True, blank=True)
    # No longer in use.
    retired_on = models.DateField(null=True, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="projects_artefact_has_a_name")
        ]

    def __str__(self) -> str:
        return self.name


class ProjectCheck(Public):
    """A look, days after the close: seats promised against realised."""

    class Verdict(models.TextChoices):
        ACHIEVED = "achieved", "Achieved"
        PARTLY = "partly", "Partly"
        MISSED = "missed", "Missed"

    project = models.ForeignKey(Project, models.CASCADE, related_name="checks")
    days = models.PositiveSmallIntegerField()
    due_on = models.DateField()
    # Sums over its accounts, where known: promised when it was closed, deployed before the work
    # and when somebody looked.
    seats_promised = models.BigIntegerField(null=True)
    seats_before = models.BigIntegerField(null=True)
    seats_found = models.BigIntegerField(null=True)
    verdict = models.CharField(max_length=8, choices=Verdict.choices, blank=True)
    note = models.TextField(blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "days"], name="projects_check_one_a_day"),
            models.CheckConstraint(
                condition=Q(verdict="") | Q(done_at__isnull=False),
                name="projects_verdict_when_done",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project_id} after {self.days} days"
