"""The weekly record in which the group decides priorities."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.lib.models import Public, Stamped
from projects.models.projects import Project, ProjectState


class Review(Public, Stamped):
    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        OPEN = "open", "Under way"
        HELD = "held", "Held"
        CANCELLED = "cancelled", "Cancelled"

    version = models.PositiveIntegerField(default=1, editable=False)
    state = models.CharField(max_length=9, choices=State.choices, default="planned")
    meets_at = models.DateTimeField()
    chair = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    invited = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    # Who was there.
    attendees = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    note = models.TextField(blank=True)
    opened_at = models.DateTimeField(null=True)
    held_at = models.DateTimeField(null=True)
    # As they were sent.
    minutes = models.TextField(blank=True)
    minutes_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "state", condition=Q(state="open"), name="projects_one_review_under_way"
            )
        ]

    def __str__(self) -> str:
        return f"review of {self.meets_at:%Y-%m-%d}"

    @property
    def number(self) -> str:
        return f"REV-{self.pk}"


class ReviewItem(Public):
    """One project on the agenda, why, and what was decided."""

    class Why(models.TextChoices):
        NEW = "new", "New"
        CHANGED = "changed", "Changed"
        BLOCKED = "blocked", "Blocked"
        LATE = "late", "Late"
        WAITING = "waiting", "Waiting"
        NO_OWNER = "no_owner", "No owner"
        TO_CLOSE = "to_close", "Ready to close"
        CANDIDATE = "candidate", "Candidate"
        BY_HAND = "by_hand", "Put on by hand"

    class Decision(models.TextChoices):
        SCHEDULE = "schedule", "Schedule"
        KEEP = "keep", "Keep"
        SPLIT = "split", "Split"
        DECLINE = "decline", "Decline"

    version = models.PositiveIntegerField(default=1, editable=False)
    review = models.ForeignKey(Review, models.CASCADE, related_name="items")
    project = models.ForeignKey(Project, models.CASCADE, related_name="review_items")
    position = models.PositiveSmallIntegerField()
    why = models.CharField(max_length=9, choices=Why.choices)
    # The reason in words, as of when the agenda was made: "Waiting for sign-off for 9 days".
    words = models.CharField(max_length=200, blank=True)
    decision = models.CharField(max_length=8, choices=Decision.choices, blank=True)
    # What the decision did, in words, and from where; "" where nothing moved.
    outcome = models.TextField(blank=True)
    was = models.CharField(max_length=11, choices=ProjectState.choices, blank=True)
    note = models.TextField(blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["review", "project"], name="projects_item_once_a_review"
            ),
            models.CheckConstraint(
                condition=Q(decision="") | Q(decided_at__isnull=False, decided_by__isnull=False),
                name="projects_decision_is_someones",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project_id} in {self.review_id}"
