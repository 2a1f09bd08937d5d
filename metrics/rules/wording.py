"""The text of a number made from accounts, written from its parameters: so that both agree."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import count
from textwrap import fill

from config.lib.ui.formats import money_text
from metrics.rules.parameters import SOURCES, Values

WIDTH = 100
DOLLARS = "USD"


def near_miss(percent: int) -> tuple[int, int]:
    """Return the least (deployed, licensed) that rounds to the share and does not reach it."""
    for licensed in count(1):
        deployed = -(-percent * licensed // 100) - 1
        if deployed >= 0 and 200 * deployed >= (2 * percent - 1) * licensed:
            return deployed, licensed
    raise AssertionError


def seats_text(policy: Values, *, currency: str = DOLLARS) -> str:
    """Return the Handbook text; `policy` has every parameter."""
    least = Decimal(policy["min_arr"])
    percent, stale = policy["share_percent"], _days(policy["stale_days"])
    deployed, licensed = near_miss(percent)
    return "\n".join(
        [
            _wrapped(
                f"The share of customers with more than {money_text(least, currency)} of annual"
                f" recurring revenue that have at least {percent}% of their licensed seats"
                f" deployed{_except(policy)}."
            ),
            "",
            *_numbered(
                [
                    "**ARR** of an account on a day is the sum of the ARR of its paid"
                    " subscriptions that cover the day, in the reporting currency at the latest"
                    " rate dated on or before it. A subscription gives its ARR, or its total"
                    " value and its end: then ARR is the total divided by the days it runs,"
                    " times 365. The end is the first day not covered. Nothing is rounded before"
                    " it is compared." + _rolled_up(policy),
                    "**Eligible** is a customer that is not internal, not archived and not"
                    f" churned by the day, with ARR strictly above {least:,.2f}. Exactly"
                    f" {least:,.2f} is not eligible. Where an amount or an exchange rate is"
                    " missing, ARR is unknown: the account is left out and listed."
                    + _grace(policy)
                    + _left_out(policy),
                    (
                        "**Licensed seats** are the seats of the paid subscriptions that cover the"
                        " day, added up. Trials and proofs of concept bring neither ARR nor seats."
                        " An eligible account without licensed seats is unknown; one with an"
                        " unlimited licence has no share, and is left out and listed."
                    ),
                    "**Deployed seats** are each counted instance's latest reading observed on"
                    " or before the end of the day in the company's time zone, added up. A"
                    f" reading more than {stale} old is stale and not used. Zero seats read is"
                    " zero. No usable reading makes the account unknown: it stays in the number"
                    " and does not pass. Where only some instances have one, the account passes"
                    " if those suffice alone, and is unknown otherwise." + _order(policy),
                    (
                        f"An account **passes** when 100 times its deployed seats is at least"
                        f" {percent} times its licensed seats, in whole numbers: {deployed} of"
                        f" {licensed} is not {percent}%. More deployed than licensed passes, and is"
                        " flagged."
                    ),
                    (
                        "**The number** is passing over eligible. It is shown with its fraction,"
                        " with how high it could be if every unknown account passed, with the share"
                        " of accounts that have a usable reading, and with the age of the oldest"
                        " reading used."
                    ),
                    "Where no account is eligible there is no number: not 0%, and not 100%.",
                ]
            ),
            "",
        ]
    )


def _except(policy: Values) -> str:
    days = policy["grace_days"]
    return f", once they have been customers for {_days(days)}" if days else ""


def _rolled_up(policy: Values) -> str:
    if not policy["roll_up"]:
        return ""
    return (
        " Contracts, instances and readings of an account with a parent count at its topmost"
        " parent; the account itself is left out and listed."
    )


def _grace(policy: Values) -> str:
    days = policy["grace_days"]
    if not days:
        return ""
    return (
        f" A customer is left out, and listed, in its first {_days(days)}: counted from the first"
        " day of the first paid contract it ever had."
    )


def _left_out(policy: Values) -> str:
    parts = [
        f"of the {noun}{'' if len(names) == 1 else 's'} {_listed(names)}"
        for noun, names in (
            ("region", policy["exclude_regions"]),
            ("segment", policy["exclude_segments"]),
        )
        if names
    ]
    return f" Accounts {' and those '.join(parts)} are left out and listed." if parts else ""


def _order(policy: Values) -> str:
    if list(policy["source_order"]) == list(SOURCES):
        return ""
    sources = ", then ".join(name.replace("_", "-") for name in policy["source_order"])
    return f" Of two readings of one moment the first of these sources counts: {sources}."


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number:,} days"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _numbered(rules: Sequence[str]) -> list[str]:
    return [
        fill(
            rule, WIDTH, initial_indent=f"{number}. ", subsequent_indent="   ",
            break_long_words=False, break_on_hyphens=False,
        )
        for number, rule in enumerate(rules, 1)
    ]  # fmt: skip


def _wrapped(text: str) -> str:
    return fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)
