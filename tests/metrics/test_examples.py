"""The worked examples of the Handbook: by the rules, and by the ledger."""

import datetime as dt
from decimal import Decimal

import pytest

from accounts.models import Company
from config.lib.versions import pretend_known_at
from metrics import rules
from metrics.models import MetricDefinition
from metrics.rules.examples import CURRENCY, DAY, EXAMPLES, RATES, day_of
from metrics.selectors import rows
from metrics.services.runs import compute_trial
from metrics.services.staging import decimal_of
from people.models import system_user
from tests.factories import (
    AccountFactory,
    ExchangeRateFactory,
    InstanceFactory,
    SeatReadingFactory,
    SubscriptionFactory,
)

KNOWN = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
AFTER = dt.datetime.combine(DAY + dt.timedelta(days=2), dt.time(), dt.UTC)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_the_rules_say_what_the_example_says(example):
    verdict = rules.judge(example.account, day_of(), example.policy)

    said = example.expected
    assert (verdict.reason, verdict.eligible, verdict.passes) == (
        said.reason, said.eligible, said.passes,
    )  # fmt: skip
    assert ("" if verdict.arr is None else decimal_of(verdict.arr)) == (
        Decimal(said.arr) if said.arr else ""
    )


def test_the_names_of_the_examples_are_their_own():
    assert len({each.name for each in EXAMPLES}) == len(EXAMPLES)


@pytest.fixture
def world(db):
    Company.objects.all().delete()
    pretend_known_at(dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
    Company.objects.create(time_zone="UTC", reporting_currency=CURRENCY)
    pretend_known_at(KNOWN)
    for currency, rate in RATES.items():
        ExchangeRateFactory(currency=currency, rate=rate, on=dt.date(2025, 1, 1))


def told(example):
    """Enter what the example knows; return the account."""
    known = example.account
    made = AccountFactory(
        status=known.status, churned_on=known.churned_on, region=known.region,
        segment=known.segment,
    )  # fmt: skip
    for each in known.subscriptions:
        SubscriptionFactory(
            account=made, kind=each.kind, seats=each.seats, unlimited=each.unlimited, arr=each.arr,
            tcv=each.tcv, currency=each.currency, start=each.start, end=each.end,
        )  # fmt: skip
    instances = {pk: InstanceFactory(account=made) for pk in known.counted_instances}
    for each in known.readings:
        SeatReadingFactory(
            instance=instances[each.instance_id], observed_at=each.observed_at, seats=each.seats,
            source=each.source,
        )  # fmt: skip
    return made


def policies():
    found = []
    for each in EXAMPLES:
        if each.policy not in found:
            found.append(each.policy)
    return found


@pytest.mark.parametrize("policy", policies(), ids=range(len(policies())))
def test_the_ledger_says_what_the_examples_say(policy, world):
    base = MetricDefinition.objects.get(slug="seats-deployed", number=1)
    stored = {
        "min_arr": str(policy.min_arr), "share_percent": policy.share_percent,
        "stale_days": policy.stale_days, "source_order": list(policy.source_order),
        "grace_days": policy.grace_days, "exclude_regions": list(policy.exclude_regions),
        "exclude_segments": list(policy.exclude_segments), "roll_up": policy.roll_up,
    }  # fmt: skip
    definition = MetricDefinition.objects.create(
        slug="examples", rule=base.rule, title="Examples", unit="share", text="-", policy=stored,
        valid_from=dt.date(2025, 1, 1),
    )  # fmt: skip
    examples = {told(each): each for each in EXAMPLES if each.policy == policy}

    outcome = compute_trial(definition, DAY, by=system_user(), now=AFTER, known_at=AFTER)

    seen = {row.account: row for row in rows.rows_of(outcome.run)}
    for account, example in examples.items():
        row, said = seen[account], example.expected
        assert (row.reason, row.eligible, row.passes, row.arr) == (
            said.reason, said.eligible, said.passes, Decimal(said.arr) if said.arr else None,
        ), example.name  # fmt: skip
