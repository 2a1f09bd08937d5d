"""Keeps the narrow row of current facts per account in step with the facts."""

import datetime as dt
from collections.abc import Collection, Iterable
from fractions import Fraction
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from accounts.models import AccountFacts
from accounts.services import current as account_facts
from accounts.services.current import COLUMNS, LISTED
from metrics import rules
from metrics.models import FactsRefresh, MetricDefinition
from metrics.selectors import inputs, judging, runs, touched
from metrics.services.staging import decimal_of, judge_safely

# What was told by hand, past the services, may be committed a while after its knowledge time.
OVERLAP = dt.timedelta(hours=1)
# So few accounts are found by index, whatever the plan may be.
FEW = 5


def refresh_current_facts(*, now: dt.datetime, only: Collection[int] | None = None) -> int:
    """Bring the current facts of all accounts, or of `only`, up to date; return how many changed.

    Needs no actor: it adds nothing that the facts do not say.
    """
    at, definition = _today(now)
    if only is not None:
        return _record(at, definition, judging.only(only))
    with transaction.atomic():
        written = _record(at, definition, judging.EVERYBODY)
        _keep_in_mind(at, definition, now)
    return written


def refresh_due_facts(*, now: dt.datetime) -> int:
    """Bring up to date what changed by itself, by a date that passed, since all were.

    Services refresh the accounts whose facts they change, so a night has only these left.
    """
    at, definition = _today(now)
    last = FactsRefresh.objects.first()
    if last is None or last.definition_id != definition.pk or last.day > at.day.day:
        return refresh_current_facts(now=now)
    before = inputs.moment(last.day, last.known_at)
    if not touched.same_terms(before, at):
        return refresh_current_facts(now=now)
    with transaction.atomic():
        touched.touch(before, at, runs.policy_of(definition))
        written = _record(at, definition, judging.THE_TOUCHED)
        _keep_in_mind(at, definition, now)
    return written


def facts_on(
    account_ids: Collection[int], *, day: dt.date, known_at: dt.datetime
) -> dict[int, AccountFacts]:
    at, definition = inputs.moment(day, known_at), runs.definition_on(runs.SEATS_DEPLOYED, day)
    asked = set(account_ids)
    sql, parameters = judging.current(at, runs.policy_of(definition), judging.only(account_ids))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"{judging.PLAN} SELECT account_id, undecided, {LISTED} FROM ({sql}) told", parameters
        )
        found = {
            account_id: None if undecided else _facts(account_id, values)
            for account_id, undecided, *values in cursor.fetchall()
            if account_id in asked
        }
        left = [account_id for account_id, facts in found.items() if facts is None]
        by_rules = {f.account_id: f for f in _judged(at, definition, left)} if left else {}
    return {account_id: facts or by_rules[account_id] for account_id, facts in found.items()}


def _facts(account_id: int, values: Iterable[object]) -> AccountFacts:
    return AccountFacts(account_id=account_id, **dict(zip(COLUMNS, values, strict=True)))


def _today(now: dt.datetime) -> tuple[inputs.Moment, MetricDefinition]:
    today = now.astimezone(ZoneInfo(runs.company().time_zone)).date()
    definition = runs.definition_on(runs.SEATS_DEPLOYED, today)
    return inputs.moment(today, inputs.FAR_FUTURE), definition


def _record(at: inputs.Moment, definition: MetricDefinition, scope: judging.Scope) -> int:
    sql, parameters = judging.current(at, runs.policy_of(definition), scope)
    few = scope.ids is not None and len(scope.ids) <= FEW
    plan = "" if few else judging.PLAN
    written, undecided = account_facts.record_current_facts_of(sql, parameters, plan=plan)
    if undecided:
        written += account_facts.record_current_facts(_judged(at, definition, undecided))
    return written


def _keep_in_mind(at: inputs.Moment, definition: MetricDefinition, now: dt.datetime) -> None:
    FactsRefresh.objects.bulk_create(
        [FactsRefresh(definition=definition, day=at.day.day, known_at=now - OVERLAP)],
        update_conflicts=True,
        unique_fields=["is_only"],
        update_fields=["definition", "day", "known_at"],
    )


def _judged(
    at: inputs.Moment, definition: MetricDefinition, account_ids: Collection[int]
) -> Iterable[AccountFacts]:
    policy = runs.policy_of(definition)
    for account in inputs.accounts_at(at, account_ids, policy):
        yield as_facts(judge_safely(account, at.day, policy), policy)


def as_facts(verdict: rules.Verdict, policy: rules.Policy) -> AccountFacts:
    has_share = verdict.deployed is not None and verdict.licensed and not verdict.unlimited
    deployed = verdict.deployed or 0
    return AccountFacts(
        account_id=verdict.account_id,
        arr=None if verdict.arr is None else decimal_of(verdict.arr),
        reason=verdict.reason,
        licensed=verdict.licensed,
        unlimited=verdict.unlimited,
        deployed=verdict.deployed,
        share=decimal_of(Fraction(deployed, verdict.licensed)) if has_share else None,
        seats_to_go=rules.seats_to_go(deployed, verdict.licensed, policy) if has_share else None,
        data_state=verdict.data_state,
        eligible=verdict.eligible,
        passes=verdict.passes,
        renewal_on=verdict.renewal_on,
        tier_id=verdict.tier_id,
        tam_id=verdict.tam_id,
    )
