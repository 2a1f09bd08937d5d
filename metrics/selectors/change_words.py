"""What happened to an account between two days, in a few words."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from config.lib.ui.formats import day_text, money_short_text, money_text, number_text
from metrics import rules
from metrics.rules.explaining import FAILED, Cause, Contribution, Heard, Move, Side

UNKNOWN_SEATS = "seats unknown"
NO_LICENCES = "no licensed seats"
# By the reason on the side where the account stands outside.
BECAME_INSIDE = {
    "prospect": "new customer",
    "churned": "customer again",
    "archived": "no longer archived",
    "internal": "no longer internal",
    "missing_rate": "exchange rate known again",
    "unlimited": "licence no longer unlimited",
    "in_grace": "new customer, its time of grace is over",
    "left_out": "its region or segment counts now",
    "rolled_up": "no longer counted at its parent",
}
BECAME_OUTSIDE = {
    "prospect": "a prospect again",
    "archived": "archived",
    "internal": "marked internal",
    "missing_rate": "no exchange rate",
    "missing_amount": "a contract without an amount",
    "unlimited": "licence became unlimited",
    "in_grace": "in its time of grace",
    "left_out": "its region or segment is left out",
    "rolled_up": "counted at its parent now",
}
BY_DEFINITION = {
    Move.CROSSED: "passes under definition {}",
    Move.FELL: "does not pass under definition {}",
    Move.ENTERED: "in scope under definition {}",
    Move.LEFT: "out of scope under definition {}",
}


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells changes under one definition, in one currency, as of the new day."""

    policy: rules.Policy
    currency: str
    today: dt.date
    version: int | None

    def why(self, change: Contribution) -> str:
        if change.cause is Cause.DEFINITION_CHANGED:
            return self._by_definition(change)
        old, new = change.before, change.after
        if change.move is Move.ENTERED and new is not None:
            return f"{self._entered(old, new, change.told_by)}, {_deployed(new)}"
        if change.move is Move.LEFT and old is not None:
            return f"{self._left(old, new, change.told_by)}, was {_deployed(old)}"
        assert old is not None  # noqa: S101 -- it was in the ratio on both days
        assert new is not None  # noqa: S101
        return FLIPS[change.told_by](self, old, new)

    def _by_definition(self, change: Contribution) -> str:
        words = BY_DEFINITION[change.move].format(self.version)
        side = change.before if change.move is Move.LEFT else change.after
        return f"{words}, {_deployed(side)}" if side else words

    def _entered(self, old: Side | None, new: Side, cause: Cause) -> str:
        if old is None:
            return "new customer"
        return BECAME_INSIDE.get(old.reason) or self._arr(old, new, cause)

    def _left(self, old: Side, new: Side | None, cause: Cause) -> str:
        if new is None:
            return "no longer on record"
        if new.reason == "churned":
            on = new.churned_on
            return f"churned {day_text(on, self.today)}" if on else "churned"
        return BECAME_OUTSIDE.get(new.reason) or self._arr(old, new, cause)

    def _arr(self, old: Side, new: Side, cause: Cause) -> str:
        was, is_now = self._amounts(old.arr, new.arr)
        by_rate = " by the exchange rate" if cause is Cause.RATE_CHANGED else ""
        return f"{was} → {is_now}{by_rate}"

    def _amounts(self, old: Decimal | None, new: Decimal | None) -> tuple[str, str]:
        """Write two amounts short, but in full where they would read alike."""
        short = self._short(old), self._short(new)
        line = money_short_text(self.policy.min_arr, self.currency)
        if short[0] != short[1] and line not in short:
            return short
        return self._full(old), self._full(new)

    def _short(self, amount: Decimal | None) -> str:
        return "ARR unknown" if amount is None else money_short_text(amount, self.currency)

    def _full(self, amount: Decimal | None) -> str:
        return "ARR unknown" if amount is None else money_text(amount, self.currency)

    def seats_gained(self, old: Side, new: Side) -> str:
        return f"{_step(old, new)}{_difference(old.deployed, new.deployed, ', {} more seats')}"

    def seats_lost(self, old: Side, new: Side) -> str:
        return f"{_step(old, new)}{_difference(new.deployed, old.deployed, ', {} seats fewer')}"

    def licences_grew(self, old: Side, new: Side) -> str:
        return f"{_step(old, new)}{_difference(old.licensed, new.licensed, ', bought {} seats')}"

    def licences_shrank(self, old: Side, new: Side) -> str:
        return f"{_step(old, new)}{_difference(new.licensed, old.licensed, ', gave up {} seats')}"

    def reading_stale(self, old: Side, new: Side) -> str:
        return f"{self._silence(old, new)}, was {_deployed(old)}"

    def reading_returned(self, old: Side, new: Side) -> str:
        was_heard = any(each.seats is not None for each in old.heard.values())
        return f"{'read again' if was_heard else 'first reading'}, {_deployed(new)}"

    def _silence(self, old: Side, new: Side) -> str:
        if new.reason == FAILED:
            return "could not be computed"
        if new.reason == "no_instance":
            return "no counted instance"
        silent = [
            new.heard.get(instance)
            for instance, heard in old.heard.items()
            if _is_used(heard) and not _is_used(new.heard.get(instance))
        ]
        if any(heard is None or not heard.is_counted for heard in silent):
            return "an instance no longer counts"
        days = [heard.on for heard in silent if heard and heard.on]
        what = "no reading" if new.deployed is None else "no reading of an instance"
        return f"{what} since {day_text(max(days), self.today)}" if days else "no usable reading"


FLIPS: dict[Cause, Callable[[Teller, Side, Side], str]] = {
    Cause.SEATS_GAINED: Teller.seats_gained,
    Cause.SEATS_LOST: Teller.seats_lost,
    Cause.LICENCES_GREW: Teller.licences_grew,
    Cause.LICENCES_SHRANK: Teller.licences_shrank,
    Cause.READING_STALE: Teller.reading_stale,
    Cause.READING_RETURNED: Teller.reading_returned,
}


def _step(old: Side, new: Side) -> str:
    return f"{_share(old)} → {_share(new)}"


def _share(side: Side) -> str:
    """Write a share in whole percent, cut off: 79.9% has not reached 80%."""
    if not side.licensed:
        return NO_LICENCES
    if side.deployed is None:
        return "unknown"
    at_least = "at least " if side.reason == "partial" else ""
    return f"{at_least}{number_text(100 * side.deployed // side.licensed)}%"


def _deployed(side: Side) -> str:
    if not side.licensed:
        return NO_LICENCES
    return UNKNOWN_SEATS if side.deployed is None else f"{_share(side)} deployed"


def _difference(less: int | None, more: int | None, words: str) -> str:
    if less is None or more is None or more <= less:
        return ""
    text = words.format(number_text(more - less))
    return text.replace("seats", "seat") if more - less == 1 else text


def _is_used(heard: Heard | None) -> bool:
    return heard is not None and heard.is_counted and heard.is_usable and heard.seats is not None
