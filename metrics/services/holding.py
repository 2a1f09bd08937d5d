"""Held runs: telling the metric owners, and publishing one all the same."""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from config.lib.authz import require
from config.lib.errors import Conflict, Invalid
from config.lib.ui.formats import day_text
from config.lib.values import BadValue, parse_text
from events import services as events
from metrics import permissions
from metrics.models import MetricDefinition, MetricRun
from metrics.selectors.answers import fraction_text
from metrics.selectors.runs import SEATS_DEPLOYED
from metrics.services import derived, lifts
from people.models import Role, User
from people.selectors import people_with_role

LONGEST_REASON = 500


@transaction.atomic
def publish_run(run: MetricRun, *, reason: str, by: User, at: dt.datetime) -> MetricRun:
    """Let a held run be the number of its day.

    Raises Conflict where it is published already or a later revision stands in its place.
    """
    require(permissions.can_publish, by)
    run = MetricRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    if run.status == MetricRun.Status.PUBLISHED:
        raise Conflict(f"Revision {run.revision} of {day_text(run.day)} is published already.")
    if run.status != MetricRun.Status.HELD:
        raise Conflict(f"The run of {day_text(run.day)} is on trial. It is never the number.")
    newer = MetricRun.objects.filter(
        definition=run.definition, day=run.day, revision__gt=run.revision
    ).exclude(status=MetricRun.Status.TRIAL)
    if newer.exists():
        raise Conflict("A later revision of this day stands in its place. Look at that one.")
    run.status = MetricRun.Status.PUBLISHED
    run.published_at, run.published_by, run.publish_reason = at, by, _parsed(reason)
    run.save(update_fields=["status", "published_at", "published_by", "publish_reason"])
    derived.publish(run)
    events.record(
        "metric.published",
        run,
        by=by,
        before={"status": MetricRun.Status.HELD},
        after={"status": run.status, "day": run.day, "revision": run.revision},
        reason=run.publish_reason,
    )
    lifts.refresh_lifts(at=at)
    return run


def _parsed(reason: str) -> str:
    try:
        return parse_text(reason, max_length=LONGEST_REASON, lines=True)
    except BadValue as error:
        raise Invalid(error.detail, field="reason", code=error.code) from error


def tell_owners(run: MetricRun) -> None:
    """Promise a mail about a held run to every metric owner, in the run's transaction."""
    day = day_text(run.day, None)
    lines = [
        f"The run of {day}, revision {run.revision}, looks wrong beside the last published one:",
        "",
        *(f"- {reason['detail']}" for reason in run.held_for),
        "",
        f"It says {fraction_text(run)}. Until you publish it, the number before it stays.",
        "",
        "Mend the data and recompute, or publish it with a reason:",
        settings.BASE_URL + reverse("metrics:run-detail", args=[run.uuid]),
    ]
    notify_owners(
        f"{name_of(run.definition)} of {day} is held", "\n".join(lines), key=f"held:{run.uuid}"
    )


def name_of(definition: MetricDefinition) -> str:
    """Return the number's name as it begins a sentence."""
    return "Seats deployed" if definition.slug == SEATS_DEPLOYED else definition.title


def notify_owners(subject: str, body: str, *, key: str) -> None:
    """Promise a mail to every metric owner, once for each key."""
    for owner in people_with_role(Role.METRIC_OWNER):
        events.send_notice(
            to=owner.email, subject=subject, body=body, dedupe_key=f"{key}:{owner.pk}"
        )
