"""What the codes of the metric mean, in words for the pages."""

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

from accounts.measure import Terms
from accounts.models import Account, AccountFacts
from accounts.rules import Pace, seats_needed
from config.lib.ui.formats import day_text, money_text, number_text, share_text


class Standing(NamedTuple):
    """How an account stands to the metric: a tag, and why in a sentence."""

    label: str
    tone: str
    icon: str
    why: str


@dataclass(frozen=True, slots=True)
class Setting:
    """What the words depend on beside the account."""

    terms: Terms
    currency: str
    today: dt.date


WEEKS_A_YEAR = 52
LONG = "more than a year"
# Of an account in the metric whose result is not known.
UNKNOWN = {
    "stale": "every seat count is older than {stale_days} days.",
    "no_reading": "no seats have been counted yet.",
    "no_instance": "no instance is counted.",
    "partial": (
        "some instances have no usable count, and those that have one do not reach"
        " {share_percent}% alone."
    ),
    "no_entitlement": "no licensed seats are on record for today.",
    "error": "this account could not be computed. The fault is recorded for an administrator.",
}
OUTSIDE = {
    "internal": "an internal account is no customer.",
    "archived": "archived accounts do not count.",
    "prospect": "a prospect is no customer yet.",
    "churned": "churned on {churned_on}.",
    "arr_not_above": "ARR of {arr} is not above {min_arr}.",
    "missing_rate": "ARR is unknown, for an exchange rate is missing.",
    "rolled_up": "it counts at its parent, with its contracts and seats.",
    "left_out": "the definition leaves out its region or segment.",
    "in_grace": "a new customer, which the definition leaves out for its first days.",
    "missing_amount": "ARR is unknown, for a contract has no amount.",
}
NO_CUSTOMER = frozenset({"internal", "archived", "prospect", "churned"})
# For the narrow column of the list.
SHORT = {
    "stale": "stale count",
    "no_reading": "no count yet",
    "no_instance": "no instance",
    "partial": "partly counted",
    "no_entitlement": "no licences",
    "error": "not computed",
    "unlimited": "unlimited",
    "internal": "internal",
    "archived": "archived",
    "prospect": "prospect",
    "churned": "churned",
    "arr_not_above": "low ARR",
    "missing_rate": "exchange rate missing",
    "rolled_up": "at its parent",
    "left_out": "left out",
    "in_grace": "in grace",
    "missing_amount": "amount missing",
}


def standing_of(account: Account, facts: AccountFacts | None, setting: Setting) -> Standing:
    terms = setting.terms
    if facts is None:
        return Standing(
            "Not computed yet", "line", "hourglass", "Its figures come with the next recompute."
        )
    if not facts.eligible:
        why = _outside(account, facts, setting)
        return Standing("Outside the metric", "line", "circle-off", why)
    if facts.unlimited:
        why = "Not in the ratio: an unlimited licence has no share. It is listed beside the number."
        return Standing("Unlimited licence", "line", "infinity", why)
    if facts.passes is None:
        return Standing("Unknown", "warn", "circle-question-mark", _unknown(facts, terms))
    share, line = share_text(facts.share), f"{terms.share_percent}%"
    if facts.passes:
        why = f"In the metric and on target: {share} of seats are deployed, {line} are needed."
        if facts.reason == "over_deployed":
            why = f"In the metric and on target: more seats are deployed than licensed ({share})."
        return Standing(f"{line} reached", "good", "circle-check", why)
    why = f"In the metric, below the line: {share} of seats are deployed, {line} are needed."
    return Standing(f"Below {line}", "", "target", why)


def _outside(account: Account, facts: AccountFacts, setting: Setting) -> str:
    churned_on = account.churned_on
    because = OUTSIDE.get(facts.reason, "it is not eligible.").format(
        churned_on=day_text(churned_on, setting.today) if churned_on else "an unknown day",
        arr=money_text(facts.arr, setting.currency),
        min_arr=money_text(setting.terms.min_arr, setting.currency),
    )
    return f"Outside the metric: {because}"


def _unknown(facts: AccountFacts, terms: Terms) -> str:
    because = UNKNOWN.get(facts.reason, "its data is incomplete.").format(
        stale_days=terms.stale_days, share_percent=terms.share_percent
    )
    return f"In the metric, result unknown: {because}"


def path_to_line(facts: AccountFacts, setting: Setting, pace: Pace | None) -> str:
    """Say in one or two sentences what would bring the account over the line, or keep it there.

    Nothing for those who are no customers: no seat would bring them in.
    """
    if facts.reason in NO_CUSTOMER:
        return ""
    percent = setting.terms.share_percent
    if facts.unlimited:
        return "An unlimited licence has no share to reach."
    if not facts.licensed:
        return "Without licensed seats there is no share to reach. Check the subscriptions."
    needed = seats_needed(facts.licensed, percent)
    line = f"{number_text(needed)}, {percent}% of {number_text(facts.licensed)}"
    if facts.deployed is None:
        return f"The line is at {line}. A new seat count shows how far it is."
    if facts.passes or facts.deployed >= needed:
        return _room(facts.deployed - needed, line)
    to_go = needed - facts.deployed
    sentence = f"It takes {_seats(to_go, 'more ')} to reach the line at {line}."
    return f"{sentence} {_at_pace(to_go, facts, setting, pace)}".strip()


def _room(above: int, line: str) -> str:
    if not above:
        return f"Exactly on the line at {line}. One seat lost, and it falls below."
    return f"{_seats(above)} above the line at {line}. It falls below when more than that are lost."


def _at_pace(to_go: int, facts: AccountFacts, setting: Setting, pace: Pace | None) -> str:
    if pace is None:
        return ""
    weeks = pace.weeks_for(to_go)
    if weeks is None:
        return f"In the last {pace.weeks} weeks no seats were gained."
    crossing = setting.today + dt.timedelta(weeks=weeks)
    when = f"about {weeks} {'week' if weeks == 1 else 'weeks'}" if weeks <= WEEKS_A_YEAR else LONG
    if facts.renewal_on is not None:
        order = "before" if crossing < facts.renewal_on else "after"
        when += f", {order} the renewal on {day_text(facts.renewal_on, setting.today)}"
    return f"At the pace of the last {pace.weeks} weeks ({_seats(pace.seats)}) that takes {when}."


def _seats(count: int, which: str = "") -> str:
    return f"{number_text(count)} {which}{'seat' if count == 1 else 'seats'}"
