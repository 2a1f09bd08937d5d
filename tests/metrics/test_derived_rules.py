"""What one row adds to each number: by the rules, and the same by the statement."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import example, given, settings
from hypothesis import strategies as st

from metrics.rules import derived
from metrics.rules.derived import Policy, Row, State
from metrics.selectors import derived_sql

DAY = dt.date(2026, 11, 20)
POLICY = Policy()
USUAL = {
    "arr": Decimal(100_000), "licensed": 100, "unlimited": False, "deployed": 70,
    "data_state": "complete", "eligible": True, "passes": False, "reason": "below",
    "monthly_active": 50, "renewal_on": dt.date(2027, 2, 1), "customer_since": dt.date(2026, 1, 1),
}  # fmt: skip


def row(**values):
    return Row(**{**USUAL, **values})


def state(rule, **values):
    return derived.ROW_RULES[rule](row(**values), DAY, POLICY).state


class TestEarlyWarning:
    @pytest.mark.parametrize(
        ("bought", "expected"),
        [(DAY - dt.timedelta(90), State.COUNTED), (DAY - dt.timedelta(89), State.CLEAR)],
    )
    def test_begins_on_the_90th_day(self, bought, expected):
        assert state(derived.EARLY_WARNING, customer_since=bought) is expected

    @pytest.mark.parametrize(
        ("deployed", "licensed", "expected"),
        [(74, 100, State.COUNTED), (75, 100, State.CLEAR), (32, 43, State.COUNTED)],
    )
    def test_compares_whole_numbers(self, deployed, licensed, expected):
        assert state(derived.EARLY_WARNING, deployed=deployed, licensed=licensed) is expected

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ({"deployed": None, "data_state": "stale"}, State.UNKNOWN),
            ({"data_state": "partial"}, State.UNKNOWN),
            ({"data_state": "partial", "deployed": 75}, State.CLEAR),
            ({"licensed": 0}, State.UNKNOWN),
            ({"customer_since": None}, State.UNKNOWN),
            ({"unlimited": True}, State.OUT),
            ({"eligible": False}, State.OUT),
        ],
    )
    def test_does_not_guess(self, values, expected):
        assert state(derived.EARLY_WARNING, **values) is expected


class TestAtRisk:
    @pytest.mark.parametrize(
        ("renewal", "expected"),
        [
            (DAY, State.CLEAR),
            (DAY + dt.timedelta(1), State.COUNTED),
            (DAY + dt.timedelta(180), State.COUNTED),
            (DAY + dt.timedelta(181), State.CLEAR),
            (None, State.CLEAR),
        ],
    )
    def test_renews_within_180_days(self, renewal, expected):
        assert state(derived.AT_RISK, renewal_on=renewal) is expected

    def test_counts_an_early_warning_that_passes(self):
        # Under a definition whose line is lower.
        assert state(derived.AT_RISK, passes=True, deployed=74) is State.COUNTED
        assert state(derived.AT_RISK, passes=True, deployed=76) is State.CLEAR

    def test_is_unknown_where_the_side_is(self):
        assert state(derived.AT_RISK, passes=None, deployed=None) is State.UNKNOWN


class TestMoney:
    def test_unknown_accounts_make_the_interval(self):
        adds = derived.arr_at_risk(row(passes=None, deployed=None), DAY, POLICY)
        assert (adds.state, adds.amount, adds.counted) == (State.UNKNOWN, 100_000, 0)

    @pytest.mark.parametrize(
        ("renewal", "key"),
        [
            (dt.date(2026, 11, 20), ""),
            (dt.date(2026, 12, 31), "2026-Q4"),
            (dt.date(2027, 9, 30), "2027-Q3"),
            (dt.date(2027, 10, 1), ""),
        ],
    )
    def test_four_quarters_begin_with_that_of_the_day(self, renewal, key):
        assert derived.renewal_exposure(row(renewal_on=renewal), DAY, POLICY).key == key

    def test_quarters_are_named_in_order(self):
        assert derived.quarters_from(DAY, 4) == ["2026-Q4", "2027-Q1", "2027-Q2", "2027-Q3"]


@pytest.mark.parametrize("rule", derived.ROW_RULES)
class TestLeastARR:
    @pytest.mark.parametrize(("arr", "is_in"), [("99999.99", True), ("100000", False)])
    def test_exactly_that_much_is_out(self, rule, arr, is_in):
        policy = Policy(min_arr=Decimal(arr))
        adds = derived.ROW_RULES[rule](row(), DAY, policy)
        assert (adds.state is not State.OUT) is is_in

    def test_an_account_without_a_known_amount_stays(self, rule):
        without = row(arr=None, passes=None)
        policy = Policy(min_arr=Decimal(100_000))
        assert derived.ROW_RULES[rule](without, DAY, policy).state is not State.OUT

    def test_zero_leaves_none_out(self, rule):
        assert derived.ROW_RULES[rule](row(arr=Decimal(0)), DAY, POLICY).state is not State.OUT


class TestAdoption:
    def test_weighs_by_licences(self):
        adds = derived.adoption(row(licensed=40, monthly_active=50), DAY, POLICY)
        assert (adds.counted, adds.counted_weight) == (50, 40)

    @pytest.mark.parametrize("values", [{"monthly_active": None}, {"licensed": 0}])
    def test_leaves_out_what_is_not_known(self, values):
        assert state(derived.ADOPTION, **values) is State.UNKNOWN


class TestContraction:
    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            ({}, {"licensed": 80}, 20),
            ({}, {"licensed": 120}, 0),
            ({}, {"licensed": 0, "eligible": False, "reason": "arr_not_above"}, 100),
            ({}, {"licensed": 0, "eligible": False, "reason": "churned"}, 0),
            ({}, {"licensed": 0, "eligible": False, "reason": "rolled_up"}, 0),
            ({}, {"licensed": 0, "unlimited": True}, 0),
            ({"eligible": False}, {"licensed": 80}, 0),
        ],
    )
    def test_counts_what_a_customer_gave_up(self, before, after, expected):
        assert derived.given_up(row(**before), row(**after)) == expected

    def test_tells_churn_apart(self):
        gone = row(licensed=0, eligible=False, reason="churned")
        assert derived.churned_with(row(), gone) == 100


rows = st.builds(
    Row,
    arr=st.none() | st.sampled_from([Decimal(0), Decimal("50000.000001"), Decimal(10**9)]),
    licensed=st.sampled_from([0, 1, 43, 44, 100, 10**12]),
    unlimited=st.booleans(),
    deployed=st.none() | st.sampled_from([0, 32, 33, 35, 74, 75, 80, 10**12]),
    data_state=st.sampled_from(["complete", "partial", "stale", "no_reading"]),
    eligible=st.booleans(),
    passes=st.none() | st.booleans(),
    reason=st.sampled_from(["below", "passes", "churned", "arr_not_above"]),
    monthly_active=st.none() | st.integers(0, 200),
    renewal_on=st.none() | st.dates(DAY - dt.timedelta(3), DAY + dt.timedelta(400)),
    customer_since=st.none()
    | st.sampled_from([DAY - dt.timedelta(days) for days in (0, 89, 90, 91, 4000)]),
)
TYPES = {
    "arr": "numeric", "licensed": "bigint", "unlimited": "boolean", "deployed": "bigint",
    "data_state": "text", "eligible": "boolean", "passes": "boolean", "reason": "text",
    "monthly_active": "bigint", "renewal_on": "date", "customer_since": "date",
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("rule", derived.ROW_RULES)
@settings(max_examples=40, deadline=None)
@given(
    found=st.lists(rows, min_size=1, max_size=30),
    share=st.sampled_from([70, 75, 80]),
    least=st.sampled_from([Decimal(0), Decimal("50000.000001")]),
)
@example(found=[row(eligible=False)], share=75, least=Decimal(0))
@example(found=[row(licensed=0, monthly_active=1)], share=75, least=Decimal(0))
@example(found=[row(arr=Decimal(50_000))], share=75, least=Decimal(50_000))
def test_the_statement_says_the_same(rule, found, share, least):
    policy = Policy(share_percent=share, min_arr=least)
    names = derived_sql.COLUMNS
    line = ", ".join(f"%s::{TYPES[name]}" for name in names)
    values = ", ".join(f"({i}, {line})" for i in range(len(found)))
    listed = f"SELECT * FROM (VALUES {values}) given (account_id, {', '.join(names)})"
    told = [getattr(each, name) for each in found for name in names]
    expected = [derived.ROW_RULES[rule](each, DAY, policy) for each in found]
    with connection.cursor() as cursor:
        cursor.execute(
            f"{derived_sql.adds_of(rule, DAY, policy, listed)} ORDER BY account_id", told
        )
        assert [tuple(line[1:]) for line in cursor.fetchall()] == [
            (each.state, each.amount, each.counted_weight, each.key) for each in expected
        ]
        asked = [derived_sql.Asked("n1", rule, policy)]
        cursor.execute(derived_sql.sums_of(asked, DAY, listed), told)
        sums = {key: derived.Sums(*values) for key, values in cursor.fetchall()}
    by_rules = {}
    for each in expected:
        by_rules[each.key] = by_rules.get(each.key, derived.Sums()).plus(derived.Sums.of(each))
    # A part to which nobody adds anything may be left out.
    assert {key: each for key, each in sums.items() if each != derived.Sums()} == {
        key: each for key, each in by_rules.items() if each != derived.Sums()
    }
