"""What was done, with evidence, and who looks after it from then on."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.lib.models import Public
from engagements.models.conversation import Attachment
from engagements.models.requests import ServiceRequest


class MaintenanceOwner(models.TextChoices):
    DE = "de", "Deployment Engineering"
    TAM = "tam", "TAM"
    RD = "rd", "R&D"
    VENDOR = "vendor", "A vendor"
    CUSTOMER = "customer", "The customer"


class Tick(Public):
    """One deliverable of the SOW that is done, and what shows it."""

    request = models.ForeignKey(ServiceRequest, models.CASCADE, related_name="ticks")
    # Deliverable.key in the SOW's content: stays the same from version to version.
    key = models.CharField(max_length=12)
    evidence = models.TextField()
    url = models.URLField(max_length=500, blank=True)
    attachment = models.ForeignKey(Attachment, models.PROTECT, null=True, related_name="+")
    done_on = models.DateField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "key"], name="engagements_tick_one_each")
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.request_id}"


class Artefact(Public):
    """Something that stays: a script, a plugin, a runbook; with an owner for maintenance."""

    request = models.ForeignKey(ServiceRequest, models.CASCADE, related_name="artefacts")
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
            models.CheckConstraint(condition=~Q(name=""), name="engagements_artefact_has_a_name")
        ]

    def __str__(self) -> str:
        return self.name


class RollOut(Public):
    """That what was built is in use at the customer."""

    request = models.OneToOneField(ServiceRequest, models.CASCADE, related_name="roll_out")
    note = models.TextField()
    done_on = models.DateField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"roll-out of {self.request_id}"
