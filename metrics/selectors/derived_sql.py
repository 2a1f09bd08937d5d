"""The rules of metrics/rules/derived.py as SQL over the columns of a row of the ledger.

Policies and days are numbers and dates of our own, so they stand in the text.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace

from metrics.models import GONE, MetricRun
from metrics.rules import derived
from metrics.rules.derived import Policy, State
from metrics.selectors.inputs import KNOWN
from metrics.selectors.other_rows import other_rows

OUT, CLEAR, COUNTED, UNKNOWN = map(int, State)
MEMBER = "(eligible AND NOT unlimited)"
# What the rules ask of a row.
COLUMNS = (
    "arr", "licensed", "unlimited", "deployed", "data_state", "eligible", "passes", "reason",
    "monthly_active", "renewal_on", "customer_since",
)  # fmt: skip
LISTED = ", ".join(COLUMNS)
NO_KEY = "''"


@dataclass(frozen=True, slots=True)
class Expressions:
    """What a rule says of a row, each as an expression."""

    state: str
    amount: str = "1"
    weight: str = "0"
    key: str = NO_KEY


def _net_seats(_day: dt.date, _policy: Policy) -> Expressions:
    return Expressions(
        f"CASE WHEN NOT eligible THEN {OUT}"
        f" WHEN deployed IS NULL THEN {UNKNOWN} ELSE {COUNTED} END",
        amount="coalesce(deployed, 0)",
    )


BY_THE_LINE = f"CASE WHEN passes THEN {CLEAR} WHEN passes IS NULL THEN {UNKNOWN} ELSE {COUNTED} END"


def _arr_at_risk(_day: dt.date, _policy: Policy) -> Expressions:
    return Expressions(
        f"CASE WHEN NOT {MEMBER} THEN {OUT} ELSE {BY_THE_LINE} END", amount="coalesce(arr, 0)"
    )


def _early(day: dt.date, policy: Policy) -> str:
    return f"""CASE WHEN NOT {MEMBER} THEN {OUT}
        WHEN customer_since > {_date(day)} - {int(policy.after_days)} THEN {CLEAR}
        WHEN deployed IS NULL OR licensed = 0 THEN {UNKNOWN}
        WHEN 100::numeric * deployed >= {int(policy.share_percent)}::numeric * licensed THEN {CLEAR}
        WHEN customer_since IS NOT NULL AND data_state = '{derived.COMPLETE}' THEN {COUNTED}
        ELSE {UNKNOWN} END"""


def _early_warning(day: dt.date, policy: Policy) -> Expressions:
    return Expressions(_early(day, policy))


def _at_risk(day: dt.date, policy: Policy) -> Expressions:
    early, day_text = _early(day, policy), _date(day)
    last = _date(day + dt.timedelta(days=policy.within_days))
    return Expressions(
        f"""CASE WHEN NOT {MEMBER} THEN {OUT}
        WHEN (renewal_on > {day_text} AND renewal_on <= {last}) IS NOT TRUE THEN {CLEAR}
        WHEN passes = false OR ({early}) = {COUNTED} THEN {COUNTED}
        WHEN passes IS NULL OR ({early}) = {UNKNOWN} THEN {UNKNOWN}
        ELSE {CLEAR} END"""
    )


def _adoption(_day: dt.date, _policy: Policy) -> Expressions:
    return Expressions(
        f"""CASE WHEN NOT {MEMBER} THEN {OUT}
        WHEN monthly_active IS NULL OR licensed = 0 THEN {UNKNOWN} ELSE {COUNTED} END""",
        amount="CASE WHEN licensed = 0 THEN 0 ELSE coalesce(monthly_active, 0) END",
        weight="licensed",
    )


def _renewal_exposure(day: dt.date, policy: Policy) -> Expressions:
    end = _date(derived.quarters_end(day, policy.quarters))
    return Expressions(
        f"""CASE WHEN NOT {MEMBER} THEN {OUT}
        WHEN (renewal_on > {_date(day)} AND renewal_on < {end}) IS NOT TRUE THEN {OUT}
        ELSE {BY_THE_LINE} END""",
        amount="coalesce(arr, 0)",
        key="""to_char(renewal_on, 'YYYY"-Q"Q')""",
    )


Says = Callable[[dt.date, Policy], Expressions]


def _of_those_above(says: Says) -> Says:
    def told(day: dt.date, policy: Policy) -> Expressions:
        said = says(day, policy)
        if not policy.min_arr:
            return said
        out = f"CASE WHEN arr <= {policy.min_arr:f} THEN {OUT} ELSE {said.state} END"
        return replace(said, state=out)

    return told


BY_RULE: dict[str, Says] = {
    rule: _of_those_above(says)
    for rule, says in {
        derived.NET_SEATS: _net_seats,
        derived.ARR_AT_RISK: _arr_at_risk,
        derived.EARLY_WARNING: _early_warning,
        derived.AT_RISK: _at_risk,
        derived.ADOPTION: _adoption,
        derived.RENEWAL_EXPOSURE: _renewal_exposure,
    }.items()
}


def _date(day: dt.date) -> str:
    return f"DATE '{day.isoformat()}'"


def adds_of(rule: str, day: dt.date, policy: Policy, rows: str, *, more: str = "") -> str:
    """Select what each row adds: account_id, state, amount, weight and key, and columns besides."""
    says = BY_RULE[rule](day, policy)
    return f"""
        SELECT account_id, state,
               CASE WHEN state IN ({COUNTED}, {UNKNOWN}) THEN amount ELSE 0 END AS amount,
               CASE WHEN state = {COUNTED} THEN weight ELSE 0 END AS weight,
               CASE WHEN state <> {OUT} THEN key ELSE '' END AS key{more}
        FROM (SELECT *, {says.state} AS state, ({says.amount})::numeric AS amount,
                     {says.weight} AS weight, {says.key} AS key FROM ({rows}) of_a_run) told"""


SUMMED = (
    f"count(*) FILTER (WHERE {{0}}_state <> {OUT})",
    f"count(*) FILTER (WHERE {{0}}_state = {COUNTED})",
    f"count(*) FILTER (WHERE {{0}}_state = {UNKNOWN})",
    f"coalesce(sum(({{1}})::numeric) FILTER (WHERE {{0}}_state = {COUNTED}), 0)",
    f"coalesce(sum(({{1}})::numeric) FILTER (WHERE {{0}}_state = {UNKNOWN}), 0)",
    f"coalesce(sum({{2}}) FILTER (WHERE {{0}}_state = {COUNTED}), 0)::numeric",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A number to sum up: `name` tells its columns apart."""

    name: str
    rule: str
    policy: Policy


def sums_of(asked: list[Asked], day: dt.date, rows: str) -> str:
    """Select the sums of every number over the rows, each as an array; a row for each part.

    To each of them an account that is not eligible is out.
    """
    said = [(each, BY_RULE[each.rule](day, each.policy)) for each in asked]
    states = ", ".join(f"({says.state}) AS {each.name}_state" for each, says in said)
    keys = [
        f"CASE WHEN {each.name}_state <> {OUT} THEN {says.key} END"
        for each, says in said
        if says.key != NO_KEY
    ]
    key = f"coalesce({', '.join([*keys, NO_KEY])})"
    sums = ", ".join(
        "ARRAY[" + ", ".join(part.format(each.name, says.amount, says.weight) for part in SUMMED)
        + f"] AS {each.name}" for each, says in said
    )  # fmt: skip
    return f"""SELECT {key} AS key, {sums}
        FROM (SELECT *, {states} FROM ({rows}) of_a_run WHERE eligible) told GROUP BY 1"""


@dataclass(frozen=True, slots=True)
class Seen:
    """Which rows of the ledger a run sees."""

    definition: int
    layer: int
    day: dt.date

    @classmethod
    def by(cls, run: MetricRun) -> "Seen":
        return cls(run.definition_id, run.revision, run.day)

    def rows(self, *, more: str = "", only: str = "") -> str:
        """Select what it saw of each account; `only` narrows which, by the column account_id."""
        columns = f"account_id, {LISTED}{more}"
        over = f"""FROM metrics_metricrow
            WHERE definition_id = {int(self.definition)} AND layer <= {int(self.layer)}
              AND from_day <= {_date(self.day)}
              AND (to_day IS NULL OR to_day > {_date(self.day)}) {only}"""
        if self.layer == 1:
            return f"SELECT {columns} {over} AND reason <> '{GONE}'"
        return f"""SELECT {columns} FROM (
            SELECT DISTINCT ON (account_id) * {over} ORDER BY account_id, layer DESC) highest
            WHERE reason <> '{GONE}'"""


# Contracts of a child may be counted at any account above it.
WITH_THOSE_ABOVE = """
    WITH RECURSIVE up AS (
        {near}
        UNION
        SELECT v.parent_id FROM up JOIN accounts_account_version v ON v.fact_id = up.account_id
        WHERE v.parent_id IS NOT NULL
    )
    SELECT account_id FROM up"""


def near_a_boundary(
    asked: list[Asked], before: dt.date, now: dt.date, *, rolls_up: bool = False
) -> str:
    """Select accounts for which a date falls between the days; by index, and maybe too many.

    What a rule says of an unchanged row changes with the day where the 90th day after the purchase
    or the start of the time before a renewal comes, and where a quarter begins. The renewal is the
    end of a contract, the purchase the start of one, so contracts as known are asked: an index on
    the rows would cost each changed one another entry. Accounts with a contract that ends between
    the days are touched anyway. It asks for the parameter `known_at`.
    """
    ranges = set()
    for each in asked:
        policy = each.policy
        if each.rule in (derived.EARLY_WARNING, derived.AT_RISK):
            days = dt.timedelta(days=policy.after_days)
            ranges.add(f"v.start > {_date(before - days)} AND v.start <= {_date(now - days)}")
        if each.rule == derived.AT_RISK:
            days = dt.timedelta(days=policy.within_days)
            ranges.add(f'v."end" > {_date(before + days)} AND v."end" <= {_date(now + days)}')
        if each.rule == derived.RENEWAL_EXPOSURE:
            ends = [derived.quarters_end(day, policy.quarters) for day in (before, now)]
            if ends[0] != ends[1]:
                ranges.add(f'v."end" >= {_date(ends[0])} AND v."end" < {_date(ends[1])}')
    near = " UNION ".join(
        f"SELECT v.account_id FROM accounts_subscription_version v"
        f" WHERE v.kind = 'paid' AND {each} AND {KNOWN.format('v')}"
        for each in sorted(ranges)
    ) or "SELECT NULL::bigint AS account_id WHERE false"  # fmt: skip
    return WITH_THOSE_ABOVE.format(near=near) if rolls_up else near


NO_CUSTOMER = ", ".join(f"'{reason}'" for reason in derived.NO_CUSTOMER)


def drops_between(before: Seen, after: Seen) -> str:
    """Select what each account gave up or took along between two runs of one definition.

    Only accounts with other rows are looked at.
    """
    lower, upper = sorted((before.layer, after.layer))
    others = other_rows(
        str(after.definition),
        lower=str(lower),
        upper=str(upper),
        before=_date(before.day),
        day=_date(after.day),
    )
    only = f"AND account_id IN (SELECT DISTINCT account_id FROM ({others}) others)"
    given_up = f"""CASE WHEN new_unlimited OR coalesce(new_reason, '{GONE}') IN ({NO_CUSTOMER})
        THEN 0 ELSE greatest(0, old_licensed - new_licensed) END"""
    # Both sides are grouped, not joined: of rows just written the planner expects hardly any, and
    # would look through all of the one side for each of the other.
    sides = ", ".join(
        f"{how}({column}) FILTER (WHERE is_old = {is_old}) AS {name}_{column}"
        for name, is_old in (("old", "true"), ("new", "false"))
        for column, how in (
            ("arr", "max"), ("licensed", "max"), ("reason", "max"), ("unlimited", "bool_or"),
            ("eligible", "bool_or"),
        )
    )  # fmt: skip
    return f"""
        SELECT account_id, seats, churned_seats,
               CASE WHEN seats > 0 THEN greatest(0, coalesce(old_arr - new_arr, 0)) ELSE 0 END
                   AS arr,
               CASE WHEN churned_seats > 0 THEN coalesce(old_arr, 0) ELSE 0 END AS churned_arr
        FROM (SELECT *, {given_up} AS seats,
                     CASE WHEN new_reason = '{derived.CHURNED}' THEN old_licensed ELSE 0 END
                         AS churned_seats
              FROM (SELECT account_id, {sides} FROM (
                        SELECT true AS is_old, old.* FROM ({before.rows(only=only)}) old
                        UNION ALL
                        SELECT false, new.* FROM ({after.rows(only=only)}) new) either
                    GROUP BY account_id) both_sides
              WHERE old_eligible AND NOT old_unlimited) told
        WHERE seats > 0 OR churned_seats > 0"""
