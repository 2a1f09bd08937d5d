"""How input is written, in one place for API, forms and files.

Every parser takes what arrived and returns the Python value, or raises `BadValue`
with a stable code and a sentence that may be shown to the sender. None of them
trims, guesses or rounds, except that text loses the white space around it.
No Django here: the importer uses these row by row.
"""

import datetime as dt
import re
import unicodedata
import uuid
from collections.abc import Collection, Mapping
from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple, NoReturn

SEATS_MAX = 2**31 - 1
MONEY_PLACES = 4
WHOLE_DIGITS = 12
RATE_PLACES = 10
NAME_MAX = 200
TEXT_MAX = 2_000
EXTERNAL_ID_MAX = 120
SOURCE_MAX = 60
EMAIL_MAX = 254
FIRST_DAY = dt.date(1990, 1, 1)
LAST_DAY = dt.date(2100, 12, 31)
ECHO_MAX = 80
MARKS_MAX = 8

_ZERO_WIDTH = "\u200b\u2060\ufeff"
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_LINE_ENDS = "\u2028\u2029"
_UNSAFE = re.compile(
    f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff{_BIDI}{_ZERO_WIDTH}{_LINE_ENDS}]"
)
_BREAKS = re.compile("[\t\n\r]")
_DIGITS = re.compile(r"[0-9]{1,10}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]"
    r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(?P<offset>Z|[+-][0-9]{2}:[0-9]{2})?"
)
_SOURCE = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_CURRENCY = re.compile(r"[A-Z]{3}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(
    r"(?P<local>[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:[.][A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*)"
    rf"@(?P<domain>{_LABEL}(?:[.]{_LABEL})+)"
)
_EMAIL_LOCAL_MAX = 64


class BadValue(ValueError):
    """A value is not written as it must be. The detail may be shown to the sender."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class OuterId(NamedTuple):
    """How another system knows a thing."""

    source: str
    external_id: str


def echo(value: object) -> str:
    """Return what was sent, fit to repeat in a sentence: at most 80 characters."""
    text = value if isinstance(value, str) else str(value)[: ECHO_MAX + 1]
    text = "".join(
        " " if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else char
        for char in text[: ECHO_MAX + 1]
    )
    return text if len(text) <= ECHO_MAX else text[: ECHO_MAX - 1] + "…"


def parse_text(value: object, *, max_length: int = TEXT_MAX, lines: bool = False) -> str:
    """Return the text in NFC without white space around it; blank is refused.

    `lines` allows tabs and line breaks, which become plain newlines. The length
    counts code points.
    """
    text = _string(value)
    if len(text) > 4 * max_length:
        _too_long(max_length)
    _check_characters(text)
    if lines:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    elif _BREAKS.search(text.strip()):
        raise BadValue("line_break", "Write this on one line, without tabs.")
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        raise BadValue("blank", "This may not be blank.")
    if len(text) > max_length:
        _too_long(max_length)
    return text


def parse_name(value: object) -> str:
    return parse_text(value, max_length=NAME_MAX)


def parse_external_id(value: object) -> str:
    """Return another system's id exactly as it came: case, zeros and all."""
    text = _string(value)
    if not text:
        raise BadValue("blank", "This may not be blank.")
    if len(text) > EXTERNAL_ID_MAX:
        _too_long(EXTERNAL_ID_MAX)
    _check_characters(text)
    if _BREAKS.search(text):
        raise BadValue("line_break", "Write this on one line, without tabs.")
    if text != text.strip():
        raise BadValue("surrounding_space", "Remove the white space around the id.")
    return text


def parse_source(value: object) -> str:
    """Return the short name of a system that facts come from, such as `salesforce`."""
    text = _string(value)
    if not _SOURCE.fullmatch(text) or len(text) > SOURCE_MAX:
        raise BadValue(
            "invalid_source",
            f"Write a source in up to {SOURCE_MAX} small letters, digits, dots and dashes.",
        )
    return text


def parse_reference(value: object) -> uuid.UUID | OuterId:
    """Return what names a thing (JSON): its id, or another system's id of it."""
    if isinstance(value, str):
        return parse_uuid(value)
    if isinstance(value, Mapping) and value.keys() == set(OuterId._fields):
        return OuterId(parse_source(value["source"]), parse_external_id(value["external_id"]))
    raise BadValue("not_a_reference", 'Write an id, or {"source": "...", "external_id": "..."}.')


def parse_person(value: object) -> uuid.UUID | str:
    """Return what names one of us (JSON): an id, or the address in {"email": ...}."""
    if isinstance(value, str):
        return parse_uuid(value)
    if isinstance(value, Mapping) and value.keys() == {"email"}:
        return parse_email(value["email"])
    raise BadValue("not_a_person", 'Write an id, or {"email": "..."}.')


def parse_decimal(
    value: object,
    *,
    places: int,
    whole_digits: int = WHOLE_DIGITS,
    signed: bool = False,
) -> Decimal:
    """Return an exact decimal from plain ASCII digits with at most one dot.

    Signs, exponents, separators, NaN and Infinity are refused, and so is a number
    with more decimals than the column keeps: nothing is rounded.
    """
    if not isinstance(value, str):
        raise BadValue("not_a_string", 'Write numbers of this kind as "1200.50".')
    sign = "-?" if signed else ""
    match = re.fullmatch(rf"{sign}([0-9]+)(?:[.]([0-9]+))?", value)
    if match is None:
        if not signed and re.fullmatch(r"-[0-9]+([.][0-9]+)?", value):
            raise BadValue("negative", "This may not be negative.")
        raise BadValue("not_a_number", f"“{echo(value)}” is not a number like 1200.50.")
    if len(match[1].lstrip("0")) > whole_digits:
        raise BadValue("too_large", f"At most {whole_digits} digits before the decimal point.")
    if len(match[2] or "") > places:
        raise BadValue("too_many_decimals", f"At most {places} decimals.")
    return Decimal(value) + 0


def parse_money(value: object, *, signed: bool = False) -> Decimal:
    """Return an amount below 1e12 with at most four decimals."""
    return parse_decimal(value, places=MONEY_PLACES, signed=signed)


def parse_rate(value: object) -> Decimal:
    """Return a positive exchange rate with at most ten decimals."""
    rate = parse_decimal(value, places=RATE_PLACES, whole_digits=9)
    if rate == 0:
        raise BadValue("not_positive", "A rate is greater than zero.")
    return rate


def parse_integer(value: object, *, low: int, high: int) -> int:
    """Return an integer that is one already (JSON), never true, 1.0 or "1"."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadValue("not_an_integer", "Write this as a whole number.")
    return _within(value, low, high)


def parse_integer_text(value: object, *, low: int, high: int) -> int:
    """Return an integer from ASCII digits (a file cell, a form, an address)."""
    text = _string(value)
    sign = "-?" if low < 0 else ""
    if not re.fullmatch(rf"{sign}{_DIGITS.pattern}", text):
        if re.fullmatch(r"-[0-9]+", text):
            raise BadValue("negative", "This may not be negative.")
        raise BadValue("not_an_integer", f"“{echo(text)}” is not a whole number like 1200.")
    return _within(int(text), low, high)


def parse_seats(value: object) -> int:
    return parse_integer(value, low=0, high=SEATS_MAX)


def parse_seats_text(value: object) -> int:
    return parse_integer_text(value, low=0, high=SEATS_MAX)


def parse_date(value: object) -> dt.date:
    """Return an ISO day from 1990 to 2100."""
    text = _string(value)
    try:
        day = dt.date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise BadValue("not_a_date", f"“{echo(text)}” is not a day written like 2026-03-31.")
    return check_date(day)


def check_date(day: dt.date) -> dt.date:
    """Return the day if it lies within what Keel keeps."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise BadValue("date_out_of_range", "Days are from 1990 to 2100.")
    return day


def parse_datetime(value: object) -> dt.datetime:
    """Return a moment in UTC from an ISO time that names its offset."""
    text = _string(value)
    match = _TIME.fullmatch(text)
    if match is not None and match["offset"] is None:
        raise BadValue("no_offset", "Add the offset from UTC, as in 2026-03-31T12:00:00Z.")
    try:
        moment = dt.datetime.fromisoformat(text) if match else None
        moment = moment and moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise BadValue(
            "not_a_datetime",
            f"“{echo(text)}” is not a time written like 2026-03-31T12:00:00+02:00"
            " (in an address, + is %2B).",
        )
    return check_datetime(moment)


def check_datetime(moment: dt.datetime) -> dt.datetime:
    """Return the aware moment if its UTC day lies within what Keel keeps."""
    check_date(moment.astimezone(dt.UTC).date())
    return moment


def parse_currency(value: object) -> str:
    text = _string(value)
    if not _CURRENCY.fullmatch(text):
        raise BadValue("not_a_currency", f"“{echo(text)}” is not a currency code like USD.")
    return text


def parse_email(value: object) -> str:
    """Return an ASCII address; the domain in small letters, the rest as it came."""
    text = _string(value)
    match = _EMAIL.fullmatch(text) if len(text) <= EMAIL_MAX else None
    if match is None or len(match["local"]) > _EMAIL_LOCAL_MAX:
        raise BadValue("not_an_email", f"“{echo(text)}” is not an e-mail address.")
    return f"{match['local']}@{match['domain'].lower()}"


def parse_uuid(value: object) -> uuid.UUID:
    text = _string(value)
    if not _UUID.fullmatch(text):
        raise BadValue("not_an_id", f"“{echo(text)}” is not an id.")
    return uuid.UUID(text)


def parse_choice(value: object, allowed: Collection[str]) -> str:
    """Return one of the words allowed, written exactly so."""
    text = _string(value)
    if text not in allowed:
        raise BadValue("not_a_choice", f"“{echo(text)}” is none of: {', '.join(allowed)}.")
    return text


def parse_boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise BadValue("not_a_boolean", "Write this as true or false.")
    return value


def parse_boolean_text(value: object) -> bool:
    text = _string(value)
    if text not in {"true", "false"}:
        raise BadValue("not_a_boolean", "Write this as true or false.")
    return text == "true"


def money_text(amount: Decimal) -> str:
    """Write an amount exactly, with two decimals at least."""
    text = f"{amount:f}"
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def plain_text(number: Decimal) -> str:
    """Write a decimal exactly, without an exponent."""
    return f"{number:f}"


def ratio_text(numerator: int, denominator: int, *, places: int = 4) -> str:
    """Write a share with the decimals cut off, so that 79.999% never reads 0.8000."""
    exact = Decimal(numerator) / Decimal(denominator)
    return str(exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_DOWN))


def moment_text(moment: dt.datetime) -> str:
    """Write an aware moment in UTC, as in 2026-03-31T12:00:00Z."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise BadValue("not_a_string", "Write this as text.")
    return value


def _check_characters(text: str) -> None:
    if found := _UNSAFE.search(text):
        raise BadValue(
            "unsafe_character",
            f"Remove the control character U+{ord(found[0]):04X}.",
        )
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks > MARKS_MAX:
            raise BadValue("unsafe_character", "Too many accents on one letter.")


def _within(number: int, low: int, high: int) -> int:
    if number < low:
        if low == 0:
            raise BadValue("negative", "This may not be negative.")
        raise BadValue("too_small", f"This is at least {low}.")
    if number > high:
        raise BadValue("too_large", f"This is at most {high}.")
    return number


def _too_long(max_length: int) -> NoReturn:
    raise BadValue("max_length", f"At most {max_length} characters.")
