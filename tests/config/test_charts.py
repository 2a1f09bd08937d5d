"""Charts as text: what is drawn where."""

import datetime as dt
import json
import re
from fractions import Fraction
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.lib.ui import charts
from config.lib.ui.charts.axes import count_scale, percent_scale

DAY = dt.date(2026, 11, 1)


def days(*values):
    return [(DAY + dt.timedelta(days=number), value) for number, value in enumerate(values)]


def squares(drawn):
    return re.findall(r'<rect class="(\w+)" x="[\d.]+%"', drawn)


def test_a_bar_shows_the_share_and_the_tick():
    drawn = charts.bar(Fraction(43, 64), tone="warn")
    assert 'class="bar warn"' in drawn
    assert '<rect class="fg" width="67.19%"' in drawn
    assert '<rect class="tick" x="80%"' in drawn
    assert 'aria-hidden="true"' in drawn


def test_a_bar_never_leaves_its_track():
    assert 'class="fg" width="100%"' in charts.bar(Fraction(5, 4))
    assert 'class="fg" width="0%"' in charts.bar(0)


def test_an_unknown_share_is_not_drawn_as_zero():
    drawn = charts.bar(None)
    assert 'class="bar unknown"' in drawn
    assert "fg" not in drawn


def test_a_labelled_bar_is_an_image():
    drawn = charts.bar(1, label='"all"', tick=None)
    assert 'role="img" aria-label="&quot;all&quot;"' in drawn
    assert "tick" not in drawn


PARTS = ("ok", "near", "u", "unk")


def units(*counts, **kwargs):
    parts = [charts.Part(css, count, css) for css, count in zip(PARTS, counts, strict=True)]
    return charts.units(parts, **kwargs)


def test_one_square_for_each_account_in_order():
    drawn = units(43, 6, 10, 5, target=75, target_text="Target 75%")
    assert squares(drawn) == ["ok"] * 43 + ["near"] * 6 + ["u"] * 10 + ["unk"] * 5
    assert 'aria-label="64 accounts: 43 ok; 6 near; 10 u; 5 unk. ' in drawn
    assert "The target of 75% is at 48." in drawn
    assert '<line class="tick" x1="75%" x2="75%"' in drawn


def test_a_target_inside_a_column_steps_around_its_square():
    drawn = units(61, 7, 20, 6, target=75)
    assert "The target of 75% is at 71." in drawn
    assert drawn.count('class="tick"') == 3


def test_above_150_accounts_squares_become_a_bar_of_parts():
    assert len(squares(units(100, 20, 20, 10))) == 150
    assert squares(units(101, 20, 20, 10)) == ["ok", "near", "u", "unk"]


def test_no_account_draws_nothing():
    assert units(0, 0, 0, 0, target=75) == ""


def lines(drawn):
    return re.search(r'<path class="line" d="([^"]+)"', drawn)[1]


def test_a_day_without_a_value_is_a_gap():
    drawn = charts.trend(days(0.5, 0.6, None, 0.7, 0.6), label="Share")
    assert lines(drawn).count("M") == 2
    assert charts.trend(days(0.5, None, 0.7), label="x").count("h0") == 2


def test_days_lie_where_their_date_is():
    points = [(DAY, 0.5), (DAY + dt.timedelta(days=1), 0.5), (DAY + dt.timedelta(days=4), 0.5)]
    assert re.findall(r"[ML]([\d.]+) ", lines(charts.trend(points, label="x"))) == [
        "0",
        "250",
        "1000",
    ]


def test_no_value_at_all_draws_nothing():
    assert charts.trend(days(None, None), label="x") == ""
    assert charts.trend([], label="x") == ""
    assert charts.steps([], label="x") == ""


def test_one_day_alone_is_drawn():
    assert '<circle class="last" cx="100%"' in charts.trend(days(0.5), label="x")


def test_the_target_and_the_markers_of_the_period_are_drawn():
    markers = [(DAY, "v2 <b>"), (DAY - dt.timedelta(days=9), "before")]
    drawn = charts.trend(days(0.5, 0.6), label="x", target=75, markers=markers)
    assert ">Target 75%</text>" in drawn
    assert "v2 &lt;b&gt;" in drawn
    assert "before" not in drawn


def test_the_read_out_has_every_known_value_in_words():
    drawn = charts.trend(days(Fraction(1, 2), None, Fraction(3, 5)), label="x", name="t")
    points = json.loads(unescape(re.search(r'data-points="([^"]+)"', drawn)[1]))
    assert points == [[0, "1 Nov 2026: 50.0%"], [1, "3 Nov 2026: 60.0%"]]
    assert 'data-chart="t-readout"' in drawn
    assert "data-points" not in charts.trend(days(0.5), label="x")


def test_seats_hold_until_the_next_reading():
    drawn = charts.steps(
        [(DAY, 100, 40), (DAY + dt.timedelta(days=30), 120, None)], label="Seats", name="s"
    )
    assert "H1000V" in re.search(r'class="line-2" d="([^"]+)"', drawn)[1]
    assert "unknown of 120 seats" in drawn
    assert "Licensed" in drawn


@pytest.mark.parametrize(
    ("seen", "ticks"),
    [
        ([52.6, 67.2, 75.0], [80, 70, 60, 50]),
        ([0.0], [20, 10, 0]),
        ([100.0], [100, 90, 80]),
        ([79.0, 81.0], [90, 80, 70]),
        ([0.0, 100.0], [100, 80, 60, 40, 20, 0]),
        ([125.0, 60.0], [140, 120, 100, 80, 60]),
    ],
)
def test_percent_axes_are_on_round_numbers(seen, ticks):
    assert percent_scale(seen).ticks == ticks


@pytest.mark.parametrize(
    ("most", "ticks"),
    [(0, [1, 0]), (3, [3, 2, 1, 0]), (47, [60, 40, 20, 0]), (1400, [1500, 1000, 500, 0])],
)
def test_count_axes_start_at_zero(most, ticks):
    assert count_scale([most]).ticks == ticks


@given(st.lists(st.floats(0, 100), min_size=1))
def test_percent_axes_hold_what_they_show(seen):
    scale = percent_scale(seen)
    assert scale.low <= min(seen)
    assert max(seen) <= scale.high
    assert 0 <= scale.low < scale.high <= 100
    assert scale.ticks[-1] == scale.low
    assert 3 <= len(scale.ticks) <= 6


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_count_axes_hold_what_they_show(seen):
    scale = count_scale([float(number) for number in seen])
    assert scale.low == 0
    assert max(seen) <= scale.high
    assert 2 <= len(scale.ticks) <= 5


def test_a_step_of_a_waterfall_lies_between_its_numbers():
    drawn = charts.waterfall(Fraction(1, 2), Fraction(3, 4), low=0, high=1, tone="good")
    assert '<rect class="good" x="50%" y="50%" width="22%"' in drawn
    assert '<line x1="50%" x2="50%" y1="0" y2="50%"/>' in drawn
    assert '<line x1="72%" x2="72%" y1="50%" y2="100%"/>' in drawn
    assert 'aria-hidden="true"' in drawn


def test_a_waterfall_begins_and_ends_with_a_dot():
    first = charts.waterfall(None, Fraction(1, 2), low=0, high=1)
    last = charts.waterfall(Fraction(1, 2), None, low=0, high=1)
    for drawn, half in ((first, ('y1="50%" y2="100%"')), (last, 'y1="0" y2="50%"')):
        assert '<circle class="end" cx="50%"' in drawn
        assert half in drawn
        assert "<rect" not in drawn


def test_a_step_that_falls_or_does_nothing():
    assert 'x="28%" y="50%" width="22%"' in charts.waterfall(0.5, 0.25, low=0, high=1, tone="bad")
    assert "<rect" not in charts.waterfall(0.5, 0.5, low=0, high=1)
    assert 'x="50%" y="50%" width="0.8%"' in charts.waterfall(0.5, 0.5, low=0, high=1, tone="good")
    # A change of nothing at all.
    assert 'cx="50%"' in charts.waterfall(None, 0.5, low=0.5, high=0.5)
