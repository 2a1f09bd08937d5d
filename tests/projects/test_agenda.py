"""What a review talks about, and in which order."""

from decimal import Decimal

import pytest

from projects.rules.agenda import Card, agenda, threes
from projects.rules.pre_emption import suggested_cost

FINE = {"state": "ready"}
LINES = [
    ({"blocked_by": "No window.", "blocked_days": 3}, "blocked", "Blocked for 3 days"),
    ({"blocked_by": "No window."}, "blocked", "Blocked"),
    ({"state": "in_progress", "late_days": 1}, "late", "1 day late"),
    (
        {"state": "delivered", "late_days": 2, "late_what": "The roll-out is"},
        "late",
        "The roll-out is 2 days late",
    ),
    ({"waiting_days": 9}, "waiting", "Waiting for sign-off for 9 days"),
    ({"is_new": True}, "new", "New"),
    ({"has_owner": False}, "no_owner", "No owner"),
    ({"state": "delivered", "is_done": True}, "to_close", "Ready to close"),
    ({"changed": ("scope", "dates")}, "changed", "Changed: scope, dates"),
]


def card(number, **facts):
    return Card(id=number, **{**FINE, **facts})


@pytest.mark.parametrize(("facts", "why", "words"), LINES)
def test_each_reason_has_its_words(facts, why, words):
    (line,) = agenda([card(1, **facts)], [1], Decimal(0))
    assert (line.why, line.words) == (why, words)


@pytest.mark.parametrize(
    "facts",
    [
        {"waiting_days": 7},
        {"state": "on_hold", "blocked_by": "No window."},
        {"state": "in_progress", "is_done": True},
        {"state": "scheduled"},
    ],
)
def test_what_needs_nobody_is_not_on_it(facts):
    assert agenda([card(1, **facts)], [], Decimal(10)) == []


def test_a_project_stands_on_it_once_with_its_strongest_reason():
    everything = {name: value for facts, *_ in LINES for name, value in facts.items()}
    (line,) = agenda([card(1, **everything | FINE)], [1], None)
    assert line.why == "blocked"


def test_running_work_comes_first_and_the_longest_before_the_rest():
    cards = [
        card(1, is_new=True),
        card(2, waiting_days=8),
        card(3, waiting_days=12),
        card(4, blocked_by="No window."),
        card(5, is_new=True),
    ]
    assert [line.id for line in agenda(cards, [5, 1, 2, 3, 4], None)] == [4, 3, 2, 5, 1]


def test_candidates_are_the_top_of_the_list_that_fits():
    days = {1: 5, 2: 9, 3: 4, 4: None, 5: 1}
    cards = [card(pk, days=None if each is None else Decimal(each)) for pk, each in days.items()]
    lines = agenda(cards, [1, 2, 3, 4, 5], Decimal(10))
    assert [(line.id, line.words) for line in lines] == [
        (1, "Fits: 5 days of 10 days free"),
        (3, "Fits: 4 days of 5 days free"),
        (5, "Fits: 1 day of 1 day free"),
    ]


def test_without_increments_the_top_six_are_candidates():
    lines = agenda([card(pk) for pk in range(1, 9)], list(range(8, 0, -1)), None)
    assert [line.id for line in lines] == [8, 7, 6, 5, 4, 3]


def test_candidates_are_compared_in_threes():
    assert threes([1, 2, 3, 4, 5, 6, 7]) == [[1, 2, 3], [4, 5, 6]]
    assert threes([1, 2]) == [[1, 2]]
    assert threes([1]) == []


@pytest.mark.parametrize(
    ("days", "working", "left", "cost"),
    [
        (Decimal(8), 10, 5, "4.0"),
        (Decimal(5), 10, 3, "1.5"),
        (None, 10, 4, "4.0"),
        (Decimal(8), 10, 0, "0"),
        (Decimal(8), 0, 0, "0"),
        (Decimal("0.5"), 10, 1, "0.0"),
    ],
)
def test_stopping_costs_what_the_rest_of_the_increment_was_for(days, working, left, cost):
    assert suggested_cost(days, working, left) == Decimal(cost)
