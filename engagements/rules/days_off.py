"""Days off as people paste them: one a line, "2026-12-25 Christmas Day" or with a separator."""

import datetime as dt
import re
from dataclasses import dataclass

from config.lib.values import BadValue, echo, parse_date, parse_name

MOST_LINES = 1_000
MOST_WRONG = 10
NAME_MAX = 120
_LINE = re.compile(r'^"?(\d{4}-\d{2}-\d{2})"?[\s,;]+"?(.*?)"?[\s,;]*$')
_HEADER = re.compile(r"^\W*(day|date)\W+(name|holiday|description)\W*$", re.I)


@dataclass(frozen=True)
class Pasted:
    """The days read, and what was wrong, by line."""

    days: dict[dt.date, str]
    wrong: list[str]


def parse_days_off(text: str) -> Pasted:
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line]
    if len(lines) > MOST_LINES:
        return Pasted({}, [f"That is {len(lines):,} lines. Paste at most {MOST_LINES:,} at once."])
    days: dict[dt.date, str] = {}
    wrong: list[str] = []
    for place, (number, line) in enumerate(lines):
        if place == 0 and _HEADER.match(line):
            continue
        try:
            day, name = _parsed(line)
        except BadValue as bad:
            wrong.append(f"Line {number}: {bad.detail}")
            continue
        if days.setdefault(day, name) != name:
            wrong.append(f"Line {number}: {day} is named twice, “{days[day]}” and “{name}”.")
    if len(wrong) > MOST_WRONG:
        more = len(wrong) - MOST_WRONG
        wrong = [*wrong[:MOST_WRONG], f"{more} more lines are wrong in the same ways."]
    return Pasted(days, wrong)


def _parsed(line: str) -> tuple[dt.date, str]:
    found = _LINE.match(line)
    if found is None:
        raise BadValue(
            "no_day",
            f"“{echo(line)}” does not begin with a day and a name, such as"
            " “2026-12-25 Christmas Day”.",
        )
    day = parse_date(found[1])
    if not found[2]:
        raise BadValue("no_name", f"Write after {day} what day it is.")
    name = parse_name(found[2])
    if len(name) > NAME_MAX:
        raise BadValue("too_long", f"The name of {day} is longer than {NAME_MAX} characters.")
    return day, name
