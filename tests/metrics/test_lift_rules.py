"""What more seats are worth: chances in their closed form, and what must hold of any of them."""

import random
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from metrics.rules.lift import NO_SEATS, Seats, Standing, chance, gain, lift, point

seats = st.lists(st.integers(0, 500), min_size=3, max_size=3).map(lambda n: Seats(*sorted(n)))
standings = st.builds(Standing, st.integers(-300, 600), st.just(0) | st.integers(1, 120))
served = st.tuples(seats, standings)


@pytest.mark.parametrize(
    ("told", "standing", "expected"),
    [
        # 1 - F(25): (40 - 25)² / ((40 - 10) (40 - 20))
        ((10, 20, 40), Standing(25), 0.375),
        # Low is likely, likely is high: a side of the triangle is upright.
        ((10, 10, 40), Standing(25), 0.25),
        ((10, 40, 40), Standing(25), 0.75),
        # At the edges it is sure.
        ((10, 20, 40), Standing(10), 1.0),
        ((10, 20, 40), Standing(40), 0.0),
        # A point.
        ((7, 7, 7), Standing(7), 1.0),
        ((7, 7, 7), Standing(8), 0.0),
        ((0, 0, 0), Standing(0), 1.0),
        # It has 12 to lose, of at most 24: half is lost as likely as not.
        ((0, 0, 0), Standing(-12, fell=8), 0.5),
        ((0, 0, 0), Standing(-24, fell=8), 1.0),
        ((0, 0, 0), Standing(0, fell=8), 0.0),
    ],
)
def test_the_chance_that_an_account_passes(told, standing, expected):
    assert chance(Seats(*told), standing) == expected


def test_the_chance_is_that_of_drawing_seats_and_losses():
    told, standing, count = Seats(10, 20, 40), Standing(5, fell=8), 40_000
    draw = random.Random(1)  # noqa: S311 -- the same on every run
    drawn = sum(
        draw.triangular(10, 40, 20) - draw.triangular(0, 24, 12) >= standing.gap
        for _ in range(count)
    )
    assert chance(told, standing) == pytest.approx(drawn / count, abs=0.01)


@given(seats, standings)
def test_a_gain_lies_within_its_bounds(told, standing):
    found = gain(told, standing)
    assert 0 <= found.before <= found.after <= 1
    assert 0 <= found.low <= found.expected <= found.high <= 1


@given(seats, standings, st.integers(0, 2), st.integers(1, 50))
def test_more_seats_are_never_worth_less(told, standing, which, more):
    better = sorted([*told[:which], told[which] + more, *told[which + 1 :]])
    assert chance(Seats(*better), standing) >= chance(told, standing)


@given(standings)
def test_no_seats_are_worth_nothing(standing):
    assert gain(NO_SEATS, standing).expected == 0


@given(st.integers(0, 500), standings)
def test_a_point_is_what_ever_narrower_triangles_come_to(at, standing):
    times = 10**7
    wide = Standing(standing.gap * times, standing.fell * times)
    assume(standing.gap != at)
    narrow = Seats(at * times - 1 if at else 0, at * times, at * times + 1)
    assert chance(narrow, wide) == pytest.approx(chance(point(at), standing), abs=1e-5)


@given(seats, st.integers(0, 300), st.integers(1, 120))
def test_protecting_an_account_is_worth_what_it_keeps(told, above, fell):
    found = gain(told, Standing(-above, fell))
    assert found.expected >= 0
    assert gain(told, Standing(-above)).expected == 0


@given(st.lists(served, min_size=1, max_size=12), st.integers(1, 20), st.randoms())
def test_a_projects_lift_lies_in_its_bounds_whatever_the_order(accounts, more, shuffle):
    gains = [gain(*each) for each in accounts]
    whole = lift(gains, len(gains) + more)
    assert 0 <= whole.low <= whole.expected <= whole.high < 100
    shuffle.shuffle(gains)
    assert lift(gains, len(gains) + more) == whole


@given(st.lists(served, min_size=1, max_size=6), st.integers(0, 5), st.integers(1, 100))
def test_a_projects_lift_grows_with_its_seats(accounts, which, more):
    place = which % len(accounts)
    told, standing = accounts[place]
    better = [*accounts[:place], (told + point(more), standing), *accounts[place + 1 :]]

    def worth(served):
        return lift([gain(*each) for each in served], 50)

    for before, after in zip(worth(accounts), worth(better), strict=True):
        assert after >= before


def test_the_lift_is_in_points_of_all_accounts_that_count():
    whole = lift([gain(Seats(10, 20, 40), Standing(25)), gain(point(9), Standing(9))], 64)
    assert whole == (Decimal("1.56250"), Decimal("2.14844"), Decimal("3.12500"))
