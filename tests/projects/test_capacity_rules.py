"""How many days people have: pure arithmetic."""

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from projects.rules import capacity
from projects.rules.capacity import Load, Part, Span

MONDAY = dt.date(2026, 11, 30)
FRIDAY = dt.date(2026, 12, 4)
NEXT_FRIDAY = dt.date(2026, 12, 11)
D = Decimal
OPEN = Span(dt.date(2020, 1, 1), None)


def is_weekday(day):
    return day.weekday() < 5 and day != dt.date(2026, 12, 8)


FOUR_DAYS = [Part(D(4), OPEN)]


def fortnight(*away, parts=FOUR_DAYS):
    days = capacity.working_days(is_weekday, MONDAY, dt.date(2026, 12, 13))
    return capacity.time_in(days, parts, away)


def test_days_are_working_days_without_holidays_and_absences():
    assert fortnight() == capacity.Time(9, 0, D("7.2"))
    assert fortnight(Span(MONDAY, FRIDAY)) == capacity.Time(9, 5, D("3.2"))
    # Away twice on the same day, or at a weekend, takes no more.
    twice = fortnight(Span(MONDAY, FRIDAY), Span(FRIDAY, FRIDAY + dt.timedelta(2)))
    assert twice == capacity.Time(9, 5, D("3.2"))


def test_a_part_counts_while_it_lasts_and_parts_add_up():
    until_friday = Part(D(5), Span(OPEN.start, FRIDAY))
    assert fortnight(parts=[until_friday]).available == D(5)
    assert fortnight(parts=[Part(D(2), OPEN), Part(D("1.5"), OPEN)]).available == D("6.3")
    assert fortnight(parts=[]) == capacity.Time(0, 0, D(0))


def test_away_throughout_is_every_working_day():
    assert capacity.is_away_throughout(fortnight(Span(MONDAY, NEXT_FRIDAY)))
    assert not capacity.is_away_throughout(fortnight(Span(MONDAY, FRIDAY)))
    assert not capacity.is_away_throughout(fortnight(parts=[]))


def test_conflicts_are_said_in_words():
    def words(load, away=(), *, is_member=True):
        return capacity.conflict_words("Noor", "2026-W49", load, away=away, is_member=is_member)

    assert words(Load(D(4), D(3), D(1))) == ""
    assert words(Load(D(0), D(3)), [Span(MONDAY, FRIDAY)]) == (
        "Noor is away 30 Nov to 4 Dec and has 3 hard days in 2026-W49, with 0 days to give."
    )
    assert words(Load(D(1), D(1), D("0.5"))) == (
        "Noor has 1 hard day and 0.5 soft in 2026-W49, with 1 day to give."
    )
    assert words(Load(D(0), D(0), D(2)), is_member=False) == (
        "Noor is not in the team in 2026-W49 and has 2 soft days there."
    )


def test_slots_leave_out_what_is_taken():
    taken = [Span(dt.date(2026, 12, 7), dt.date(2026, 12, 13))]
    found = capacity.slots(MONDAY, 1, dt.date(2026, 12, 20), taken)
    assert [start for start, _ in found] == [MONDAY, dt.date(2026, 12, 14)]
    found = capacity.slots(MONDAY + dt.timedelta(2), 2, dt.date(2026, 12, 20), taken)
    assert found == [(dt.date(2026, 12, 14), dt.date(2026, 12, 27))]


tenths = st.integers(1, 140).map(lambda n: D(n) / 10)
weights = st.lists(st.decimals(-3, 14, places=2), min_size=1, max_size=8)


@given(tenths, weights)
def test_days_split_in_tenths_add_up(days, weights):
    parts = capacity.in_tenths(days, weights)
    assert sum(parts) == days
    assert all(part >= 0 and part == part.quantize(D("0.1")) for part in parts)
    if any(weight > 0 for weight in weights):
        exact = capacity.in_parts(days, weights)
        assert all(abs(a - b) < D("0.1001") for a, b in zip(parts, exact, strict=True))
