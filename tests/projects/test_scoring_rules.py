"""Scores and ranks, without a database."""

import datetime as dt
import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagements.models import Effort, Impact
from projects.rules import scoring
from projects.rules.ranking import Override, Ranked, ranked
from projects.rules.scoring import BadPolicy
from projects.rules.voting import Ballot, spread_of

SHIPPED = {
    "points": {"1": "100", "2": "80", "3": "50", "4": "20"},
    "factors": {"low": "1", "medium": "0.9", "high": "0.75", "very_high": "0.5"},
    "days": {"low": 2, "medium": 5, "high": 10, "very_high": None},
}


def policy(**changes):
    start = dt.date(2026, 1, 1)
    return scoring.read_policy(number=1, start=start, **{**SHIPPED, **changes})


def test_the_words_of_levels_are_those_of_requests():
    assert dict(Impact.choices) == scoring.IMPACTS
    assert dict(Effort.choices) == scoring.EFFORTS


def test_the_handbooks_example_holds_and_says_so():
    score = lambda impact, effort: scoring.score_of(policy(), impact, effort)  # noqa: E731
    assert score(3, "low") == 50
    assert score(2, "very_high") == 40
    assert score(2, "high") == 60
    found = scoring.example(policy())
    assert found.holds
    assert found.sentence == (
        "Medium impact with low effort (50) ranks above high impact with very high effort (40),"
        " and high impact with high effort (60) above both."
    )


def test_a_policy_against_the_example_says_so():
    found = scoring.example(policy(points={"1": "100", "2": "80", "3": "30", "4": "20"}))
    assert not found.holds
    assert found.sentence.startswith("Medium impact with low effort (30) does not rank above high")


def test_arithmetic_is_exact_and_written_out():
    assert str(scoring.arithmetic(policy(), 2, "high")) == "80 \N{MULTIPLICATION SIGN} 0.75 = 60"
    assert str(scoring.arithmetic(policy(), 3, "high")) == "50 \N{MULTIPLICATION SIGN} 0.75 = 37.5"
    assert scoring.arithmetic(policy(), None, "high") is None
    assert scoring.score_of(policy(), 2, "") is None


@pytest.mark.parametrize(
    ("days", "effort"),
    [("0.5", "low"), ("2", "low"), ("2.1", "medium"), ("10", "high"), ("10.5", "very_high")],
)
def test_days_suggest_an_effort(days, effort):
    assert scoring.effort_for(policy(), Decimal(days)) == effort


def test_days_of_efforts_in_words():
    said = [scoring.days_words(policy(), effort) for effort in Effort.values]
    assert said == ["up to 2 days", "up to 5 days", "up to 10 days", "more than 10 days"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"points": {"1": "100", "2": "100", "3": "50", "4": "20"}}, "points_2"),
        ({"points": {"1": "100", "2": "80", "3": "50", "4": "0"}}, "points_4"),
        ({"points": {"1": "1001", "2": "80", "3": "50", "4": "20"}}, "points_1"),
        ({"points": {"1": "1e9", "2": "80", "3": "50", "4": "20"}}, "points_1"),
        ({"points": {"1": "100", "2": "80", "3": "50"}}, "points_4"),
        ({"points": []}, "points_1"),
        ({"points": {"1": 100, "2": "80", "3": "50", "4": "20"}}, "points_1"),
        ({"factors": {**SHIPPED["factors"], "low": "1.1"}}, "factors_low"),
        ({"factors": {**SHIPPED["factors"], "high": "0.95"}}, "factors_high"),
        ({"factors": {**SHIPPED["factors"], "medium": "0.9999"}}, "factors_medium"),
        ({"days": {**SHIPPED["days"], "medium": 2}}, "days_medium"),
        ({"days": {**SHIPPED["days"], "medium": True}}, "days_medium"),
        ({"days": {**SHIPPED["days"], "very_high": 30}}, "days_very_high"),
        ({"days": {**SHIPPED["days"], "low": None}}, "days_low"),
    ],
)
def test_a_policy_that_cannot_rank_names_what_is_wrong(changes, field):
    with pytest.raises(BadPolicy) as refused:
        policy(**changes)
    assert refused.value.field == field


def test_a_policy_is_read_as_it_was_written():
    assert scoring.written(policy()) == SHIPPED


_points = st.lists(st.integers(1, 1000), min_size=4, max_size=4, unique=True)
_factors = st.lists(st.integers(1, 100), min_size=4, max_size=4, unique=True)
_card = st.builds(
    Ranked,
    id=st.integers(1, 12),
    score=st.none() | st.sampled_from([Decimal(40), Decimal(60), Decimal("37.5")]),
    lift=st.none() | st.sampled_from([Decimal("0.1"), Decimal(0)]),
    seats=st.none() | st.integers(0, 3),
)
_cards = st.lists(_card, unique_by=lambda card: card.id, max_size=12)
_moves = st.lists(
    st.builds(Override, st.integers(1, 14), st.none() | st.integers(1, 14)), max_size=6
)


@given(_points, _factors)
def test_more_impact_and_less_effort_always_score_more(points, factors):
    falling = sorted(points, reverse=True)
    parts = [Decimal(each) / 100 for each in sorted(factors, reverse=True)]
    made = policy(
        points={str(n): str(each) for n, each in enumerate(falling, 1)},
        factors={name: f"{each:f}" for name, each in zip(Effort.values, parts, strict=True)},
    )
    for row in scoring.matrix(made):
        scores = [cell.score for cell in row]
        assert scores == sorted(scores, reverse=True)
    for above, below in itertools.pairwise(scoring.matrix(made)):
        assert all(a.score > b.score for a, b in zip(above, below, strict=True))


@given(_cards, _card)
def test_one_more_card_never_changes_the_order_of_the_others(cards, extra):
    others = [card for card in cards if card.id != extra.id]
    with_it = ranked([*others, extra])
    assert [each for each in with_it if each != extra.id] == ranked(others)


@given(_cards, _moves)
def test_a_ranking_is_a_permutation_and_the_last_move_by_hand_holds(cards, moves):
    order = ranked(cards, moves)
    assert sorted(order) == sorted(card.id for card in cards)
    if moves and moves[-1].id in order:
        last = moves[-1]
        if last.before is None:
            assert order[-1] == last.id
        elif last.before in order and last.before != last.id:
            assert order.index(last.id) == order.index(last.before) - 1


def test_equal_scores_rank_by_lift_then_seats_then_number():
    sixty = Decimal(60)
    cards = [
        Ranked(id=1, score=None, lift=Decimal(9)),
        Ranked(id=2, score=sixty, seats=5),
        Ranked(id=3, score=sixty, seats=9),
        Ranked(id=4, score=sixty, lift=Decimal("0.2")),
        Ranked(id=5, score=sixty, seats=9),
        Ranked(id=6, score=Decimal(80)),
    ]
    assert ranked(cards) == [6, 4, 3, 5, 2, 1]


def test_a_vote_shows_its_spread_and_the_careful_middle():
    found = spread_of([Ballot(1, 2, "low"), Ballot(2, 3, "medium"), Ballot(3, 2, "medium"),
                       Ballot(4, 4, "very_high")])  # fmt: skip
    assert (found.impact, found.effort) == (3, "medium")
    assert found.impacts == {1: 0, 2: 2, 3: 1, 4: 1}
    assert found.furthest == {4}
    assert spread_of([]) is None
    assert spread_of([Ballot(1, 2, "low"), Ballot(2, 2, "low")]).is_unanimous
