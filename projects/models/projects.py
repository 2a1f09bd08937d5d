"""A unit of DE work on the board, and its charter. domain.md, sections 2 and 5."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now

from accounts.models import Account
from config.lib.models import Public, Stamped
from config.lib.versions import version_of
from engagements.models import Confidence, Effort, Impact, ServiceRequest

# More days than these are no estimate.
MOST_DAYS = 999


class ProjectState(models.TextChoices):
    PROPOSED = "proposed", "Proposed"
    READY = "ready", "Ready"
    SCHEDULED = "scheduled", "Scheduled"
    IN_PROGRESS = "in_progress", "In progress"
    DELIVERED = "delivered", "Delivered"
    CLOSED = "closed", "Closed"
    ON_HOLD = "on_hold", "On hold"
    DECLINED = "declined", "Declined"


# States that are columns of the board, and what the columns are called there.
LANES = {
    ProjectState.PROPOSED: "Triage",
    ProjectState.READY: "Ready",
    ProjectState.SCHEDULED: "Scheduled",
    ProjectState.IN_PROGRESS: "In progress",
    ProjectState.DELIVERED: "Rolling out",
}
OVER = frozenset({ProjectState.CLOSED, ProjectState.DECLINED})


class ProjectType(models.TextChoices):
    CUSTOM_INTEGRATION = "custom_integration", "Custom integration"
    EXTENSION = "extension", "Plugin or extension"
    MIGRATION = "migration", "Migration"
    DEPLOYMENT = "deployment", "Non-standard deployment"
    DEMO = "demo", "Demo"
    GUIDE = "guide", "Guide or runbook"
    TRAINING = "training", "Training"
    ANALYSIS = "analysis", "Analysis"
    TOOL = "tool", "Internal tool"
    OTHER = "other", "Something else"


class Project(Public, Stamped):
    """`state` is written by events.workflow only; the lift by the metrics app."""

    class Kind(models.TextChoices):
        EXTERNAL = "external", "External"
        INTERNAL = "internal", "Internal"

    version = models.PositiveIntegerField(default=1, editable=False)
    state = models.CharField(max_length=11, choices=ProjectState.choices, default="proposed")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    type = models.CharField(max_length=18, choices=ProjectType.choices)
    title = models.CharField(max_length=200)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="proposed_projects"
    )

    objectives = models.TextField(blank=True)
    outcomes = models.TextField(blank=True)
    in_scope = models.TextField(blank=True)
    out_of_scope = models.TextField(blank=True)
    if_not = models.TextField(blank=True)
    # Accountable for completion; the leads do it.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    leads = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    # Where it is deployed or published, who is told and how, and when.
    roll_out_where = models.TextField(blank=True)
    roll_out_told = models.TextField(blank=True)
    roll_out_on = models.DateField(null=True, blank=True)
    links = models.JSONField(default=list, blank=True)

    # Null: not answered. Any code needs a support plan that three sides signed.
    builds_code = models.BooleanField(null=True, blank=True)
    inside_product = models.BooleanField(default=False)
    # Product Engineering's approval of work inside the product.
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    approval_note = models.TextField(blank=True)

    impact = models.PositiveSmallIntegerField(null=True, blank=True, choices=Impact.choices)
    effort = models.CharField(max_length=9, blank=True, choices=Effort.choices)
    # The estimate behind the effort, in days of one engineer.
    days = models.DecimalField(max_digits=5, decimal_places=1, null=True, blank=True)
    confidence = models.CharField(max_length=6, blank=True, choices=Confidence.choices)
    # By the policy of the day, so that lists can be ordered; see rules/scoring.py.
    score = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)

    # Expected metric lift in points, written by the metrics app; `lift_parts` by account.
    lift = models.DecimalField(max_digits=9, decimal_places=5, null=True, blank=True)
    lift_low = models.DecimalField(max_digits=9, decimal_places=5, null=True, blank=True)
    lift_high = models.DecimalField(max_digits=9, decimal_places=5, null=True, blank=True)
    lift_seats = models.PositiveIntegerField(null=True, blank=True)
    lift_parts = models.JSONField(default=list, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)

    # Its place in the column of its state: keys compare as bytes, see rules/ranks.py.
    rank = models.CharField(max_length=200, db_collation="C")

    increment = models.ForeignKey(
        "projects.Increment", models.PROTECT, null=True, blank=True, related_name="projects"
    )
    # What stands in its way while its state stays; empty: nothing.
    blocked_by = models.TextField(blank=True)
    blocked_at = models.DateTimeField(null=True, blank=True)
    paused_from = models.CharField(max_length=11, choices=ProjectState.choices, blank=True)
    hold_code = models.CharField(max_length=40, blank=True)
    preempted_by = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="preempts"
    )
    # Why it was declined, by engagements.ReasonCode, and what is offered instead.
    end_code = models.CharField(max_length=40, blank=True)
    alternative = models.TextField(blank=True)
    # The project it was split from; the parts count from that one, which is part 1.
    part_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="parts")
    part = models.PositiveSmallIntegerField(default=1)

    requests = models.ManyToManyField(
        ServiceRequest, through="projects.ProjectRequest", related_name="projects"
    )
    accounts = models.ManyToManyField(
        Account, through="projects.ProjectAccount", related_name="projects"
    )

    summary = models.TextField(blank=True)
    days_used = models.DecimalField(max_digits=5, decimal_places=1, null=True, blank=True)
    rolled_out_on = models.DateField(null=True, blank=True)
    roll_out_note = models.TextField(blank=True)
    retrospective = models.TextField(blank=True)

    # When it was proposed, or made or split off, whenever the row was written.
    proposed_at = models.DateTimeField(db_default=Now())
    ready_at = models.DateTimeField(null=True)
    scheduled_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    # Since when it has its state.
    moved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ProjectState.values), name="projects_state_is_known"
            ),
            models.CheckConstraint(condition=~Q(title=""), name="projects_has_a_title"),
            # With the score, so that a card finds its place by it in the index alone.
            models.UniqueConstraint(
                fields=["state", "rank"],
                include=["score"],
                name="projects_rank_unique_in_its_lane",
            ),
            models.CheckConstraint(
                condition=Q(impact=None) | Q(impact__range=(1, 4)), name="projects_impact_1_to_4"
            ),
            models.CheckConstraint(
                condition=Q(days=None) | Q(days__gt=0, days__lte=MOST_DAYS),
                name="projects_days_in_range",
            ),
            models.CheckConstraint(
                condition=Q(days_used=None) | Q(days_used__gte=0, days_used__lte=MOST_DAYS),
                name="projects_days_used_in_range",
            ),
            models.CheckConstraint(
                condition=~Q(state="on_hold") | ~Q(paused_from=""),
                name="projects_pause_knows_where",
            ),
            models.CheckConstraint(
                condition=Q(part_of=None) | ~Q(part_of=F("pk")), name="projects_no_part_of_itself"
            ),
            models.CheckConstraint(
                condition=Q(lift=None) | Q(lift__gte=F("lift_low"), lift__lte=F("lift_high")),
                name="projects_lift_within_its_bounds",
            ),
        ]
        indexes = [
            models.Index(
                F("score").desc(nulls_last=True), F("id").desc(), name="projects_by_score"
            ),
            models.Index(fields=["-updated_at", "-id"], name="projects_by_update"),
            GinIndex(OpClass(Lower("title"), "gin_trgm_ops"), name="projects_title_parts"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def number(self) -> str:
        """How people and page addresses name it."""
        return f"PRJ-{self.pk}"

    @property
    def is_over(self) -> bool:
        return self.state in OVER


class ProjectRequest(models.Model):
    """A request that the project serves."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="request_links")
    request = models.ForeignKey(ServiceRequest, models.PROTECT, related_name="project_links")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "request"], name="projects_request_once_a_project"
            )
        ]

    def __str__(self) -> str:
        return f"{self.request_id} in {self.project_id}"


class ProjectAccount(models.Model):
    """An account that gains by the project, and the seats it would unlock there."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="account_links")
    account = models.ForeignKey(Account, models.PROTECT, related_name="project_links")
    seats_low = models.PositiveIntegerField(null=True, blank=True)
    seats_likely = models.PositiveIntegerField(null=True, blank=True)
    seats_high = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "account"], name="projects_account_once_a_project"
            ),
            models.CheckConstraint(
                condition=Q(seats_low=None, seats_likely=None, seats_high=None)
                | Q(seats_low__lte=F("seats_likely"), seats_likely__lte=F("seats_high")),
                name="projects_seats_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} in {self.project_id}"


class Stakeholder(Public):
    """Somebody with a say; not expected to do the work."""

    class Kind(models.TextChoices):
        INPUT = "input", "Gives input"
        FEEDBACK = "feedback", "Gives feedback on the result"
        USES = "uses", "Uses the output"

    PERSONAL = frozenset({"name"})

    project = models.ForeignKey(Project, models.CASCADE, related_name="stakeholders")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    # One of ours, or somebody else by name.
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    name = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(person=None) ^ Q(name=""), name="projects_stakeholder_person_or_name"
            )
        ]

    def __str__(self) -> str:
        return self.name or str(self.person)


class Lane(models.Model):
    """A column of the board; whoever changes the order in it locks this row first."""

    state = models.CharField(max_length=11, choices=ProjectState.choices, primary_key=True)
    # Most cards, beyond which a move has to say why; null: any number.
    limit = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(MOST_DAYS)]
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    def __str__(self) -> str:
        return self.get_state_display()


# What cards and columns show, so that the board of another day can be shown.
BOARD_COLUMNS = (
    "uuid", "version", "state", "kind", "type", "title", "owner", "impact", "effort", "days",
    "score", "lift", "rank", "increment", "roll_out_on", "rolled_out_on", "blocked_by",
    "part_of", "part", "proposed_at",
)  # fmt: skip
ProjectVersion = version_of(Project, BOARD_COLUMNS)
ProjectAccountVersion = version_of(ProjectAccount, ("project", "account", "seats_likely"))
