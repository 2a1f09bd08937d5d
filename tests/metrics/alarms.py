"""A stage for tests of alerts: runs as they would stand in the ledger, and rules on them."""

import datetime as dt
from decimal import Decimal

from metrics.models import AlertRule, MetricDefinition, MetricRun
from metrics.services import alerts
from tests.metrics.scene import day

SLUG = "seats-deployed"
COLUMNS = {"digest": "0" * 64, "unknown": 0, "inputs_sum": ""}


def run(on, passing, *, of=100, revision=1, status="published", covered=None, slug=SLUG, **more):
    """The number of a day; `passing` None: there was no eligible account."""
    at = dt.datetime.combine(day(on) + dt.timedelta(days=1), dt.time(2), dt.UTC)
    shares = {"numerator": None, "denominator": None, "covered": 0}
    if passing is not None:
        shares = {"numerator": passing, "denominator": of, "covered": covered or of}
    return MetricRun.objects.create(
        definition=MetricDefinition.objects.get(slug=slug, number=1),
        day=day(on),
        revision=revision,
        status=status,
        known_at=at,
        published_at=at if status == "published" else None,
        **(COLUMNS | shares | more),
    )


def rule(kind="below", value="0.7", *, days=None, slug=SLUG, tells=("leadership",), **more):
    """The only rule there is."""
    AlertRule.objects.all().delete()
    return AlertRule.objects.create(
        slug=slug, kind=kind, value=Decimal(value), days=days, tells=list(tells), **more
    )


def ask(on, hour=3):
    """Let the rules be asked in the night after the day."""
    at = dt.datetime.combine(day(on) + dt.timedelta(days=1), dt.time(hour), dt.UTC)
    return alerts.evaluate(at=at)
