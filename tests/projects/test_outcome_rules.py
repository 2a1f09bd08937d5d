from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.rules.outcomes import (
    ENOUGH,
    Outcome,
    Sample,
    calibrate,
    times_planned,
)

seats = st.none() | st.integers(0, 10_000)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [(190, "achieved"), (189, "partly"), (150, "partly"), (149, "missed"), (40, "missed")],
)
def test_the_verdict_follows_from_the_share_of_seats_that_came(found, verdict):
    outcome = Outcome(promised=100, before=100, found=found)
    assert outcome.verdict == verdict


@given(seats, seats, seats)
def test_there_is_a_verdict_or_a_reason_why_not(promised, before, found):
    outcome = Outcome(promised=promised, before=before, found=found)
    assert bool(outcome.verdict) != bool(outcome.why_unknown)


@given(st.integers(1, 1000), st.integers(0, 1000), st.integers(0, 3000), st.integers(0, 3000))
def test_more_seats_never_make_the_verdict_worse(promised, before, one, other):
    order = ["missed", "partly", "achieved"]
    few, many = (
        Outcome(promised=promised, before=before, found=found).verdict
        for found in sorted((one, other))
    )
    assert order.index(few) <= order.index(many)


def test_times_planned_needs_both():
    assert times_planned(Decimal(5), Decimal("7.5")) == Fraction(3, 2)
    assert times_planned(None, Decimal(1)) is None
    assert times_planned(Decimal(5), None) is None


def test_calibration_is_the_middle_of_what_is_known():
    found = calibrate([
        Sample(Fraction(1, 2), None),
        Sample(Fraction(100), Fraction(2)),
        Sample(Fraction(3, 4), Fraction(1)),
        Sample(None, None),
    ])  # fmt: skip
    assert (found.seats.middle, found.seats.count) == (Fraction(3, 4), 3)
    assert (found.effort.middle, found.effort.count) == (Fraction(3, 2), 2)
    assert found.seats.is_thin


def test_nothing_known_is_no_calibration_and_enough_is_not_thin():
    assert calibrate([]).seats is None
    assert not calibrate([Sample(Fraction(1), None)] * ENOUGH).seats.is_thin
