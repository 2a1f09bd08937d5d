"""Hours, days off, service levels and reasons: changed by date, by administrators."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from config.lib.errors import Conflict, Invalid
from engagements.models import BusinessHours, Holiday, ReasonCode, ServiceLevel
from engagements.rules.days_off import parse_days_off
from engagements.selectors.calendar import company_calendar, hours_on
from engagements.services import hours, levels, reasons
from events.models import Event

TODAY = dt.date(2026, 11, 18)
TOMORROW = TODAY + dt.timedelta(days=1)
SHORT = {weekday: (dt.time(10), dt.time(12)) for weekday in range(4)}

pytestmark = pytest.mark.django_db


def days(**week):
    return {row.weekday: (row.opens, row.closes) for row in hours_on(**week)}


def level(start=TODAY, number=4, impact=None):
    return {"clock": "routed", "impact": impact, "hours": Decimal(number), "start": start}


def test_hours_hold_from_their_day_and_leave_what_passed(administrator):
    assert hours.set_hours(SHORT, since=TOMORROW, by=administrator, today=TODAY)

    assert days(day=TOMORROW) == SHORT
    assert days(day=TODAY)[4] == (dt.time(9), dt.time(17))
    assert not company_calendar().is_business_day(dt.date(2026, 11, 20))
    assert company_calendar().is_business_day(dt.date(2026, 11, 13))
    assert Event.objects.get(verb="company.hours_set").after["0"] == "10:00-12:00"


def test_the_same_hours_are_no_change(administrator):
    week = days(day=TODAY)

    assert not hours.set_hours(week, since=TODAY, by=administrator, today=TODAY)
    assert not Event.objects.filter(verb="company.hours_set").exists()


@pytest.mark.parametrize(("week", "since"), [(SHORT, TODAY - dt.timedelta(days=1)), ({}, TOMORROW)])
def test_neither_the_past_nor_no_hours_at_all(administrator, week, since):
    with pytest.raises(Invalid):
        hours.set_hours(week, since=since, by=administrator, today=TODAY)

    assert BusinessHours.objects.count() == 5


def test_planned_hours_can_be_taken_back_and_running_ones_not(administrator):
    hours.set_hours(SHORT, since=TOMORROW, by=administrator, today=TODAY)

    hours.take_back_hours(TOMORROW, by=administrator, today=TODAY)

    assert days(day=TOMORROW)[4] == (dt.time(9), dt.time(17))
    with pytest.raises(Conflict):
        hours.take_back_hours(dt.date(2000, 1, 1), by=administrator, today=TODAY)


def test_days_off_are_added_renamed_and_dropped(administrator):
    christmas = dt.date(2026, 12, 25)
    hours.keep_holidays({christmas: "Xmas"}, by=administrator)

    kept = hours.keep_holidays(
        {christmas: "Christmas Day", dt.date(2027, 1, 1): "New Year"}, by=administrator
    )

    assert (kept.added, kept.renamed, kept.there) == (1, 1, 0)
    assert not company_calendar().is_business_day(christmas)
    hours.drop_holiday(Holiday.objects.get(day=christmas), by=administrator)
    assert company_calendar().is_business_day(christmas)
    assert Event.objects.filter(verb__startswith="holiday.").count() == 4


@pytest.mark.parametrize(
    "line",
    [
        "2026-12-25 Christmas Day",
        "2026-12-25,Christmas Day",
        '"2026-12-25";"Christmas Day"',
        "2026-12-25\tChristmas Day,",
    ],
)
def test_days_off_are_read_as_people_paste_them(line):
    pasted = parse_days_off(f"day,name\n\n{line}\n")

    assert (pasted.days, pasted.wrong) == ({dt.date(2026, 12, 25): "Christmas Day"}, [])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("25.12.2026 Christmas", "does not begin with a day"),
        ("2026-13-25 Christmas", "2026-13-25"),
        ("2026-12-25", "does not begin with a day"),
        ("2026-12-25,", "what day it is"),
        ("2026-12-25 " + "x" * 121, "longer than 120"),
    ],
)
def test_a_wrong_line_is_named(line, said):
    [wrong] = parse_days_off(f"2026-01-01 New Year\n{line}").wrong

    assert wrong.startswith("Line 2: ")
    assert said in wrong


def test_a_level_begins_and_ends_the_one_before(administrator):
    new = levels.add_level(**level(TOMORROW), by=administrator, today=TODAY)

    old = ServiceLevel.objects.get(clock="routed", end__isnull=False)
    assert (old.end, new.start, new.end) == (TOMORROW, TOMORROW, None)
    verbs = Event.objects.values_list("verb", flat=True).order_by("pk")
    assert list(verbs) == ["service_level.ended", "service_level.added"]


def test_a_level_is_not_made_in_the_past_or_before_one_that_is_planned(administrator):
    with pytest.raises(Invalid):
        levels.add_level(**level(TODAY - dt.timedelta(days=1)), by=administrator, today=TODAY)
    levels.add_level(**level(TOMORROW), by=administrator, today=TODAY)
    with pytest.raises(Conflict):
        levels.add_level(**level(TODAY, 2), by=administrator, today=TODAY)


def test_levels_of_other_impacts_stand_beside_each_other(administrator):
    levels.add_level(**level(TODAY, 2, impact=1), by=administrator, today=TODAY)

    assert ServiceLevel.objects.filter(clock="routed", end=None).count() == 2


def test_a_level_ends_ahead_and_never_backwards(administrator):
    running = ServiceLevel.objects.get(clock="routed")
    with pytest.raises(Invalid):
        levels.end_level(running, end=TODAY - dt.timedelta(days=1), by=administrator, today=TODAY)

    levels.end_level(running, end=TOMORROW, by=administrator, today=TODAY)

    running.refresh_from_db()
    assert running.end == TOMORROW
    with pytest.raises(Conflict):
        levels.end_level(running, end=TOMORROW, by=administrator, today=TOMORROW)


def test_a_planned_level_is_taken_back(administrator):
    planned = levels.add_level(**level(TOMORROW), by=administrator, today=TODAY)

    levels.end_level(planned, end=TODAY, by=administrator, today=TODAY)

    assert not ServiceLevel.objects.filter(pk=planned.pk).exists()
    assert Event.objects.filter(verb="service_level.taken_back").exists()


def test_a_reason_gets_a_code_of_its_own_and_keeps_it(administrator):
    first = reasons.add_reason("decline", "No budget!", by=administrator)
    reasons.rename_reason(first, "No money", by=administrator)
    second = reasons.add_reason("decline", "No budget", by=administrator)

    first.refresh_from_db()
    assert (first.code, first.label) == ("no_budget", "No money")
    assert second.code == "no_budget_2"


def test_the_same_words_are_not_two_reasons(administrator):
    with pytest.raises(Invalid):
        reasons.add_reason("decline", "OUT of scope", by=administrator)
    reasons.add_reason("cancel", "Out of scope", by=administrator)


def test_a_reason_is_switched_off_but_not_the_last_nor_one_that_keel_needs(administrator):
    for each in ReasonCode.objects.filter(kind="cancel").exclude(code="account_left"):
        reasons.switch_reason(each, is_active=False, by=administrator)

    with pytest.raises(Conflict):
        reasons.switch_reason(
            ReasonCode.objects.get(code="account_left"), is_active=False, by=administrator
        )
    with pytest.raises(Conflict):
        reasons.switch_reason(
            ReasonCode.objects.get(code="objected"), is_active=False, by=administrator
        )


def test_nobody_but_administrators(de_lead):
    holiday = Holiday.objects.create(day=TODAY, name="A day")
    running = ServiceLevel.objects.get(clock="routed")
    reason = ReasonCode.objects.first()
    for refused in (
        lambda: hours.set_hours(SHORT, since=TODAY, by=de_lead, today=TODAY),
        lambda: hours.take_back_hours(TODAY, by=de_lead, today=TODAY),
        lambda: hours.keep_holidays({TODAY: "A day"}, by=de_lead),
        lambda: hours.drop_holiday(holiday, by=de_lead),
        lambda: levels.add_level(**level(), by=de_lead, today=TODAY),
        lambda: levels.end_level(running, end=TODAY, by=de_lead, today=TODAY),
        lambda: reasons.add_reason("hold", "Because", by=de_lead),
        lambda: reasons.rename_reason(reason, "Because", by=de_lead),
        lambda: reasons.switch_reason(reason, is_active=False, by=de_lead),
    ):
        with pytest.raises(PermissionDenied):
            refused()


@pytest.fixture
def week():
    form = {"do": "hours", "since": f"{timezone.now().date():%Y-%m-%d}"}
    for weekday in range(7):
        form |= {f"opens_{weekday}": "", f"closes_{weekday}": ""}
    return form | {"opens_0": "08:00", "closes_0": "16:30"}


def test_the_page_sets_the_week(login, administrator, week):
    answer = login(administrator).post("/settings/hours/", week)

    assert answer.status_code == 302
    assert days(day=timezone.now().date()) == {0: (dt.time(8), dt.time(16, 30))}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"closes_0": ""}, "from when to when on Monday"),
        ({"closes_0": "08:00"}, "Monday ends at 08:00"),
        ({"opens_0": "8 o'clock"}, "is no time of day"),
        ({"opens_0": "٨:00"}, "is no time of day"),
        ({"opens_0": "", "closes_0": ""}, "at least one day"),
        ({"since": "2020-01-01"}, "is past"),
        ({"since": ""}, "Enter the first day"),
    ],
)
def test_the_page_says_what_is_wrong_with_a_week(login, administrator, week, changed, said):
    answer = login(administrator).post("/settings/hours/", {**week, **changed})

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert BusinessHours.objects.count() == 5


def test_the_page_takes_days_off_whole_or_not_at_all(login, administrator):
    client = login(administrator)
    text = "2026-12-25 Christmas\n26 Dec Boxing Day"

    answer = client.post("/settings/hours/", {"do": "holidays", "days": text})

    assert answer.status_code == 422
    assert "Line 2" in answer.content.decode()
    assert "26 Dec Boxing Day" in answer.content.decode()
    assert not Holiday.objects.exists()
    good = client.post(
        "/settings/hours/", {"do": "holidays", "days": "2026-12-25 Christmas"}, follow=True
    )
    assert "1 added" in good.content.decode()


def test_the_page_adds_and_ends_levels(login, administrator):
    client, today = login(administrator), timezone.now().date()
    form = {
        "do": "level",
        "clock": "delivered",
        "impact": "2",
        "hours": "12.5",
        "start": f"{today}",
    }

    assert client.post("/settings/hours/", form).status_code == 302
    added = ServiceLevel.objects.get(clock="delivered", impact=2)
    assert added.hours == Decimal("12.5")
    assert client.post("/settings/hours/", {**form, "hours": "0"}).status_code == 422
    assert client.post("/settings/hours/", {**form, "hours": "1e9"}).status_code == 422
    assert client.post("/settings/hours/", {**form, "clock": "routed"}).status_code == 422
    ended = client.post(f"/settings/hours/levels/{added.uuid}/end/", {"end": "2020-01-01"})
    assert ended.status_code == 422


@pytest.mark.parametrize("sent", [{}, {"do": "nothing"}, {"do": "take-back-hours", "since": "x"}])
def test_the_page_survives_what_it_does_not_know(login, administrator, sent):
    assert login(administrator).post("/settings/hours/", sent).status_code == 302


@pytest.mark.parametrize("holiday", ["", "x", "00000000-0000-0000-0000-000000000000"])
def test_a_day_off_that_is_not_there(login, administrator, holiday):
    sent = {"do": "drop-holiday", "holiday": holiday}

    assert login(administrator).post("/settings/hours/", sent).status_code == 404


def test_the_page_of_reasons(login, administrator):
    client = login(administrator)
    reason = ReasonCode.objects.get(code="duplicate")

    client.post("/settings/reasons/", {"do": "add", "kind": "hold", "label": "Waits for R&D"})
    client.post("/settings/reasons/", {"do": "off", "reason": str(reason.uuid)})
    wrong = client.post(
        "/settings/reasons/",
        {"do": "rename", "reason": str(reason.uuid), f"{reason.uuid}-label": "out of scope"},
    )

    assert ReasonCode.objects.filter(kind="hold", label="Waits for R&D", is_active=True).exists()
    reason.refresh_from_db()
    assert not reason.is_active
    assert wrong.status_code == 422
    assert "is there already" in wrong.content.decode()
    assert client.post("/settings/reasons/", {"do": "off", "reason": "x"}).status_code == 404
