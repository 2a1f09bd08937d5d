"""Which computed days late facts touch: what was learned since their newest run.

A fact is late for a day where it is true of the day and was learned after the day's newest run
had taken its cut. Each condition compares what was known then with what is known now, so that
learning of a renewal in advance, or a reading older than the one used, reopens nothing.
"""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from metrics import rules
from metrics.selectors import inputs, runs

THEN = "{0}.known_from <= d.known_at AND ({0}.known_to IS NULL OR {0}.known_to > d.known_at)"
NOW = inputs.KNOWN
SINCE = """({0}.known_from > d.known_at AND {0}.known_from <= %(known_at)s
    OR {0}.known_to > d.known_at AND {0}.known_to <= %(known_at)s)"""
COVERS = 'v.start <= d.day AND (v."end" IS NULL OR v."end" > d.day)'


# Versions of the facts that changed at all since the earliest cut: few, so read them once.
CHANGED = """{name} AS MATERIALIZED (
        SELECT v.* FROM {table} v WHERE v.fact_id IN (
            SELECT changed.fact_id FROM {table} changed
            WHERE changed.known_from > %(earliest)s AND changed.known_from <= %(known_at)s
               OR changed.known_to > %(earliest)s AND changed.known_to <= %(known_at)s)
    )"""
TABLES = {
    "accounts": "accounts_account_version",
    "subscriptions": "accounts_subscription_version",
    "assignments": "accounts_assignment_version",
    "tiers": "accounts_tier_version",
    "instances": "accounts_instance_version",
}


def _differs(changed: str, columns: str, condition: str) -> str:
    """Compare what was known then and now of the facts true on the day."""
    rows = f"SELECT v.fact_id, {columns} FROM {changed} v WHERE {condition}"
    then, now = f"{rows} AND {THEN.format('v')}", f"{rows} AND {NOW.format('v')}"
    return f"EXISTS (({then} EXCEPT {now}) UNION ALL ({now} EXCEPT {then}))"


def _since(known: str) -> str:
    """Return when the first contract of the account `c` began, by what was known."""
    return f"""(SELECT min(v.start) FROM accounts_subscription_version v
        WHERE v.account_id = c.account_id AND v.kind = 'paid' AND v.start <= d.day
          AND {known.format("v")})"""


# Contracts that had begun by the day, of which something else was known.
BEGUN = (
    "SELECT v.account_id, v.start FROM subscriptions v WHERE v.kind = 'paid' AND v.start <= d.day"
)
BEGUN_THEN, BEGUN_NOW = f"{BEGUN} AND {THEN.format('v')}", f"{BEGUN} AND {NOW.format('v')}"


CONDITIONS = (
    # Of an account that was known: its churn on the day, or the account itself.
    f"""EXISTS (
        SELECT FROM accounts v
        LEFT JOIN accounts w ON w.fact_id = v.fact_id AND {NOW.format("w")}
        WHERE {THEN.format("v")} AND v.known_to <= %(known_at)s
          AND (w.fact_id IS NULL OR coalesce(v.churned_on <= d.day, false)
               <> coalesce(w.churned_on <= d.day, false)))""",
    _differs(
        "subscriptions",
        """v.account_id, v.seats, v.unlimited, v.arr, v.tcv, v.currency,
            CASE WHEN v.tcv IS NOT NULL THEN v."end" - v.start END""",
        f"v.kind = 'paid' AND {COVERS}",
    ),
    # Since when somebody is a customer, by contracts that may have ended long ago.
    f"""EXISTS (
        SELECT FROM (
            ({BEGUN_THEN} EXCEPT {BEGUN_NOW}) UNION ALL ({BEGUN_NOW} EXCEPT {BEGUN_THEN})
        ) c WHERE {_since(THEN)} IS DISTINCT FROM {_since(NOW)})""",
    _differs(
        "assignments",
        "v.account_id, v.user_id",
        f"""v.role = 'TAM' AND v."primary" AND {COVERS}""",
    ),
    _differs("tiers", "v.arr_from", COVERS),
    # A rate that is not outdated by a later one on the day itself.
    f"""EXISTS (
        SELECT FROM accounts_exchangerate_version v
        WHERE v."on" <= d.day AND {SINCE.format("v")}
          AND NOT EXISTS (
              SELECT FROM accounts_exchangerate_version newer
              WHERE newer.currency = v.currency AND newer."on" > v."on" AND newer."on" <= d.day
                AND {NOW.format("newer")}))""",
    # An instance that is gone, or went to another account.
    f"""EXISTS (
        SELECT FROM instances v
        WHERE {THEN.format("v")} AND v.known_to <= %(known_at)s
          AND NOT EXISTS (
              SELECT FROM instances w
              WHERE w.fact_id = v.fact_id AND w.account_id = v.account_id
                AND {NOW.format("w")}))""",
    # A new one counts from its first reading, but from the start where the account is younger.
    f"""EXISTS (
        SELECT FROM instances v
        WHERE v.known_from > d.known_at AND {NOW.format("v")}
          AND NOT EXISTS (SELECT FROM instances w
                          WHERE w.fact_id = v.fact_id AND w.known_from <= d.known_at)
          AND NOT EXISTS (SELECT FROM accounts_account_version a
                          WHERE a.fact_id = v.account_id AND a.known_from < d.day_end)
          AND EXISTS (SELECT FROM accounts_account_version a
                      WHERE a.fact_id = v.account_id AND a.known_from <= d.known_at))""",
    f"""EXISTS (
        SELECT FROM late
        WHERE late.learned > d.known_at AND late.observed_at < d.day_end
          AND late.observed_at >= d.oldest
          AND NOT EXISTS (
              SELECT FROM accounts_seatreading newer
              WHERE newer.instance_id = late.instance_id
                AND newer.observed_at > late.observed_at AND newer.observed_at < d.day_end
                AND {NOW.format("newer")}))""",
)
# Readings are many, so those that are late for any day are picked out in one pass: the day each
# was observed (or the first day looked at) has with it the earliest cut from that day on.
LATE_DAYS = f"""
    WITH days AS MATERIALIZED (
        SELECT *, min(known_at) OVER (ORDER BY day DESC) AS earliest
        FROM unnest(%(days)s::date[], %(ends)s::timestamptz[], %(cuts)s::timestamptz[],
                    %(oldest)s::timestamptz[]) AS d (day, day_end, known_at, oldest)
    ), late AS MATERIALIZED (
        SELECT r.instance_id, r.observed_at, learned
        FROM accounts_seatreading r
        CROSS JOIN LATERAL (
            SELECT CASE WHEN r.known_to <= %(known_at)s THEN r.known_to ELSE r.known_from END
        ) AS l (learned)
        JOIN days ON days.day = greatest(
            (r.observed_at AT TIME ZONE %(zone)s)::date, %(first)s::date)
        WHERE r.observed_at >= %(since)s AND r.observed_at < %(until)s
          AND (r.known_from > %(earliest)s OR r.known_to > %(earliest)s)
          AND learned > days.earliest AND learned <= %(known_at)s
    ), {", ".join(CHANGED.format(name=name, table=table) for name, table in TABLES.items())}
    SELECT d.day FROM days d WHERE {" OR ".join(CONDITIONS)} ORDER BY d.day
"""


def late_days(
    slug: str, *, now: dt.datetime, most: int, known_at: dt.datetime | None = None
) -> list[dt.date]:
    """Return the computed days, at most `most` back, that facts learned since then touch."""
    zone = ZoneInfo(runs.company().time_zone)
    today = now.astimezone(zone).date()
    first = today - dt.timedelta(days=most)
    cuts = {day: cut for day, cut in runs.newest_days(slug).items() if first <= day < today}
    if not cuts:
        return []
    # Days not computed stand in between without a cut, and are never late themselves.
    days = [min(cuts) + dt.timedelta(days=i) for i in range((max(cuts) - min(cuts)).days + 1)]
    stale = dt.timedelta(days=runs.policy_of(runs.definition_on(slug, today)).stale_days + 2)
    ends = [rules.start_of(day + dt.timedelta(days=1), zone) for day in days]
    parameters: dict[str, Any] = {
        "days": days,
        "ends": ends,
        "cuts": [cuts.get(day, inputs.FAR_FUTURE) for day in days],
        "oldest": [end - stale for end in ends],
        "since": ends[0] - stale,
        "until": ends[-1],
        "earliest": min(cuts.values()),
        "first": days[0],
        "zone": zone.key,
        "known_at": known_at or inputs.FAR_FUTURE,
    }
    with connection.cursor() as cursor:
        cursor.execute(LATE_DAYS, parameters)
        return [day for (day,) in cursor.fetchall()]
