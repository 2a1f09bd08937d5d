"""Files that brought facts in; each fact names the one that last changed it."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from config.lib.models import Public


class Import(Public):
    """One applied file: what it was, how it was read, and what it changed."""

    class Kind(models.TextChoices):
        ACCOUNTS = "accounts", "Accounts"
        SUBSCRIPTIONS = "subscriptions", "Subscriptions"
        INSTANCES = "instances", "Instances"
        SEAT_READINGS = "seat-readings", "Seat readings"
        CONTACTS = "contacts", "Contacts"
        ASSIGNMENTS = "assignments", "Assignments"
        EXCHANGE_RATES = "exchange-rates", "Exchange rates"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    source = models.CharField(max_length=60)
    filename = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    # The mapping as read, in full, so that the import can be understood years later.
    mapping = models.JSONField(default=dict)
    rows = models.PositiveIntegerField()
    creates = models.PositiveIntegerField()
    updates = models.PositiveIntegerField()
    unchanged = models.PositiveIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    applied_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["kind", "source", "-applied_at"], name="accounts_import_latest")
        ]

    def __str__(self) -> str:
        return f"{self.kind} from {self.filename}"
