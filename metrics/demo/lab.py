"""What the demo company has tried out: proposals of definitions in every state."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from accounts.selectors import company, today
from events.workflow import Given
from metrics.demo.clock import Clock
from metrics.models import DefinitionProposal, MetricDefinition
from metrics.rules import parameters
from metrics.rules.wording import seats_text
from metrics.selectors import lab, runs
from metrics.selectors.runs import SEATS_DEPLOYED
from metrics.services import backtests, proposals
from metrics.services.runs import recompute
from people.models import Role, User, system_user
from people.selectors import people_with_role

ESTABLISHED = "seats-deployed-established"
# So long ago the second number was approved, and so many days before were back-tested.
HOLDS_SINCE, TESTED_BEFORE = 90, 40
TESTED_DAYS = 120


def tell(*, now: dt.datetime) -> None:
    """Tell it once; nothing where somebody has proposed something already."""
    owner, leader = _first(Role.METRIC_OWNER), _first(Role.LEADERSHIP)
    if DefinitionProposal.objects.exists() or owner is None or leader is None:
        return
    base = runs.definition_on(SEATS_DEPLOYED, today(now))
    _established(base, owner, leader, now=now)
    _rejected(base, owner, leader, now=now)
    _proposed(base, owner, now=now)
    _draft(base, owner, now=now)


def _established(base: MetricDefinition, owner: User, leader: User, *, now: dt.datetime) -> None:
    """A second number, in force for three months where the ledger reaches back that far."""
    clock = Clock(days_ago=HOLDS_SINCE + 4, now=now)
    if lab.ledger_of(SEATS_DEPLOYED, at=clock.at) is None:
        clock = Clock(days_ago=0, now=now)
        clock.at = now
    proposal = _drafted(
        base,
        owner,
        clock,
        slug=ESTABLISHED,
        title="Seats deployed, established customers",
        policy={"grace_days": 90},
        why="A customer who signed last week has nothing deployed yet. The board wants to see"
        " both: everybody, and those who had a quarter to roll out.",
        effective_on=today(clock.at) + dt.timedelta(days=7 if clock.at < now else 0),
    )
    _backtested(proposal, owner, clock, days=TESTED_BEFORE)
    _moved(proposal, "propose", owner, clock)
    if clock.at < now:
        clock.wait(days=2)
    _moved(proposal, "approve", leader, clock)
    made = proposal.made
    assert made is not None  # noqa: S101 approved
    published = runs.series(SEATS_DEPLOYED, start=made.valid_from)
    for run in published:
        recompute(
            ESTABLISHED, run.day, by=system_user(), now=now, known_at=run.known_at,
            computed_at=run.computed_at,
        )  # fmt: skip


def _rejected(base: MetricDefinition, owner: User, leader: User, *, now: dt.datetime) -> None:
    clock = Clock(days_ago=40, now=now)
    if lab.ledger_of(SEATS_DEPLOYED, at=clock.at) is None:
        clock.at = now
    proposal = _drafted(
        base,
        owner,
        clock,
        policy={"stale_days": 120},
        why="Air-gapped customers send a count once a quarter, and drop out in between.",
        effective_on=today(clock.at) + dt.timedelta(days=14),
    )
    _backtested(proposal, owner, clock, days=30)
    _moved(proposal, "propose", owner, clock)
    if clock.at < now:
        clock.wait(days=3)
    _moved(
        proposal,
        "reject",
        leader,
        clock,
        reason="Four months old is a guess, not a count. Ask those customers for a count every two"
        " months instead; the TAMs have the list.",
    )


def _proposed(base: MetricDefinition, owner: User, *, now: dt.datetime) -> None:
    clock = Clock(days_ago=2, now=now)
    if lab.ledger_of(SEATS_DEPLOYED, at=clock.at) is None:
        clock.at = now
    first = (today(now) + dt.timedelta(days=32)).replace(day=1)
    proposal = _drafted(
        base,
        owner,
        clock,
        policy={"share_percent": 75},
        why="Our peers count three of four seats. Before the board compares us with them it should"
        " see what that line would have come to.",
        effective_on=first,
    )
    _backtested(proposal, owner, clock, days=TESTED_DAYS)
    _moved(proposal, "propose", owner, clock)


def _draft(base: MetricDefinition, owner: User, *, now: dt.datetime) -> None:
    clock = Clock(days_ago=1, now=now)
    _drafted(
        base,
        owner,
        clock,
        policy={"roll_up": True},
        why="",
        effective_on=today(now) + dt.timedelta(days=30),
    )


def _drafted(
    base: MetricDefinition, owner: User, clock: Clock, *, policy: Mapping[str, Any], **sent: Any
) -> DefinitionProposal:
    whole = {**parameters.whole(base.rule, base.policy), **policy}
    text = seats_text(whole, currency=company().reporting_currency)
    with clock.then():
        return proposals.create_proposal(
            base, {**sent, "policy": policy, "text": text}, by=owner, at=clock.at
        )


def _backtested(proposal: DefinitionProposal, owner: User, clock: Clock, *, days: int) -> None:
    ledger = lab.ledger_of(SEATS_DEPLOYED, at=clock.at)
    assert ledger is not None  # noqa: S101 asked before
    first = max(ledger.first, ledger.last - dt.timedelta(days=days))
    with clock.then():
        test = backtests.start_backtest(proposal, first, by=owner, at=clock.at)
        backtests.run(test.pk, clock=lambda: clock.at)


def _moved(
    proposal: DefinitionProposal, name: str, by: User, clock: Clock, *, reason: str = ""
) -> None:
    with clock.then():
        proposals.move(proposal, name, by=by, at=clock.at, given=Given(reason=reason))


def _first(role: Role) -> User | None:
    return people_with_role(role).order_by("pk").first()
