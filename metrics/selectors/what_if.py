"""What the number would be, and what reaches a target. Nothing here is ever written anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from accounts.models import Account
from metrics.models import MetricRun
from metrics.rules import planning
from metrics.rules.lift import point
from metrics.rules.planning import Effect, Number, Outlook, Plan, Work
from metrics.selectors.standings import standings_of
from metrics.selectors.works import Choice

NOTHING = Decimal(0)


class Typed(NamedTuple):
    """Seats at an account that no project stands behind; days only where a plan is asked for."""

    account: Account
    seats: int
    days: Decimal | None = None

    @property
    def number(self) -> str:
        return self.account.number

    @property
    def work(self) -> Work:
        return Work(self.number, self.days or NOTHING, {self.account.pk: point(self.seats)})


@dataclass(frozen=True)
class Answer:
    """What the number would be if all that is chosen were done."""

    run: MetricRun
    outlook: Outlook
    choices: tuple[Choice, ...]
    typed: tuple[Typed, ...]
    accounts: dict[int, Account]
    # Why nothing can be said of an account.
    reasons: dict[int, str]
    plan: Plan | None = None
    target: Fraction | None = None
    capacity: Decimal | None = None

    @property
    def number(self) -> Number:
        return self.outlook.number

    @property
    def crossing(self) -> list[Effect]:
        """Return the accounts that cross the line by likely seats, the fewest to go first."""
        found = [each for each in self.outlook.effects if each.is_likely]
        return sorted(found, key=lambda each: (each.standing.gap, each.account))

    @property
    def others(self) -> list[Effect]:
        """Return the other accounts that gain seats, those that gain most first."""
        found = [each for each in self.outlook.effects if not each.is_likely]
        return sorted(found, key=lambda each: (-each.gain.expected, each.account))


def number_of(run: MetricRun) -> Number | None:
    """Return the number of a run, where it has one."""
    if run.numerator is None or not run.denominator:
        return None
    return Number(run.numerator, run.denominator)


def what_if(
    run: MetricRun, number: Number, choices: Sequence[Choice], typed: Sequence[Typed] = ()
) -> Answer:
    """Say what the number would be with these; four statements for any number of them."""
    works = [*(each.work for each in choices), *(each.work for each in typed)]
    ids = {account for work in works for account in work.seats}
    standings = standings_of(run, ids)
    outlook = planning.outlook(works, standings.known, number)
    accounts = Account.objects.in_bulk(list(ids))
    return Answer(run, outlook, tuple(choices), tuple(typed), accounts, standings.unknown)


def to_reach(
    run: MetricRun,
    number: Number,
    choices: Sequence[Choice],
    typed: Sequence[Typed] = (),
    *,
    target: Fraction,
    capacity: Decimal | None,
) -> Answer:
    """Say which of these reach the target in the fewest days, within the capacity."""
    offered: dict[str, Choice | Typed] = {each.number: each for each in choices}
    offered |= {each.number: each for each in typed}
    works = [each.work for each in offered.values()]
    ids = {account for work in works for account in work.seats}
    standings = standings_of(run, ids)
    plan = planning.plan(
        works,
        standings.known,
        wanted=planning.wanted_for(target, number),
        capacity=capacity,
    )
    chosen = [offered[str(work.key)] for work in plan.chosen]
    served = {account for work in plan.chosen for account in work.seats}
    return Answer(
        run,
        planning.outlook(plan.chosen, standings.known, number),
        tuple(each for each in chosen if isinstance(each, Choice)),
        tuple(each for each in chosen if isinstance(each, Typed)),
        Account.objects.in_bulk(list(served)),
        standings.unknown,
        plan=plan,
        target=target,
        capacity=capacity,
    )
