"""Adds up the numbers that are worked out from the rows of a run of `seats-deployed`.

They are sums over its rows, so a run that went on from another takes the old rows of the accounts
it looked at out of the sums and puts the new ones in; accounts for which only a date has come are
found by index. See docs/decisions/0037-numbers-from-the-rows.md.
"""

import datetime as dt
import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection

from metrics.models import MetricRun
from metrics.rules import derived
from metrics.rules.derived import Policy, Sums
from metrics.selectors import derived_sql, judging, runs
from metrics.selectors.derived_sql import Asked, Seen

EPOCH = dt.date(2000, 1, 1)
IN_SEEN = f"SELECT account_id, {derived_sql.LISTED} FROM seen"
IN_TOUCHED = f"AND account_id IN (SELECT account_id FROM {judging.TOUCHED})"
# The version of each number that holds on the day, what it came to on the run gone on from, and
# the run of the last day before.
READ = """
    SELECT d.id, d.slug, d.rule, d.number, d.policy, earlier.sums,
           coalesce((SELECT max(r.revision) FROM metrics_metricrun r
                     WHERE r.definition_id = d.id AND r.day = %(day)s), 0) AS newest,
           (SELECT array[r.id, r.revision, r.day - DATE '2000-01-01'] FROM metrics_metricrun r
            WHERE r.definition_id = %(definition)s AND r.day < %(day)s AND r.status <> 'trial'
            ORDER BY r.day DESC, r.revision DESC LIMIT 1) AS before,
           EXISTS (SELECT FROM metrics_metricrun r
                   WHERE r.definition_id = d.id AND r.base_id = %(run)s
                     AND r.status <> 'trial') AS is_written
    FROM (SELECT DISTINCT ON (slug) * FROM metrics_metricdefinition
          WHERE rule = ANY(%(rules)s) AND number IS NOT NULL
          ORDER BY slug, (valid_from <= %(day)s) DESC, abs(valid_from - %(day)s), number DESC) d
    LEFT JOIN LATERAL (SELECT r.parts -> 'sums' AS sums FROM metrics_metricrun r
                       WHERE r.definition_id = d.id AND r.base_id = %(base)s
                         AND r.status <> 'trial' LIMIT 1) earlier
        ON true
"""
NIGHTS = """
    SELECT DISTINCT ON (d.slug, r.day) d.slug, r.parts -> 'night' AS night
    FROM metrics_metricrun r JOIN metrics_metricdefinition d ON d.id = r.definition_id
    WHERE d.rule = %(contraction)s AND d.number IS NOT NULL AND r.status <> 'trial'
      AND r.day < %(day)s AND r.day > %(day)s - %(longest)s
    ORDER BY d.slug, r.day, d.number DESC, r.revision DESC
"""
WORKED_OUT = """
    SELECT (SELECT json_agg(sums) FROM ({sums}) sums)::text,
           (SELECT row_to_json(night) FROM ({night}) night)::text,
           (SELECT json_agg(nights) FROM ({nights}) nights)::text
"""
NIGHT = """
    SELECT coalesce(sum(seats), 0) AS seats, coalesce(sum(arr), 0) AS arr,
           count(*) FILTER (WHERE seats > 0) AS accounts,
           coalesce(sum(churned_seats), 0) AS churned_seats,
           coalesce(sum(churned_arr), 0) AS churned_arr,
           count(*) FILTER (WHERE churned_seats > 0) AS churned_accounts
    FROM ({drops}) drops
"""
NO_NIGHT = "SELECT 0 AS seats WHERE false"
# What is added, or taken out where the sign says so: rows as they count on a day.
Rows = list[tuple[str, dt.date, str]]


@dataclass
class Number:
    """A number to write, and the sums it is made of by the key of each part."""

    definition: int
    slug: str
    rule: str
    version: int
    policy: dict[str, Any]
    revision: int
    earlier: dict[str, Any] | None
    sums: dict[str, Sums] = field(default_factory=dict)

    @property
    def asked(self) -> Asked:
        return Asked(f"n{self.definition}", self.rule, Policy.read(self.policy))

    @property
    def whole(self) -> Sums:
        total = Sums()
        for sums in self.sums.values():
            total = total.plus(sums)
        return total


def read(run: MetricRun, base: MetricRun | None) -> tuple[list[Number], Seen | None]:
    """Return the numbers that the run has not, and the rows of the night before."""
    numbers, before = [], None
    with connection.cursor() as cursor:
        cursor.execute(
            READ,
            {
                "day": run.day,
                "definition": run.definition_id,
                "run": run.pk,
                "base": base.pk if base else None,
                "rules": list(derived.RULES),
            },
        )
        for pk, slug, rule, version, policy, earlier, newest, last, is_written in cursor.fetchall():
            if last:
                before = Seen(run.definition_id, last[1], EPOCH + dt.timedelta(days=last[2]))
            if not is_written:
                numbers.append(
                    Number(pk, slug, rule, version, _loaded(policy), newest + 1, _loaded(earlier))
                )
    return numbers, before


def _loaded(value: Any) -> Any:
    """Read a JSON column where the driver left it as text; amounts stay exact."""
    return json.loads(value, parse_float=Decimal) if isinstance(value, str) else value


def all_of(run: MetricRun) -> Rows:
    """Return every row that the run sees, as the ledger holds them."""
    return [("", run.day, Seen.by(run).rows())]


def seen(run: MetricRun) -> Rows:
    """Return the rows of a run that judged everybody, while they still lie beside it."""
    return [("", run.day, IN_SEEN)]


def changed(numbers: list[Number], run: MetricRun, base: MetricRun) -> Rows:
    """Return (sign, day, rows) of what differs from the run gone on from."""
    then = Seen.by(base)
    rows: Rows = [("-", base.day, then.rows(only=IN_TOUCHED)), ("", run.day, IN_SEEN)]
    if run.day > base.day:
        near = derived_sql.near_a_boundary(
            _row_rules(numbers),
            base.day,
            run.day,
            rolls_up=runs.policy_of(run.definition).roll_up,
        )
        only = (
            f"AND account_id IN ({near})"
            f" AND account_id NOT IN (SELECT account_id FROM {judging.TOUCHED})"
        )
        due = then.rows(only=only)
        rows += [("-", base.day, due), ("", run.day, due)]
    return rows


def _row_rules(numbers: list[Number]) -> list[Asked]:
    return [each.asked for each in numbers if each.rule in derived.ROW_RULES]


def work_out(run: MetricRun, numbers: list[Number], rows: Rows, before: Seen | None) -> None:
    """Add up everything in one statement, whatever the number of accounts."""
    asked = _row_rules(numbers)
    sums = " UNION ALL ".join(
        f"SELECT '{sign}' AS sign, summed.* FROM ({derived_sql.sums_of(asked, day, each)}) summed"
        for sign, day, each in rows
    ) if asked else "SELECT '' AS sign WHERE false"  # fmt: skip
    night = NIGHT.format(drops=derived_sql.drops_between(before, Seen.by(run))) if before else ""
    shrinking = [each for each in numbers if each.rule == derived.CONTRACTION]
    longest = max((each.asked.policy.window_days for each in shrinking), default=1)
    with connection.cursor() as cursor:
        cursor.execute(
            WORKED_OUT.format(sums=sums, night=night or NO_NIGHT, nights=NIGHTS),
            {
                "day": run.day,
                "longest": longest,
                "contraction": derived.CONTRACTION,
                "known_at": run.known_at,
            },
        )
        told = [json.loads(text, parse_float=Decimal) if text else None
                for text in cursor.fetchone()]  # fmt: skip
    for line in told[0] or []:
        for each in numbers:
            if each.rule in derived.ROW_RULES:
                _add(each, line["key"], line[f"n{each.definition}"], line["sign"])
    for each in shrinking:
        _add_nights(each, run, before, told[1], told[2] or [])


def _add(number: Number, key: str, values: list[Any], sign: str) -> None:
    if number.rule != derived.RENEWAL_EXPOSURE:
        key = ""
    asked, counted, unknown, amount, more, weight = values
    sums = Sums(int(asked), int(counted), int(unknown), Decimal(amount), Decimal(more), int(weight))
    before = number.sums.get(key, Sums())
    number.sums[key] = before.plus(sums, -1 if sign else 1)


def _add_nights(
    number: Number,
    run: MetricRun,
    before: Seen | None,
    tonight: dict[str, Any] | None,
    nights: list[dict[str, Any]],
) -> None:
    first = run.day - dt.timedelta(days=number.asked.policy.window_days - 1)
    night = {name: _plain(value) for name, value in (tonight or {}).items()}
    if before:
        night |= {"day": run.day.isoformat(), "revision": run.revision,
                  "from": before.day.isoformat(), "from_revision": before.layer,
                  "definition": before.definition}  # fmt: skip
    told = [each["night"] for each in nights if each["slug"] == number.slug and each["night"]]
    number.earlier = {
        "night": night,
        "nights": [
            each
            for each in (*told, night)
            if each
            and each["day"] >= first.isoformat()
            and (int(each["seats"]) or int(each["churned_seats"]))
        ],
    }


def _plain(value: Any) -> Any:
    """Write an amount so that nothing is lost on the way through JSON."""
    return f"{value:f}" if isinstance(value, Decimal) else value


def sums_read(stored: dict[str, list[Any]]) -> dict[str, Sums]:
    return {
        key: Sums(values[0], values[1], values[2], Decimal(values[3]), Decimal(values[4]),
                  values[5])
        for key, values in stored.items()
    }  # fmt: skip
