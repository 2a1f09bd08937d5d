"""Which lines of a file of readings are plainly right as they stand. No Django here.

They go to the database as they are, many at once. All others are parsed cell by cell, which also
says what is wrong with them: what matches here must mean the same there.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from accounts.imports.checking import Checker
from accounts.tabular import Table

# What a spreadsheet makes of an id is none: 1E5, 12-Jan, Jan-20.
ID = (
    r"(?![0-9](?:[.][0-9]+)?[Ee]-?[0-9]+{end})(?![0-9]{{1,2}}-[A-Z][a-z]{{2}}{end})"
    r"(?![A-Z][a-z]{{2}}-[0-9]{{2}}{end})[A-Za-z0-9][A-Za-z0-9_.:/-]{{0,119}}+"
)
LEAP_YEAR = r"(?:199[26]|20(?:[02468][048]|[13579][26]))"
# Years of which every day lies within what Keel keeps, wherever on earth it begins.
DAY = (
    r"(?:(?:199[1-9]|20[0-9]{{2}})-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    rf"|{LEAP_YEAR}-02-29)"
)
TIME = (
    r"[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{{1,6}})?)?"
    r"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])"
)
DAY_LENGTH = 10
NUMBER = r"[0-9]{{1,9}}"
FORMS: Mapping[str, str] = {
    "observed_at": f"{DAY}(?:{TIME})?",
    "seats": NUMBER,
    "monthly_active": f"(?:{NUMBER})?",
}
PLACES = ("account_external_id", "instance_external_id")
# What no column of ours reads: what is printed, without quotes and escapes.
SHORT = 200


class Plain(NamedTuple):
    """`columns`: ours by their place in the line, None where nobody reads it."""

    pattern: re.Pattern[bytes]
    columns: tuple[str | None, ...]
    delimiter: str


def plain_of(checker: Checker, table: Table, delimiter: str) -> Plain | None:
    """Return how plain lines of the file look; None where cells need more than a look."""
    reading = checker.reading
    if table.in_blocks is None or checker.words or reading.date_format or reading.salesforce_ids:
        return None
    columns: list[str | None] = [None] * len(table.header)
    for slot in checker.slots:
        if slot.place is None or columns[slot.place]:
            return None
        columns[slot.place] = slot.name
    end = rf"(?:{re.escape(delimiter)}|\r?\n)"
    forms = {**FORMS, **_places({name for name in columns if name})}
    cells = [forms[name].format(end=end) if name else _other(delimiter) for name in columns]
    line = re.escape(delimiter).join(cells)
    return Plain(re.compile(rf"(?:{line}\r?\n)++".encode()), tuple(columns), delimiter)


def _places(given: set[str]) -> dict[str, str]:
    """Where both are given, the first one names the place of a plain line."""
    first, *others = [name for name in PLACES if name in given]
    return {first: ID, **dict.fromkeys(others, f"(?:{ID})?")}


def _other(delimiter: str) -> str:
    banned = re.escape(f'"\\{delimiter}')
    return f"(?:(?![{banned}])[ -~]){{0,{SHORT}}}+"
