"""The rules of `seats-deployed` as one statement, for any number of accounts at once.

It says what metrics/rules/seats_deployed.py says, which stays the judge of what is right:
tests hold the two against each other. What SQL cannot decide exactly it leaves `undecided`.

Amounts and rates are exact numerics. Only a total value divided by its days can have endless
digits: quotients keep 100 of them and the account's sum is rounded to 80. Up to eight quotients
of contracts in days (under four million each) have a common denominator below 10^53, so a sum
that is no multiple of 10^-14 is at least 10^-67 away from every one, and each comparison with
the line, with a band and with the sixth place comes out as it would on the fraction itself.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from metrics import rules
from metrics.selectors import inputs
from metrics.selectors.inputs import KNOWN, Moment, dated

MOST_QUOTIENTS = 8
# What the column holds; single amounts and rates have their own bounds.
MOST_ARR = 10**18

# Parallel plans would take both cores of a small machine from those who look at pages.
SETTINGS = """set_config('max_parallel_workers_per_gather', '0', true),
    set_config('jit', 'off', true), set_config('work_mem', '64MB', true)"""
PLAN = f"SELECT {SETTINGS};"
# The temporary table of accounts that a run looks at.
TOUCHED = "touched"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which accounts: `condition` has {0} where the column with the account's id goes."""

    condition: str = ""
    ids: Collection[int] | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        return {} if self.ids is None else {"only": list(self.ids)}


def in_table(table: str) -> Scope:
    return Scope(f"AND {{0}} IN (SELECT account_id FROM {table})")


EVERYBODY = Scope()
THE_TOUCHED = in_table(TOUCHED)


def only(account_ids: Collection[int]) -> Scope:
    return Scope("AND {0} = ANY(%(only)s)", account_ids)


def _as_it_was(table: str, of: str, columns: tuple[str, ...], scope: str) -> str:
    """Join `older`: the version in force at the end of the day, or the first one known.

    That is mostly the one known now, and then there is nothing to join.
    """
    listed = ", ".join(f"v.{column}" for column in columns)
    return f"""
    LEFT JOIN (
        SELECT DISTINCT ON (v.fact_id) v.fact_id, v.known_from, {listed}
        FROM {table} {of} JOIN {table} v ON v.fact_id = {of}.fact_id
        WHERE {of}.known_from >= %(day_end)s AND {KNOWN.format(of)}
          AND v.known_from <= %(known_at)s {{{scope}}}
        ORDER BY v.fact_id, v.known_from >= %(day_end)s,
                 abs(extract(epoch FROM v.known_from - %(day_end)s))
    ) older ON older.fact_id = {of}.fact_id"""


def _was(of: str, column: str) -> str:
    return f"CASE WHEN {of}.known_from < %(day_end)s THEN {of}.{column} ELSE older.{column} END"


UNDATED = ("status", "internal", "archived", "region", "segment")
STANDING = f"""
    SELECT a.fact_id AS account_id, {dated("a.churned_on")} AS churned_on,
           {", ".join(f"{_was('a', column)} AS {column}" for column in UNDATED)}
    FROM accounts_account_version a
    {_as_it_was("accounts_account_version", "a", UNDATED, "account")}
    WHERE {KNOWN.format("a")} {{account}}
"""
# Rules 1 and 3. Where several contracts have a problem, the first of them gives the reason.
CONTRACTS = f"""
    SELECT account_id, min(start) AS customer_since,
           coalesce(sum(seats) FILTER (WHERE runs), 0)::bigint AS licensed,
           bool_or(unlimited) FILTER (WHERE runs) AS unlimited,
           min("end") FILTER (WHERE runs) AS renewal_on,
           count(tcv) FILTER (WHERE runs) AS quotients,
           min(fact_id) FILTER (WHERE runs AND arr IS NULL AND tcv IS NULL) AS no_amount,
           min(fact_id) FILTER (
               WHERE runs AND rate IS NULL AND (arr IS NOT NULL OR tcv IS NOT NULL)) AS no_rate,
           sum(CASE WHEN tcv IS NULL THEN arr * rate
               ELSE round(tcv * {rules.DAYS_A_YEAR} * rate, 100) / ("end" - start)
               END) FILTER (WHERE runs) AS arr,
           string_agg(ROW(seats, unlimited, arr, tcv, currency, start, "end")::text,
                      '' ORDER BY fact_id) FILTER (WHERE runs) AS told
    FROM (
        SELECT {{contract_owner}} AS account_id, s.fact_id, s.seats, s.unlimited, s.arr, s.tcv,
               s.currency, {dated("s.start")} AS start, {dated('s."end"')} AS "end", x.rate,
               s."end" IS NULL OR s."end" > %(day)s AS runs
        FROM accounts_subscription_version s {{contract_family}}
        LEFT JOIN unnest(%(currencies)s::text[], %(rates)s::numeric[]) AS x (currency, rate)
            ON x.currency = s.currency
        WHERE {KNOWN.format("s")} AND s.kind = 'paid' AND s.start <= %(day)s {{contract}}
    ) begun
    GROUP BY account_id
"""
# Of one moment the source that comes first in the policy, then by name, where a longer name
# comes before the one it begins with.
LATEST = f"""
    LEFT JOIN LATERAL (
        SELECT same.observed_at, same.seats, same.monthly_active FROM (
            SELECT reading.observed_at, reading.seats, reading.monthly_active, reading.source
            FROM accounts_seatreading reading
            WHERE reading.instance_id = i.fact_id AND reading.observed_at < %(day_end)s
              AND {KNOWN.format("reading")}
            ORDER BY reading.observed_at DESC FETCH FIRST 1 ROW WITH TIES
        ) same
        ORDER BY array_position(%(sources)s::text[], same.source::text),
                 same.source || U&'\\+10FFFF' COLLATE "C"
        LIMIT 1
    ) r ON true"""
# Rule 4. An instance counts once it was known of, or had a reading; where the whole account was
# only known later (its history was brought in afterwards), every instance counts from the start.
DEPLOYED = f"""
    SELECT {{instance_owner}} AS account_id, count(*) AS counted,
           count(r.observed_at) AS heard_of,
           count(*) FILTER (WHERE r.observed_at >= %(usable_from)s) AS usable,
           (sum(r.seats) FILTER (WHERE r.observed_at >= %(usable_from)s))::bigint AS deployed,
           CASE WHEN count(*) FILTER (
                    WHERE r.observed_at >= %(usable_from)s AND r.monthly_active IS NULL) = 0
                THEN (sum(r.monthly_active) FILTER (
                    WHERE r.observed_at >= %(usable_from)s))::bigint END AS monthly_active,
           min(r.observed_at) FILTER (WHERE r.observed_at >= %(usable_from)s) AS oldest,
           string_agg(ROW(i.fact_id, (extract(epoch FROM r.observed_at) * 1000000)::bigint,
                          r.seats, r.monthly_active)::text, '' ORDER BY i.fact_id) AS told
    FROM accounts_instance_version i {{instance_family}}
    {_as_it_was("accounts_instance_version", "i", ("counted",), "instance")}
    {LATEST}
    WHERE {KNOWN.format("i")} AND {_was("i", "counted")}
      AND (i.known_from < %(day_end)s
           OR older.known_from < %(day_end)s
           OR r.observed_at IS NOT NULL
           OR NOT EXISTS (
               SELECT FROM accounts_account_version a
               WHERE a.fact_id = i.account_id AND a.known_from < %(day_end)s
                 AND a.known_from <= %(known_at)s)) {{instance}}
    GROUP BY 1
"""
TAMS = f"""
    SELECT DISTINCT ON (m.account_id) m.account_id, m.user_id AS tam_id
    FROM accounts_assignment_version m
    WHERE {KNOWN.format("m")} AND m.role = 'TAM' AND m."primary"
      AND m.start <= %(day)s AND (m."end" IS NULL OR m."end" > %(day)s) {{assignment}}
    ORDER BY m.account_id, m.fact_id
"""
LEFT_OUT = """(standing.region = ANY(%(regions)s::text[])
               OR standing.segment = ANY(%(segments)s::text[]))"""
# What is known of each account, and what follows from it at once.
FACTS = f"""
    SELECT account_id, standing.region, tams.tam_id, contracts.renewal_on,
           contracts.customer_since, deployed.monthly_active,
           coalesce(contracts.licensed, 0) AS licensed,
           coalesce(contracts.unlimited, false) AS unlimited,
           CASE WHEN standing.internal THEN 'internal' WHEN standing.archived THEN 'archived'
                WHEN standing.status = 'prospect' THEN 'prospect'
                WHEN standing.churned_on <= %(day)s THEN 'churned'
                WHEN account_id = ANY(%(children)s::bigint[]) THEN 'rolled_up'
                WHEN {LEFT_OUT} THEN 'left_out' END AS outside,
           CASE WHEN contracts.no_amount < coalesce(contracts.no_rate, contracts.no_amount + 1)
                THEN 'missing_amount'
                WHEN contracts.no_rate IS NOT NULL THEN 'missing_rate' END AS arr_problem,
           CASE WHEN contracts.told IS NULL THEN 0
                WHEN contracts.no_amount IS NULL AND contracts.no_rate IS NULL
                THEN CASE WHEN contracts.quotients = 0 THEN contracts.arr
                          ELSE round(contracts.arr, 80) END END AS arr,
           coalesce(contracts.quotients, 0) AS quotients,
           deployed.deployed, deployed.oldest,
           CASE WHEN deployed.account_id IS NULL THEN 'no_instance'
                WHEN deployed.usable = deployed.counted THEN 'complete'
                WHEN deployed.usable > 0 THEN 'partial'
                WHEN deployed.heard_of > 0 THEN 'stale' ELSE 'no_reading' END AS data_state,
           ROW(account_id, standing.status, standing.churned_on, standing.internal,
               standing.archived, standing.region, tams.tam_id, contracts.customer_since,
               account_id = ANY(%(children)s::bigint[]), {LEFT_OUT},
               contracts.told, deployed.told)::text AS told
    FROM ({STANDING}) standing
    LEFT JOIN ({CONTRACTS}) contracts USING (account_id)
    LEFT JOIN ({DEPLOYED}) deployed USING (account_id)
    LEFT JOIN ({TAMS}) tams USING (account_id)
"""
# One row an account: the columns of a row of the ledger, and what else is asked of an account.
JUDGED = f"""
    SELECT account_id, trunc(arr, 6) AS arr, licensed, unlimited, deployed, data_state, eligible,
           CASE WHEN eligible AND NOT unlimited AND licensed > 0 AND deployed IS NOT NULL
                THEN CASE WHEN reaches THEN true WHEN data_state = 'complete' THEN false END
                END AS passes,
           CASE WHEN NOT eligible THEN coalesce(outside, arr_problem,
                    CASE WHEN above THEN 'in_grace' ELSE 'arr_not_above' END)
                WHEN unlimited THEN 'unlimited' WHEN licensed = 0 THEN 'no_entitlement'
                WHEN deployed IS NULL THEN data_state
                WHEN reaches AND deployed > licensed THEN 'over_deployed'
                WHEN reaches THEN 'passes'
                WHEN data_state = 'partial' THEN 'partial' ELSE 'below' END AS reason,
           region,
           (%(tiers)s::bigint[])[width_bucket(arr, %(bands)s::numeric[])] AS tier_id,
           tam_id, monthly_active, renewal_on, customer_since, oldest, told,
           quotients > {MOST_QUOTIENTS} OR coalesce(arr >= {MOST_ARR}, false) AS undecided
    FROM (
        SELECT *, outside IS NULL AND above AND NOT customer_since > %(grace_from)s AS eligible
        FROM (
            SELECT *, coalesce(arr > %(min_arr)s, false) AS above,
                   100 * deployed >= %(share)s * licensed AS reaches
            FROM ({FACTS}) facts
        ) lined_up
    ) in_time
"""


# What is true of an account now: the columns of AccountFacts, and whether SQL can say it.
HAS_SHARE = "deployed IS NOT NULL AND licensed > 0 AND NOT unlimited"
CURRENT = f"""
    SELECT account_id, arr, reason, licensed, unlimited, deployed,
           CASE WHEN {HAS_SHARE} THEN div(deployed * 1000000::numeric, licensed) * 0.000001 END
               AS share,
           CASE WHEN {HAS_SHARE}
                THEN greatest((%(share)s * licensed + 99) / 100 - deployed, 0) END AS seats_to_go,
           data_state, eligible, passes, renewal_on, tier_id, tam_id, undecided
    FROM ({JUDGED}) judged
"""


def judged(at: Moment, policy: rules.Policy, scope: Scope) -> tuple[str, dict[str, Any]]:
    """Return the statement that judges the accounts of the scope, and its parameters.

    Where the policy rolls up, a scope has to hold whole families; named ids are completed.
    """
    return _filled(JUDGED, at, policy, scope)


def current(at: Moment, policy: rules.Policy, scope: Scope) -> tuple[str, dict[str, Any]]:
    """Return the statement for the current facts of the accounts, and its parameters."""
    return _filled(CURRENT, at, policy, scope)


def _filled(
    statement: str, at: Moment, policy: rules.Policy, scope: Scope
) -> tuple[str, dict[str, Any]]:
    families = inputs.families_at(at) if policy.roll_up else {}
    if families and scope.ids is not None:
        scope = only(inputs.with_relatives(scope.ids, families))
    contracts, instances = inputs.owned("s", families), inputs.owned("i", families)
    sql = statement.format(
        account=scope.condition.format("a.fact_id"),
        contract=scope.condition.format("s.account_id"),
        contract_owner=contracts["owner"],
        contract_family=contracts["family"],
        instance=scope.condition.format("i.account_id"),
        instance_owner=instances["owner"],
        instance_family=instances["family"],
        assignment=scope.condition.format("m.account_id"),
    )
    rates = {**at.day.rates, at.day.currency: 1}
    tiers = sorted(at.day.tiers)
    return sql, {
        **at.parameters,
        **scope.parameters,
        **inputs.family_parameters(families),
        "usable_from": at.usable_from(policy),
        "grace_from": at.day.day - dt.timedelta(days=policy.grace_days),
        "regions": list(policy.exclude_regions),
        "segments": list(policy.exclude_segments),
        "currencies": list(rates),
        "rates": list(rates.values()),
        "sources": list(policy.source_order),
        "bands": [arr_from for arr_from, _ in tiers],
        "tiers": [tier for _, tier in tiers],
        "min_arr": policy.min_arr,
        "share": policy.share_percent,
    }
