"""Keeps the narrow row of current facts per account in step with the facts."""

import datetime as dt
from collections.abc import Collection, Iterable
from fractions import Fraction
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.models import AccountFacts
from accounts.services import current as account_facts
from metrics import rules
from metrics.selectors import inputs, runs
from metrics.services.runs import decimal_of, judge_safely


def refresh_current_facts(*, now: dt.datetime, only: Collection[int] | None = None) -> int:
    """Bring the current facts of all accounts, or of `only`, up to date; return how many changed.

    Needs no actor: it adds nothing that the facts do not say.
    """
    zone = ZoneInfo(runs.company().time_zone)
    today = now.astimezone(zone).date()
    with transaction.atomic():
        return account_facts.record_current_facts(_judged(today, inputs.FAR_FUTURE, only))


def facts_on(
    account_ids: Collection[int], *, day: dt.date, known_at: dt.datetime
) -> dict[int, AccountFacts]:
    with transaction.atomic():
        return {facts.account_id: facts for facts in _judged(day, known_at, account_ids)}


def _judged(
    day: dt.date, known_at: dt.datetime, only: Collection[int] | None
) -> Iterable[AccountFacts]:
    at = inputs.moment(day, known_at)
    policy = runs.policy_of(runs.definition_on(runs.SEATS_DEPLOYED, day))
    for account in inputs.accounts_at(at, only):
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
