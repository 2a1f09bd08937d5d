import datetime as dt

import pytest

from accounts import rules
from accounts.rules import Contract, Count, Pace, SeatPoint

DAY = dt.date(2026, 11, 20)


def days_before(count):
    return DAY - dt.timedelta(days=count)


def history(*, contracts=(), counts=(), days=(DAY,), stale_days=60):
    return rules.seat_history(days, contracts, counts, stale_days=stale_days)


class TestSeatHistory:
    def test_instances_add_up_and_the_latest_count_of_each_wins(self):
        counts = [Count(1, days_before(9), 10), Count(2, days_before(3), 5), Count(1, DAY, 20)]
        assert history(counts=counts) == [SeatPoint(DAY, None, 25)]

    def test_a_count_of_tomorrow_is_not_used_today(self):
        assert history(counts=[Count(1, DAY + dt.timedelta(days=1), 9)])[0].deployed is None

    @pytest.mark.parametrize(("age", "deployed"), [(60, 7), (61, None)])
    def test_a_count_older_than_the_limit_is_unknown_not_zero(self, age, deployed):
        assert history(counts=[Count(1, days_before(age), 7)])[0].deployed == deployed

    def test_zero_seats_are_known(self):
        assert history(counts=[Count(1, DAY, 0)])[0].deployed == 0

    def test_a_renewal_on_the_day_the_old_term_ends_counts_once(self):
        old = Contract(days_before(365), DAY, 100, unlimited=False)
        new = Contract(DAY, None, 140, unlimited=False)
        points = history(contracts=[old, new], days=[days_before(1), DAY])
        assert [point.licensed for point in points] == [100, 140]

    def test_an_unlimited_licence_has_no_number(self):
        paid = Contract(days_before(1), None, 100, unlimited=False)
        assert history(contracts=[paid, paid._replace(unlimited=True)])[0].licensed is None

    def test_days_come_in_order(self):
        points = history(days=[DAY, days_before(7)], counts=[Count(1, days_before(3), 4)])
        assert [point.deployed for point in points] == [None, 4]


class TestPace:
    points = [SeatPoint(days_before(7 * week), 100, 50 - week) for week in range(13, -1, -1)]

    def test_the_change_over_the_last_weeks(self):
        assert rules.pace_of(self.points, weeks=13) == Pace(13, 13)

    def test_unknown_where_either_end_is(self):
        gap = [self.points[0]._replace(deployed=None), *self.points[1:]]
        assert rules.pace_of(gap, weeks=13) is None
        assert rules.pace_of(self.points, weeks=14) is None

    @pytest.mark.parametrize(
        ("gained", "seats", "weeks"), [(13, 5, 5), (26, 5, 3), (0, 5, None), (-4, 5, None)]
    )
    def test_weeks_for_seats_are_whole_and_rounded_up(self, gained, seats, weeks):
        assert Pace(gained, 13).weeks_for(seats) == weeks


@pytest.mark.parametrize(("licensed", "needed"), [(44, 36), (45, 36), (100, 80), (1, 1), (0, 0)])
def test_seats_needed_are_rounded_up(licensed, needed):
    assert rules.seats_needed(licensed, 80) == needed
