"""Works out what a number would have come to under a definition that is only tried out."""

from django.db import transaction
from django.db.models import Max

from config.lib.authz import require
from metrics import permissions
from metrics.models import MetricDefinition, MetricRun
from metrics.rules import derived
from metrics.selectors import derived_nights, derived_sums
from metrics.selectors.derived_sums import Number
from metrics.services import derived_runs
from people.models import User


@transaction.atomic
def compute_trial(definition: MetricDefinition, base: MetricRun, *, by: User) -> None:
    """Work out of the rows of a published run what a definition on trial makes of them.

    From all of its rows, whatever went on from where; nothing where it is there already.
    """
    require(permissions.can_recompute, by)
    known = MetricRun.objects.filter(definition=definition, day=base.day)
    if known.filter(base=base, status=MetricRun.Status.TRIAL).exists():
        return
    newest = known.aggregate(newest=Max("revision"))["newest"] or 0
    number = Number(
        definition.pk, definition.slug, definition.rule, 0, definition.policy, newest + 1, None
    )
    if definition.rule == derived.CONTRACTION:
        number.earlier = derived_nights.over(definition.slug, base, number.asked.policy.window_days)
    else:
        derived_sums.work_out(base, [number], derived_sums.all_of(base), None)
    derived_runs.insert(
        base,
        [number],
        status="'trial'",
        computed_at=derived_runs.NOW,
        published="NULL::timestamptz, NULL, ''",
    )
