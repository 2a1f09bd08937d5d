"""Who owns what: dated rules, and what they decided for each request."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.lib.models import Public, Stamped
from config.lib.versions import version_of
from engagements.models.requests import Owner, ServiceRequest


class RoutingRule(Public, Stamped):
    """One dated rule of the router: the first that matches, by priority, wins.

    `conditions` is {fact: wanted value or list of them}; a fact that is not named does not
    matter. See engagements.rules.router.
    """

    version = models.PositiveIntegerField(default=1, editable=False)
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=160)
    priority = models.PositiveSmallIntegerField()
    conditions = models.JSONField(default=dict)
    # Empty: a person decides.
    owner = models.CharField(max_length=8, choices=Owner.choices, blank=True)
    fast_path = models.BooleanField(default=False)
    needs_sow = models.BooleanField(default=True)
    # Why, in a sentence for the requester; {account} and {arr} are filled in.
    why = models.TextField(blank=True)
    next_step = models.TextField(blank=True)
    # How it could go to Deployment Engineering all the same.
    way_out = models.TextField(blank=True)
    # Which text is handed to the owner: a name of engagements.rules.handing_over.
    hand_over = models.CharField(max_length=40, blank=True)
    # {"facts": {...}, "owner": "de"}: run before the rule is saved.
    examples = models.JSONField(default=list)
    pack = models.CharField(max_length=40, blank=True)
    start = models.DateField()
    end = models.DateField(null=True, blank=True)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["slug", "start"], name="engagements_rule_one_per_start"
            ),
            models.CheckConstraint(
                condition=Q(end=None) | Q(end__gt=F("start")),
                name="engagements_rule_ends_after_start",
            ),
        ]
        indexes = [models.Index(fields=["priority", "id"], name="engagements_rule_in_order")]

    def __str__(self) -> str:
        return self.name


class RoutingDecision(Public):
    """Who was made the owner of a request, by which rule or by whom; the newest stands."""

    class How(models.TextChoices):
        RULE = "rule", "By a rule"
        # No rule matched, or the one that did asks for a person.
        PERSON = "person", "By a person"
        # A person decided otherwise than the rule had.
        OVERRIDE = "override", "Against the rule"
        APPEAL = "appeal", "On appeal"

    request = models.ForeignKey(ServiceRequest, models.CASCADE, related_name="decisions")
    at = models.DateTimeField()
    how = models.CharField(max_length=8, choices=How.choices)
    # Null: the router itself.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    rule = models.ForeignKey(RoutingRule, models.PROTECT, null=True, related_name="decisions")
    # What the router answered: engagements.rules.router.Answer as JSON.
    answer = models.JSONField(default=dict)
    # Empty: it still needs a person.
    owner = models.CharField(max_length=8, choices=Owner.choices, blank=True)
    reason = models.TextField(blank=True)
    # The text made for the owner, as it was handed over.
    hand_over = models.TextField(blank=True)

    appealed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    appealed_at = models.DateTimeField(null=True)
    appeal_reason = models.TextField(blank=True)
    appeal_decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    appeal_decided_at = models.DateTimeField(null=True)
    appeal_granted = models.BooleanField(null=True)
    appeal_answer = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(appeal_decided_by=None) | Q(by=None) | ~Q(appeal_decided_by=F("by")),
                name="engagements_appeal_decided_by_a_second",
            ),
        ]
        indexes = [models.Index(fields=["request", "-id"], name="engagements_decision_newest")]

    def __str__(self) -> str:
        return f"{self.request_id} to {self.owner or 'a person'}"

    @property
    def is_appealed(self) -> bool:
        return self.appealed_at is not None and self.appeal_decided_at is None


RoutingRuleVersion = version_of(RoutingRule)
