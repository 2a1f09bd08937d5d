"""Whether a rule on a number holds, and its words. No database."""

import datetime as dt
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.rules.alerting import Point, Target, Terms, rule_text, verdict

NOW, THEN = dt.date(2026, 11, 20), dt.date(2026, 11, 13)


def share(text):
    return Fraction(text) / 100


def terms(kind, value, *, unit="share", days=7):
    exact = share(value) if unit == "share" else Fraction(value)
    is_level = kind in {"above", "below"}
    return Terms(kind=kind, value=exact, unit=unit, days=None if is_level else days)


def level(kind, line, value, *, unit="share", target=None):
    exact = share(value) if unit == "share" else Fraction(value)
    return verdict(terms(kind, line, unit=unit), Point(NOW, exact), target=target)


def change(kind, line, old, new, *, unit="share", then=THEN, versions=(1, 1)):
    as_is = share if unit == "share" else Fraction
    old, new = (None if each is None else as_is(each) for each in (old, new))
    if kind == "coverage_fell":
        before = Point(then, share("70"), coverage=old, definition=versions[0])
        now = Point(NOW, share("70"), coverage=new, definition=versions[1])
    else:
        before = Point(then, old, definition=versions[0])
        now = Point(NOW, new, definition=versions[1])
    return verdict(terms(kind, line, unit=unit), now, before)


@pytest.mark.parametrize(
    ("kind", "line", "value", "unit", "holds", "says"),
    [
        ("below", "70", "64.9", "share", True, "64.9% is below 70%"),
        ("below", "70", "70", "share", False, "70.0% is not below 70%"),
        ("above", "70", "70", "share", False, "70.0% is not above 70%"),
        # Never rounded onto the line: it is below, and reads so.
        ("below", "70", "69.99", "share", True, "69.9% is below 70%"),
        ("above", "70", "70.01", "share", True, "70.0% is just above 70%"),
        ("above", "62.5", "63", "share", True, "63.0% is above 62.5%"),
        ("above", "0", "12", "count", True, "12 is above 0"),
        ("above", "0", "0", "count", False, "0 is not above 0"),
        ("above", "250000", "250000.01", "money", True, "$250,000.01 is above $250,000"),
        ("above", "16", "16.5", "duration", True, "16.5 hours is above 16 hours"),
    ],
)
def test_a_line(kind, line, value, unit, holds, says):
    found = level(kind, line, value, unit=unit)
    assert (found.holds, found.says) == (holds, says)


def test_a_line_names_the_target_where_it_holds():
    target = Target(share("75"))
    assert level("below", "70", "64", target=target).says == (
        "64.0% is below 70%; the target is 75%"
    )
    assert "target" not in level("below", "70", "71", target=target).says
    at_most = Target(Fraction(3), at_most=True)
    assert level("above", "5", "6", unit="count", target=at_most).says == (
        "6 is above 5; the target is at most 3"
    )


@pytest.mark.parametrize(
    ("kind", "line", "old", "new", "unit", "holds", "says"),
    [
        ("fell", "5", "70.1", "64.9", "share", True,
         "fell 5.2 points in 7 days, from 70.1% to 64.9%; the rule says 5"),
        ("fell", "5", "70", "65", "share", True,
         "fell 5 points in 7 days, from 70.0% to 65.0%; the rule says 5"),
        # What is short of the rule never reads as reaching it.
        ("fell", "5", "70", "65.01", "share", False,
         "fell 4.9 points in 7 days, from 70.0% to 65.0%; the rule says 5"),
        ("fell", "0.25", "70", "69.73", "share", True,
         "fell 0.27 points in 7 days, from 70.0% to 69.7%; the rule says 0.25"),
        ("fell", "5", "60", "70", "share", False,
         "rose 10 points in 7 days, from 60.0% to 70.0%; the rule says 5"),
        ("rose", "5", "70", "70", "share", False,
         "did not change in 7 days: 70.0%; the rule says 5"),
        ("coverage_fell", "10", "97", "85", "share", True,
         "coverage fell 12 points in 7 days, from 97.0% to 85.0%; the rule says 10"),
        ("rose", "250000", "1000000", "1300000", "money", True,
         "rose $300,000 in 7 days, from $1,000,000 to $1,300,000; the rule says $250,000"),
        ("rose", "3", "1", "4", "count", True,
         "rose 3 in 7 days, from 1 to 4; the rule says 3"),
    ],
)  # fmt: skip
def test_a_change(kind, line, old, new, unit, holds, says):
    found = change(kind, line, old, new, unit=unit)
    assert (found.holds, found.says) == (holds, says)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("70", None, "the number of 20 Nov 2026 is unknown"),
        (None, "70", "the number of 13 Nov 2026 is unknown, so there is nothing to compare with"),
    ],
)
def test_what_is_unknown_is_neither_yes_nor_no(old, new, says):
    found = change("fell", "5", old, new)
    assert (found.holds, found.says) == (None, says)
    assert verdict(terms("below", "70"), Point(NOW, None)).holds is None
    assert change("coverage_fell", "5", old, new).holds is None


def test_a_day_without_a_number_is_stood_for_by_one_shortly_before():
    assert change("fell", "5", "70", "60", then=THEN - dt.timedelta(days=2)).says == (
        "fell 10 points in 9 days, from 70.0% to 60.0%; the rule says 5"
    )
    old = change("fell", "5", "70", "60", then=THEN - dt.timedelta(days=4))
    assert (old.holds, old.says) == (None, "there is no number of 13 Nov 2026 to compare with")
    assert verdict(terms("fell", "5"), Point(NOW, share("60"))).holds is None


def test_a_change_over_two_definitions_says_so():
    found = change("fell", "5", "70", "60", versions=(1, 2))
    assert found.says.endswith("the rule says 5 (definition 1 then, 2 now)")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (terms("below", "70"), "is below 70%"),
        (terms("fell", "3"), "falls by at least 3 points in 7 days"),
        (terms("coverage_fell", "1", days=1), "loses coverage by at least 1 point in 1 day"),
        (terms("rose", "250000", unit="money"), "rises by at least $250,000 in 7 days"),
    ],
)
def test_a_rule_in_words(asked, words):
    assert rule_text(asked) == words


@settings(max_examples=60, deadline=None)
@given(old=st.fractions(0, 1), new=st.fractions(0, 1), line=st.decimals("0.0001", 1, places=4))
def test_a_fall_is_exact(old, new, line):
    asked = Terms(kind="fell", value=Fraction(line), unit="share", days=7)
    found = verdict(asked, Point(NOW, new), Point(THEN, old))
    assert found.holds == (old - new >= Fraction(line))
    assert "E" not in found.says
