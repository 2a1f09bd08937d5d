"""Who looks after what is built, and the three sides that agree to it before work starts."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.lib.models import Public, Stamped
from engagements.models import MaintenanceOwner
from projects.models.projects import Project


class SupportPlan(Public, Stamped):
    """What is signed is its content; a sign-off of other content is none."""

    class Mode(models.TextChoices):
        TEAM = "team", "Deployment Engineering supports it"
        CUSTOMER = "customer", "No support: the customer owns, maintains and hosts it"
        OFFICIAL = "official", "Official support by Product and Engineering"

    version = models.PositiveIntegerField(default=1, editable=False)
    project = models.OneToOneField(Project, models.CASCADE, related_name="support_plan")
    mode = models.CharField(max_length=8, choices=Mode.choices)
    maintained_by = models.CharField(max_length=8, choices=MaintenanceOwner.choices)
    depends_on_server_version = models.BooleanField(default=False)
    text = models.TextField()
    # Of all that is signed: see rules/support.py.
    digest = models.CharField(max_length=64)
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    # Official support is asked of Product leadership, and approved before the start.
    official_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    official_at = models.DateTimeField(null=True)
    # The content that was approved.
    official_digest = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"support plan of {self.project_id}"


class SupportSignOff(Public):
    """One side's answer to one content of a plan. Never edited."""

    APPEND_ONLY = True

    class Side(models.TextChoices):
        ENGINEERING = "engineering", "Engineering"
        SUPPORT = "support", "Support"
        PRODUCT = "product", "Product"

    plan = models.ForeignKey(SupportPlan, models.PROTECT, related_name="sign_offs")
    side = models.CharField(max_length=11, choices=Side.choices)
    agrees = models.BooleanField()
    note = models.TextField(blank=True)
    digest = models.CharField(max_length=64)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(agrees=True) | ~Q(note=""), name="projects_support_rejected_with_note"
            )
        ]

    def __str__(self) -> str:
        return f"{self.side} on {self.plan_id}"
