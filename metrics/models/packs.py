"""The monthly report to the board, as it was made."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.lib.models import Public
from metrics.models.runs import MetricRun


class BoardPack(Public):
    """A month's report, kept as it was shown; another one of the month is a new edition."""

    APPEND_ONLY = True
    UPDATABLE_COLUMNS = ("mailed_at",)

    # The first day of the month.
    month = models.DateField()
    edition = models.PositiveSmallIntegerField()
    run = models.ForeignKey(MetricRun, models.PROTECT, related_name="+")
    # Up to when it knew what happened.
    known_at = models.DateTimeField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    # What it says, as metrics.selectors.packs gathered it; pages and paper are made from this.
    told = models.JSONField()
    # Of the digests of every run it shows and of `told`.
    digest = models.CharField(max_length=64)
    pdf = models.BinaryField()
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["month", "edition"], name="metrics_pack_one_edition"),
            models.CheckConstraint(condition=Q(month__day=1), name="metrics_pack_of_a_month"),
            models.CheckConstraint(condition=Q(edition__gte=1), name="metrics_pack_from_1"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%B %Y}, edition {self.edition}"
