"""Business time: worked examples, clocks that change, and what holds for any calendar."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagements.rules.business_time import NO_TIME, Calendar

NINE_TO_FIVE = {weekday: (dt.time(9), dt.time(17)) for weekday in range(5)}
LONG_AGO = dt.date(2000, 1, 1)
HOUR = dt.timedelta(hours=1)


def calendar(zone="UTC", holidays=(), weeks=None):
    return Calendar(weeks or [(LONG_AGO, NINE_TO_FIVE)], frozenset(holidays), ZoneInfo(zone))


def moment(text, zone="UTC"):
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        # Wednesday 18 November 2026, within the day.
        ("2026-11-18 10:00", "2026-11-18 12:30", 2.5),
        # Over night: until 17:00, and from 9:00.
        ("2026-11-18 16:00", "2026-11-19 10:00", 2),
        # From Friday over the week-end to Monday.
        ("2026-11-20 16:30", "2026-11-23 09:30", 1),
        # Before work and after it.
        ("2026-11-18 03:00", "2026-11-18 23:00", 8),
        # A whole week has forty hours.
        ("2026-11-16 00:00", "2026-11-23 00:00", 40),
        ("2026-11-21 00:00", "2026-11-22 23:59", 0),
        ("2026-11-18 12:00", "2026-11-18 12:00", 0),
        # The other way round nothing has passed.
        ("2026-11-18 12:00", "2026-11-18 10:00", 0),
    ],
)
def test_time_between(start, end, hours):
    assert calendar().time_between(moment(start), moment(end)) == hours * HOUR


def test_a_holiday_is_no_business_day():
    days = calendar(holidays=[dt.date(2026, 11, 19)])

    assert not days.is_business_day(dt.date(2026, 11, 19))
    between = days.time_between(moment("2026-11-18 09:00"), moment("2026-11-20 09:00"))
    assert between == 8 * HOUR


def test_pauses_cost_only_the_business_time_in_them():
    pauses = [
        (moment("2026-11-18 12:00"), moment("2026-11-18 14:00")),
        # Overlaps the first, and is not counted twice.
        (moment("2026-11-18 13:00"), moment("2026-11-18 15:00")),
        # Over night: one hour of it is business time.
        (moment("2026-11-18 16:30"), moment("2026-11-19 09:30")),
        (moment("2026-11-21 00:00"), moment("2026-11-22 00:00")),
    ]

    worked = calendar().time_between(moment("2026-11-18 09:00"), moment("2026-11-23 09:00"), pauses)

    assert worked == 24 * HOUR - 3 * HOUR - HOUR


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-11-18 10:00", 2, "2026-11-18 12:00"),
        ("2026-11-18 16:00", 2, "2026-11-19 10:00"),
        ("2026-11-20 16:00", 8, "2026-11-23 16:00"),
        # What ends with the day ends then, and not when the next one begins.
        ("2026-11-18 09:00", 8, "2026-11-18 17:00"),
        ("2026-11-21 12:00", 0, "2026-11-21 12:00"),
        ("2026-11-21 12:00", 1, "2026-11-23 10:00"),
    ],
)
def test_moment_after(start, hours, due):
    assert calendar().moment_after(moment(start), hours * HOUR) == moment(due)


def test_the_moment_waits_for_a_pause():
    pause = (moment("2026-11-18 11:00"), moment("2026-11-19 09:00"))

    due = calendar().moment_after(moment("2026-11-18 10:00"), 2 * HOUR, [pause])

    assert due == moment("2026-11-19 10:00")


@pytest.mark.parametrize(
    ("day", "count", "found"),
    [
        ("2026-11-20", 1, "2026-11-23"),
        ("2026-11-13", 5, "2026-11-20"),
        ("2026-11-20", 0, "2026-11-20"),
        ("2026-11-21", 0, "2026-11-23"),
        ("2026-11-21", 1, "2026-11-23"),
        # Thursday is a holiday.
        ("2026-11-25", 1, "2026-11-27"),
    ],
)
def test_business_days_after(day, count, found):
    days = calendar(holidays=[dt.date(2026, 11, 26)])

    assert days.day_after(dt.date.fromisoformat(day), count) == dt.date.fromisoformat(found)


@pytest.mark.parametrize(
    ("zone", "week"),
    [
        # Clocks go forward on Sunday 29 March 2026, and back on 25 October.
        ("Europe/Berlin", "2026-03-23"),
        ("Europe/Berlin", "2026-10-19"),
        ("America/New_York", "2026-10-26"),
        ("Australia/Lord_Howe", "2026-09-28"),
    ],
)
def test_two_weeks_have_their_hours_whatever_the_clocks_do(zone, week):
    start = moment(f"{week} 00:00", zone)

    # Days are added on the wall's clock.
    assert calendar(zone).time_between(start, start + dt.timedelta(days=14)) == 80 * HOUR


def test_a_day_and_night_shift_is_as_long_as_the_clocks_make_it():
    around = {weekday: (dt.time(0), dt.time(23)) for weekday in range(7)}
    days = calendar("Europe/Berlin", weeks=[(LONG_AGO, around)])

    def length(day):
        opens, closes = days.span_of(dt.date.fromisoformat(day))
        return (closes - opens) / HOUR

    assert (length("2026-03-28"), length("2026-03-29"), length("2026-10-25")) == (23, 22, 24)


def test_hours_that_the_clocks_jump_over_are_none():
    early = {6: (dt.time(2), dt.time(3))}
    days = calendar("Europe/Berlin", weeks=[(LONG_AGO, early)])

    assert (
        days.time_between(
            moment("2026-03-28 00:00", "Europe/Berlin"), moment("2026-03-30 00:00", "Europe/Berlin")
        )
        == NO_TIME
    )


def test_hours_hold_from_their_day_on():
    short = {weekday: (dt.time(10), dt.time(12)) for weekday in range(5)}
    days = calendar(weeks=[(dt.date(2026, 1, 1), NINE_TO_FIVE), (dt.date(2026, 11, 18), short)])

    between = days.time_between(moment("2026-11-17 00:00"), moment("2026-11-19 00:00"))

    assert between == 8 * HOUR + 2 * HOUR
    # Before the first, the first.
    assert days.week_of(dt.date(2025, 1, 1)) == NINE_TO_FIVE


def test_a_company_that_never_works_is_answered_all_the_same():
    never = calendar(weeks=[(LONG_AGO, {})])
    start = moment("2026-11-18 12:00")

    assert never.time_between(start, start + dt.timedelta(days=400)) == NO_TIME
    assert never.moment_after(start, HOUR) > start
    assert never.day_after(start.date(), 3) > start.date()


zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
     "America/St_Johns", "Pacific/Apia", "America/Sao_Paulo"]
)  # fmt: skip
spans = st.tuples(st.times(), st.times()).filter(lambda each: each[0] < each[1])
weeks = st.dictionaries(st.integers(0, 6), spans, max_size=7)
days = st.dates(dt.date(2011, 12, 1), dt.date(2012, 4, 30))
calendars = st.builds(
    lambda zone, old, new, since, holidays: calendar(
        zone, holidays, [(dt.date(2011, 1, 1), old), (since, new)]
    ),
    zones, weeks, weeks, days, st.frozensets(days, max_size=10),
)  # fmt: skip
moments = st.tuples(days, st.times()).map(lambda each: dt.datetime.combine(*each, tzinfo=dt.UTC))
pauses = st.lists(st.tuples(moments, moments).map(lambda each: tuple(sorted(each))), max_size=4)


@given(calendars, moments, moments, moments, pauses)
def test_times_add_up_and_are_never_negative_or_longer_than_the_clock(cal, a, b, c, pauses):
    a, b, c = sorted([a, b, c])

    whole = cal.time_between(a, c, pauses)

    assert whole == cal.time_between(a, b, pauses) + cal.time_between(b, c, pauses)
    assert NO_TIME <= whole <= c - a
    assert cal.time_between(a, b, pauses) <= whole


@given(calendars, moments, moments, pauses)
def test_a_pause_costs_the_business_time_in_it_and_no_more(cal, a, b, pauses):
    a, b = sorted([a, b])
    without = cal.time_between(a, b)
    costs = [cal.time_between(max(a, c), min(b, d)) for c, d in pauses]

    worked = cal.time_between(a, b, pauses)

    assert max([NO_TIME, *costs]) <= without - worked <= sum(costs, NO_TIME)
    if not any(costs):
        assert worked == without


@given(calendars, moments, st.timedeltas(NO_TIME, 60 * HOUR), pauses)
def test_the_moment_after_is_the_first_at_which_the_time_has_passed(cal, start, time, pauses):
    due = cal.moment_after(start, time, pauses)

    if due < start + dt.timedelta(days=3_650):
        assert cal.time_between(start, due, pauses) == time
        instant = dt.timedelta(microseconds=1)
        if time:
            assert cal.time_between(start, due - instant, pauses) < time


@given(calendars, days, st.integers(0, 30), st.integers(0, 30))
def test_business_days_come_one_after_the_other(cal, day, count, more):
    found, later = cal.day_after(day, count), cal.day_after(day, count + more)

    assert day <= found <= later
    if found < day + dt.timedelta(days=3_000):
        assert cal.is_business_day(found)
        assert sum(
            cal.is_business_day(day + dt.timedelta(days=i))
            for i in range(1, (found - day).days + 1)
        ) == max(count, int(not cal.is_business_day(day)))
