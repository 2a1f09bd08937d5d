"""Numbers, money and dates as people read them. Nothing here reads the clock."""

import datetime as dt
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction

Ratio = Fraction | Decimal | float
"""A share: 0 is none, 1 is all; above 1 where more is deployed than licensed."""

UNKNOWN = "unknown"
NEARLY_NOTHING = "under 0.1"
MINUS = "\N{MINUS SIGN}"
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}

MINUTES_AN_HOUR = 60
TENTH = Decimal("0.1")
WHOLE = Decimal(1)
# What rounds to 1,000 of one unit is one of the next: 999,500 is $1.0M, not $1000K.
SHORT_UNITS = (
    (Decimal(1_000), "K", WHOLE),
    (Decimal(1_000_000), "M", TENTH),
    (Decimal(1_000_000_000), "B", TENTH),
)
AGES = (
    (dt.timedelta(minutes=1), "minute", dt.timedelta(hours=1)),
    (dt.timedelta(hours=1), "hour", dt.timedelta(days=1)),
    (dt.timedelta(days=1), "day", dt.timedelta(days=30)),
)


def percent(share: Ratio) -> Decimal:
    """The share in percent, exact to far more places than anybody prints."""
    exact = Fraction(share) * 100
    return Decimal(exact.numerator) / Decimal(exact.denominator)


def share_text(share: Ratio | None, *, sign: str = "%") -> str:
    """One decimal, rounded, but never up onto a whole percent: 79.96% reads "79.9%".

    Lines such as 80% are whole percents, so none reads as reached that is not.
    """
    if share is None:
        return UNKNOWN
    exact = percent(share)
    rounded = exact.quantize(TENTH, ROUND_HALF_UP)
    if rounded > exact and rounded == rounded.to_integral_value():
        rounded -= TENTH
    return f"{signed(rounded, plus='')}{sign}"


def points_text(difference: Ratio | None) -> str:
    """The difference of two shares in points, with its sign: "+1.6"."""
    if difference is None:
        return UNKNOWN
    return signed(percent(difference).quantize(TENTH, ROUND_HALF_UP))


def lift_text(points: Decimal | None) -> str:
    """An expected lift in points, with one decimal; what is nearly nothing reads "under 0.1"."""
    if points is None:
        return UNKNOWN
    if 0 < points < TENTH / 2:
        return NEARLY_NOTHING
    return signed(points.quantize(TENTH, ROUND_HALF_UP), plus="")


def signed(number: Decimal | int, plus: str = "+") -> str:
    """With thousands separators, a real minus, and `plus` before what is above zero."""
    if number == 0:
        return f"{abs(number):,}"
    return f"{plus if number > 0 else MINUS}{abs(number):,}"


def number_text(number: int | Decimal | None) -> str:
    """1012 reads "1,012"."""
    return UNKNOWN if number is None else signed(number, plus="")


def money_text(amount: Decimal | int | None, currency: str = "USD") -> str:
    """In full; cents only where there are any, so 49,999.60 never reads 50,000."""
    if amount is None:
        return UNKNOWN
    exact = Decimal(amount)
    places = 0 if exact == exact.to_integral_value() else 2
    return _money(exact, f"{abs(exact):,.{places}f}", currency)


def money_short_text(amount: Decimal | int | None, currency: str = "USD") -> str:
    """For lists: "$950", "$412K", "$1.2M", "$3.4B"."""
    if amount is None:
        return UNKNOWN
    exact = Decimal(amount)
    size = abs(exact)
    digits = f"{size.quantize(WHOLE, ROUND_HALF_UP)}"
    for unit, letter, step in SHORT_UNITS:
        rounded = (size / unit).quantize(step, ROUND_HALF_UP)
        if size >= unit - unit / 2000:
            digits = f"{rounded:,}{letter}"
    return _money(exact, digits, currency)


def _money(amount: Decimal, digits: str, currency: str) -> str:
    symbol = SYMBOLS.get(currency, f"{currency} ")
    return f"{MINUS if amount < 0 else ''}{symbol}{digits}"


def day_text(day: dt.date, today: dt.date | None = None) -> str:
    """ "20 Nov"; with the year where it is not that of `today`, or there is no today."""
    year = "" if today is not None and day.year == today.year else f" {day.year}"
    return f"{day.day} {day:%b}{year}"


def days_between_text(start: dt.date, end: dt.date, today: dt.date | None = None) -> str:
    """ "23 to 27 Nov", "30 Nov to 4 Dec", "23 Nov"; the year where it is not that of `today`."""
    year = "" if today is None or today.year == end.year else f" {end.year}"
    if start == end:
        return f"{start.day} {start:%b}{year}"
    first = f"{start.day}"
    if (start.year, start.month) != (end.year, end.month):
        first = f"{start.day} {start:%b}"
    if start.year != end.year:
        first, year = f"{first} {start.year}", f" {end.year}"
    return f"{first} to {end.day} {end:%b}{year}"


def weekday_text(day: dt.date, today: dt.date) -> str:
    """ "Wed 18 Nov"."""
    return f"{day:%a} {day_text(day, today)}"


def moment_text(moment: dt.datetime, now: dt.datetime) -> str:
    """ "today 02:10 UTC" or "18 Nov 02:10 UTC"; both come in the zone to be printed."""
    day, today = moment.date(), now.date()
    words = "today" if day == today else day_text(day, today)
    return f"{words} {moment:%H:%M} {moment.tzname()}"


def ago_text(moment: dt.datetime, now: dt.datetime) -> str:
    """ "3 hours ago", "in 5 minutes"; beyond a month the day."""
    distance = abs(now - moment)
    if distance < dt.timedelta(minutes=1):
        return "just now"
    for unit, name, limit in AGES:
        if distance < limit:
            count = distance // unit
            words = f"{count} {name}{'' if count == 1 else 's'}"
            return f"{words} ago" if moment < now else f"in {words}"
    return day_text(moment.date(), now.date())


def duration_text(time: dt.timedelta | None) -> str:
    """ "45 minutes", "6.5 hours", "1,204 hours": business time, which days would make longer."""
    if time is None:
        return UNKNOWN
    minutes = time // dt.timedelta(minutes=1)
    if minutes < MINUTES_AN_HOUR:
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    hours = (Decimal(minutes) / MINUTES_AN_HOUR).quantize(TENTH, ROUND_HALF_UP)
    if hours == hours.to_integral_value():
        hours = hours.to_integral_value()
    return f"{hours:,} hour{'' if hours == 1 else 's'}"


def hours_text(hours: Ratio | None) -> str:
    """Hours as a number: "45 minutes", "6.5 hours"."""
    if hours is None:
        return UNKNOWN
    exact = Fraction(hours)
    return duration_text(exact.numerator * dt.timedelta(hours=1) / exact.denominator)


def days_number(days: Decimal) -> str:
    """ "3", "3.5": days of work in tenths, cut rather than rounded up."""
    cut = days.quantize(TENTH, ROUND_DOWN)
    if cut == cut.to_integral_value():
        cut = cut.to_integral_value()
    return signed(cut, plus="")


def days_ago_text(day: dt.date, today: dt.date) -> str:
    """ "today", "yesterday", "5 days ago", "in 131 days"."""
    days = (today - day).days
    near = {0: "today", 1: "yesterday", -1: "tomorrow"}
    if days in near:
        return near[days]
    return f"{days} days ago" if days > 0 else f"in {-days} days"
