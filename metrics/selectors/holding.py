"""Held runs: what looks wrong about a run, and which of them wait for the metric owner."""

import datetime as dt
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from config.lib.ui.formats import money_short_text, number_text
from metrics.models import GONE, MetricRun
from metrics.rules import holding as rules
from metrics.selectors import runs
from metrics.selectors.other_rows import other_rows

# Rows that both runs share say nothing; only accounts with another row are looked at. Each part
# is worked out once, whatever the planner thinks of a table that has just grown.
OTHERS = other_rows(
    "%(definition)s", lower="%(lower)s", upper="%(upper)s", before="%(old_day)s", day="%(day)s"
)
CHANGED = f"""
    WITH candidates AS MATERIALIZED (
        SELECT DISTINCT account_id FROM ({OTHERS}) others
    ), old AS MATERIALIZED (
        SELECT DISTINCT ON (account_id) * FROM metrics_metricrow
        WHERE account_id = ANY(ARRAY(SELECT account_id FROM candidates))
          AND definition_id = %(definition)s AND layer <= %(old_layer)s
          AND from_day <= %(old_day)s AND (to_day IS NULL OR to_day > %(old_day)s)
        ORDER BY account_id, layer DESC
    ), new AS MATERIALIZED (
        SELECT DISTINCT ON (account_id) * FROM metrics_metricrow
        WHERE account_id = ANY(ARRAY(SELECT account_id FROM candidates))
          AND definition_id = %(definition)s AND layer <= %(layer)s
          AND from_day <= %(day)s AND (to_day IS NULL OR to_day > %(day)s)
        ORDER BY account_id, layer DESC
    )
    SELECT account.name, old.deployed, new.deployed, old.licensed, new.licensed, old.arr, new.arr,
           new.reason = 'error' AS failed
    FROM new JOIN old USING (account_id) JOIN accounts_account account ON account.id = account_id
    WHERE new.reason <> '{GONE}' AND old.reason <> '{GONE}' AND (
        (new.reason = 'error' AND old.reason <> 'error')
        OR (new.eligible AND old.eligible AND (
            {{deployed}} OR {{licensed}} OR {{arr}})))
    ORDER BY account.name, account_id
"""
JUMPED = """({2} AND abs(new.{0} - old.{0}) >= %({1})s
    AND greatest(new.{0}, old.{0}) >= %(factor)s * least(new.{0}, old.{0}))"""
CHANGED = CHANGED.format(
    deployed=JUMPED.format("deployed", "seats", "true"),
    licensed=JUMPED.format("licensed", "seats", "NOT (new.unlimited OR old.unlimited)"),
    arr=JUMPED.format("arr", "amount", "true"),
)


def reasons_to_hold(run: MetricRun) -> list[dict[str, str]]:
    """Return {"code", "detail"} of what looks wrong; empty where the run may be published.

    Called in the run's transaction, with its rows written and the run itself not yet saved.
    A first run of a version is never held, for another rule is no fault of the data, nor one
    after a run without any account in the number.
    """
    published = runs.published_runs(run.definition.slug, version=run.definition.number)
    # The last run of any kind: a year without one is no single step.
    last = runs.published_or_held(run.definition.slug).filter(
        definition=run.definition, day__lt=run.day
    )
    before = (
        published.filter(day__lte=run.day)
        .annotate(last_day=Subquery(last.order_by("-day").values("day")[:1]))
        .first()
    )
    if before is None or not before.denominator:
        return []
    policy = rules.HoldPolicy.of(run.definition.policy.get("hold", {}))
    is_one_step = (run.day - (before.last_day or run.day)).days <= policy.step_days
    failed, jumps, currency = [], [], ""
    for name, old_deployed, deployed, old_licensed, licensed, old_arr, arr, has_failed in _changed(
        run, before, policy
    ):
        if has_failed:
            failed.append(name)
        if has_failed or not is_one_step:
            continue
        for what, old, new in (
            ("deployed seats", old_deployed, deployed),
            ("licensed seats", old_licensed, licensed),
        ):
            if _jumped(old, new, policy.jump_seats, policy):
                jumps.append(rules.Jump(name, what, number_text(old), number_text(new)))
        if _jumped(old_arr, arr, policy.jump_arr, policy):
            currency = currency or runs.company().reporting_currency
            texts = money_short_text(old_arr, currency), money_short_text(arr, currency)
            jumps.append(rules.Jump(name, "ARR", *texts))
    found = rules.reasons_to_hold(
        _counts(before), _counts(run), jumps=jumps, failed=failed, policy=policy
    )
    return [reason._asdict() for reason in found]


def _counts(run: MetricRun) -> rules.Counts:
    return rules.Counts(run.denominator or 0, run.covered, run.excluded.get("missing_rate", 0))


def _jumped(old: Any, new: Any, least: Any, policy: rules.HoldPolicy) -> bool:
    if old is None or new is None:
        return False
    return bool(abs(new - old) >= least and max(old, new) >= policy.jump_factor * min(old, new))


def _changed(run: MetricRun, before: MetricRun, policy: rules.HoldPolicy) -> list[tuple[Any, ...]]:
    parameters: dict[str, Any] = {
        "definition": run.definition_id,
        "layer": run.revision,
        "day": run.day,
        "old_layer": before.revision,
        "old_day": before.day,
        "lower": min(before.revision, run.revision),
        "upper": max(before.revision, run.revision),
        "factor": policy.jump_factor,
        "seats": policy.jump_seats,
        "amount": policy.jump_arr,
    }
    with connection.cursor() as cursor:
        cursor.execute(CHANGED, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def waiting(slug: str) -> QuerySet[MetricRun]:
    """Return the held runs that the metric owner may still publish, newest first.

    Not those that a later revision of their day has replaced.
    """
    newer = MetricRun.objects.filter(
        definition=OuterRef("definition"), day=OuterRef("day"), revision__gt=OuterRef("revision")
    )
    held = MetricRun.objects.filter(~Exists(newer), definition__slug=slug, status="held")
    return held.select_related("definition").order_by("-day", "-revision")


def held_beside(
    run: MetricRun | None, slug: str, *, until: dt.date | None = None
) -> MetricRun | None:
    """Return the newest held run that would stand in place of the one shown."""
    found = waiting(slug)
    if run is not None:
        found = found.filter(Q(day__gt=run.day) | Q(day=run.day, revision__gt=run.revision))
    if until is not None:
        found = found.filter(day__lte=until)
    return found.first()


def run_log(slug: str) -> QuerySet[MetricRun]:
    """Return every run of the ledger, newest computed first."""
    return (
        runs.published_or_held(slug)
        .select_related("definition", "published_by")
        .order_by("-computed_at", "-id")
    )
