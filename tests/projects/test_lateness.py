"""When a project is late: one rule, in Python and in SQL, by the company's days."""

import datetime as dt
from decimal import Decimal

import pytest

from accounts.models import Company
from projects.models import Project, ScorePolicy
from projects.selectors import lateness, was_late
from projects.services.allocating import days_of
from tests.factories import IncrementFactory, ProjectFactory

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 3, 20)
PAST, AHEAD = dt.date(2026, 3, 2), dt.date(2026, 3, 23)


def project(state, *, begins=None, **facts):
    increment = (
        IncrementFactory(start=begins, end=begins + dt.timedelta(days=11)) if begins else None
    )
    return ProjectFactory(state=state, increment=increment, **facts)


@pytest.mark.parametrize(
    ("state", "facts", "days"),
    [
        ("scheduled", {"begins": PAST}, 7),
        ("in_progress", {"begins": PAST}, 7),
        ("in_progress", {"begins": dt.date(2026, 3, 9)}, 0),
        ("in_progress", {"begins": AHEAD}, 0),
        ("ready", {"begins": PAST}, 0),
        ("on_hold", {"begins": PAST, "paused_from": "in_progress"}, 0),
        ("delivered", {"begins": PAST}, 0),
        ("delivered", {"roll_out_on": dt.date(2026, 3, 19)}, 1),
        ("delivered", {"roll_out_on": TODAY}, 0),
        ("delivered", {"roll_out_on": PAST, "rolled_out_on": TODAY}, 0),
        ("closed", {"begins": PAST, "roll_out_on": PAST}, 0),
    ],
)
def test_days_late_and_the_filter_agree(state, facts, days):
    made = project(state, **facts)
    assert lateness.days_late(made, TODAY) == days
    assert Project.objects.filter(lateness.late_on(TODAY)).exists() == (days > 0)


def test_was_late_goes_by_the_company_s_day():
    Company.objects.update(time_zone="America/Los_Angeles")
    made = project("delivered", begins=PAST)
    # Friday evening there is Saturday in UTC.
    made.delivered_at = dt.datetime(2026, 3, 14, 2, tzinfo=dt.UTC)
    assert not was_late(made)
    made.delivered_at = dt.datetime(2026, 3, 14, 8, tzinfo=dt.UTC)
    assert was_late(made)


def test_days_of_an_effort_are_those_of_the_policy_of_the_day():
    policy = ScorePolicy.objects.order_by("start").first()
    now = days_of(ProjectFactory.build(days=None, effort="low"), on=TODAY)
    assert now == Decimal(policy.days["low"])
    policy.pk, policy.uuid = None, "00000000-0000-4000-8000-000000000001"
    policy.number, policy.start = policy.number + 1, dt.date(2026, 4, 1)
    policy.days = {**policy.days, "low": policy.days["low"] + 1}
    policy.save(force_insert=True)
    assert days_of(ProjectFactory.build(days=None, effort="low"), on=TODAY) == now
    assert days_of(ProjectFactory.build(days=None, effort="low"), on=policy.start) == now + 1
