"""Charts of reports, by their structure."""

import re
import xml.etree.ElementTree as ET
from fractions import Fraction

from config.lib.ui.charts.reports import Fall, Mark, fall, months

SVG = "{http://www.w3.org/2000/svg}"
FALLS = [
    Fall("30 Sep", None, Fraction(60, 100), "60.0%"),
    Fall("Seats gained", Fraction(60, 100), Fraction(64, 100), "+4.0", "good"),
    Fall("ARR fell <&>", Fraction(64, 100), Fraction(66, 100), "+2.0", "warn", is_solid=False),
    Fall("Nothing", Fraction(66, 100), Fraction(66, 100), "0.0"),
    Fall("31 Oct", None, Fraction(66, 100), "66.0%"),
]
KEY = [("good", True, "Earned"), ("warn", False, "By a loss")]


def drawn(svg):
    return ET.fromstring(svg)  # noqa: S314 ours


def parts(root):
    return [each for each in root.iter(f"{SVG}rect") if each.get("height") == "14"]


def test_a_waterfall_says_what_it_shows_and_every_value():
    root = drawn(fall(FALLS, label="From 60% to 66%.", name="w", key=KEY))
    assert (root.get("role"), root.get("aria-label")) == ("img", "From 60% to 66%.")
    words = [each.text for each in root.iter(f"{SVG}text")]
    for row in FALLS:
        assert row.text in words
        assert row.label in words


def test_each_part_begins_where_the_one_before_ended():
    first, second, nothing = parts(drawn(fall(FALLS, label="x", name="w")))
    left, width = float(first.get("x")), float(first.get("width"))
    assert abs(left + width - float(second.get("x"))) < 0.02
    assert abs(width - 2 * float(second.get("width"))) < 0.02
    assert float(nothing.get("width")) > 0


def test_what_is_hatched_is_filled_by_a_pattern_of_its_own():
    svg = fall(FALLS, label="x", name="w", key=KEY)
    root = drawn(svg)
    solid, hatched, _ = parts(root)
    assert (solid.get("class"), solid.get("fill")) == ("part good solid", None)
    assert (hatched.get("class"), hatched.get("fill")) == ("part warn hatched", "url(#w-warn)")
    ids = {each.get("id") for each in root.iter(f"{SVG}pattern")}
    assert set(re.findall(r"url\(#([\w-]+)\)", svg)) <= ids


def test_it_has_no_style_of_its_own_and_one_place_to_put_it():
    svg = fall(FALLS, label="x", name="w")
    assert "style" not in svg
    assert svg.count("<defs>") == 1


def test_a_trend_has_a_dot_a_month_and_no_line_over_a_gap():
    marks = [
        Mark("Jan", Fraction(1, 2), Fraction(3, 5)),
        Mark("Feb", None),
        Mark("Mar", Fraction(11, 20)),
        Mark("Apr", Fraction(3, 5), note="Definition 2"),
    ]
    root = drawn(months(marks, label="Up.", name="t", target=75, target_text="Target 75%"))
    assert len(list(root.iter(f"{SVG}circle"))) == 3
    line = next(each for each in root.iter(f"{SVG}path") if each.get("class") == "line")
    assert line.get("d").count("M") == 2
    words = [each.text for each in root.iter(f"{SVG}text")]
    for text in ("50.0", "55.0", "60.0", "Target 75%", "Definition 2", "Feb"):
        assert text in words
    assert sum(each.get("class") == "whisker" for each in root.iter(f"{SVG}path")) == 1


def test_a_trend_of_nothing_is_not_drawn():
    assert months([Mark("Jan", None)], label="x", name="t") == ""
    assert drawn(months([Mark("Jan", Fraction(0))], label="x", name="t")) is not None
    ends = [Fall(label, None, Fraction(1), "1") for label in "ab"]
    assert drawn(fall(ends, label="x", name="w")) is not None
