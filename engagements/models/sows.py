"""Statements of work: what is delivered, by whom, by when; version by version."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.lib.models import Public, Stamped
from engagements.models.requests import RequestType, ServiceRequest


class SowVersion(Public, Stamped):
    """One version of a request's SOW. Once frozen, it never changes: a trigger sees to it.

    `content` is engagements.rules.sow.Content as JSON, and `digest` the SHA-256 of its
    canonical bytes: what is signed is what was hashed. The newest version that was not
    discarded is the current one.
    """

    version = models.PositiveIntegerField(default=1, editable=False)
    request = models.ForeignKey(ServiceRequest, models.CASCADE, related_name="sows")
    number = models.PositiveSmallIntegerField()
    content = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    # The highest number of a deliverable's key given so far: a key never comes back.
    keys_used = models.PositiveIntegerField(default=0)
    # What changed and who asked for it, in a sentence.
    note = models.CharField(max_length=500, blank=True)
    # DE's estimate; not part of what the customer signs.
    effort_days = models.DecimalField(max_digits=6, decimal_places=1, null=True, blank=True)
    # What was typed and is not valid yet, by field.
    typed = models.JSONField(default=dict, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    frozen_at = models.DateTimeField(null=True)
    frozen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    discarded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "engagements_sow"
        constraints = [
            models.UniqueConstraint(
                fields=["request", "number"], name="engagements_sow_one_number"
            ),
            models.UniqueConstraint(
                fields=["request"],
                condition=Q(frozen_at=None, discarded_at=None),
                name="engagements_sow_one_draft",
            ),
            models.CheckConstraint(
                condition=Q(frozen_at=None) | ~Q(digest=""), name="engagements_sow_frozen_is_hashed"
            ),
            models.CheckConstraint(
                condition=Q(frozen_at=None) | Q(discarded_at=None),
                name="engagements_sow_frozen_stays",
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"

    @property
    def is_frozen(self) -> bool:
        return self.frozen_at is not None


class SowTemplate(Public, Stamped):
    """Where a new SOW may start from."""

    version = models.PositiveIntegerField(default=1, editable=False)
    name = models.CharField(max_length=80, unique=True)
    type = models.CharField(max_length=12, choices=RequestType.choices, blank=True)
    # engagements.rules.sow.Content as JSON; dates are days after the start.
    content = models.JSONField(default=dict)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class ChangeRequest(Public, Stamped):
    """A change of a signed SOW. `state` is written by events.workflow only."""

    class State(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"
        AGREED = "agreed", "Agreed by the customer"

    class Kind(models.TextChoices):
        """What it takes: domain.md, section 5, change control."""

        WORDING = "wording", "Text only: the customer accepts the difference"
        LONGER = "longer", "Longer by under two months: written confirmation"
        LARGER = "larger", "More effort or longer: approval and a new sign-off"

    version = models.PositiveIntegerField(default=1, editable=False)
    state = models.CharField(max_length=9, choices=State.choices, default="proposed")
    request = models.ForeignKey(ServiceRequest, models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    # The version the customer agreed to, and the one that takes its place.
    before = models.ForeignKey(SowVersion, models.PROTECT, related_name="+")
    after = models.ForeignKey(SowVersion, models.PROTECT, related_name="+")
    reason = models.TextField()
    asked_by_customer = models.BooleanField(default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["after"], name="engagements_change_one_per_version"),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=models.F("by")),
                name="engagements_change_decided_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"change {self.pk} of {self.request_id}"

    @property
    def account_id(self) -> int | None:
        return self.request.account_id
