import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from config.lib import copying
from config.lib.errors import Conflict, Invalid
from events.models import Event
from metrics.models import HealthNight, HealthOverride, HealthPolicy, HealthRow
from metrics.selectors import health, health_facts, health_lists
from metrics.services import health_overrides, health_policy
from metrics.services.health import catch_up, compute_health
from metrics.tasks import nightly_health
from people.models import system_user
from tests.factories import (
    AssignmentFactory,
    InstanceFactory,
    SeatReadingFactory,
    ServiceRequestFactory,
    WorkAtRiskFactory,
)
from tests.metrics.scene import compute, customer, day, learn, moment, read

pytestmark = pytest.mark.django_db
MORNING = moment("03-11T02:30")
PARTS = [{"code": "deployment", "weight": 100}]
BANDS = [{"name": "Fine", "from": 50}, {"name": "Poor", "from": 0}]


def say(on, at=MORNING):
    return compute_health(day=day(on), at=at, by=system_user())


def said(account, on):
    row = HealthRow.objects.filter(health.covering(day(on)), account=account).first()
    return row and (row.score, row.band)


@pytest.fixture
def only_deployment():
    HealthPolicy.objects.create(number=2, start=day("01-01"), parts=PARTS, bands=BANDS)


@pytest.fixture(autouse=True)
def known_from_the_start():
    learn("03-01")


def test_a_night_says_how_every_customer_fares(only_deployment):
    half, unknown = customer(40), customer()
    prospect = customer(90, status="prospect")
    compute("03-10")
    night = say("03-10").night
    assert (night.accounts, night.changed) == (2, 2)
    assert said(half, "03-10") == (Decimal("50.0"), "Fine")
    row = HealthRow.objects.get(account=unknown)
    assert (row.score, row.known, row.band) == (None, 0, "")
    assert row.parts == {"deployment": {"state": "no_reading"}}
    assert said(prospect, "03-10") is None
    assert Event.objects.filter(verb="health.computed").count() == 1


@pytest.mark.parametrize("batch", [10_000, 1, 2])
def test_only_what_differs_is_kept_anew(batch, only_deployment, monkeypatch):
    monkeypatch.setattr(health_facts, "BATCH", batch)
    monkeypatch.setattr(copying, "BLOCK_BYTES", 8)
    same, better, leaver = customer(40), customer(40), customer(40)
    compute("03-10")
    say("03-10")
    learn("03-11")
    read(better, 60, "03-11T12:00")
    leaver.status, leaver.churned_on = "churned", day("03-11")
    leaver.save()
    compute("03-11")
    night = say("03-11").night
    assert (night.accounts, night.changed) == (2, 2)
    assert HealthRow.objects.filter(account=same).count() == 1
    assert [said(better, on)[0] for on in ("03-10", "03-11")] == [50, 75]
    assert (said(leaver, "03-10")[0], said(leaver, "03-11")) == (50, None)


def test_a_day_is_said_once_and_only_from_its_run(only_deployment, django_assert_max_num_queries):
    for _ in range(12):
        customer(40)
    assert say("03-10") is None
    compute("03-10")
    with django_assert_max_num_queries(26):
        assert say("03-10").is_new
    assert not say("03-10").is_new
    assert not say("03-09").is_new
    assert HealthNight.objects.count() == 1


def test_lost_ticks_are_caught_up(only_deployment):
    account = customer(40)
    for on in ("03-10", "03-12", "03-13"):
        compute(on)
    say("03-10")
    made = list(catch_up(now=moment("03-14T03:00"), by=system_user()))
    # There was no number on the 11th.
    assert [each.night.day for each in made] == [day("03-12"), day("03-13")]
    assert not list(catch_up(now=moment("03-14T04:00"), by=system_user()))
    assert HealthRow.objects.filter(account=account).count() == 1


def test_the_task_does_both(only_deployment, time_machine):
    time_machine.move_to(moment("03-11T02:30"), tick=False)
    account = customer(40)
    override = HealthOverride.objects.create(
        account=account,
        band="Poor",
        reason="Sponsor left.",
        until=day("03-10"),
        by=system_user(),
        at=moment("03-01"),
    )
    compute("03-10")
    assert (nightly_health(), nightly_health()) == (1, 0)
    override.refresh_from_db()
    assert override.ended_by == system_user()
    assert health.override_on(account, day("03-10")) == override
    assert health.override_on(account, day("03-11")) is None


def test_a_request_that_is_late_or_at_risk_takes_points():
    fine, late, risky, past = (customer(80) for _ in range(4))
    long_ago = moment("01-05T10:00")
    ServiceRequestFactory(account=fine, state="submitted", submitted_at=moment("03-10T10:00"))
    ServiceRequestFactory(account=late, state="submitted", submitted_at=long_ago)
    ServiceRequestFactory(
        account=past, state="closed", submitted_at=long_ago, closed_at=moment("03-01")
    )
    WorkAtRiskFactory(
        request=ServiceRequestFactory(
            account=risky, state="in_progress", submitted_at=moment("03-10T10:00")
        ),
        state="approved",
        decided_at=moment("03-05"),
        expires_on=day("04-01"),
    )
    compute("03-10")
    say("03-10")
    told = {row.account_id: row.parts["requests"] for row in HealthRow.objects.all() if row.score}
    assert told[late.pk]["told"] == {"open": 1, "late": 1, "at_risk": 0, "each": 50}
    assert told[risky.pk]["told"] == {"open": 1, "late": 0, "at_risk": 1, "each": 50}
    assert told[fine.pk]["told"]["open"] == 1
    assert told[past.pk]["told"]["open"] == 0
    assert [told[each.pk]["value"] for each in (fine, late, risky, past)] == [0, 1, 1, 0]


def test_the_trend_looks_back_to_the_run_of_its_first_day():
    account = customer(40, at="03-01T12:00")
    newcomer = customer()
    compute("03-10")
    learn("06-08")
    read(account, 45, "06-08T06:00")
    SeatReadingFactory(
        instance=newcomer.instances.get(), observed_at=moment("06-08T06:00"), seats=30
    )
    compute("06-08")
    say("06-08", at=moment("06-09"))
    parts = HealthRow.objects.get(account=account).parts
    assert (parts["trend"]["value"], parts["trend"]["told"]["before"]) == ("0.050000", 40)
    assert HealthRow.objects.get(account=newcomer).parts["trend"] == {"state": "no_before"}


def test_the_same_day_partial_counts_are_no_share(only_deployment):
    account = customer(40)
    InstanceFactory(account=account)
    compute("03-10")
    say("03-10")
    assert said(account, "03-10") == (None, "")


def test_how_an_account_stands(only_deployment):
    learn("02-01")
    account = customer(36, at="02-01T12:00")
    nights = {"02-08": None, "03-01": 44, "03-10": 48}
    for on, seats in nights.items():
        learn(on)
        if seats:
            read(account, seats, f"{on}T06:00")
        compute(on)
        say(on, at=moment(on))
    found = health.standing_of(account, day=day("03-12"))
    assert (found.row.score, found.row.band, found.since) == (60, "Fine", day("03-01"))
    assert (found.before, found.change) == (45, 15)
    line = health.line_of(account, until=day("03-10"))
    assert [score for _, score in line] == [45, 45, 45, 55, 60]
    night = health.night_on(day("03-12"))
    (move,) = health_lists.moved(night, health.read(night.policy))
    assert (move.before, move.after, move.accounts, move.is_better) == ("Poor", "Fine", 1, True)
    assert [(each.band, each.accounts) for each in health_lists.distribution(night, ["Fine"])] == [
        ("Fine", 1)
    ]
    # As it was said on a day that is past.
    assert health.standing_of(account, day=day("02-20")).row.score == 45
    assert health.standing_of(account, day=day("01-20")).night is None


def overridden(account, by, **changes):
    given = {"band": "Watch", "reason": "The sponsor left.", "until": day("03-20")} | changes
    return health_overrides.override_health(account, **given, by=by, at=MORNING)


def test_an_owner_says_so_with_a_reason_until_a_day(tam, person, de_lead):
    other_tam = person("TAM")
    account = customer(40)
    AssignmentFactory(account=account, user=tam, role="TAM", start=day("01-01"))
    AssignmentFactory(
        account=account, user=other_tam, role="TAM", start=day("01-01"), primary=False
    )
    first = overridden(account, tam)
    second = overridden(account, de_lead, band="At risk")
    first.refresh_from_db()
    assert (first.ended_by, health.override_on(account, day("03-11"))) == (de_lead, second)
    events = Event.objects.filter(account_id=account.pk)
    assert {event.verb for event in events} == {"health.overridden"}
    health_overrides.end_override(account, by=tam, at=MORNING)
    with pytest.raises(Conflict):
        health_overrides.end_override(account, by=tam, at=MORNING)
    with pytest.raises(PermissionDenied):
        overridden(account, other_tam)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"band": "Lovely"}, "band"),
        ({"reason": " "}, "reason"),
        ({"reason": "\x00"}, "reason"),
        ({"until": day("03-10")}, "until"),
        ({"until": day("03-11") + dt.timedelta(days=181)}, "until"),
    ],
)
def test_a_word_that_cannot_stand_says_which_value(changes, field, de_lead):
    with pytest.raises(Invalid) as refused:
        overridden(customer(40), de_lead, **changes)
    assert refused.value.field == field


def test_a_policy_begins_and_is_not_edited_once_it_has(metric_owner, tam):
    given = {"parts": PARTS, "bands": BANDS, "note": "Seats first.", "at": MORNING}
    row = health_policy.begin_policy(start=day("03-12"), by=metric_owner, **given)
    with pytest.raises(Conflict):
        health_policy.begin_policy(start=day("03-12"), by=metric_owner, **given)
    with pytest.raises(Invalid):
        health_policy.begin_policy(start=day("03-10"), by=metric_owner, **given)
    with pytest.raises(PermissionDenied):
        health_policy.begin_policy(start=day("03-13"), by=tam, **given)
    assert health.policy_row_on(day("03-11")).number == 1
    with pytest.raises(Conflict):
        health_policy.take_back(row, by=metric_owner, at=moment("03-12T09:00"))
    health_policy.take_back(row, by=metric_owner, at=MORNING)
    assert HealthPolicy.objects.count() == 1
