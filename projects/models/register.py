"""All that stays, of requests and of projects, as one table to read."""

from django.conf import settings
from django.db import models

from engagements.models import MaintenanceOwner, ServiceRequest
from projects.models.projects import Project


class KeptArtefact(models.Model):
    """A row of engagements.Artefact or of ProjectArtefact: of either a request or a project."""

    uuid = models.UUIDField()
    request = models.ForeignKey(
        ServiceRequest, models.DO_NOTHING, null=True, db_constraint=False, related_name="+"
    )
    project = models.ForeignKey(
        Project, models.DO_NOTHING, null=True, db_constraint=False, related_name="+"
    )
    name = models.CharField(max_length=200)
    url = models.URLField(max_length=500)
    maintained_by = models.CharField(max_length=8, choices=MaintenanceOwner.choices)
    keeper = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        related_name="+",
    )
    depends_on_server_version = models.BooleanField()
    review_on = models.DateField(null=True)
    retired_on = models.DateField(null=True)
    at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "projects_kept_artefacts"

    def __str__(self) -> str:
        return self.name

    @property
    def of(self) -> str:
        """Return the number of what it came from."""
        return f"PRJ-{self.project_id}" if self.project_id else f"REQ-{self.request_id}"

    @property
    def title(self) -> str:
        return str(self.project or self.request)
