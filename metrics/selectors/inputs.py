"""Reads what was true on a day by what was known at a moment, account by account.

Every statement reads version tables only, so the same (day, known_at) gives the same answer
for ever. Streams are ordered by account and merged, so memory does not grow with accounts.
"""

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from metrics import rules

Row = tuple[Any, ...]
# Knowing all there is, the transaction's own writes included.
FAR_FUTURE = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)

KNOWN = "{0}.known_from <= %(known_at)s AND ({0}.known_to IS NULL OR {0}.known_to > %(known_at)s)"
# Undated attributes count as known at the end of the day, or as first known where younger.
AS_IT_WAS = """
    LATERAL (
        SELECT * FROM {table} older
        WHERE older.fact_id = {of}.fact_id AND older.known_from <= %(known_at)s
        ORDER BY older.known_from >= %(day_end)s,
                 abs(extract(epoch FROM older.known_from - %(day_end)s))
        LIMIT 1
    )
"""

ACCOUNTS = f"""
    SELECT now.fact_id, was.status, now.churned_on, was.internal, was.archived, was.region
    FROM accounts_account_version now
    JOIN {AS_IT_WAS.format(table="accounts_account_version", of="now")} was ON true
    WHERE {KNOWN.format("now")} {{only}}
    ORDER BY now.fact_id
"""
SUBSCRIPTIONS = f"""
    SELECT s.account_id, s.kind, s.seats, s.unlimited, s.arr, s.tcv, s.currency, s.start, s."end"
    FROM accounts_subscription_version s
    WHERE {KNOWN.format("s")} AND s.kind = 'paid'
      AND s.start <= %(day)s AND (s."end" IS NULL OR s."end" > %(day)s) {{only}}
    ORDER BY s.account_id, s.fact_id
"""
# An instance counts once it was known of, or had a reading; where the whole account was only
# known later (its history was brought in afterwards), every instance counts from the start.
INSTANCES = f"""
    SELECT i.account_id, i.fact_id, was.counted AND (
               was.known_from < %(day_end)s
               OR r.observed_at IS NOT NULL
               OR NOT EXISTS (
                   SELECT FROM accounts_account_version a
                   WHERE a.fact_id = i.account_id AND a.known_from < %(day_end)s
                     AND a.known_from <= %(known_at)s
               )
           ), r.observed_at, r.source, r.seats
    FROM accounts_instance_version i
    JOIN {AS_IT_WAS.format(table="accounts_instance_version", of="i")} was ON true
    LEFT JOIN LATERAL (
        SELECT observed_at, source, seats FROM accounts_seatreading reading
        WHERE reading.instance_id = i.fact_id AND reading.observed_at < %(day_end)s
          AND {KNOWN.format("reading")}
        ORDER BY reading.observed_at DESC FETCH FIRST 1 ROW WITH TIES
    ) r ON true
    WHERE {KNOWN.format("i")} {{only}}
    ORDER BY i.account_id, i.fact_id, r.source
"""
TAMS = f"""
    SELECT m.account_id, m.user_id
    FROM accounts_assignment_version m
    WHERE {KNOWN.format("m")} AND m.role = 'TAM' AND m."primary"
      AND m.start <= %(day)s AND (m."end" IS NULL OR m."end" > %(day)s) {{only}}
    ORDER BY m.account_id, m.fact_id
"""
# What holds for every account: the company's settings known at the moment, or the first ones where
# nothing was set yet; the latest rate of each currency on or before the day; the tiers in force.
TERMS = f"""
    WITH rates AS MATERIALIZED (
        SELECT DISTINCT ON (x.currency) x.currency, x.rate
        FROM accounts_exchangerate_version x
        WHERE {KNOWN.format("x")} AND x."on" <= %(day)s
        ORDER BY x.currency, x."on" DESC
    ), tiers AS MATERIALIZED (
        SELECT t.arr_from, t.fact_id FROM accounts_tier_version t
        WHERE {KNOWN.format("t")} AND t.start <= %(day)s AND (t."end" IS NULL OR t."end" > %(day)s)
        ORDER BY t.arr_from, t.fact_id
    )
    SELECT c.time_zone, c.reporting_currency,
           ARRAY(SELECT currency FROM rates), ARRAY(SELECT rate FROM rates),
           ARRAY(SELECT arr_from FROM tiers), ARRAY(SELECT fact_id FROM tiers)
    FROM accounts_company_version c
    ORDER BY {KNOWN.format("c")} DESC, c.known_from
    LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """A day, and the moment up to which facts are known."""

    day: rules.Day
    known_at: dt.datetime

    @property
    def knows_the_whole_day(self) -> bool:
        return self.known_at >= self.day.end

    def usable_from(self, policy: rules.Policy) -> dt.datetime:
        """Return the first moment of a reading that is not stale on the day."""
        return rules.start_of(self.day.day - dt.timedelta(days=policy.stale_days), self.day.zone)

    @property
    def parameters(self) -> dict[str, Any]:
        return {"day": self.day.day, "day_end": self.day.end, "known_at": self.known_at}


def moment(day: dt.date, known_at: dt.datetime) -> Moment:
    """Read what holds on the day for every account: zone, currency, rates, tiers."""
    ((zone, currency, currencies, rates, bands, tiers),) = _rows(
        TERMS, {"day": day, "known_at": known_at}
    )
    return Moment(
        rules.Day(
            day=day,
            zone=ZoneInfo(zone),
            currency=currency,
            rates=dict(zip(currencies, rates, strict=True)),
            tiers=tuple(zip(bands, tiers, strict=True)),
        ),
        known_at,
    )


def accounts_at(at: Moment, only: Collection[int] | None = None) -> Iterator[rules.Account]:
    """Yield every account known at the moment, or those of `only`, ordered by id.

    Run it inside a transaction: it reads through server-side cursors.
    """
    subscriptions = _Merge(SUBSCRIPTIONS, at, only, "s.account_id")
    instances = _Merge(INSTANCES, at, only, "i.account_id")
    tams = _Merge(TAMS, at, only, "m.account_id")
    for id_, status, churned_on, internal, archived, region in _stream(
        ACCOUNTS, at, only, "now.fact_id"
    ):
        held = instances.of(id_)
        yield rules.Account(
            id=id_,
            status=status,
            churned_on=churned_on,
            internal=internal,
            archived=archived,
            region=region,
            tam_id=next((user for _, user in tams.of(id_)), None),
            subscriptions=tuple(rules.Subscription(*row[1:]) for row in subscriptions.of(id_)),
            counted_instances=tuple(dict.fromkeys(row[1] for row in held if row[2])),
            readings=tuple(
                rules.Reading(row[1], row[3], row[4], row[5]) for row in held if row[3] is not None
            ),
        )


class _Merge:
    """Walks a stream ordered by account alongside another one, a group at a time."""

    def __init__(self, sql: str, at: Moment, only: Collection[int] | None, key: str) -> None:
        self._groups = groupby(_stream(sql, at, only, key), key=itemgetter(0))
        self._id: int | None = None
        self._rows: list[Row] = []

    def of(self, account_id: int) -> list[Row]:
        while self._id is None or self._id < account_id:
            group = next(self._groups, None)
            if group is None:
                return []
            self._id, self._rows = group[0], list(group[1])
        return self._rows if self._id == account_id else []


def _stream(sql: str, at: Moment, only: Collection[int] | None, key: str) -> Iterator[Row]:
    parameters = at.parameters
    condition = ""
    if only is not None:
        parameters["only"] = list(only)
        condition = f"AND {key} = ANY(%(only)s)"
    filled = sql.format(only=condition)
    if only is not None:
        yield from _rows(filled, parameters)
        return
    with connection.chunked_cursor() as cursor:
        cursor.execute(filled, parameters)
        while rows := cursor.fetchmany(5000):
            yield from rows


def _rows(sql: str, parameters: dict[str, Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[Row] = cursor.fetchall()
        return rows
