"""Which accounts a later moment may judge otherwise than an earlier one, found by index.

What is said of an account on a day, by what was known at a cut, can only change

* with a version or a reading that was learned of or closed between the cuts,
* with a date between the days: a contract or an assignment starts or ends, days of grace run
  out, the customer churns, a reading was observed or grew too old, an attribute was learned
  (undated attributes are as known at the end of the day),
* with a rate of a currency it has contracts in,
* where children are rolled up, with anything of its family, as it was or has become.

Everything else (zone, reporting currency, tiers, definition) changes for everybody and is not
asked here. The list may name too many; an account it leaves out is judged the same at both.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection

from metrics import rules
from metrics.selectors import inputs
from metrics.selectors.inputs import KNOWN, Moment
from metrics.selectors.judging import TOUCHED
from metrics.selectors.other_rows import other_rows

LEARNED = """({0}.known_from > %(cut_before)s AND {0}.known_from <= %(known_at)s
        OR {0}.known_to > %(cut_before)s AND {0}.known_to <= %(known_at)s)"""
NIGHTFALL = "{0}.known_from >= %(end_before)s AND {0}.known_from < %(day_end)s"
DATED = '({0}."{1}" > %(day_before)s AND {0}."{1}" <= %(day)s)'

ACCOUNTS = f"""
    SELECT v.fact_id AS account_id FROM accounts_account_version v
    WHERE {LEARNED.format("v")} OR {NIGHTFALL.format("v")}
    UNION ALL
    SELECT v.fact_id FROM accounts_account_version v
    WHERE {DATED.format("v", "churned_on")} AND {KNOWN.format("v")}
"""
CONTRACTS = f"""
    SELECT v.account_id FROM accounts_subscription_version v WHERE {LEARNED.format("v")}
    UNION ALL
    SELECT v.account_id FROM accounts_subscription_version v
    WHERE v.kind = 'paid' AND ({DATED.format("v", "start")} OR {DATED.format("v", "end")})
      AND {KNOWN.format("v")}
"""
RATED = f"""
    SELECT v.account_id FROM accounts_subscription_version v
    WHERE v.currency = ANY(%(currencies)s) AND v.kind = 'paid' AND {KNOWN.format("v")}
      AND v.start <= %(day)s AND (v."end" IS NULL OR v."end" > %(day)s)
"""
# The first contract of all decides; later ones name too many accounts.
GRACED = f"""
    SELECT v.account_id FROM accounts_subscription_version v
    WHERE v.kind = 'paid' AND v.start > %(grace_before)s AND v.start <= %(grace_from)s
      AND {KNOWN.format("v")}
"""
ASSIGNMENTS = f"""
    SELECT v.account_id FROM accounts_assignment_version v WHERE {LEARNED.format("v")}
    UNION ALL
    SELECT v.account_id FROM accounts_assignment_version v
    WHERE v.role = 'TAM' AND ({DATED.format("v", "start")} OR {DATED.format("v", "end")})
      AND {KNOWN.format("v")}
"""
# An instance may have been another account's: both are named.
INSTANCES = f"""
    SELECT v.fact_id FROM accounts_instance_version v
    WHERE {LEARNED.format("v")} OR {NIGHTFALL.format("v")}
    UNION ALL
    SELECT r.instance_id FROM accounts_seatreading r
    WHERE r.observed_at < %(day_end)s AND {LEARNED.format("r")}
    UNION ALL
    SELECT r.instance_id FROM accounts_seatreading r
    WHERE r.observed_at >= %(end_before)s AND r.observed_at < %(day_end)s
      AND {KNOWN.format("r")}
"""
# The latest of an instance is among those that the day has made too old.
OUTDATED = f"""
    SELECT r.instance_id FROM accounts_seatreading r
    WHERE r.observed_at >= %(usable_before)s AND r.observed_at < %(usable_from)s
      AND {KNOWN.format("r")}
      AND NOT EXISTS (
          SELECT FROM accounts_seatreading newer
          WHERE newer.instance_id = r.instance_id AND newer.observed_at > r.observed_at
            AND newer.observed_at >= %(usable_from)s
            AND newer.observed_at < %(day_end)s AND {KNOWN.format("newer")})
"""
OF_INSTANCES = """
    SELECT i.account_id FROM accounts_instance_version i
    WHERE i.fact_id IN ({instances})
"""
ROWS = other_rows(
    "%(definition)s", lower="%(lower)s", upper="%(upper)s", before="%(day_before)s", day="%(day)s"
)
TOUCH = f"""
    DROP TABLE IF EXISTS pg_temp.{TOUCHED};
    CREATE TEMPORARY TABLE {TOUCHED} ON COMMIT DROP AS
    SELECT DISTINCT account_id FROM ({{sources}}) found;
    {{relatives}}
    ANALYZE {TOUCHED};
    SELECT count(*) FROM {TOUCHED};
"""
# All of a family of which somebody is touched, or came or went: it is in the one it was in, and
# in the one it is in.
RELATIVES = f"""
    INSERT INTO {TOUCHED}
    WITH pair (account_id, top) AS MATERIALIZED (
        SELECT * FROM unnest(%(children_before)s::bigint[], %(tops_before)s::bigint[])
        UNION SELECT * FROM unnest(%(children)s::bigint[], %(tops)s::bigint[])
    ), member AS MATERIALIZED (
        SELECT * FROM pair UNION SELECT top, top FROM pair
    )
    SELECT DISTINCT account_id FROM member WHERE top IN (
        SELECT top FROM member WHERE account_id = ANY(%(resettled)s::bigint[])
            OR account_id IN (SELECT account_id FROM {TOUCHED}))
    EXCEPT SELECT account_id FROM {TOUCHED};
"""


@dataclass(frozen=True, slots=True)
class Layers:
    """Which rows of the ledger the earlier and the later run see."""

    definition: int
    before: int
    now: int

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "definition": self.definition,
            "lower": min(self.before, self.now),
            "upper": max(self.before, self.now),
        }


def same_terms(before: Moment, now: Moment) -> bool:
    """Say whether what holds for everybody, but for the rates, is the same at both moments."""

    def terms(at: Moment) -> tuple[Any, ...]:
        return at.day.zone.key, at.day.currency, sorted(at.day.tiers)

    return terms(before) == terms(now)


def touch(before: Moment, now: Moment, policy: rules.Policy, layers: Layers | None = None) -> int:
    """Put the accounts into the temporary table of touched ones; return how many."""
    currencies = [
        currency
        for currency in before.day.rates.keys() | now.day.rates.keys()
        if before.day.rates.get(currency) != now.day.rates.get(currency)
    ]
    instances = [INSTANCES]
    if now.day.day > before.day.day:
        instances.append(OUTDATED)
    sources = [
        ACCOUNTS,
        CONTRACTS,
        *([GRACED] if policy.grace_days else []),
        ASSIGNMENTS,
        OF_INSTANCES.format(instances=" UNION ALL ".join(instances)),
    ]
    if currencies:
        sources.append(RATED)
    if layers:
        sources.append(ROWS)
    parameters = {
        **now.parameters,
        **(layers.parameters if layers else {}),
        "cut_before": before.known_at,
        "day_before": before.day.day,
        "end_before": before.day.end,
        "usable_before": before.usable_from(policy),
        "usable_from": now.usable_from(policy),
        "currencies": currencies,
        "grace_before": before.day.day - dt.timedelta(days=policy.grace_days),
        "grace_from": now.day.day - dt.timedelta(days=policy.grace_days),
    }
    relatives = ""
    if policy.roll_up:
        relatives = RELATIVES
        parameters |= _families(inputs.families_at(before), inputs.families_at(now))
    with connection.cursor() as cursor:
        touch = TOUCH.format(sources=" UNION ALL ".join(sources), relatives=relatives)
        cursor.execute(touch, parameters)
        count: int = cursor.fetchone()[0]
        return count


def _families(before: dict[int, int], now: dict[int, int]) -> dict[str, list[int]]:
    both = before.keys() | now.keys()
    return {
        **inputs.family_parameters(now),
        "children_before": list(before),
        "tops_before": list(before.values()),
        "resettled": [child for child in both if before.get(child) != now.get(child)],
    }
