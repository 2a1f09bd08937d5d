"""The months of board packs, and the digest that ties a pack to the ledger."""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from metrics.rules.seats_deployed import start_of

A_DAY = dt.timedelta(days=1)
# How many month ends a trend shows.
TREND_MONTHS = 13
YEARS = range(1990, 2100)
_KEY = re.compile(r"([0-9]{4})-([0-9]{2})")


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """A month of the company's calendar, by its first day."""

    first: dt.date

    @classmethod
    def of(cls, day: dt.date) -> "Month":
        return cls(day.replace(day=1))

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Read `2026-10`. Raises ValueError for anything else."""
        found = _KEY.fullmatch(text)
        if found is None or int(found[1]) not in YEARS:
            raise ValueError("A month is written as 2026-10.")
        return cls(dt.date(int(found[1]), int(found[2]), 1))

    @property
    def last(self) -> dt.date:
        return self.after.first - A_DAY

    @property
    def before(self) -> "Month":
        return Month.of(self.first - A_DAY)

    @property
    def after(self) -> "Month":
        return Month.of(self.first + 31 * A_DAY)

    @property
    def days(self) -> int:
        return self.last.day

    @property
    def key(self) -> str:
        return f"{self.first:%Y-%m}"

    def start(self, zone: ZoneInfo) -> dt.datetime:
        return start_of(self.first, zone)

    def end(self, zone: ZoneInfo) -> dt.datetime:
        """Return the first moment that is not of the month any more."""
        return start_of(self.after.first, zone)

    def __str__(self) -> str:
        return f"{self.first:%B %Y}"


def months_until(month: Month, count: int) -> list[Month]:
    """Return so many months, the given one last."""
    found = [month]
    while len(found) < count:
        found.append(found[-1].before)
    return found[::-1]


def digest_of(told: Mapping[str, Any], run_digests: Iterable[str]) -> str:
    """Return the hash over the digests of the runs shown and over all else that is said."""
    content = {name: value for name, value in told.items() if name != "runs"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    lines = [hashlib.sha256(text.encode()).hexdigest(), *sorted(run_digests)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
