"""What a TAM or CSM asks of Deployment Engineering for an account."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from accounts.models import Account, Contact
from config.lib.models import Public, Stamped


class RequestType(models.TextChoices):
    """What the customer is asking for, in plain words: the first question of intake."""

    ONE_OFF = "one_off", "A one-off script, plugin or integration for this customer"
    NON_STANDARD = "non_standard", "A non-standard deployment or migration"
    CRITICAL = "critical", "A critical problem with a large deployment"
    SUPPORT = "support", "A bug, an outage or a how-to question"
    ONBOARDING = "onboarding", "Standard onboarding, training or data migration"
    LICENCES = "licences", "Licences, renewal or expansion"
    PRODUCT = "product", "A new product feature or a change to one"
    OPPORTUNITY = "opportunity", "An idea for an integration we could offer"
    FEEDBACK = "feedback", "Product feedback or NPS"


class Owner(models.TextChoices):
    """The team a request can belong to."""

    DE = "de", "Deployment Engineering"
    SUPPORT = "support", "Customer Support"
    CSM_TAM = "csm_tam", "CSM or TAM"
    TAM = "tam", "TAM"
    AE = "ae", "Account executive"
    RD = "rd", "R&D Engineering"
    PRODUCT = "product", "Product"


class RequestState(models.TextChoices):
    DRAFT = "draft", "Draft"
    SUBMITTED = "submitted", "Submitted"
    NEEDS_INFO = "needs_info", "Needs information"
    ROUTED_OUT = "routed_out", "Routed"
    SOW_DRAFTING = "sow_drafting", "Writing the SOW"
    AWAITING_SIGNOFF = "awaiting_signoff", "Waiting for sign-off"
    SIGNED_OFF = "signed_off", "Signed off"
    TRIAGED = "triaged", "Triaged"
    SCHEDULED = "scheduled", "Scheduled"
    IN_PROGRESS = "in_progress", "In progress"
    ON_HOLD = "on_hold", "On hold"
    DELIVERED = "delivered", "Delivered"
    ACCEPTED = "accepted", "Accepted"
    CLOSED = "closed", "Closed"
    DECLINED = "declined", "Declined"
    CANCELLED = "cancelled", "Cancelled"


class Impact(models.IntegerChoices):
    """1 is best; people read the words. domain.md, section 5."""

    HIGHEST = 1, "Highest"
    HIGH = 2, "High"
    MEDIUM = 3, "Medium"
    LOW = 4, "Low"


class Effort(models.TextChoices):
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"
    VERY_HIGH = "very_high", "Very high"


class Confidence(models.TextChoices):
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"


OPEN_STATES = frozenset(RequestState) - {
    RequestState.ROUTED_OUT,
    RequestState.CLOSED,
    RequestState.DECLINED,
    RequestState.CANCELLED,
}


class ServiceRequest(Public, Stamped):
    """The record that travels from draft to closed. `state` is written by events.workflow only."""

    class Came(models.TextChoices):
        FORM = "form", "Form"
        API = "api", "API"
        EMAIL = "email", "E-mail"
        CHAT = "chat", "Chat"

    version = models.PositiveIntegerField(default=1, editable=False)
    state = models.CharField(max_length=16, choices=RequestState.choices, default="draft")
    # Null only in a draft.
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, related_name="requests"
    )
    filed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="filed_requests"
    )
    title = models.CharField(max_length=200, blank=True)
    type = models.CharField(max_length=12, choices=RequestType.choices, blank=True)

    # The facts the router asks for; null: not answered.
    standard_environment = models.BooleanField(null=True)
    inside_product = models.BooleanField(null=True)
    licence_matter = models.BooleanField(null=True)
    critical = models.BooleanField(null=True)
    over_one_day = models.BooleanField(null=True)
    escalated = models.BooleanField(null=True)
    escalation_reason = models.TextField(blank=True)
    # Product Engineering agreed before that they can support it: who, and where it is written.
    product_approval = models.TextField(blank=True)

    problem = models.TextField(blank=True)
    outcome = models.TextField(blank=True)
    if_not = models.TextField(blank=True)
    # Is there a date that matters, and why.
    needed_by = models.DateField(null=True, blank=True)
    time_reason = models.TextField(blank=True)
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, blank=True, related_name="requests"
    )
    # Of each its kind (zendesk, github, slack, jira, other) and its url.
    links = models.JSONField(default=list, blank=True)
    seats_low = models.PositiveIntegerField(null=True, blank=True)
    seats_likely = models.PositiveIntegerField(null=True, blank=True)
    seats_high = models.PositiveIntegerField(null=True, blank=True)

    came_by = models.CharField(max_length=5, choices=Came.choices, default=Came.FORM)
    # The e-mail or chat it was made from, as it was pasted.
    source_text = models.TextField(blank=True)
    # What was typed into a draft and is not valid yet, by field; shown again as it was.
    typed = models.JSONField(default=dict, blank=True)

    # Where it went, by the newest RoutingDecision.
    owner = models.CharField(max_length=8, choices=Owner.choices, blank=True)
    # The person of that team it waits for, where one is known.
    owner_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    fast_path = models.BooleanField(default=False)
    impact = models.PositiveSmallIntegerField(null=True, blank=True, choices=Impact.choices)
    effort = models.CharField(max_length=9, blank=True, choices=Effort.choices)
    confidence = models.CharField(max_length=6, blank=True, choices=Confidence.choices)

    # Who does it and when, once it is scheduled. `end` is the last day of work.
    lead = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    engineers = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    start = models.DateField(null=True, blank=True)
    end = models.DateField(null=True, blank=True)

    # While it waits: where it goes on, what for, and whose answer it is (null: the requester's).
    paused_from = models.CharField(max_length=16, choices=RequestState.choices, blank=True)
    hold_code = models.CharField(max_length=40, blank=True)
    preempted_by = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="preempts"
    )
    waits_for = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    # Why it was declined or cancelled, by ReasonCode.
    end_code = models.CharField(max_length=40, blank=True)
    alternative = models.TextField(blank=True)
    successor_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="successors"
    )
    # What could have gone better, where a date or the scope was missed.
    retrospective = models.TextField(blank=True)
    rating = models.PositiveSmallIntegerField(null=True, blank=True)

    submitted_at = models.DateTimeField(null=True)
    routed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    signed_off_at = models.DateTimeField(null=True)
    triaged_at = models.DateTimeField(null=True)
    scheduled_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    # Since when it has its state.
    moved_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "engagements_request"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=RequestState.values),
                name="engagements_request_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "cancelled"]) | Q(account__isnull=False),
                name="engagements_request_has_an_account",
            ),
            models.CheckConstraint(
                condition=(
                    Q(seats_low=None) | Q(seats_likely=None) | Q(seats_low__lte=F("seats_likely"))
                )
                & (Q(seats_likely=None) | Q(seats_high=None) | Q(seats_likely__lte=F("seats_high")))
                & (Q(seats_low=None) | Q(seats_high=None) | Q(seats_low__lte=F("seats_high"))),
                name="engagements_request_seats_in_order",
            ),
            models.CheckConstraint(
                condition=Q(end=None) | Q(start=None) | Q(end__gte=F("start")),
                name="engagements_request_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(impact=None) | Q(impact__range=(1, 4)),
                name="engagements_request_impact_1_to_4",
            ),
            models.CheckConstraint(
                condition=Q(rating=None) | Q(rating__range=(1, 5)),
                name="engagements_request_rating_1_to_5",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["on_hold", "needs_info"]) | ~Q(paused_from=""),
                name="engagements_request_pause_knows_where",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-moved_at", "-id"], name="engagements_req_by_state"),
            models.Index(fields=["account", "-id"], name="engagements_req_of_account"),
            models.Index(fields=["filed_by", "-id"], name="engagements_req_of_filer"),
            models.Index(fields=["-updated_at", "-id"], name="engagements_req_by_update"),
            GinIndex(OpClass(Lower("title"), "gin_trgm_ops"), name="engagements_req_title_parts"),
        ]

    def __str__(self) -> str:
        return self.title or "Untitled request"

    @property
    def number(self) -> str:
        """How people and page addresses name it."""
        return f"REQ-{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class Stay(models.Model):
    """From when to when a request was in a state: what clocks and durations are made from."""

    request = models.ForeignKey(ServiceRequest, models.CASCADE, related_name="stays")
    state = models.CharField(max_length=16, choices=RequestState.choices)
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request"], condition=Q(left_at=None), name="engagements_stay_one_open"
            ),
            models.CheckConstraint(
                condition=Q(left_at=None) | Q(left_at__gte=F("entered_at")),
                name="engagements_stay_left_after_entered",
            ),
        ]
        indexes = [models.Index(fields=["request", "entered_at"], name="engagements_stay_in_order")]

    def __str__(self) -> str:
        return f"{self.request_id} {self.state}"


class Question(Public):
    """What has to be answered before a request can go on."""

    request = models.ForeignKey(ServiceRequest, models.CASCADE, related_name="questions")
    text = models.TextField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    # Who must answer; null: the customer, through the requester.
    asked_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    answer = models.TextField(blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request"],
                condition=Q(answered_at=None),
                name="engagements_question_one_open",
            )
        ]

    def __str__(self) -> str:
        return self.text[:80]


class OutcomeCheck(Public):
    """A look, days after the close, whether the seats came."""

    request = models.ForeignKey(ServiceRequest, models.CASCADE, related_name="outcome_checks")
    due_on = models.DateField()
    days = models.PositiveSmallIntegerField()
    # Deployed seats of the account when it was closed, where they were known.
    seats_before = models.BigIntegerField(null=True)
    seats_found = models.BigIntegerField(null=True)
    note = models.TextField(blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "days"], name="engagements_check_one_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.request_id} after {self.days} days"
