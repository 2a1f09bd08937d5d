"""What to do to reach a target: the exact answer, and one nearly as good with its bound."""

from decimal import Decimal
from fractions import Fraction
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from metrics.rules import covering, planning, subsets
from metrics.rules.covering import Question
from metrics.rules.lift import Seats, Standing, point
from metrics.rules.planning import Number, Work
from metrics.rules.subsets import Candidate, cheapest, crossing_by

days = st.sampled_from([0, 5, 10, 10, 20, 35])
gaps = st.dictionaries(st.integers(1, 6), st.integers(1, 20), max_size=6)
candidates = st.lists(
    st.builds(Candidate, days, st.dictionaries(st.integers(1, 7), st.integers(0, 15), max_size=5)),
    max_size=7,
)
capacities = st.none() | st.integers(0, 60)


def by_brute_force(offered, gaps, wanted, capacity):
    """Return the cheapest set that is enough, else the cheapest by which most cross."""
    enough, most = [], []
    for count in range(len(offered) + 1):
        for places in combinations(range(len(offered)), count):
            chosen = [offered[place] for place in places]
            cost = (sum(each.days for each in chosen), count, places)
            if capacity is not None and cost[0] > capacity:
                continue
            crossing = crossing_by(chosen, gaps)
            most.append((-crossing, *cost))
            if crossing >= wanted:
                enough.append(cost)
    return min(enough)[-1] if enough else min(most)[-1]


@given(candidates, gaps, st.integers(0, 6), capacities)
def test_the_exact_answer_is_that_of_trying_every_set(offered, gaps, wanted, capacity):
    found = cheapest(offered, gaps, wanted=wanted, capacity=capacity)
    assert found.chosen == by_brute_force(offered, gaps, wanted, capacity)


@given(candidates, gaps, st.integers(1, 6), capacities)
def test_the_bound_holds_and_nothing_beats_the_exact_answer(offered, gaps, wanted, capacity):
    question = Question(offered, gaps, wanted, capacity)
    exact = cheapest(offered, gaps, wanted=wanted, capacity=capacity)
    nearly = covering.covering(question)
    assert question.badness(exact.chosen) <= question.badness(nearly)
    assert capacity is None or question.days_of(nearly) <= capacity
    if exact.crossing >= wanted:
        assert covering.least_days(question) <= exact.days
    assert covering.most_crossing(question) >= exact.crossing


def test_twenty_candidates_are_exact_and_more_say_by_how_much_they_may_err():
    def offered(count):
        return [Work(n, Decimal(n % 7 + 1), {n: point(9), n + 1: point(4)}) for n in range(count)]

    standings = {n: Standing(10) for n in range(60)}
    few = planning.plan(offered(subsets.MOST), standings, wanted=8)
    many = planning.plan(offered(40), standings, wanted=15)
    assert (few.is_exact, few.crossing) == (True, 8)
    assert few.least_days == few.days
    assert (many.is_exact, many.reaches) == (False, True)
    assert many.least_days < many.days


def test_what_helps_only_together_is_taken_together():
    works = [
        Work("a", Decimal(2), {1: point(6)}),
        Work("b", Decimal(3), {1: point(4)}),
        Work("c", Decimal(9), {1: point(10)}),
    ]
    plan = planning.plan(works, {1: Standing(10)}, wanted=1, capacity=Decimal(8))
    assert ([work.key for work in plan.chosen], plan.days) == (["a", "b"], 5)


def test_of_equal_ones_the_fewest_and_then_the_first():
    works = [Work(n, Decimal(d), {a: point(5) for a in at}) for n, d, at in (
        ("a", 2, [1]), ("b", 2, [2]), ("c", 4, [1, 2]), ("d", 4, [1, 2]),
    )]  # fmt: skip
    plan = planning.plan(works, {1: Standing(5), 2: Standing(5)}, wanted=2)
    assert [work.key for work in plan.chosen] == ["c"]


def test_what_cannot_be_reached_says_what_can():
    works = [Work("a", Decimal(2), {1: point(5)}), Work("b", Decimal(9), {2: point(5)})]
    standings = {n: Standing(5) for n in (1, 2, 3)}
    plan = planning.plan(works, standings, wanted=3, capacity=Decimal(4))
    assert (plan.reaches, plan.crossing, plan.reachable) == (False, 1, 2)
    assert [work.key for work in plan.chosen] == ["a"]


def test_a_target_is_reached_by_whole_accounts():
    assert planning.wanted_for(Fraction(3, 4), Number(43, 64)) == 5
    assert planning.wanted_for(Fraction(2, 3), Number(2, 3)) == 0


def test_seats_of_several_works_add_up():
    works = [
        Work("a", Decimal(2), {1: Seats(1, 6, 9), 2: point(1)}),
        Work("b", None, {1: Seats(1, 4, 9), 9: point(1)}),
    ]
    found = planning.outlook(works, {1: Standing(10), 2: Standing(-3, fell=4)}, Number(5, 10))
    assert (found.low, found.likely, found.high) == (0, 1, 1)
    assert found.number.with_more(found.likely) == Fraction(6, 10)
    assert (found.days, found.undated, found.unknown) == (2, ("b",), (9,))
    kept = found.effects[1].gain
    assert kept.before < kept.after < 1
