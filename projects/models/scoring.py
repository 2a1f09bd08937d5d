"""Why this before that: the policy of scores, what was scored when, votes, moves by hand."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.lib.models import Public, Stamped
from engagements.models import Confidence, Effort, Impact
from projects.models.projects import Project


class ScorePolicy(Public, Stamped):
    """Points and factors, from a day on. Rows are not edited once their day has come."""

    version = models.PositiveIntegerField(default=1, editable=False)
    number = models.PositiveSmallIntegerField(unique=True)
    start = models.DateField(unique=True)
    owner = models.CharField(max_length=120, default="DE lead")
    note = models.TextField(blank=True)
    # By impact "1" to "4" and by effort; decimal texts. `days`: most days of an effort, null: more.
    points = models.JSONField()
    factors = models.JSONField()
    days = models.JSONField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"score policy {self.number}"


class Scoring(Public):
    """One answer to “how much impact, how much effort”, kept for ever."""

    APPEND_ONLY = True

    project = models.ForeignKey(Project, models.PROTECT, related_name="scorings")
    impact = models.PositiveSmallIntegerField(null=True, choices=Impact.choices)
    effort = models.CharField(max_length=9, blank=True, choices=Effort.choices)
    days = models.DecimalField(max_digits=5, decimal_places=1, null=True)
    confidence = models.CharField(max_length=6, blank=True, choices=Confidence.choices)
    score = models.DecimalField(max_digits=7, decimal_places=2, null=True)
    policy = models.ForeignKey(ScorePolicy, models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.project_id}: {self.score}"


class VoteRound(Public):
    """A silent vote: nobody sees the others' answers before it is closed."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="vote_rounds")
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project"], condition=Q(closed_at=None), name="projects_one_open_vote"
            )
        ]

    def __str__(self) -> str:
        return f"vote on {self.project_id}"


class Vote(models.Model):
    round = models.ForeignKey(VoteRound, models.CASCADE, related_name="votes")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    impact = models.PositiveSmallIntegerField(choices=Impact.choices)
    effort = models.CharField(max_length=9, choices=Effort.choices)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["round", "by"], name="projects_one_vote_each")
        ]

    def __str__(self) -> str:
        return f"{self.by_id} on {self.round_id}"


class RankOverride(Public):
    """A place in the ranked list set by hand, with its reason, until a day."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="overrides")
    # It stands directly before this one; null: last.
    before = models.ForeignKey(Project, models.CASCADE, null=True, related_name="+")
    reason = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    # The last day it holds.
    expires_on = models.DateField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project"], condition=Q(ended_at=None), name="projects_one_open_override"
            ),
            models.CheckConstraint(
                condition=Q(before=None) | ~Q(before=F("project")),
                name="projects_not_before_itself",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="projects_override_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.project_id} by hand"
