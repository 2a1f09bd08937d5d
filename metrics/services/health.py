"""Says each night how every customer fares, and keeps what differs from the night before."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from accounts.selectors import today
from config.lib.authz import require
from config.lib.copying import copy_rows
from events import services as events
from metrics import permissions
from metrics.models import HealthNight, HealthRow, MetricRun
from metrics.rules import health as rules
from metrics.rules.health import Health, Scored
from metrics.selectors import health, health_facts, runs
from metrics.services.runs import MOST_DAYS_BACK, AlreadyRunning
from people.models import User

HEALTH_LOCK = 4_153_006
THOUSANDTH = Decimal("0.001")
KEPT = ("policy_id", "score", "known", "band", "parts")
COLUMNS = ("account_id", "from_day", *KEPT, "digest", "computed_at")
A_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    night: HealthNight
    is_new: bool


def compute_health(*, day: dt.date, at: dt.datetime, by: User) -> Outcome | None:
    """Say how every customer fared on the day, from the rows of that day's published run.

    Days are said once, in their order: the night of the day or of a later one stays as it is.
    Nothing happens where the day has no published run.
    """
    require(permissions.can_recompute, by)
    with transaction.atomic():
        _lock()
        last = health.last_night()
        if last is not None and last.day >= day:
            return Outcome(last, is_new=False)
        run = runs.run_on(runs.SEATS_DEPLOYED, day)
        if run is None or run.day != day:
            return None
        night = _said(run, at)
        after = {"day": day, "accounts": night.accounts, "changed": night.changed}
        events.record("health.computed", night, by=by, after=after)
    return Outcome(night, is_new=True)


def catch_up(*, now: dt.datetime, by: User) -> Iterator[Outcome]:
    """Say the days that are over and were not said, oldest first, as far as they have a run."""
    for day in due_days(now=now):
        outcome = compute_health(day=day, at=now, by=by)
        if outcome is not None:
            yield outcome


def due_days(*, now: dt.datetime) -> list[dt.date]:
    """Return the days to say: yesterday the first time, then those after the last one said."""
    yesterday = today(now) - A_DAY
    last = health.last_night()
    start = last.day + A_DAY if last else yesterday
    start = max(start, yesterday - (MOST_DAYS_BACK - 1) * A_DAY)
    return [start + i * A_DAY for i in range((yesterday - start).days + 1)]


def _said(run: MetricRun, at: dt.datetime) -> HealthNight:
    row = health.policy_row_on(run.day)
    policy = health.read(row)
    source = health_facts.source_of(run, policy)
    accounts = changed = 0
    first = 0
    for last, found in health_facts.batches(source):
        known = _open_digests(first, last)
        due = [(account, facts, rules.digest_of(facts, policy)) for account, facts in found]
        due = [each for each in due if known.get(each[0]) != (row.pk, each[2])]
        stands = _open_rows([each[0] for each in due if each[0] in known])
        over = list(known.keys() - {account for account, _ in found})
        new: list[tuple[Any, ...]] = []
        changed += len(over)
        for account, facts, digest in due:
            said = as_kept(rules.judge(facts, policy), row.pk)
            if said == stands.get(account):
                continue
            new.append((account, run.day, *said, digest, at))
            if account in stands:
                over.append(account)
        changed += len(new)
        _close(over, run.day)
        copy_rows(HealthRow._meta.db_table, COLUMNS, new)  # noqa: SLF001 Django documents _meta
        accounts += len(found)
        first = last
    gone = list(_open_digests(first, None))
    _close(gone, run.day)
    return HealthNight.objects.create(
        day=run.day, run=run, policy=row, accounts=accounts,
        changed=changed + len(gone), computed_at=at,
    )  # fmt: skip


def as_kept(found: Health, policy_id: int) -> tuple[Any, ...]:
    """Return what is kept of a score, in the order of KEPT."""
    return (
        policy_id,
        None if found.tenths is None else Decimal(found.tenths).scaleb(-1),
        (Decimal(found.known.numerator) / found.known.denominator).quantize(THOUSANDTH),
        found.band,
        {part.part.code: _part(part) for part in found.parts},
    )


def _part(scored: Scored) -> dict[str, Any]:
    """Points of how many, as they are shown, and what they were made from."""
    measure, told = scored.measure, scored.measure.told
    if not scored.is_known:
        return {"state": measure.state}
    return {
        "state": measure.state,
        "value": measure.value,
        "points": tenths_text(scored.points_tenths),
        "share": tenths_text(scored.share_tenths),
        "told": dict(told or {}),
    }


def tenths_text(tenths: int) -> str:
    return f"{tenths // 10}.{tenths % 10}"


def _open_digests(first: int, last: int | None) -> dict[int, tuple[int, int]]:
    """Return by which policy and from which facts what stands was made, of a range of accounts."""
    rows = HealthRow.objects.filter(to_day=None, account__gt=first)
    if last is not None:
        rows = rows.filter(account__lte=last)
    found = rows.values_list("account_id", "policy_id", "digest")
    return {account: (policy, digest) for account, policy, digest in found}


def _open_rows(accounts: list[int]) -> dict[int, tuple[Any, ...]]:
    rows = HealthRow.objects.filter(to_day=None, account__in=accounts)
    return {account: tuple(said) for account, *said in rows.values_list("account_id", *KEPT)}


def _close(accounts: list[int], day: dt.date) -> None:
    if accounts:
        HealthRow.objects.filter(account__in=accounts, to_day=None).update(to_day=day)


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [HEALTH_LOCK])
        if not cursor.fetchone()[0]:
            raise AlreadyRunning("Health is being worked out already. Wait for it, then try again.")
