"""The clocks of requests: when they run, when they stand still, and by which level."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engagements.models import ServiceLevel
from engagements.selectors import levels
from tests import factories
from tests.engagements.pasts import lived, moment

HOUR = dt.timedelta(hours=1)
MONDAY, TUESDAY = "2026-11-16", "2026-11-17"

pytestmark = pytest.mark.django_db


def clocks(request, at):
    found = levels.clocks_of([request], at=moment(at))[request.pk]
    return {clock.name: clock for clock in found}


def standing(request, at, clock="routed"):
    return clocks(request, at)[clock].standing


@pytest.mark.parametrize(
    ("routed", "expected"),
    [
        # Eight business hours are allowed: Monday 9:00 to 17:00.
        (f"{MONDAY} 17:00", "met"),
        # Nobody works at night.
        (f"{TUESDAY} 09:00", "met"),
        (f"{TUESDAY} 09:01", "missed"),
    ],
)
def test_what_is_routed_within_eight_business_hours_met_the_level(routed, expected):
    request = lived("sow_drafting", submitted_at=f"{MONDAY} 09:00", routed_at=routed)

    assert standing(request, "2026-11-20 12:00") == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (f"{MONDAY} 15:23", "running"),
        # 80% of eight hours are 6.4.
        (f"{MONDAY} 15:24", "at_risk"),
        (f"{MONDAY} 17:00", "at_risk"),
        (f"{TUESDAY} 09:01", "missed"),
    ],
)
def test_a_running_clock_is_at_risk_at_80_percent_and_missed_after_the_whole(at, expected):
    request = lived("submitted", submitted_at=f"{MONDAY} 09:00")

    assert standing(request, at) == expected


def test_a_running_clock_says_what_is_left_and_by_when():
    request = lived("submitted", submitted_at=f"{MONDAY} 11:00")

    clock = clocks(request, f"{MONDAY} 16:00")["routed"]

    assert (clock.used, clock.left, clock.over) == (5 * HOUR, 3 * HOUR, 0 * HOUR)
    assert clock.due_at == moment(f"{TUESDAY} 11:00")
    assert (clock.is_running, clock.is_late, clock.is_paused) == (True, False, False)


def test_a_late_clock_says_by_how_much():
    request = lived("submitted", submitted_at=f"{MONDAY} 09:00")

    clock = clocks(request, "2026-11-18 10:00")["routed"]

    assert (clock.over, clock.is_late) == (9 * HOUR, True)


def test_the_clock_stands_still_while_information_is_missing():
    request = lived(
        "sow_drafting",
        submitted_at=f"{MONDAY} 09:00",
        routed_at="2026-11-18 12:00",
        stays=[
            ("submitted", f"{MONDAY} 09:00", f"{MONDAY} 12:00"),
            ("needs_info", f"{MONDAY} 12:00", "2026-11-18 10:00"),
            ("submitted", "2026-11-18 10:00", "2026-11-18 12:00"),
        ],
    )

    clock = clocks(request, "2026-11-20 12:00")["routed"]

    # Three hours before the question, two after the answer.
    assert (clock.used, clock.standing) == (5 * HOUR, "met")


def test_a_pause_that_goes_on_keeps_what_is_left():
    request = lived(
        "submitted",
        submitted_at=f"{MONDAY} 09:00",
        stays=[("needs_info", f"{MONDAY} 16:00", None)],
    )

    clock = clocks(request, "2026-12-15 12:00")["routed"]

    assert (clock.used, clock.is_paused, clock.standing) == (7 * HOUR, True, "at_risk")
    assert clock.due_at > moment("2026-12-15 12:00")


def test_triage_does_not_wait_for_a_new_version_and_delivery_not_for_the_customer():
    request = lived(
        "in_progress",
        impact=1,
        signed_off_at=f"{MONDAY} 09:00",
        triaged_at=f"{TUESDAY} 17:00",
        started_at="2026-11-18 09:00",
        stays=[
            ("sow_drafting", f"{MONDAY} 10:00", f"{MONDAY} 12:00"),
            ("awaiting_signoff", f"{MONDAY} 12:00", f"{MONDAY} 17:00"),
            ("delivered", "2026-11-18 12:00", "2026-11-18 16:00"),
            ("on_hold", "2026-11-18 16:00", "2026-11-19 09:00"),
        ],
    )

    found = clocks(request, "2026-11-19 10:00")

    assert found["triaged"].used == 9 * HOUR
    assert found["delivered"].used == 3 * HOUR + 1 * HOUR


@pytest.mark.parametrize(("impact", "hours"), [(1, 40), (3, 80), (None, 80)])
def test_the_level_of_the_impact_goes_before_that_for_any(impact, hours):
    request = lived("in_progress", impact=impact, started_at=f"{MONDAY} 09:00")

    assert clocks(request, f"{MONDAY} 10:00")["delivered"].allowed == hours * HOUR


def test_a_level_holds_for_clocks_that_began_while_it_was_in_force():
    ServiceLevel.objects.filter(clock="routed").update(end=dt.date(2026, 11, 17))
    ServiceLevel.objects.create(clock="routed", hours=Decimal("2.5"), start=dt.date(2026, 11, 17))
    before = lived("submitted", submitted_at=f"{MONDAY} 16:59")
    after = lived("submitted", submitted_at=f"{TUESDAY} 09:00")

    assert clocks(before, f"{TUESDAY} 12:00")["routed"].allowed == 8 * HOUR
    assert clocks(after, f"{TUESDAY} 12:00")["routed"].allowed == 2.5 * HOUR


def test_without_a_level_there_is_no_clock():
    ServiceLevel.objects.all().delete()
    request = lived("submitted", submitted_at=f"{MONDAY} 09:00")

    assert clocks(request, f"{TUESDAY} 12:00") == {}


def test_what_is_called_off_in_time_is_not_judged_and_what_is_late_stays_missed():
    over = {"submitted_at": f"{MONDAY} 09:00"}
    early = lived("cancelled", **over, closed_at=f"{MONDAY} 12:00")
    late = lived("declined", **over, closed_at="2026-11-19 12:00")

    assert standing(early, "2026-11-20 12:00") == "stopped"
    assert standing(late, "2026-11-20 12:00") == "missed"


def test_the_fast_path_has_no_clock_of_triage():
    request = lived(
        "triaged",
        submitted_at=f"{MONDAY} 09:00",
        routed_at=f"{MONDAY} 10:00",
        triaged_at=f"{MONDAY} 10:00",
        fast_path=True,
    )

    assert list(clocks(request, f"{MONDAY} 12:00")) == ["routed"]


def test_clocks_are_judged_by_what_had_happened_until_then():
    request = lived("sow_drafting", submitted_at=f"{MONDAY} 09:00", routed_at="2026-11-20 09:00")

    assert standing(request, f"{MONDAY} 10:00") == "running"
    assert levels.clocks_of([request], at=moment("2026-11-15 10:00")) == {request.pk: []}


def test_a_list_costs_as_many_statements_as_one(django_assert_num_queries):
    requests = [lived("submitted", submitted_at=f"{MONDAY} 09:00") for _ in range(12)]
    at = moment(f"{MONDAY} 12:00")

    with CaptureQueriesContext(connection) as one:
        levels.clocks_of(requests[:1], at=at)
    with django_assert_num_queries(len(one)):
        levels.clocks_of(requests, at=at)


def test_leads_are_told_what_is_due_and_engineers_what_is_theirs(de_lead, de_engineer, tam):
    to_route = lived("submitted", submitted_at=f"{MONDAY} 09:00")
    to_triage = lived("signed_off", signed_off_at="2026-11-09 09:00")
    to_deliver = lived("in_progress", impact=1, lead=de_engineer, started_at="2026-11-10 09:00")
    lived("submitted", submitted_at=f"{MONDAY} 16:00")
    lived("needs_info", submitted_at="2026-11-02 09:00", paused_from="submitted")
    at = moment(f"{MONDAY} 17:00")

    def due(user):
        return [(each.request, each.what) for each in levels.due_soon(user, at=at)]

    assert due(de_lead) == [(to_triage, "Triage"), (to_route, "Decide who owns it")]
    assert due(de_engineer) == [(to_deliver, "Deliver")]
    assert due(tam) == []
    assert due(factories.UserFactory()) == []


def test_work_whose_last_day_is_near_is_due_once(de_engineer):
    soon = lived(
        "in_progress",
        lead=de_engineer,
        started_at="2026-11-18 09:00",
        start=dt.date(2026, 11, 18),
        end=dt.date(2026, 11, 20),
    )
    lived("in_progress", lead=de_engineer, end=dt.date(2026, 12, 4), started_at="2026-11-18 09:00")

    found = levels.due_soon(de_engineer, at=moment("2026-11-18 12:00"))

    assert [(each.request, each.due_at, each.clock) for each in found] == [
        (soon, moment("2026-11-20 17:00"), None)
    ]
