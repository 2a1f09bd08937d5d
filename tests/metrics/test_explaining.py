"""Why a number moved: one cause for each account, and contributions that sum exactly."""

import datetime as dt
import re
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.rules import Policy
from metrics.rules.explaining import (
    EARNED,
    Cause,
    Heard,
    Move,
    Picture,
    Side,
    Whole,
    explain,
    explain_redefined,
)

POLICY = Policy()
NEW_TERMS = replace(POLICY, share_percent=70)
THEN = dt.date(2026, 2, 1)


def seats(deployed, licensed=100, *, account=1, **values):
    """An account in the ratio; None stands for seats that nobody knows."""
    unknown = deployed is None or not licensed
    passes = None if unknown else 100 * deployed >= 80 * licensed
    reason = {True: "passes", False: "below", None: "stale"}[passes]
    return Side(
        account_id=account, reason=reason, eligible=True, unlimited=False, passes=passes,
        licensed=licensed, deployed=deployed, arr=Decimal(60_000),
        **{"arr_at_old_rates": Fraction(60_000)} | values,
    )  # fmt: skip


def outside(reason, *, arr_at_old_rates=None, arr=None, account=1):
    return Side(
        account_id=account, reason=reason, eligible=reason == "unlimited",
        unlimited=reason == "unlimited", passes=None, licensed=100, deployed=85,
        arr=None if arr is None else Decimal(arr),
        arr_at_old_rates=None if arr_at_old_rates is None else Fraction(arr_at_old_rates),
    )  # fmt: skip


def picture(sides):
    members = [side for side in sides if side.is_member]
    whole = Whole(sum(side.score for side in members), len(members))
    return Picture(whole, {side.account_id: side for side in sides})


def moved(old, new, policy=POLICY, **options):
    """Return the contribution of the one account that changed, beside nine that pass."""
    rest = [seats(90, account=number) for number in range(2, 11)]
    sides = [picture([side, *rest] if side else rest) for side in (old, new)]
    (found,) = explain(*sides, policy, **options).contributions
    return found


def cause(old, new, policy=POLICY):
    return moved(old, new, policy).cause


def of(*instances, licensed=100):
    """An account whose instances A, B, ... were heard like this."""
    named = {number: each for number, each in enumerate(instances) if each is not None}
    used = [each.seats for each in named.values() if each.is_counted and each.is_usable]
    used = [count for count in used if count is not None]
    return seats(sum(used) if used else None, licensed, instances=named)


def stale(count):
    return Heard(count, THEN, is_usable=False)


SILENT = Heard(None)


class TestFlips:
    def test_seats_gained(self):
        assert cause(seats(79), seats(80)) == Cause.SEATS_GAINED

    def test_seats_lost(self):
        assert cause(seats(80), seats(79)) == Cause.SEATS_LOST

    def test_licences_grew(self):
        assert cause(seats(80), seats(80, 101)) == Cause.LICENCES_GREW

    def test_licences_shrank(self):
        assert cause(seats(79), seats(79, 98)) == Cause.LICENCES_SHRANK

    def test_reading_stale(self):
        assert cause(of(Heard(85)), of(stale(85))) == Cause.READING_STALE

    def test_reading_returned(self):
        assert cause(of(stale(85)), of(Heard(86))) == Cause.READING_RETURNED

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            # Seats alone would not have done it: the licences were the last that flipped it.
            (seats(70, 100), seats(75, 90), Cause.LICENCES_SHRANK),
            # They did, and fewer licences changed nothing more.
            (seats(70, 100), seats(85, 90), Cause.SEATS_GAINED),
            (seats(85, 100), seats(75, 120), Cause.SEATS_LOST),
            (seats(85, 100), seats(84, 120), Cause.LICENCES_GREW),
            (seats(70, 100), seats(60, 75), Cause.LICENCES_SHRANK),
            (seats(85, 100), seats(95, 130), Cause.LICENCES_GREW),
        ],
    )
    def test_the_last_replacement_that_flips_it(self, old, new, expected):
        assert cause(old, new) == expected

    def test_one_of_two_instances_gone_stale(self):
        assert cause(of(Heard(45), Heard(40)), of(Heard(45), stale(40))) == Cause.READING_STALE

    def test_one_of_two_gone_stale_though_the_other_alone_would_do(self):
        old, new = of(Heard(85), Heard(10)), of(Heard(60), stale(10))
        assert cause(old, new) == Cause.SEATS_LOST

    def test_a_silent_instance_read_for_the_first_time(self):
        assert cause(of(Heard(45), SILENT), of(Heard(45), Heard(40))) == Cause.READING_RETURNED

    def test_an_account_read_for_the_first_time(self):
        assert cause(of(), of(Heard(85))) == Cause.READING_RETURNED
        assert cause(seats(None), seats(85)) == Cause.READING_RETURNED

    def test_a_reading_that_returned_with_more_seats_than_before(self):
        """What was last heard would not have passed: the seats did it."""
        assert cause(of(stale(50)), of(Heard(90))) == Cause.SEATS_GAINED

    def test_a_new_instance_beside_others(self):
        assert cause(of(Heard(45)), of(Heard(45), Heard(40))) == Cause.SEATS_GAINED

    def test_an_instance_that_is_gone_beside_others(self):
        assert cause(of(Heard(45), Heard(40)), of(Heard(45))) == Cause.SEATS_LOST

    def test_an_instance_that_no_longer_counts(self):
        uncounted = Heard(40, THEN, is_counted=False)
        assert cause(of(Heard(45), Heard(40)), of(Heard(45), uncounted)) == Cause.READING_STALE
        assert cause(of(Heard(45), uncounted), of(Heard(45), Heard(40))) == Cause.READING_RETURNED

    def test_moved_to_another_instance(self):
        assert cause(of(Heard(85)), of(None, Heard(50))) == Cause.SEATS_LOST

    def test_no_licensed_seats(self):
        assert cause(seats(85), seats(85, 0)) == Cause.LICENCES_SHRANK
        assert cause(seats(85, 0), seats(85)) == Cause.LICENCES_GREW

    def test_an_account_that_could_not_be_computed(self):
        failed = replace(seats(None, 0), reason="error")
        assert cause(seats(85), failed) == Cause.READING_STALE
        assert cause(failed, seats(85)) == Cause.READING_RETURNED


class TestScope:
    def test_new_customer(self):
        assert cause(None, seats(85)) == Cause.NEW_CUSTOMER
        assert cause(outside("prospect"), seats(85)) == Cause.NEW_CUSTOMER
        assert cause(outside("churned"), seats(85)) == Cause.NEW_CUSTOMER

    def test_churned(self):
        assert cause(seats(85), outside("churned")) == Cause.CHURNED
        assert cause(seats(85), outside("prospect")) == Cause.CHURNED

    def test_archived(self):
        assert cause(seats(85), outside("archived")) == Cause.ARCHIVED
        assert cause(seats(85), outside("internal")) == Cause.ARCHIVED
        assert cause(seats(85), None) == Cause.ARCHIVED

    def test_restored(self):
        assert cause(outside("archived"), seats(85)) == Cause.RESTORED
        assert cause(outside("internal"), seats(85)) == Cause.RESTORED

    @pytest.mark.parametrize("at_old_rates", ["50000.01", None])
    def test_arr_up(self, at_old_rates):
        new = seats(85, arr_at_old_rates=at_old_rates and Fraction(at_old_rates))
        assert cause(outside("arr_not_above"), new) == Cause.ARR_UP

    def test_an_amount_that_became_known(self):
        assert cause(outside("missing_amount"), seats(85)) == Cause.ARR_UP

    @pytest.mark.parametrize("at_old_rates", ["50000", "49000", None])
    def test_arr_down(self, at_old_rates):
        new = outside("arr_not_above", arr_at_old_rates=at_old_rates)
        assert cause(seats(85), new) == Cause.ARR_DOWN

    def test_an_amount_that_is_missing(self):
        assert cause(seats(85), outside("missing_amount")) == Cause.ARR_DOWN

    def test_rate_changed(self):
        """The contracts would not have done it at the rates of the old day."""
        new = seats(85, arr_at_old_rates=Fraction(50_000))
        assert cause(outside("arr_not_above"), new) == Cause.RATE_CHANGED
        new = outside("arr_not_above", arr_at_old_rates="50000.01")
        assert cause(seats(85), new) == Cause.RATE_CHANGED

    def test_a_missing_rate(self):
        assert cause(seats(85), outside("missing_rate")) == Cause.RATE_CHANGED
        assert cause(outside("missing_rate"), seats(85)) == Cause.RATE_CHANGED

    def test_became_limited(self):
        assert cause(outside("unlimited"), seats(85)) == Cause.BECAME_LIMITED

    def test_became_unlimited(self):
        assert cause(seats(85), outside("unlimited")) == Cause.BECAME_UNLIMITED


class TestContributions:
    @pytest.mark.parametrize(
        ("old", "new", "move", "value"),
        [
            (seats(70), seats(85), Move.CROSSED, Fraction(1, 10)),
            (seats(85), seats(70), Move.FELL, Fraction(-1, 10)),
            (None, seats(85), Move.ENTERED, Fraction(0)),
            (None, seats(70), Move.ENTERED, Fraction(-1, 10)),
            (seats(85), None, Move.LEFT, Fraction(0)),
            (seats(70), None, Move.LEFT, Fraction(9, 10) / 9),
        ],
    )
    def test_by_the_definition(self, old, new, move, value):
        found = moved(old, new)
        assert (found.move, found.value) == (move, value)

    def test_a_side_without_an_account_has_no_change(self):
        for old, new in ([[], [seats(85)]], [[seats(85)], []], [[], []]):
            found = explain(picture(old), picture(new), POLICY)
            assert (found.delta, found.contributions) == (None, ())

    def test_who_is_outside_on_both_days_moves_nothing(self):
        old = [seats(85, account=2), outside("prospect")]
        new = [seats(85, account=2), outside("churned")]
        assert explain(picture(old), picture(new), POLICY).contributions == ()

    def test_only_seats_are_earned(self):
        assert {str(each) for each in EARNED} == {"seats_gained", "seats_lost"}
        found = explain(
            picture([seats(70, account=1), seats(79, account=2), seats(85, account=3)]),
            picture([seats(85, account=1), seats(79, 90, account=2), seats(85, account=3)]),
            POLICY,
        )
        assert (found.earned, found.unearned) == (Fraction(1, 3), Fraction(1, 3))
        assert found.stayed == 1

    def test_revisions_of_one_day_are_corrected(self):
        found = moved(seats(70), seats(85), is_one_day=True)
        assert (found.cause, found.told_by) == (Cause.CORRECTED, Cause.SEATS_GAINED)
        assert not found.is_earned

    def test_contraction_lifts_the_number_and_is_no_success(self):
        assert moved(seats(70), seats(70, 80)).is_contraction
        assert not moved(seats(85), seats(85, 0)).is_contraction
        smaller = replace(outside("arr_not_above"), licensed=50)
        assert moved(seats(70), smaller).is_contraction
        assert not moved(seats(85), smaller).is_contraction
        assert not moved(seats(70), outside("arr_not_above")).is_contraction


class TestAnotherDefinition:
    def test_restates_the_old_day_first(self):
        old = picture([seats(75, account=1), seats(60, account=2)])
        restated = picture([replace(seats(75, account=1), passes=True), seats(60, account=2)])
        new = picture([replace(seats(76, account=1), passes=True), seats(72, account=2)])
        new = Picture(Whole(2, 2), {**new.sides, 2: replace(new.sides[2], passes=True)})

        found = explain_redefined(old, restated, new, NEW_TERMS)

        assert [(each.account_id, each.cause) for each in found.contributions] == [
            (1, Cause.DEFINITION_CHANGED),
            (2, Cause.SEATS_GAINED),
        ]
        assert found.delta == 1 == found.earned + found.unearned
        assert found.earned == Fraction(1, 2)
        assert found.restated == Whole(1, 2)

    def test_that_leaves_nobody_on_the_old_day_explains_all(self):
        old, new = picture([seats(75)]), picture([seats(85)])
        nobody = Picture(Whole(0, 0), {1: outside("arr_not_above")})
        found = explain_redefined(old, nobody, new, POLICY)
        assert [each.cause for each in found.contributions] == [Cause.DEFINITION_CHANGED]
        assert found.delta == sum(each.value for each in found.contributions)


INSTANCES = st.lists(
    st.one_of(
        st.none(),
        st.builds(
            Heard,
            st.one_of(st.none(), st.integers(0, 120)),
            is_counted=st.sampled_from([True, True, True, False]),
            is_usable=st.booleans(),
        ),
    ),
    max_size=3,
)
MEMBERS = st.builds(
    lambda instances, licensed: of(*instances, licensed=licensed),
    INSTANCES,
    st.sampled_from([0, 44, 100, 101]),
)
STRANGERS = st.builds(
    outside,
    st.sampled_from(
        ["prospect", "internal", "archived", "churned", "missing_rate", "missing_amount",
         "arr_not_above", "unlimited"]
    ),
    arr_at_old_rates=st.sampled_from([None, "49000", "50000", "50001"]),
)  # fmt: skip
DAYS = st.lists(st.one_of(st.none(), MEMBERS, MEMBERS, STRANGERS), min_size=1, max_size=12)


def day_of(sides):
    return picture([replace(s, account_id=number) for number, s in enumerate(sides) if s])


@given(old=DAYS, new=DAYS, is_one_day=st.booleans(), seed=st.randoms(use_true_random=False))
def test_contributions_sum_exactly_to_the_change(old, new, is_one_day, seed):
    before, after = day_of(old), day_of(new)
    found = explain(before, after, POLICY, is_one_day=is_one_day)
    if not before.whole.denominator or not after.whole.denominator:
        assert found.delta is None
        return
    assert found.delta == after.whole.share - before.whole.share
    assert sum(each.value for each in found.contributions) == found.delta
    assert found.earned + found.unearned == found.delta
    assert len({each.account_id for each in found.contributions}) == len(found.contributions)
    assert 0 <= found.stayed <= after.whole.denominator
    assert {each.cause for each in found.contributions if each.is_earned} <= EARNED
    # In whatever order the accounts come, each has the same part and the same cause.
    assert (
        explain(shuffled(before, seed), shuffled(after, seed), POLICY, is_one_day=is_one_day)
        == found
    )
    # Accounts that did not move may be left out.
    ids = {each.account_id for each in found.contributions}
    assert explain(only(before, ids), only(after, ids), POLICY, is_one_day=is_one_day) == found


@given(old=DAYS, restated=DAYS, new=DAYS)
def test_so_they_do_beside_a_change_of_definition(old, restated, new):
    days = [day_of(sides) for sides in (old, restated, new)]
    found = explain_redefined(*days, POLICY)
    if found.delta is not None:
        assert sum(each.value for each in found.contributions) == found.delta
        assert found.earned + found.unearned == found.delta


@given(old=MEMBERS, new=MEMBERS)
def test_what_flips_up_is_gained_and_what_flips_down_is_lost(old, new):
    if old.score == new.score:
        return
    up = {Cause.SEATS_GAINED, Cause.READING_RETURNED}
    down = {Cause.SEATS_LOST, Cause.READING_STALE}
    found = cause(old, new)
    if found in {Cause.LICENCES_GREW, Cause.LICENCES_SHRANK}:
        assert (found is Cause.LICENCES_GREW) == (new.licensed > old.licensed)
    else:
        assert found in (up if new.score else down)


def shuffled(day, seed):
    sides = list(day.sides.items())
    seed.shuffle(sides)
    return Picture(day.whole, dict(sides))


def only(day, ids):
    return Picture(day.whole, {i: side for i, side in day.sides.items() if i in ids})


PAGE = Path("docs/metric.md").read_text()
EXAMPLE = re.findall(
    r"^\| (\w+) \| (.+?) \| (.+?) \| `(\w+)` \| (-?\d+/\d+) \|$", PAGE, re.MULTILINE
)


def test_the_example_of_the_page():
    def side(text, account):
        if counts := re.fullmatch(r"(\d+) of (\d+) seats", text):
            return seats(int(counts[1]), int(counts[2]), account=account)
        return outside(text.strip("`"), account=account)

    stayed = [seats(90 if number else 50, account=100 + number) for number in range(6)]
    lines = list(enumerate(EXAMPLE))
    found = explain(
        picture([*(side(old, number) for number, (_, old, *_) in lines), *stayed]),
        picture([*(side(new, number) for number, (_, _, new, *_) in lines), *stayed]),
        POLICY,
    )

    assert [(str(each.cause), each.value) for each in found.contributions] == [
        (cause, Fraction(value)) for *_, cause, value in EXAMPLE
    ]
    assert (found.before, found.after) == (Whole(6, 10), Whole(8, 11))
    assert (found.delta, found.earned, found.stayed) == (Fraction(7, 55), Fraction(1, 11), 6)
    assert f"add up to\n{found.delta}" in PAGE
    assert [EXAMPLE[each.account_id][0] for each in found.contraction] == ["Tarn"]


def test_the_page_names_every_cause():
    assert [cause for cause in Cause if f"`{cause}`" not in PAGE] == []
