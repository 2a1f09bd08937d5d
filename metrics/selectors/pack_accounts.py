"""A board pack as people read it: groups of accounts, and who went over the line."""

from fractions import Fraction

from metrics.selectors import pack_words as words
from metrics.selectors.pack_blocks import Block, Row, Section, Table, Text, table
from metrics.selectors.pack_words import Points, Told, plural

SMALL = "Where a row has few accounts, one of them moves it far."
FEW = 20


def segments(told: Told) -> Section:
    blocks = [_segment("By tier", "Tier", told["segments"]["tier"]),
              _segment("By region", "Region", told["segments"]["region"])]  # fmt: skip
    return Section("segments", "Segments", blocks)


def _segment(caption: str, by: str, found: list[Told]) -> Table:
    rows: list[Row] = []
    for each in found:
        now, then = words.share_of(each), None
        if each["before"] and each["before"][1]:
            then = Fraction(*each["before"])
        both = now is not None and then is not None
        rows.append(
            [
                each["label"],
                words.share_in_words(now),
                words.of_text(each["numerator"], each["denominator"]),
                f"{each['unknown']:,}",
                words.share_in_words(then),
                Points(0)(now - then) if both and now is not None and then is not None else "",
            ]
        )
    columns = [by, "#Number", "#Accounts", "#Unknown", "#Month before", "#Points"]
    return table(caption, columns, rows, note=SMALL if _is_small(found) else "")


def _is_small(found: list[Told]) -> bool:
    return any(each["denominator"] < FEW for each in found)


def flips(told: Told, points: Points) -> Section:
    found = told["flips"]
    blocks = [
        _flipped("Crossed the line", found["crossed"], points, "No account crossed the line."),
        _flipped("Fell below it", found["fell"], points, "No account fell below the line."),
        _nearest("Closest to crossing", "#Seats to go", found["closest"]),
        _nearest("About to fall", "#Seats above", found["falling"]),
    ]
    return Section("flips", "Who crossed, who fell, who is near", blocks)


def _flipped(caption: str, side: Told, points: Points, nobody: str) -> Block:
    if not side["accounts"]:
        return Text(nobody)
    rows: list[Row] = [
        [words.account(each), each["label"], each["why"], points(each["value"])]
        for each in side["accounts"]
    ]
    return table(
        f"{caption}: {plural(side['count'], 'account')}",
        ["Account", "Cause", "What happened", "#Points"],
        rows,
        note=_more(side, rows, "those with the most ARR"),
    )


def _nearest(caption: str, seats: str, side: Told) -> Block:
    if not side["accounts"]:
        return Text(f"{caption}: no account.")
    rows: list[Row] = [
        [
            words.account(each),
            each["tier"] or "No tier",
            words.seats(each["seats"]),
            f"{words.seats(each['deployed'])} of {words.seats(each['licensed'])}",
            words.seats(each["deployed_before"]),
            words.day(each["renewal_on"]) or "not known",
        ]
        for each in side["accounts"]
    ]
    columns = ["Account", "Tier", seats, "#Seats deployed", "#30 days before", "Renewal"]
    return table(caption, columns, rows, note=_more(side, rows, "the nearest"))


def _more(side: Told, rows: list[Row], which: str) -> str:
    if side["count"] <= len(rows):
        return ""
    return f"{plural(len(rows), 'account')} of {side['count']:,}: {which}."
