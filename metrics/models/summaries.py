from django.db import models

from metrics.models.runs import MetricRun


class RunSummary(models.Model):
    """Counts over the rows of one run, kept so that no page has to count them.

    A run never changes, so what was counted once stays true; anybody may drop these rows.
    """

    run = models.ForeignKey(MetricRun, models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=80)
    told = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "name"], name="metrics_summary_one_of_a_name")
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.run_id}"
