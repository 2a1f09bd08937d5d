"""What one cell of a file means, column by column. No Django here.

Each parser takes a cell and how the file is written (Reading), and returns the value or raises
BadValue with a sentence that says what is wrong and what to do. Empty cells never come here.
"""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from accounts.tabular import Cell, Damaged
from config.lib import values
from config.lib.cells import restored
from config.lib.values import BadValue, echo

TRUE, FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})
SPREADSHEET_ERROR = re.compile(
    r"#(REF!|N/A|VALUE!|NAME[?]|DIV/0!|NUM!|NULL!|SPILL!|CALC!|ERROR!|#+)", re.IGNORECASE
)
SCIENTIFIC = re.compile(r"[0-9]([.,][0-9]+)?E[+-]?[0-9]+", re.IGNORECASE)
MADE_A_DAY = re.compile(
    r"[0-9]{1,2}-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    r"|(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-[0-9]{2}"
)
SLASHED = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{2}|[0-9]{4})")
DAY_NUMBER = re.compile(r"[1-9][0-9]{4}([.][0-9]+)?")
PLAIN_NUMBER = re.compile(r"-?[0-9]+([.][0-9]+)?")
ISO_START = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]")
SALESFORCE_ID = re.compile(r"[0-9A-Za-z]{15}([0-9A-Za-z]{3})?")
SALESFORCE_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
DAY = dt.timedelta(days=1)
LAST_MONTH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How days, amounts and ids of a file are written. `now` bounds what can have been observed."""

    now: dt.datetime
    zone: ZoneInfo
    date_format: str = ""
    decimal: str = "."
    end_is_last_day: bool = False
    salesforce_ids: bool = False

    @property
    def latest(self) -> dt.datetime:
        """Return until when something can have been observed; clocks differ a little."""
        return self.now + dt.timedelta(minutes=5)

    @property
    def is_format_timed(self) -> bool:
        return any(part in self.date_format for part in ("%H", "%I"))


Parser = Callable[[Cell, Reading], Any]


def text_of(cell: Cell) -> str:
    """Return the cell as text. Raises BadValue where a spreadsheet has spoilt it."""
    match cell:
        case str():
            text = restored(cell.strip())
        case Damaged():
            raise BadValue("damaged", cell.detail)
        case bool():
            text = "true" if cell else "false"
        case Decimal():
            text = f"{cell:f}"
        case _:
            text = cell.isoformat()
    if SPREADSHEET_ERROR.fullmatch(text):
        raise BadValue(
            "damaged", f"“{echo(text)}” is an error of a spreadsheet. Correct the cell there."
        )
    return text


def text(length: int) -> Parser:
    def parse(cell: Cell, reading: Reading) -> str:
        del reading
        return values.parse_text(text_of(cell), max_length=length)

    return parse


def external_id(cell: Cell, reading: Reading) -> str:
    found = text_of(cell)
    if SCIENTIFIC.fullmatch(found) or MADE_A_DAY.fullmatch(found) or isinstance(cell, dt.date):
        raise BadValue(
            "damaged",
            f"A spreadsheet has changed this id to “{echo(found)}”. Format the column as text "
            "and export it again.",
        )
    if reading.salesforce_ids and SALESFORCE_ID.fullmatch(found):
        return salesforce_id(found)
    return values.parse_external_id(found)


def salesforce_id(found: str) -> str:
    """Return the id with its 18 characters, of which the last three tell the case of the others."""
    suffix = "".join(
        SALESFORCE_SUFFIX[
            sum(1 << place for place, letter in enumerate(part) if "A" <= letter <= "Z")
        ]
        for part in (found[:5], found[5:10], found[10:15])
    )
    if found[15:] not in {"", suffix}:
        raise BadValue(
            "damaged_id",
            f"“{found}” fails the check of a Salesforce id: the case of its letters was changed "
            "on the way. Export it again.",
        )
    return found[:15] + suffix


def money(cell: Cell, reading: Reading) -> Decimal:
    return values.parse_money(_number(cell, reading))


def rate(cell: Cell, reading: Reading) -> Decimal:
    return values.parse_rate(_number(cell, reading))


def _number(cell: Cell, reading: Reading) -> str:
    """Return the digits with a decimal point, as the parsers of numbers want them."""
    found = text_of(cell)
    if isinstance(cell, Decimal):
        return found
    written = found.replace(",", ".") if reading.decimal == "," and "." not in found else found
    sound = PLAIN_NUMBER.fullmatch(written) and (reading.decimal == "." or "." not in found)
    if not (sound and written.isascii()):
        example = f"1200{reading.decimal}50"
        raise BadValue(
            "not_a_number",
            f"“{echo(found)}” is not a number like {example}. Write it without currency, "
            "thousands separators or exponent"
            + (", or name the decimal sign in a mapping." if re.search("[.,]", found) else "."),
        )
    return written


def seats(cell: Cell, reading: Reading) -> int:
    del reading
    found = text_of(cell)
    if "%" in found or re.fullmatch(r"0?[.,][0-9]+", found):
        raise BadValue(
            "not_an_integer",
            f"“{echo(found)}” is a share, not a number of seats. Name the column with the seats.",
        )
    if found.startswith("-") and PLAIN_NUMBER.fullmatch(found):
        raise BadValue("negative", f"“{echo(found)}” is negative. Seats are 0 or more.")
    return values.parse_seats_text(found)


def boolean(cell: Cell, reading: Reading) -> bool:
    del reading
    found = text_of(cell)
    word = found.lower()
    if word not in TRUE | FALSE:
        raise BadValue("not_a_boolean", f"“{echo(found)}” is none of: true, false, yes, no, 1, 0.")
    return word in TRUE


def currency(cell: Cell, reading: Reading) -> str:
    del reading
    return values.parse_currency(text_of(cell))


def email(cell: Cell, reading: Reading) -> str:
    del reading
    return values.parse_email(text_of(cell))


def word(*allowed: str) -> Parser:
    """Return a parser of these words, written in any case."""
    by_lower = {each.lower(): each for each in allowed}

    def parse(cell: Cell, reading: Reading) -> str:
        del reading
        found = text_of(cell)
        if (ours := by_lower.get(found.lower())) is None:
            raise BadValue(
                "not_a_choice",
                f"“{echo(found)}” is none of: {', '.join(allowed)}. "
                "A mapping can translate it under [values].",
            )
        return ours

    return parse


def words(cell: Cell, reading: Reading) -> list[str]:
    """Return what stands between semicolons, each once."""
    del reading
    parts = [part for part in text_of(cell).split(";") if part.strip()]
    return list(dict.fromkeys(values.parse_text(part, max_length=40) for part in parts))


def day(cell: Cell, reading: Reading) -> dt.date:
    if isinstance(cell, dt.datetime):
        return values.check_date(cell.date())
    if isinstance(cell, dt.date):
        return values.check_date(cell)
    found = text_of(cell)
    if reading.date_format:
        return values.check_date(_by_format(found, reading).date())
    try:
        return values.parse_date(found)
    except BadValue as error:
        raise _day_hint(found) or error from None


def end(cell: Cell, reading: Reading) -> dt.date:
    """Return the first day not covered, also where the file writes the last one that is."""
    found = day(cell, reading)
    return found + DAY if reading.end_is_last_day else found


def observed_at(cell: Cell, reading: Reading) -> dt.datetime:
    """Return a moment in UTC; a time without an offset is local, a day means its first moment."""
    moment = _moment(cell, reading)
    if moment > reading.latest:
        raise BadValue("in_future", "This lies in the future. A reading tells what was seen.")
    return values.check_datetime(moment)


def _moment(cell: Cell, reading: Reading) -> dt.datetime:
    if isinstance(cell, dt.datetime):
        return _local(cell, reading.zone)
    if isinstance(cell, dt.date):
        return _local(dt.datetime.combine(cell, dt.time()), reading.zone)
    found = text_of(cell)
    if reading.date_format:
        moment = _by_format(found, reading)
        return moment.astimezone(dt.UTC) if moment.tzinfo else _local(moment, reading.zone)
    if ISO_START.match(found):
        try:
            return values.parse_datetime(found)
        except BadValue as error:
            if error.code != "no_offset":
                raise
        return values.parse_datetime(found + "Z") and _local(
            dt.datetime.fromisoformat(found), reading.zone
        )
    return _local(dt.datetime.combine(day(found, reading), dt.time()), reading.zone)


def _local(naive: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return the first moment that a clock in the zone showed this time."""
    values.check_date(naive.date())
    moment = naive.replace(tzinfo=zone).astimezone(dt.UTC)
    if moment.astimezone(zone).date() != naive.date():
        raise BadValue("no_such_time", f"The clocks of {zone.key} never showed this time.")
    return moment


def _by_format(found: str, reading: Reading) -> dt.datetime:
    try:
        # Other digits than ASCII ones pass for digits there.
        written = found.encode("ascii").decode()
        return dt.datetime.strptime(written, reading.date_format)  # noqa: DTZ007 -- local by contract
    except (ValueError, OverflowError):
        raise BadValue(
            "not_a_date",
            f"“{echo(found)}” is no day written as {reading.date_format}, which the import says.",
        ) from None


def _day_hint(found: str) -> BadValue | None:
    """Return a better answer for what people often write instead of an ISO day."""
    if match := SLASHED.fullmatch(found):
        first, second = int(match[1]), int(match[2])
        can_be_both = max(first, second) <= LAST_MONTH and first != second
        either = "can be read as two days" if can_be_both else "is not written like 2026-03-31"
        return BadValue(
            "ambiguous_date" if can_be_both else "not_a_date",
            f"“{echo(found)}” {either}. Say how days are written, for instance %d/%m/%Y.",
        )
    if DAY_NUMBER.fullmatch(found):
        return BadValue(
            "not_a_date",
            f"“{echo(found)}” looks like a spreadsheet's number of a day. Format the column "
            "as a date (yyyy-mm-dd) and export it again.",
        )
    if ISO_START.match(found):
        return BadValue(
            "not_a_date",
            f"“{echo(found)}” is a time, where a day is wanted. Name the format, for instance "
            "%Y-%m-%dT%H:%M:%S.",
        )
    return None
