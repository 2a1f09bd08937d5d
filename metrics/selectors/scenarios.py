"""Scenarios: what is kept of an answer, and what came of it since."""

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from accounts.models import Account
from engagements.models import ServiceRequest
from metrics import permissions
from metrics.models import MetricRow, MetricRun, Scenario
from metrics.rules import Policy, seats_to_go
from metrics.rules.explaining import Contribution
from metrics.rules.planning import Effect, Number
from metrics.selectors import rows, runs
from metrics.selectors.change_words import Teller
from metrics.selectors.explaining import explanation
from metrics.selectors.what_if import Answer, number_of
from people.models import User
from projects.models import Project

NOTHING = Fraction(0)


def scenarios_visible_to(user: User) -> QuerySet[Scenario]:
    """Return what people keep: everybody with a role reads them all."""
    found = Scenario.objects.select_related("by", "run__definition").order_by("-at", "-pk")
    return found if permissions.can_see_metrics(user) else found.none()


def asked(answer: Answer) -> dict[str, Any]:
    """Return what was chosen, so that it can be asked again."""
    return {
        "projects": [each.number for each in answer.choices if each.is_project],
        "requests": [each.number for each in answer.choices if not each.is_project],
        "seats": {each.number: each.seats for each in answer.typed},
        "target": None if answer.target is None else str(answer.target),
        "capacity": None if answer.capacity is None else str(answer.capacity),
    }


def told(answer: Answer) -> dict[str, Any]:
    """Return the answer, accounts and work by their public ids."""
    outlook, plan = answer.outlook, answer.plan
    return {
        "passing": outlook.number.passing,
        "accounts": outlook.number.accounts,
        "crossing": [outlook.low, outlook.likely, outlook.high],
        "lift": [str(each) for each in outlook.lift],
        "days": str(outlook.days),
        "effects": [_effect(each, answer.accounts[each.account]) for each in outlook.effects],
        "unknown": {
            str(answer.accounts[account].uuid): answer.reasons[account]
            for account in outlook.unknown
        },
        "works": [
            {
                "uuid": str(each.thing.uuid),
                "number": each.number,
                "title": each.title,
                "days": None if each.days is None else str(each.days),
            }
            for each in answer.choices
        ],
        "reaches": None if plan is None else plan.reaches,
    }


def _effect(effect: Effect, account: Account) -> dict[str, Any]:
    return {
        "account": str(account.uuid),
        "gap": effect.standing.gap,
        "seats": list(effect.seats),
        "crosses": effect.is_likely,
        "kept": effect.standing.gap <= 0,
    }


@dataclass(frozen=True)
class Promised:
    """A scenario as it was answered then."""

    scenario: Scenario

    @property
    def number(self) -> Number:
        return Number(self.scenario.told["passing"], self.scenario.told["accounts"])

    @property
    def then(self) -> Fraction:
        return self.number.with_more(0)

    @property
    def low(self) -> Fraction:
        return self.number.with_more(self.scenario.told["crossing"][0])

    @property
    def likely(self) -> Fraction:
        return self.number.with_more(self.scenario.told["crossing"][1])

    @property
    def high(self) -> Fraction:
        return self.number.with_more(self.scenario.told["crossing"][2])

    @property
    def crossing(self) -> int:
        return int(self.scenario.told["crossing"][1])

    @property
    def days(self) -> Decimal:
        return Decimal(self.scenario.told["days"])


@dataclass(frozen=True)
class WorkSince:
    """A piece of work of the scenario, and what became of it. `thing` is None where it is gone."""

    number: str
    title: str
    days: str | None
    thing: Project | ServiceRequest | None

    @property
    def state(self) -> str:
        return self.thing.get_state_display() if self.thing else "Not on record"

    @property
    def delivered_at(self) -> dt.datetime | None:
        return self.thing.delivered_at if self.thing else None


@dataclass(frozen=True)
class Line:
    """An account of the scenario: what it was to add to the number, and what it did add."""

    account: Account | None
    gap: int
    seats: tuple[int, int, int]
    promised: Fraction
    happened: Fraction
    then: MetricRow | None
    now: MetricRow | None
    why: str

    @property
    def difference(self) -> Fraction:
        return self.happened - self.promised

    @property
    def was_above(self) -> bool:
        return self.gap <= 0

    @property
    def came(self) -> int | None:
        """Return how many seats came since, where both counts are known."""
        if not self.then or not self.now or None in (self.then.deployed, self.now.deployed):
            return None
        return (self.now.deployed or 0) - (self.then.deployed or 0)

    @property
    def passes(self) -> bool | None:
        return self.now.passes if self.now else None


@dataclass(frozen=True)
class Since:
    """What came of a scenario: its promise, the number now, and the difference by account."""

    promised: Promised
    run: MetricRun
    number: Number
    works: tuple[WorkSince, ...]
    lines: tuple[Line, ...]
    # What accounts outside the scenario did to the number, and how many of them.
    others: Fraction
    others_count: int
    is_redefined: bool

    @property
    def now(self) -> Fraction:
        return self.number.with_more(0)

    @property
    def difference(self) -> Fraction:
        """Now less promised; the differences of the lines and the others sum to it."""
        return self.now - self.promised.likely

    @cached_property
    def crossed(self) -> int:
        return sum(line.promised > 0 and line.passes is True for line in self.lines)

    @cached_property
    def delivered(self) -> int:
        return sum(each.delivered_at is not None for each in self.works)


def since(scenario: Scenario, run: MetricRun, *, currency: str) -> Since | None:
    """Return what came of it by the run; None where either has no number."""
    number = number_of(run)
    if number is None:
        return None
    told = scenario.told
    promised = Promised(scenario)
    found = explanation(scenario.run, run) if scenario.run != run else None
    moved = {each.account_id: each for each in found.contributions} if found else {}
    by_uuid = {uuid.UUID(each["account"]): each for each in told["effects"]}
    accounts = {each.uuid: each for each in Account.objects.filter(uuid__in=by_uuid)}
    ids = {each.pk for each in accounts.values()}
    sides = [_rows(each, ids) for each in (scenario.run, run)]
    policy = runs.policy_of(run.definition)
    teller = Teller(policy, currency, run.day, run.definition.number)
    lines = tuple(
        _line(
            effect,
            accounts.get(key),
            sides,
            moved,
            Fraction(1, promised.number.accounts),
            (teller, policy),
        )
        for key, effect in by_uuid.items()
    )
    others = [each for key, each in moved.items() if key not in ids]
    return Since(
        promised=promised,
        run=run,
        number=number,
        works=tuple(_works(told["works"])),
        lines=tuple(sorted(lines, key=lambda line: (-line.promised, line.difference, line.gap))),
        others=sum((each.value for each in others), NOTHING),
        others_count=len(others),
        is_redefined=scenario.run.definition_id != run.definition_id,
    )


def _rows(run: MetricRun, ids: set[int]) -> dict[int, MetricRow]:
    return {row.account_id: row for row in rows.rows_of(run).filter(account__in=ids)}


def _line(
    effect: Mapping[str, Any],
    account: Account | None,
    sides: list[dict[int, MetricRow]],
    moved: Mapping[int, Contribution],
    one: Fraction,
    words: tuple[Teller, Policy],
) -> Line:
    key = account.pk if account else 0
    change = moved.get(key)
    now = sides[1].get(key)
    return Line(
        account=account,
        gap=effect["gap"],
        seats=tuple(effect["seats"]),
        promised=one if effect["crosses"] else NOTHING,
        happened=change.value if change else NOTHING,
        then=sides[0].get(key),
        now=now,
        why=words[0].why(change) if change else _stayed(now, words[1]),
    )


def _stayed(now: MetricRow | None, policy: Policy) -> str:
    """Say where an account stands that did not go over a line."""
    if now is None:
        return "no longer on record"
    if not now.eligible or now.unlimited:
        return "does not count"
    if now.passes is None or now.deployed is None:
        return "its seats are unknown"
    if now.passes:
        return "still above the line"
    to_go = seats_to_go(now.deployed, now.licensed, policy)
    return f"below the line, {to_go:,} seat{'' if to_go == 1 else 's'} to go"


def _works(kept: list[dict[str, Any]]) -> Iterator[WorkSince]:
    keys = [each["uuid"] for each in kept]
    things: dict[str, Project | ServiceRequest] = {}
    things |= {str(each.uuid): each for each in Project.objects.filter(uuid__in=keys)}
    things |= {str(each.uuid): each for each in ServiceRequest.objects.filter(uuid__in=keys)}
    for each in kept:
        yield WorkSince(each["number"], each["title"], each["days"], things.get(each["uuid"]))
