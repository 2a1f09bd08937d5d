"""What was asked of the number, and kept."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.lib.models import Public
from metrics.models.runs import MetricRun


class Scenario(Public):
    """A what-if that somebody keeps, to see later what came of it. Never changed.

    `asked` is what was chosen and `told` what the answer was, as selectors.scenarios writes them.
    """

    name = models.CharField(max_length=120)
    run = models.ForeignKey(MetricRun, models.PROTECT, related_name="+")
    asked = models.JSONField()
    told = models.JSONField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="metrics_scenario_has_a_name"),
        ]
        indexes = [models.Index(fields=["-at", "-id"], name="metrics_scenario_newest")]

    def __str__(self) -> str:
        return self.name
