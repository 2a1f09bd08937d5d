"""A board pack as people read it, made from nothing but what was kept: the number's sections."""

import datetime as dt
from collections.abc import Iterator
from fractions import Fraction
from zoneinfo import ZoneInfo

from config.lib.ui.charts.reports import Fall, Mark
from config.lib.ui.formats import money_short_text, share_text
from metrics.selectors import pack_words as words
from metrics.selectors.pack_accounts import flips, segments
from metrics.selectors.pack_blocks import (
    Block,
    Chart,
    Document,
    Facts,
    Row,
    Section,
    Text,
    table,
)
from metrics.selectors.pack_sections import further_sections
from metrics.selectors.pack_words import Points, Told, plural

KEY = (
    ("good", True, "Earned: seats gained"),
    ("bad", True, "Earned: seats lost"),
    ("good", False, "Not earned, up"),
    ("warn", False, "Up by a loss"),
    ("bad", False, "Not earned, down"),
)


def document(told: Told) -> Document:
    """Return the report; one that nobody has made yet is of no edition."""
    month = dt.date.fromisoformat(f"{told['month']}-01")
    so_far = " so far" if told["so_far"] else ""
    points = Points(told["number"]["denominator"] or 0)
    return Document(
        title=f"Board pack, {month:%B %Y}{so_far}",
        intro=_intro(told),
        summary=[each for each in summary(told) if each],
        sections=[
            _number(told, points),
            _change(told, points),
            segments(told),
            flips(told, points),
            *further_sections(told),
        ],
        is_so_far=told["so_far"],
    )


def _intro(told: Told) -> str:
    number, made = told["number"], told.get("made")
    shown = f"definition {number['version']}, revision {number['revision']}"
    parts = [f"{told['company']}.", f"The number is that of {words.day(number['day'])}, {shown}."]
    if made:
        at = dt.datetime.fromisoformat(made["at"]).astimezone(ZoneInfo(told["time_zone"]))
        when = f"{words.day(at.date().isoformat())}, {at:%H:%M} {at.tzname()}"
        parts.append(f"Edition {made['edition']}, made on {when} by {made['by']}.")
    return " ".join(parts)


def summary(told: Told) -> Iterator[str]:
    """Say the month in three sentences and, where there is one, the alarm."""
    number, change = told["number"], told["change"]
    share = words.share_of(number)
    if share is None:
        yield f"No customer was in the number on {words.day(number['day'])}."
        return
    points = Points(number["denominator"])
    line = money_short_text(_whole(number["min_arr"]), told["currency"])
    count = words.of_text(number["numerator"], number["denominator"])
    yield (
        f"{share_text(share)} of customers above {line} ARR, {count}, had at least "
        f"{number['share_percent']}% of their seats deployed on {words.day(number['day'])}"
        f"{_beside_target(number, points)}."
    )
    if change:
        yield _moved(change, points)
    crossed, fell, falling = (
        told["flips"][name]["count"] for name in ("crossed", "fell", "falling")
    )
    yield (
        f"{plural(crossed, 'account')} crossed the line and {plural(fell, 'account')} fell below "
        f"it; {plural(falling, 'more account')} may fall soon."
    )
    if change and change["contraction"]:
        yield _contraction(change["contraction"], told["currency"], points)


def _beside_target(number: Told, points: Points) -> str:
    target = number["target"]
    if target is None or target["distance"] is None:
        return ""
    distance, wanted = Fraction(target["distance"]), words.wanted(Fraction(target["value"]))
    by_day = f" by {words.day(target['by_day'])}" if target["by_day"] else ""
    if distance >= 0:
        return f", which reaches the target of {wanted}{by_day}"
    return f", {points.plain(distance)} points short of the target of {wanted}{by_day}"


def _moved(change: Told, points: Points) -> str:
    delta, since = Fraction(change["delta"]), words.day(change["before"]["day"])
    if not delta:
        first = f"That is the same as on {since}"
    else:
        side = "above" if delta > 0 else "below"
        first = f"That is {points.plain(delta)} points {side} {since}"
    earned, unearned = change["earned"], change["unearned"]
    return (
        f"{first}: {points(earned)} points earned by seats deployed, {points(unearned)} by other "
        "causes together."
    )


def _contraction(lost: Told, currency: str, points: Points) -> str:
    before, after = (
        money_short_text(_whole(lost[name]), currency) for name in ("arr_before", "arr_after")
    )
    return (
        f"Contraction, not progress: {points(lost['value'])} points come from "
        f"{plural(lost['count'], 'account')} that gave up licences "
        f"({words.names(lost['accounts'], lost['count'])}), whose ARR went from {before} to "
        f"{after}."
    )


def _whole(text: str) -> int:
    return int(Fraction(text))


def _number(told: Told, points: Points) -> Section:
    number = told["number"]
    share, high = words.share_of(number), words.high_of(number)
    coverage = Fraction(number["covered"], number["denominator"]) if share is not None else None
    interval = "none: no account is in the number"
    if share is not None and high is not None:
        interval = f"{share_text(share)} to {share_text(high)}"
    age = number["oldest_age_days"]
    rows = [
        (
            "Customer Seats Deployed",
            words.share_in_words(share),
            words.of_text(number["numerator"], number["denominator"]),
        ),
        (
            "Could be",
            interval,
            f"{plural(number['unknown'], 'account')} unknown, counted as not passing",
        ),
        (
            "Coverage",
            words.share_in_words(coverage),
            "of these accounts have a usable seat count",
        ),
        (
            "Oldest seat count used",
            "none" if age is None else plural(age, "day"),
            f"older than {number['stale_days']} days is stale, and unknown",
        ),
        *_target_rows(number, points),
    ]
    return Section("number", "The number", [Facts(rows), *_trend(told)])


def _target_rows(number: Told, points: Points) -> list[tuple[str, str, str]]:
    target = number["target"]
    if target is None:
        return [("Target", "none is set", "")]
    by_day = f"by {words.day(target['by_day'])}" if target["by_day"] else "no day is set"
    rows = [("Target", words.wanted(Fraction(target["value"])), by_day)]
    if target["distance"] is not None:
        more = target["more_accounts"]
        note = f"{plural(more, 'more account')} to pass" if more else "reached"
        rows.append(("Distance to target", f"{points(target['distance'])} points", note))
    return rows


def _trend(told: Told) -> list[Block]:
    shown = [each for each in told["trend"] if each["run"]]
    if not shown:
        return []
    target = told["number"]["target"]
    marks: list[Mark] = []
    version = None
    for each in told["trend"]:
        run, first = each["run"], dt.date.fromisoformat(f"{each['month']}-01")
        note = ""
        if run:
            if version is not None and version != run["version"]:
                note = f"Definition {run['version']}"
            version = run["version"]
        label = f"{first:%b}" if first.month > 1 and marks else f"{first:%b %y}"
        value, high = (words.share_of(run), words.high_of(run)) if run else (None, None)
        marks.append(Mark(label, value, high, note))
    rows = [
        [
            words.day(each["run"]["day"]),
            words.share_in_words(words.share_of(each["run"])),
            words.of_text(each["run"]["numerator"], each["run"]["denominator"]),
            words.share_in_words(words.high_of(each["run"])),
            f"{each['run']['version']}, {each['run']['revision']}",
        ]
        for each in reversed(shown)
    ]
    columns = ["Day", "#Number", "#Accounts", "#At most", "#Definition, revision"]
    return [
        Chart(
            name="trend",
            alt=_trend_in_words(shown),
            table=table("The number at the end of each month", columns, rows, is_small=True),
            marks=marks,
            target=_whole_percent(target["value"]) if target else None,
            target_text=f"Target {words.wanted(Fraction(target['value']))}" if target else "",
        )
    ]


def _whole_percent(value: str) -> int:
    return round(Fraction(value) * 100)


def _trend_in_words(shown: list[Told]) -> str:
    first, last = shown[0]["run"], shown[-1]["run"]
    values = [(share, each["run"]["day"]) for each in shown
              if (share := words.share_of(each["run"])) is not None]  # fmt: skip
    if not values:
        return "The trend of the number: no month has one."
    low, high = min(values), max(values)
    return (
        f"The number at the end of each month. It went from {share_text(values[0][0])} on "
        f"{words.day(first['day'])} to {share_text(values[-1][0])} on {words.day(last['day'])}, "
        f"between {share_text(low[0])} on {words.day(low[1])} and {share_text(high[0])} on "
        f"{words.day(high[1])}."
    )


def _change(told: Told, points: Points) -> Section:
    heading, change = "What moved it", told["change"]
    if change is None:
        text = "The month before has no number to compare with."
        return Section("change", heading, [Text(text)])
    blocks: list[Block] = [Text(text) for text in _earned_in_words(change, points)]
    if change["contraction"]:
        blocks.append(Text(_contraction(change["contraction"], told["currency"], points), "warn"))
    if change["causes"]:
        blocks.append(_waterfall(told, change, points))
    blocks += [
        _contributions("What lifted it most", change["up"], points),
        _contributions("What lowered it most", change["down"], points),
    ]
    return Section("change", heading, blocks)


def _earned_in_words(change: Told, points: Points) -> Iterator[str]:
    before = change["before"]
    yield (
        f"Compared with {words.day(before['day'])}, when it was "
        f"{words.share_in_words(words.share_of(before))} "
        f"({words.of_text(before['numerator'], before['denominator'])}; definition "
        f"{before['version']}, revision {before['revision']}). "
        f"{plural(change['moved'], 'account')} moved the number, "
        f"{plural(change['stayed'], 'account')} stayed on their side."
    )
    yield (
        f"Earned: {points.in_words(change['earned'])}, by customers that deployed more seats, less "
        f"those that deployed fewer. Not earned: {points.in_words(change['unearned'])}, by "
        "customers that came or left, licences, exchange rates and readings."
    )


def _waterfall(told: Told, change: Told, points: Points) -> Chart:
    number = words.share_of(change["before"]) or Fraction(0)
    falls = [Fall(words.day(change["before"]["day"]), None, number, share_text(number))]
    rows = []
    for each in change["causes"]:
        value = Fraction(each["value"])
        tone = "warn" if each["loss"] else "good" if value > 0 else "bad" if value else "plain"
        falls.append(
            Fall(each["label"], number, number + value, points(value), tone, each["earned"])
        )
        number += value
        kind = "earned" if each["earned"] else "by a loss" if each["loss"] else "not earned"
        rows.append([each["label"], kind, f"{each['accounts']:,}", points(value)])
    falls.append(Fall(words.day(told["number"]["day"]), None, number, share_text(number)))
    rows.append(["All of it", "", f"{change['moved']:,}", points(change["delta"])])
    return Chart(
        name="waterfall",
        alt=_waterfall_in_words(change, number, points),
        table=table(
            "Points by cause",
            ["Cause", "Kind", "#Accounts", "#Points"],
            rows,
            note="Points are rounded here; the exact parts add up to the change.",
        ),
        falls=falls,
        key=KEY,
    )


def _waterfall_in_words(change: Told, number: Fraction, points: Points) -> str:
    start = words.share_in_words(words.share_of(change["before"]))
    parts = ", ".join(
        f"{each['label'].lower()} {points(each['value'])}" for each in change["causes"]
    )
    delta = points.in_words(change["delta"])
    return f"From {start} to {share_text(number)}, {delta}, by cause: {parts}."


def _contributions(caption: str, side: Told, points: Points) -> Block:
    if not side["accounts"]:
        return Text(f"{caption}: nothing.")
    rows: list[Row] = [
        [
            words.account(each),
            each["label"],
            each["why"] + (" (contraction)" if each["contraction"] else ""),
            points(each["value"]),
        ]
        for each in side["accounts"]
    ]
    if count := side["rest"]["count"]:
        rest = plural(count, "more account")
        rows.append([rest, "", "together", points(side["rest"]["value"])])
    return table(caption, ["Account", "Cause", "What happened", "#Points"], rows)
