import datetime as dt
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.rules import health_policy
from metrics.rules.health import Facts, judge
from metrics.rules.health_policy import BadPolicy, read_policy, written

DAY = dt.date(2026, 11, 20)
PARTS = [
    {"code": "deployment", "weight": 40},
    {"code": "trend", "weight": 15, "days": 90, "full_at": 10, "none_at": 10},
    {"code": "adoption", "weight": 15, "full_at": 60},
    {"code": "renewal", "weight": 15, "weeks": 26},
    {"code": "requests", "weight": 15, "each": 50},
]
BANDS = [
    {"name": "Healthy", "from": 70},
    {"name": "Watch", "from": 40},
    {"name": "At risk", "from": 0},
]
POLICY = read_policy(parts=PARTS, bands=BANDS)
WHOLE = Facts(
    day=DAY,
    line=80,
    licensed=200,
    deployed=100,
    deployed_before=100,
    state_before="complete",
    monthly_active=60,
    renewal_on=DAY + dt.timedelta(weeks=13),
    open_requests=2,
    late_requests=1,
)

seats = st.integers(0, 3000)
states = st.sampled_from(["complete", "complete", "partial", "stale", "no_reading"])
a_fact = st.builds(
    Facts,
    day=st.just(DAY),
    line=st.integers(1, 100),
    licensed=st.integers(0, 2500),
    unlimited=st.sampled_from([False, False, False, True]),
    deployed=seats | st.none(),
    data_state=states,
    deployed_before=seats | st.none(),
    state_before=states | st.just(""),
    monthly_active=seats | st.none(),
    renewal_on=st.none() | st.integers(0, 900).map(lambda days: DAY + dt.timedelta(days=days)),
    is_recorded=st.booleans(),
    open_requests=st.just(9),
    late_requests=st.integers(0, 4),
    at_risk_requests=st.integers(0, 4),
)


@st.composite
def policies(draw):
    cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=4, max_size=4)))
    weights = [b - a for a, b in zip([0, *cuts], [*cuts, 100], strict=True)]
    # Requests alone make no score.
    weights[0], weights[4] = max(weights[0], weights[4]), min(weights[0], weights[4])
    parts = [{**part, "weight": weight} for part, weight in zip(PARTS, weights, strict=True)]
    try:
        return read_policy(parts=parts, bands=BANDS)
    except BadPolicy:
        return POLICY


def points(facts, policy=POLICY):
    return {each.part.code: each for each in judge(facts, policy).parts}


def test_each_part_says_what_it_comes_to():
    found = judge(WHOLE, POLICY)
    # 50% of 80% is 5/8 of 40; no seat won is half of 15; 30% of 60% is half; 13 of 26 weeks; one
    # late request takes half.
    assert {each.part.code: each.points for each in found.parts} == {
        "deployment": 25,
        "trend": Fraction(15, 2),
        "adoption": Fraction(15, 2),
        "renewal": Fraction(15, 2),
        "requests": Fraction(15, 2),
    }
    assert (found.score, found.tenths, found.band, found.known) == (55, 550, "Watch", 1)


def test_at_the_line_nothing_more_has_to_be_won_and_no_renewal_is_near():
    found = points(replace(WHOLE, deployed=160, deployed_before=160, renewal_on=DAY))
    assert [found[code].measure.fraction for code in ("deployment", "trend", "renewal")] == [1] * 3


@pytest.mark.parametrize(
    ("changes", "unknown"),
    [
        ({"data_state": "stale", "deployed": None}, dict.fromkeys(
            ["deployment", "trend", "adoption", "renewal"], "stale")),
        ({"data_state": "partial"}, dict.fromkeys(
            ["deployment", "trend", "adoption", "renewal"], "partial")),
        ({"data_state": "partial", "deployed": 160}, {"trend": "partial", "adoption": "partial"}),
        ({"state_before": "stale"}, {"trend": "no_before"}),
        ({"state_before": ""}, {"trend": "no_before"}),
        ({"monthly_active": None}, {"adoption": "not_counted"}),
        ({"is_recorded": False}, {"adoption": "not_recorded", "renewal": "not_recorded"}),
        ({"unlimited": True}, dict.fromkeys(
            ["deployment", "trend", "adoption", "renewal"], "unlimited")),
        ({"licensed": 0}, dict.fromkeys(
            ["deployment", "trend", "adoption", "renewal"], "no_entitlement")),
    ],
)  # fmt: skip
def test_what_is_missing_is_missing_and_says_why(changes, unknown):
    found = judge(replace(WHOLE, **changes), POLICY)
    states = {each.part.code: each.measure.state for each in found.parts}
    assert {code: state for code, state in states.items() if state != "known"} == unknown
    # Requests alone make no score.
    assert (found.score is None) == (len(unknown) == 4)


def test_the_weight_of_what_is_missing_goes_to_the_others_in_proportion():
    found = points(replace(WHOLE, monthly_active=None))
    assert found["deployment"].share == Fraction(4000, 85)
    assert found["adoption"].share == 0


def test_a_score_is_cut_and_so_never_reads_as_a_band_it_is_not_in():
    # 27999 of 32000 is 69.9975 of 80 points.
    parts = [{"code": "deployment", "weight": 80}, {"code": "requests", "weight": 20, "each": 100}]
    policy = read_policy(parts=parts, bands=BANDS)
    facts = replace(WHOLE, licensed=40000, deployed=27999, late_requests=1)
    found = judge(facts, policy)
    assert (found.tenths, found.band) == (699, "Watch")


@settings(max_examples=150, deadline=None)
@given(a_fact, policies())
def test_points_add_up_and_stay_within_bounds(facts, policy):
    found = judge(facts, policy)
    if found.score is None:
        assert all(each.points == 0 for each in found.parts)
        return
    assert 0 <= found.score <= 100
    assert sum(each.points for each in found.parts) == found.score
    assert sum(each.share for each in found.parts) == 100
    assert sum(each.points_tenths for each in found.parts) == found.tenths
    assert sum(each.share_tenths for each in found.parts) == 1000
    for each in found.parts:
        assert 0 <= each.points <= each.share
        assert 0 <= each.points_tenths <= each.share_tenths
        assert abs(each.points_tenths - each.points * 10) < 2
    ratios = {each.share / each.part.weight for each in found.parts if each.is_known}
    assert len(ratios) == 1


BETTER = {
    "deployed": lambda facts, by: replace(
        facts, deployed=facts.deployed + by, deployed_before=facts.deployed_before + by
    ),
    "trend": lambda facts, by: replace(facts, deployed_before=max(0, facts.deployed_before - by)),
    "active": lambda facts, by: replace(facts, monthly_active=facts.monthly_active + by),
    "renewal": lambda facts, by: replace(
        facts, renewal_on=facts.renewal_on + dt.timedelta(days=by)
    ),
    "late": lambda facts, by: replace(facts, late_requests=max(0, facts.late_requests - by)),
    "at_risk": lambda facts, by: replace(
        facts, at_risk_requests=max(0, facts.at_risk_requests - by)
    ),
}


@pytest.mark.parametrize("better", BETTER.values(), ids=BETTER.keys())
@settings(max_examples=60, deadline=None)
@given(a_fact, policies(), st.integers(0, 500))
def test_better_is_never_worse(better, facts, policy, by):
    facts = replace(
        facts,
        licensed=max(1, facts.licensed),
        unlimited=False,
        deployed=facts.deployed or 0,
        data_state="complete",
        deployed_before=facts.deployed_before or 0,
        state_before="complete",
        monthly_active=facts.monthly_active or 0,
        renewal_on=facts.renewal_on or DAY,
        is_recorded=True,
    )
    assert judge(better(facts, by), policy).score >= judge(facts, policy).score


@pytest.mark.parametrize(
    ("parts", "bands", "field"),
    [
        ([], BANDS, "parts"),
        ([{"code": "luck", "weight": 100}], BANDS, "parts"),
        ([{"code": "deployment", "weight": 99}], BANDS, "parts"),
        ([{"code": "deployment", "weight": "100"}], BANDS, "deployment_weight"),
        ([{"code": "requests", "weight": 100, "each": 50}], BANDS, "parts"),
        ([{"code": "adoption", "weight": 100, "full_at": 0}], BANDS, "adoption_full_at"),
        (PARTS, [{"name": "Fine", "from": 0}], "bands"),
        (PARTS, [{"name": "A", "from": 40}, {"name": "B", "from": 40}], "from_1"),
        (PARTS, [{"name": "A", "from": 40}, {"name": "B", "from": 1}], "from_1"),
        (PARTS, [{"name": "A", "from": 40}, {"name": "a", "from": 0}], "bands"),
        (PARTS, [{"name": "A" * 21, "from": 40}, {"name": "B", "from": 0}], "name_0"),
        ("parts", "bands", "parts"),
    ],
)
def test_a_policy_that_makes_no_sense_says_which_value(parts, bands, field):
    with pytest.raises(BadPolicy) as refused:
        read_policy(parts=parts, bands=bands)
    assert refused.value.field == field


def test_a_policy_reads_as_it_is_written():
    assert written(POLICY) == {"parts": PARTS, "bands": BANDS}
    assert health_policy.worst_first(POLICY.bands) == ["At risk", "Watch", "Healthy"]


def test_the_example_of_the_page():
    """docs/health.md, What is not known."""
    weights = {"deployment": 40, "trend": 20, "adoption": 20, "renewal": 10, "requests": 10}
    parts = [{**part, "weight": weights[part["code"]]} for part in PARTS]
    found = judge(replace(WHOLE, monthly_active=None), read_policy(parts=parts, bands=BANDS))
    shown = [(each.share_tenths, each.points_tenths) for each in found.parts]
    assert shown == [(500, 313), (250, 125), (0, 0), (125, 62), (125, 62)]
    assert (found.tenths, found.known) == (562, Fraction(4, 5))
