"""Which day a page looks at, and by whose knowledge: `as_of` and `known_at` in its address."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import QueryDict

from config.lib.errors import Invalid
from config.lib.ui.formats import day_text
from config.lib.values import BadValue, check_datetime, moment_text, parse_date, parse_datetime

T = TypeVar("T")
AS_OF, KNOWN_AT = "as_of", "known_at"
# A place in a list belongs to the day it was listed for.
OWN = (AS_OF, KNOWN_AT, "cursor")
TICK = dt.timedelta(microseconds=1)


class Link(NamedTuple):
    label: str
    url: str


@dataclass(frozen=True)
class Then:
    """A day of the company and the knowledge of a moment; `as_of` and `knowledge` as asked for.

    What is dated is true on `day`; what is not counts as known at its end. Nothing that became
    known after `known_at` counts.
    """

    zone: ZoneInfo
    now: dt.datetime
    as_of: dt.date | None = None
    knowledge: dt.datetime | None = None
    # What of the address could not be followed, in sentences.
    notes: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    # What else the address says.
    kept: tuple[tuple[str, str], ...] = ()

    @property
    def looks_back(self) -> bool:
        return self.as_of is not None or self.knowledge is not None

    @property
    def is_now(self) -> bool:
        return not self.looks_back

    @property
    def today(self) -> dt.date:
        """Return the day that it really is."""
        return self.now.astimezone(self.zone).date()

    @property
    def day(self) -> dt.date:
        return self.as_of or self.today

    @property
    def end(self) -> dt.datetime:
        """Return the first moment after the day."""
        after = dt.datetime.combine(self.day + dt.timedelta(days=1), dt.time(), self.zone)
        return after.astimezone(dt.UTC)

    @property
    def known_at(self) -> dt.datetime:
        return min(self.knowledge or self.now, self.now)

    @property
    def told_at(self) -> dt.datetime:
        """Return the last moment of the day that was known of: what the page takes for now."""
        return min(self.known_at, self.end - TICK)

    @property
    def parameters(self) -> dict[str, str]:
        asked = {}
        if self.as_of is not None:
            asked[AS_OF] = self.as_of.isoformat()
        if self.knowledge is not None:
            asked[KNOWN_AT] = moment_text(self.knowledge)
        return asked

    @property
    def query(self) -> str:
        """Return what the address of another page of the same day ends with, or nothing."""
        return f"?{urlencode(self.parameters)}" if self.looks_back else ""

    @property
    def more(self) -> str:
        """Return the same behind other parameters."""
        return f"&{urlencode(self.parameters)}" if self.looks_back else ""

    @property
    def rest(self) -> str:
        """Return the address without the day and the moment: now."""
        return f"?{urlencode(self.kept)}" if self.kept else "?"

    @property
    def day_words(self) -> str:
        words = day_text(self.day)
        return f"today, {words}" if self.day == self.today else words

    @property
    def known_words(self) -> str:
        """ "5 Mar 2026, 14:00 UTC"; seconds only where there are any."""
        local = self.known_at.astimezone(self.zone)
        clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
        return f"{day_text(local.date())}, {clock} {local.tzname()}"

    @property
    def known_field(self) -> str:
        """Return the moment as a field of a form has it, on the company's clocks."""
        if self.knowledge is None:
            return ""
        return f"{self.known_at.astimezone(self.zone):%Y-%m-%dT%H:%M:%S}"

    def noted(self, *notes: str, links: Sequence[Link] = ()) -> "Then":
        return replace(self, notes=(*self.notes, *notes), links=(*self.links, *links))


def read_then(asked: QueryDict, *, zone: ZoneInfo, now: dt.datetime, strict: bool = False) -> Then:
    """Read the address. What cannot be followed is noted, and now shown instead.

    Where a file is asked for (`strict`) nobody would read the notes: raises Invalid.
    """
    notes: list[str] = []
    as_of = _read(asked, AS_OF, parse_date, notes)
    knowledge = _read(asked, KNOWN_AT, lambda text: moment_in(text, zone), notes)
    today = now.astimezone(zone).date()
    if as_of is not None and as_of > today:
        notes.append(f"{day_text(as_of)} has not come yet.")
    if knowledge is not None and knowledge > now:
        notes.append("What will be known later is not known yet: known_at lies ahead.")
    kept = kept_of(asked)
    if notes:
        if strict:
            raise Invalid(" ".join(notes))
        return Then(zone, now, notes=(*notes, "This is today."), kept=kept)
    if as_of == today and knowledge is None:
        as_of = None
    return Then(zone, now, as_of, knowledge, kept=kept)


def kept_of(asked: QueryDict) -> tuple[tuple[str, str], ...]:
    """Return what an address says beside the day and the moment."""
    return tuple((name, str(asked[name])) for name in asked if name not in OWN)


def moment_in(text: str, zone: ZoneInfo) -> dt.datetime:
    """Return a moment in UTC from an ISO time; without an offset it is on the zone's clocks."""
    try:
        return parse_datetime(text)
    except BadValue as bad:
        if bad.code != "no_offset":
            raise
        try:
            local = dt.datetime.fromisoformat(text).replace(tzinfo=zone)
            return check_datetime(local.astimezone(dt.UTC))
        except (ValueError, OverflowError):
            raise bad from None


def _read(asked: QueryDict, name: str, parse: Callable[[str], T], notes: list[str]) -> T | None:
    text = (asked.get(name) or "").strip()
    if not text:
        return None
    try:
        return parse(text)
    except BadValue as bad:
        notes.append(f"{name}: {bad.detail}")
        return None
