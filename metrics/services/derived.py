"""Writes the numbers that are worked out from the rows of a run of `seats-deployed`.

They are sums over its rows, so a run that went on from another takes the old rows of the accounts
it looked at out of the sums and puts the new ones in; accounts for which only a date has come are
found by index. See docs/decisions/0037-numbers-from-the-rows.md.
"""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Max, Q

from config.lib.authz import require
from events import services as events
from metrics import permissions
from metrics.models import MetricDefinition, MetricRun
from metrics.rules import derived
from metrics.rules.derived import Policy, Sums
from metrics.selectors import derived_nights, derived_sql, judging, runs
from metrics.selectors.derived_sql import Asked, Seen
from people.models import User

# What the column holds; a sum beyond it has no value, and says so in its parts.
MOST = Decimal(10) ** 18
PLACES = 6
NOW = "clock_timestamp()"
# Runs from before a number there was get it for as many days as facts are looked at again.
MOST_DAYS_BACK = 35
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
INSERT = """
    INSERT INTO metrics_metricrun (
        definition_id, day, revision, status, known_at, computed_at, digest, numerator, denominator,
        unknown, covered, oldest_reading, excluded, held_for, published_at, published_by_id,
        publish_reason, value, parts, inputs_sum, inputs_format, base_id)
    SELECT made.definition_id, base.day, made.revision, {status}, base.known_at,
           {computed_at}, made.digest, made.numerator, made.denominator, made.unknown,
           made.covered, base.oldest_reading, '{{}}', '[]', {published}, made.value, made.parts, '',
           base.inputs_format, base.id
    FROM metrics_metricrun base, jsonb_to_recordset(%(made)s::jsonb) AS made (
        definition_id bigint, revision integer, digest text, numerator bigint, denominator bigint,
        unknown bigint, covered bigint, value numeric, parts jsonb)
    WHERE base.id = %(run)s
"""
PUBLISHED = (
    "CASE WHEN base.published_at IS NULL THEN NULL ELSE {0} END,"
    " base.published_by_id, base.publish_reason"
)


@dataclass
class _Number:
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


def write(
    run: MetricRun,
    *,
    base: MetricRun | None,
    is_full: bool,
    by: User,
    computed_at: dt.datetime | None,
) -> dict[str, int]:
    """Write the numbers that the saved run's rows come to, published or held as the run is.

    Call it in the transaction of the run, after its rows are written, with `seen` (and, where it
    is not full, `touched`) still there; `base` is the run it went on from. Who computed it, and
    when, stands in the run. Return the version of each number that was written.
    """
    if not _has_derived(run):
        return {}
    numbers, before = _read(run, base)
    if not numbers:
        return {}
    goes_on = not is_full and base is not None and all(
        each.earlier is not None for each in numbers if each.rule != derived.CONTRACTION
    )  # fmt: skip
    if is_full:
        rows = [("", run.day, IN_SEEN)]
    elif goes_on and base is not None:
        rows = _changed(numbers, run, base)
        for each in numbers:
            each.sums = _sums_read(each.earlier or {})
    else:
        rows = [("", run.day, Seen.by(run).rows())]
    _work_out(run, numbers, rows, before)
    _insert(run, numbers, published=PUBLISHED.format("base.published_at"))
    return _versions(numbers)


@transaction.atomic
def catch_up(run: MetricRun, *, by: User) -> None:
    """Write those that a run has not, from the ledger; nothing where it has them all."""
    require(permissions.can_recompute, by)
    if not _has_derived(run):
        return
    numbers, before = _read(run, None)
    if not numbers:
        return
    with connection.cursor() as cursor:
        cursor.execute(judging.PLAN)
    _work_out(run, numbers, [("", run.day, Seen.by(run).rows())], before)
    _insert(run, numbers, computed_at=NOW, published=PUBLISHED.format(NOW))
    after = {
        "metric": run.definition.slug,
        "day": run.day.isoformat(),
        "revision": run.revision,
        "worked_out": _versions(numbers),
    }
    events.record("metric.caught_up", run, by=by, after=after)


@transaction.atomic
def compute_trial(definition: MetricDefinition, base: MetricRun, *, by: User) -> None:
    """Work out of the rows of a published run what a definition on trial makes of them.

    From all of its rows, whatever went on from where; nothing where it is there already.
    """
    require(permissions.can_recompute, by)
    known = MetricRun.objects.filter(definition=definition, day=base.day)
    if known.filter(base=base, status=MetricRun.Status.TRIAL).exists():
        return
    newest = known.aggregate(newest=Max("revision"))["newest"] or 0
    number = _Number(
        definition.pk, definition.slug, definition.rule, 0, definition.policy, newest + 1, None
    )
    if definition.rule == derived.CONTRACTION:
        number.earlier = derived_nights.over(definition.slug, base, number.asked.policy.window_days)
    else:
        _work_out(base, [number], [("", base.day, Seen.by(base).rows())], None)
    _insert(
        base, [number], status="'trial'", computed_at=NOW, published="NULL::timestamptz, NULL, ''"
    )


def catch_up_missing(*, now: dt.datetime, by: User) -> int:
    """Write what the runs of the last days have not yet, oldest first; return of how many runs."""
    definitions = set(
        runs.definitions().filter(rule__in=derived.RULES).values_list("slug", flat=True)
    )
    wanting = (
        MetricRun.objects.filter(
            definition__slug=runs.SEATS_DEPLOYED,
            status__in=[MetricRun.Status.PUBLISHED, MetricRun.Status.HELD],
            day__gte=now.date() - dt.timedelta(days=MOST_DAYS_BACK),
        )
        .annotate(written=Count("derived", filter=~Q(derived__status=MetricRun.Status.TRIAL)))
        .filter(written__lt=len(definitions))
        .select_related("definition")
        .order_by("day", "revision")
    )
    found = list(wanting)
    for run in found:
        catch_up(run, by=by)
    return len(found)


def publish(run: MetricRun) -> None:
    """Let those of a held run be seen with it."""
    MetricRun.objects.filter(base=run, status=MetricRun.Status.HELD).update(
        status=run.status,
        published_at=run.published_at,
        published_by=run.published_by,
        publish_reason=run.publish_reason,
    )


def _has_derived(run: MetricRun) -> bool:
    return run.definition.slug == runs.SEATS_DEPLOYED and run.status != MetricRun.Status.TRIAL


def _read(run: MetricRun, base: MetricRun | None) -> tuple[list[_Number], Seen | None]:
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
                before = Seen(run.definition_id, last[1], _EPOCH + dt.timedelta(days=last[2]))
            if not is_written:
                numbers.append(
                    _Number(pk, slug, rule, version, _loaded(policy), newest + 1, _loaded(earlier))
                )
    return numbers, before


_EPOCH = dt.date(2000, 1, 1)


def _loaded(value: Any) -> Any:
    """Read a JSON column where the driver left it as text; amounts stay exact."""
    return json.loads(value, parse_float=Decimal) if isinstance(value, str) else value


Rows = list[tuple[str, dt.date, str]]


def _changed(numbers: list[_Number], run: MetricRun, base: MetricRun) -> Rows:
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


def _row_rules(numbers: list[_Number]) -> list[Asked]:
    return [each.asked for each in numbers if each.rule in derived.ROW_RULES]


def _work_out(run: MetricRun, numbers: list[_Number], rows: Rows, before: Seen | None) -> None:
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


def _add(number: _Number, key: str, values: list[Any], sign: str) -> None:
    if number.rule != derived.RENEWAL_EXPOSURE:
        key = ""
    asked, counted, unknown, amount, more, weight = values
    sums = Sums(int(asked), int(counted), int(unknown), Decimal(amount), Decimal(more), int(weight))
    before = number.sums.get(key, Sums())
    number.sums[key] = before.plus(sums, -1 if sign else 1)


def _add_nights(
    number: _Number,
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


def _versions(numbers: list[_Number]) -> dict[str, int]:
    return {each.slug: each.version for each in numbers}


def _insert(
    run: MetricRun,
    numbers: list[_Number],
    *,
    published: str,
    status: str = "base.status",
    computed_at: str = "base.computed_at",
) -> None:
    made = [_made(each, run) for each in numbers]
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT.format(status=status, computed_at=computed_at, published=published),
            {"made": json.dumps(made), "run": run.pk},
        )


def _made(number: _Number, run: MetricRun) -> dict[str, Any]:
    terms = (number.slug, number.version, sorted(number.policy.items()), run.digest)
    if number.rule == derived.CONTRACTION:
        return _made_contraction(number, terms)
    whole = number.whole
    value: Fraction | None = Fraction(whole.amount)
    if number.rule == derived.ADOPTION:
        value = Fraction(whole.amount) / whole.weight if whole.weight else None
    high = whole.amount + whole.more if number.rule in derived.WITH_INTERVAL else None
    parts: dict[str, Any] = {"sums": _sums_text(number.sums)}
    if high is not None:
        parts |= {"low": _text(whole.amount), "high": _text(high)}
    if number.rule == derived.ADOPTION:
        parts |= {"monthly_active": _text(whole.amount), "licensed": whole.weight}
    if number.rule == derived.RENEWAL_EXPOSURE:
        quarters = derived.quarters_from(run.day, number.asked.policy.quarters)
        parts["by"] = {"quarter": [_part(key, number.sums.get(key, Sums())) for key in quarters]}
    return {
        "definition_id": number.definition,
        "revision": number.revision,
        "digest": _digest(terms),
        "numerator": whole.counted,
        "denominator": whole.asked,
        "unknown": whole.unknown,
        "covered": whole.asked - whole.unknown,
        "value": _value(value),
        "parts": parts,
    }


def _made_contraction(number: _Number, terms: tuple[Any, ...]) -> dict[str, Any]:
    parts = number.earlier or {"night": {}, "nights": []}
    nights = parts["nights"]
    totals = {
        name: sum((Decimal(each[name]) for each in nights), Decimal(0))
        for name in ("seats", "arr", "churned_seats", "churned_arr")
    }
    return {
        "definition_id": number.definition,
        "revision": number.revision,
        "digest": _digest((*terms, json.dumps(nights, sort_keys=True))),
        "numerator": None,
        "denominator": None,
        "unknown": 0,
        "covered": 0,
        "value": _value(Fraction(totals["seats"])),
        "parts": {
            **parts,
            "arr": _text(totals["arr"]),
            "churned": {
                "seats": int(totals["churned_seats"]),
                "arr": _text(totals["churned_arr"]),
            },
        },
    }


def _digest(terms: tuple[Any, ...]) -> str:
    return hashlib.sha256(repr(terms).encode()).hexdigest()


def _part(key: str, sums: Sums) -> dict[str, Any]:
    return {
        "key": key,
        "numerator": sums.counted,
        "denominator": sums.asked,
        "value": _text(sums.amount),
        "high": _text(sums.amount + sums.more),
    }


def _sums_text(sums: dict[str, Sums]) -> dict[str, list[Any]]:
    return {
        key: [each.asked, each.counted, each.unknown, _text(each.amount), _text(each.more),
              each.weight]
        for key, each in sums.items() if each != Sums()
    }  # fmt: skip


def _sums_read(stored: dict[str, list[Any]]) -> dict[str, Sums]:
    return {
        key: Sums(values[0], values[1], values[2], Decimal(values[3]), Decimal(values[4]),
                  values[5])
        for key, values in stored.items()
    }  # fmt: skip


def _text(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def _value(value: Fraction | None) -> str | None:
    """Return the value with its decimals cut off, never rounded up; None beyond the column."""
    if value is None or abs(value) >= MOST:
        return None
    millionths = value.numerator * 10**PLACES // value.denominator
    return f"{Decimal(millionths).scaleb(-PLACES):f}"
