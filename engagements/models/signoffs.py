"""Evidence that a customer agreed to exactly one frozen version, and the links it came by."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Contact
from config.lib.models import Public, Stamped
from engagements.models.requests import ServiceRequest
from engagements.models.sows import SowVersion


class Delivery(Public):
    """What was handed over, as the customer is asked to accept it. Never changes."""

    request = models.ForeignKey(ServiceRequest, models.CASCADE, related_name="deliveries")
    number = models.PositiveSmallIntegerField()
    sow = models.ForeignKey(SowVersion, models.PROTECT, null=True, related_name="+")
    # engagements.rules.delivery.Report as JSON, and the SHA-256 of its canonical bytes.
    content = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    # The day after which silence is acceptance; null: the SOW does not say so.
    deemed_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "number"], name="engagements_delivery_one_number"
            )
        ]

    def __str__(self) -> str:
        return f"delivery {self.number} of {self.request_id}"


class SignOff(Public, Stamped):
    """A customer's answer to one version. `state` is written by events.workflow only.

    Whether it is live is worked out: it is, while the request's current SOW has its `digest`.
    """

    PERSONAL = frozenset({"party_name", "party_title", "party_email", "ip", "user_agent"})

    class Way(models.TextChoices):
        VERBAL = "verbal", "Said so"
        WRITTEN = "written", "In writing"
        LINK = "link", "By the emailed link"
        ESIGNED = "esigned", "Electronically signed"
        # Of deliveries only: nobody answered within the days the SOW gives.
        DEEMED = "deemed", "By silence, as agreed"

    class State(models.TextChoices):
        RECORDED = "recorded", "Waits for a second person"
        AGREED = "agreed", "Agreed"
        REJECTED = "rejected", "Asked for a change"
        OBJECTED = "objected", "Objected"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Purpose(models.TextChoices):
        SOW = "sow", "Statement of work"
        DELIVERY = "delivery", "Delivery"

    version = models.PositiveIntegerField(default=1, editable=False)
    state = models.CharField(max_length=9, choices=State.choices, default="recorded")
    request = models.ForeignKey(ServiceRequest, models.CASCADE, related_name="sign_offs")
    purpose = models.CharField(max_length=8, choices=Purpose.choices)
    sow = models.ForeignKey(SowVersion, models.PROTECT, null=True, related_name="sign_offs")
    delivery = models.ForeignKey(Delivery, models.PROTECT, null=True, related_name="sign_offs")
    # Of what was shown.
    digest = models.CharField(max_length=64)
    way = models.CharField(max_length=8, choices=Way.choices)
    contact = models.ForeignKey(Contact, models.PROTECT, null=True, related_name="+")
    party_name = models.CharField(max_length=200, blank=True)
    party_title = models.CharField(max_length=120, blank=True)
    party_email = models.CharField(max_length=254, blank=True)
    # When the customer said it; for a verbal one, of the conversation.
    answered_at = models.DateTimeField(null=True)
    # What was understood, who heard it; or what should change.
    note = models.TextField(blank=True)
    rating = models.PositiveSmallIntegerField(null=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    recorded_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True)
    objection = models.TextField(blank=True)
    objected_at = models.DateTimeField(null=True)
    link = models.OneToOneField("SignOffLink", models.PROTECT, null=True, related_name="answer")
    # Whether the signer proved the mailbox by a code.
    code_checked = models.BooleanField(default=False)
    ip = models.CharField(max_length=45, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    # By which anybody who holds the receipt can check it.
    receipt = models.CharField(max_length=24, unique=True, null=True)  # noqa: DJ001 unique
    # Where it stands in the log.
    event_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose="sow", sow__isnull=False, delivery=None)
                | Q(purpose="delivery", delivery__isnull=False, sow=None),
                name="engagements_signoff_of_one_thing",
            ),
            models.UniqueConstraint(
                fields=["sow", "way"],
                condition=Q(state__in=["recorded", "agreed"], purpose="sow"),
                name="engagements_signoff_one_per_version",
            ),
            models.UniqueConstraint(
                fields=["delivery"],
                condition=Q(state="agreed", purpose="delivery"),
                name="engagements_signoff_one_per_delivery",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None)
                | Q(recorded_by=None)
                | ~Q(confirmed_by=F("recorded_by")),
                name="engagements_signoff_confirmed_by_a_second",
            ),
            models.CheckConstraint(
                condition=~Q(way="verbal", state="agreed") | Q(confirmed_by__isnull=False),
                name="engagements_signoff_verbal_is_confirmed",
            ),
            models.CheckConstraint(
                condition=~Q(digest=""), name="engagements_signoff_knows_what_was_shown"
            ),
        ]

    def __str__(self) -> str:
        return f"sign-off {self.pk} of {self.request_id}"

    @property
    def account_id(self) -> int | None:
        return self.request.account_id


class SignOffLink(Public):
    """A link for one contact, one purpose and one version. Only a digest of it is kept."""

    PERSONAL = frozenset({"sent_to"})

    class Purpose(models.TextChoices):
        SOW = "sow", "Answer a statement of work"
        DELIVERY = "delivery", "Accept a delivery"
        OBJECTION = "objection", "Object to what was understood"

    request = models.ForeignKey(ServiceRequest, models.CASCADE, related_name="links_sent")
    purpose = models.CharField(max_length=9, choices=Purpose.choices)
    sow = models.ForeignKey(SowVersion, models.PROTECT, null=True, related_name="links")
    delivery = models.ForeignKey(Delivery, models.PROTECT, null=True, related_name="links")
    objects_to = models.ForeignKey(
        SignOff, models.PROTECT, null=True, related_name="objection_links"
    )
    contact = models.ForeignKey(Contact, models.PROTECT, related_name="+")
    # The address it was made for, as it was then.
    sent_to = models.CharField(max_length=254)
    pepper_id = models.CharField(max_length=16)
    token_digest = models.BinaryField(max_length=32, unique=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    # Null while it is held back: the contact's address was changed within the last day.
    mailed_at = models.DateTimeField(null=True)
    # When the address was changed, where that was less than a day before the link was made.
    address_changed_at = models.DateTimeField(null=True)
    # The second person who said that the new address is the right one.
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    used_at = models.DateTimeField(null=True)
    # A code sent to the mailbox, where the policy asks for one.
    needs_code = models.BooleanField(default=False)
    code_digest = models.BinaryField(max_length=32, null=True)
    code_expires_at = models.DateTimeField(null=True)
    code_tries = models.PositiveSmallIntegerField(default=0)
    # Too many wrong codes: no more answer by this link.
    suspended_at = models.DateTimeField(null=True)
    # The customer asked for a new one after it had expired.
    renewal_asked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")),
                name="engagements_link_expires_after_creation",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("created_by")),
                name="engagements_link_confirmed_by_a_second",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=Q(used_at=None, revoked_at=None),
                name="engagements_link_open",
            )
        ]

    def __str__(self) -> str:
        return f"link {self.pk} of {self.request_id}"


class CustomerQuestion(Public):
    """What a customer asked by the link instead of answering."""

    PERSONAL = frozenset({"text"})

    link = models.ForeignKey(SignOffLink, models.CASCADE, related_name="questions")
    text = models.TextField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"question {self.pk}"


class WorkAtRisk(Public, Stamped):
    """A leader's time-limited permission to start without a live sign-off.

    `state` is written by events.workflow only.
    """

    class State(models.TextChoices):
        ASKED = "asked", "Asked for"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"
        ENDED = "ended", "Ended"

    version = models.PositiveIntegerField(default=1, editable=False)
    state = models.CharField(max_length=9, choices=State.choices, default="asked")
    request = models.ForeignKey(ServiceRequest, models.CASCADE, related_name="risks")
    reason = models.TextField()
    # What is lost if the customer does not agree in the end: in words and in days of work.
    exposure = models.TextField()
    exposure_days = models.DecimalField(max_digits=6, decimal_places=1)
    expires_on = models.DateField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)
    ended_at = models.DateTimeField(null=True)
    # signed, expired, withdrawn, request_over.
    end_code = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request"],
                condition=Q(state__in=["asked", "approved"]),
                name="engagements_risk_one_open",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")),
                name="engagements_risk_decided_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"Work at Risk {self.pk} of {self.request_id}"

    @property
    def account_id(self) -> int | None:
        return self.request.account_id
