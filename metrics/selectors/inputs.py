"""Reads what was true on a day by what was known at a moment, account by account.

Every statement reads version tables only, so the same (day, known_at) gives the same answer
for ever. Streams are ordered by account and merged, so memory does not grow with accounts.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
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


def dated(column: str) -> str:
    """Return a date as Python holds it: what is further away, or without end, is the last one."""
    return f"""CASE WHEN {column} > '{dt.date.max}' THEN '{dt.date.max}'
        WHEN {column} < '{dt.date.min}' THEN '{dt.date.min}' ELSE {column} END"""


ACCOUNTS = f"""
    SELECT now.fact_id, was.status, {dated("now.churned_on")}, was.internal, was.archived,
           was.region, was.segment
    FROM accounts_account_version now
    JOIN {AS_IT_WAS.format(table="accounts_account_version", of="now")} was ON true
    WHERE {KNOWN.format("now")} {{only}}
    ORDER BY now.fact_id
"""
# Of the accounts that have one above them, or stand above one.
FAMILIES = f"""
    SELECT now.fact_id, was.parent_id, was.status, {dated("now.churned_on")}, was.internal,
           was.archived
    FROM accounts_account_version now
    JOIN {AS_IT_WAS.format(table="accounts_account_version", of="now")} was ON true
    WHERE {KNOWN.format("now")} AND now.fact_id IN (
        SELECT fact_id FROM accounts_account_version WHERE parent_id IS NOT NULL
        UNION SELECT parent_id FROM accounts_account_version WHERE parent_id IS NOT NULL)
"""
# Where a definition rolls up, what belongs to a child is its top's.
ROLLED_UP = """
    LEFT JOIN unnest(%(children)s::bigint[], %(tops)s::bigint[]) AS family (child, top)
        ON family.child = {0}.account_id"""
# Those that ended too: the first of all says since when it is a customer.
SUBSCRIPTIONS = f"""
    SELECT {{owner}}, s.kind, s.seats, s.unlimited, s.arr, s.tcv, s.currency,
           {dated("s.start")}, {dated('s."end"')}
    FROM accounts_subscription_version s {{family}}
    WHERE {KNOWN.format("s")} AND s.kind = 'paid' AND s.start <= %(day)s {{only}}
    ORDER BY 1, s.fact_id
"""
# An instance counts once it was known of, or had a reading; where the whole account was only
# known later (its history was brought in afterwards), every instance counts from the start.
INSTANCES = f"""
    SELECT {{owner}}, i.fact_id, was.counted AND (
               was.known_from < %(day_end)s
               OR r.observed_at IS NOT NULL
               OR NOT EXISTS (
                   SELECT FROM accounts_account_version a
                   WHERE a.fact_id = i.account_id AND a.known_from < %(day_end)s
                     AND a.known_from <= %(known_at)s
               )
           ), r.observed_at, r.source, r.seats, r.monthly_active
    FROM accounts_instance_version i {{family}}
    JOIN {AS_IT_WAS.format(table="accounts_instance_version", of="i")} was ON true
    LEFT JOIN LATERAL (
        SELECT observed_at, source, seats, monthly_active FROM accounts_seatreading reading
        WHERE reading.instance_id = i.fact_id AND reading.observed_at < %(day_end)s
          AND {KNOWN.format("reading")}
        ORDER BY reading.observed_at DESC FETCH FIRST 1 ROW WITH TIES
    ) r ON true
    WHERE {KNOWN.format("i")} {{only}}
    ORDER BY 1, i.fact_id, r.source
"""
TAMS = f"""
    SELECT {{owner}}, m.user_id
    FROM accounts_assignment_version m {{family}}
    WHERE {KNOWN.format("m")} AND m.role = 'TAM' AND m."primary"
      AND m.start <= %(day)s AND (m."end" IS NULL OR m."end" > %(day)s) {{only}}
    ORDER BY 1, m.fact_id
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


def accounts_at(
    at: Moment, only: Collection[int] | None = None, policy: rules.Policy | None = None
) -> Iterator[rules.Account]:
    """Yield every account known at the moment, or those of `only`, ordered by id.

    Where the policy rolls up, a top has what belongs to its children, and they have nothing.
    Run it inside a transaction: it reads through server-side cursors.
    """
    families = families_at(at) if policy and policy.roll_up else {}
    subscriptions = _Merge(SUBSCRIPTIONS, at, only, families, "s")
    instances = _Merge(INSTANCES, at, only, families, "i")
    tams = _Merge(TAMS, at, only, {}, "m")
    for id_, status, churned_on, internal, archived, region, segment in _stream(
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
            segment=segment,
            rolled_up=id_ in families,
            tam_id=next((user for _, user in tams.of(id_)), None),
            subscriptions=tuple(rules.Subscription(*row[1:]) for row in subscriptions.of(id_)),
            counted_instances=tuple(dict.fromkeys(row[1] for row in held if row[2])),
            readings=tuple(rules.Reading(row[1], *row[3:]) for row in held if row[3] is not None),
        )


def families_at(at: Moment) -> dict[int, int]:
    """Return the account at which each child counts, by rules.tops."""
    parents, customers = {}, set()
    for id_, parent, status, churned_on, internal, archived in _rows(FAMILIES, at.parameters):
        account = rules.Account(id_, status, churned_on, internal, archived)
        if rules.standing(account, at.day.day) == "customer":
            customers.add(id_)
        if parent is not None:
            parents[id_] = parent
    return rules.tops(parents, customers)


def with_relatives(account_ids: Collection[int], families: Mapping[int, int]) -> set[int]:
    """Return the accounts, and all that count at the same tops."""
    found = set(account_ids)
    tops = {families.get(account_id, account_id) for account_id in found}
    return found | tops | {child for child, top in families.items() if top in tops}


class _Merge:
    """Walks a stream ordered by account alongside another one, a group at a time."""

    def __init__(
        self,
        sql: str,
        at: Moment,
        only: Collection[int] | None,
        families: Mapping[int, int],
        alias: str,
    ) -> None:
        if only is not None:
            only = with_relatives(only, families)
        rows = _stream(
            sql, at, only, f"{alias}.account_id", **owned(alias, families), families=families
        )
        self._groups = groupby(rows, key=itemgetter(0))
        self._id: int | None = None
        self._rows: list[Row] = []

    def of(self, account_id: int) -> list[Row]:
        while self._id is None or self._id < account_id:
            group = next(self._groups, None)
            if group is None:
                return []
            self._id, self._rows = group[0], list(group[1])
        return self._rows if self._id == account_id else []


def owned(alias: str, families: Mapping[int, int]) -> dict[str, str]:
    """Return what SUBSCRIPTIONS, INSTANCES and TAMS are filled with, but for `only`."""
    if not families:
        return {"owner": f"{alias}.account_id", "family": ""}
    return {
        "owner": f"coalesce(family.top, {alias}.account_id)",
        "family": ROLLED_UP.format(alias),
    }


def family_parameters(families: Mapping[int, int]) -> dict[str, list[int]]:
    return {"children": list(families), "tops": list(families.values())}


def _stream(
    sql: str,
    at: Moment,
    only: Collection[int] | None,
    key: str,
    *,
    families: Mapping[int, int] | None = None,
    **parts: str,
) -> Iterator[Row]:
    parameters = {**at.parameters, **family_parameters(families or {})}
    condition = ""
    if only is not None:
        parameters["only"] = list(only)
        condition = f"AND {key} = ANY(%(only)s)"
    filled = sql.format(only=condition, **parts)
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
