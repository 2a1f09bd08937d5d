"""How a board pack says numbers: shares, differences, days, hours, and who is who."""

import datetime as dt
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from django.urls import reverse

from config.lib.ui.formats import (
    MINUS,
    day_text,
    hours_text,
    money_short_text,
    number_text,
    percent,
    share_text,
    signed,
)
from metrics.selectors.pack_blocks import Cell
from metrics.selectors.waterfall import places_for

Told = Mapping[str, Any]
NO_NUMBER = "no number"
PAGES = {
    "ACC": "accounts:account-detail",
    "REQ": "requests:detail",
    "PRJ": "projects:detail",
}


def fraction(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


def share_of(counts: Told) -> Fraction | None:
    whole = counts["denominator"]
    return Fraction(counts["numerator"], whole) if whole else None


def high_of(counts: Told) -> Fraction | None:
    whole = counts["denominator"]
    return Fraction(counts["numerator"] + counts["unknown"], whole) if whole else None


def share_in_words(share: Fraction | None) -> str:
    return NO_NUMBER if share is None else share_text(share)


def wanted(share: Fraction) -> str:
    """Write a target: "75%", "72.5%"."""
    return share_text(share).replace(".0%", "%")


def of_text(numerator: int | None, denominator: int | None) -> str:
    if not denominator or numerator is None:
        return "none"
    return f"{numerator:,} of {denominator:,}"


def day(text: str | None) -> str:
    return day_text(dt.date.fromisoformat(text)) if text else ""


def short_day(text: str | None) -> str:
    return f"{(found := dt.date.fromisoformat(text)).day} {found:%b}" if text else ""


def hours(told: Told) -> str:
    if told["median"] is None:
        return "none in the month"
    return f"{hours_text(Fraction(told['median']))}, median of {told['count']:,}"


def seats(count: int | None) -> str:
    return number_text(count)


def plural(count: int, noun: str, many: str = "") -> str:
    """Write "1 account", "2,301 accounts"."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


class Points:
    """Differences of shares in points, with so many decimals that one account can be told."""

    def __init__(self, accounts: int) -> None:
        self._step = Decimal(1).scaleb(-places_for(accounts))

    def __call__(self, value: Fraction | str | None) -> str:
        if value is None:
            return NO_NUMBER
        return signed(percent(Fraction(value)).quantize(self._step, ROUND_HALF_UP))

    def plain(self, value: Fraction | str) -> str:
        """Write how large a difference is, without its sign."""
        return self(abs(Fraction(value))).removeprefix("+")

    def in_words(self, value: Fraction | str) -> str:
        return f"{self(value)} points"


def value_text(value: str | None, unit: str, currency: str) -> str:
    """Say a figure in its unit."""
    if value is None:
        return NO_NUMBER
    exact = Fraction(value)
    if unit == "share":
        return share_text(exact)
    if unit == "duration":
        return hours_text(exact)
    if unit == "money":
        return money_short_text(Decimal(value), currency)
    return number_text(Decimal(value).quantize(Decimal(1), ROUND_HALF_UP))


def change_text(now: str | None, then: str | None, unit: str, currency: str) -> str:
    if now is None or then is None:
        return ""
    difference = Fraction(now) - Fraction(then)
    if not difference:
        return "no change"
    if unit == "share":
        return f"{signed(percent(difference).quantize(Decimal('0.1'), ROUND_HALF_UP))} points"
    size = value_text(_plain(abs(difference)), unit, currency)
    return f"{'+' if difference > 0 else MINUS}{size}"


def _plain(value: Fraction) -> str:
    return f"{Decimal(value.numerator) / Decimal(value.denominator):f}"


def linked(number: str | None, text: str | None) -> Cell:
    """Return a text that leads to the page of what is numbered so."""
    if not number:
        return Cell(text or "no longer on record")
    kind, _, key = number.partition("-")
    url = reverse(PAGES[kind], args=[int(key)]) if kind in PAGES else ""
    return Cell(text or number, url)


def account(told: Told) -> Cell:
    return linked(told.get("account"), told.get("name"))


def names(accounts: list[Told], count: int) -> str:
    """Write "Tarn, Vantor and 3 more"."""
    known = [each["name"] or "an account no longer on record" for each in accounts]
    if count > len(known):
        return f"{', '.join(known)} and {count - len(known):,} more"
    if len(known) > 1:
        return f"{', '.join(known[:-1])} and {known[-1]}"
    return "".join(known)
