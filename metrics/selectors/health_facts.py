"""What health is judged by, for all customers of a day, a batch of accounts at a time."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Q

from engagements.models import RequestState, ServiceRequest, WorkAtRisk
from engagements.selectors import levels
from metrics import rules
from metrics.models import MetricRun
from metrics.rules.health import Facts
from metrics.rules.health_policy import Policy
from metrics.selectors import rows, runs
from metrics.selectors.runs import SEATS_DEPLOYED

BATCH = 10_000
# From this format of inputs on rows hold monthly actives and renewals.
RECORDED_SINCE = 2
# Where no run is of the day on which the trend begins, one of a few days before it does as well.
SLACK = dt.timedelta(days=7)
A_DAY = dt.timedelta(days=1)
NO_CUSTOMERS = ("internal", "archived", "prospect", "churned")
COLUMNS = (
    "account_id", "licensed", "unlimited", "deployed", "data_state", "monthly_active", "renewal_on",
)  # fmt: skip


@dataclass(frozen=True)
class Troubles:
    """By account: its open requests at the end of a day, those late, and those at risk."""

    open: Counter[int] = field(default_factory=Counter)
    late: Counter[int] = field(default_factory=Counter)
    at_risk: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True)
class Source:
    """Where the facts of a day come from."""

    run: MetricRun
    before: MetricRun | None
    line: int
    troubles: Troubles


def source_of(run: MetricRun, policy: Policy, *, accounts: Collection[int] | None = None) -> Source:
    return Source(
        run,
        run_before(run, policy),
        runs.policy_of(run.definition).share_percent,
        troubles_on(run.day, accounts),
    )


def run_before(run: MetricRun, policy: Policy) -> MetricRun | None:
    """Return the run of the day on which the trend begins, or of one shortly before."""
    if policy.looks_back is None:
        return None
    day = run.day - dt.timedelta(days=policy.looks_back)
    found = runs.run_on(SEATS_DEPLOYED, day)
    return found if found and found.day >= day - SLACK else None


def batches(source: Source, *, one_in: int = 1) -> Iterator[tuple[int, list[tuple[int, Facts]]]]:
    """Yield the last account of each batch, in their order, with the customers in it.

    `one_in` takes every so many accounts, for a sample.
    """
    last = 0
    while True:
        found = _rows_after(source.run, last, one_in)
        if not found:
            return
        first, last = last, found[-1][0]
        before = _before(source.before, first, last, one_in)
        yield last, [_facts(source, row, before) for row in found if row[-1] not in NO_CUSTOMERS]


def facts_of(source: Source, account_id: int) -> Facts | None:
    """Return what is known of one account; None where it is no customer."""
    row = _columns(source.run).filter(account=account_id).values_list(*COLUMNS, "reason").first()
    if row is None or row[-1] in NO_CUSTOMERS:
        return None
    return _facts(source, row, _before(source.before, account_id - 1, account_id, 1))[1]


def _rows_after(run: MetricRun, last: int, one_in: int) -> list[Any]:
    found = _columns(run).filter(account__gt=last).order_by("account_id")
    if one_in > 1:
        found = found.annotate(place=F("account_id") % one_in).filter(place=0)
    return list(found.values_list(*COLUMNS, "reason")[:BATCH])


def _columns(run: MetricRun) -> Any:
    return rows.rows_of(run).select_related(None).order_by()


def _before(
    run: MetricRun | None, first: int, last: int, one_in: int
) -> dict[int, tuple[int | None, str]]:
    if run is None:
        return {}
    found = _columns(run).filter(account__gt=first, account__lte=last)
    if one_in > 1:
        found = found.annotate(place=F("account_id") % one_in).filter(place=0)
    return {pk: (seats, state) for pk, seats, state in
            found.values_list("account_id", "deployed", "data_state")}  # fmt: skip


def _facts(
    source: Source, row: Any, before: dict[int, tuple[int | None, str]]
) -> tuple[int, Facts]:
    account, licensed, unlimited, deployed, state, active, renewal, _ = row
    deployed_before, state_before = before.get(account, (None, ""))
    troubles = source.troubles
    return account, Facts(
        day=source.run.day,
        line=source.line,
        licensed=licensed,
        unlimited=unlimited,
        deployed=deployed,
        data_state=state,
        deployed_before=deployed_before,
        state_before=state_before,
        monthly_active=active,
        renewal_on=renewal,
        is_recorded=source.run.inputs_format >= RECORDED_SINCE,
        open_requests=troubles.open[account],
        late_requests=troubles.late[account],
        at_risk_requests=troubles.at_risk[account],
    )


def troubles_on(day: dt.date, accounts: Collection[int] | None = None) -> Troubles:
    """Judge the requests that were open at the end of the day, by what had happened until then."""
    terms = levels.terms()
    end = rules.start_of(day + A_DAY, terms.calendar.zone)
    open_then = ServiceRequest.objects.filter(
        Q(closed_at=None) | Q(closed_at__gte=end), submitted_at__lt=end, account__isnull=False
    ).exclude(state=RequestState.ROUTED_OUT, routed_at__lt=end)
    if accounts is not None:
        open_then = open_then.filter(account__in=accounts)
    requests = list(open_then.order_by("pk"))
    clocks = levels.clocks_of(requests, at=end - dt.timedelta.resolution, by=terms)
    account_of = {request.pk: request.account_id or 0 for request in requests}
    late = {pk for pk, found in clocks.items() if any(clock.is_late for clock in found)}
    at_risk = set(
        _at_risk(day, end).filter(request__in=account_of).values_list("request", flat=True)
    )
    return Troubles(
        open=Counter(account_of.values()),
        late=Counter(account_of[pk] for pk in late),
        # A request counts once, for the worse of the two.
        at_risk=Counter(account_of[pk] for pk in at_risk - late),
    )


def _at_risk(day: dt.date, end: dt.datetime) -> Any:
    """Return the Work at Risk that stood at the end of the day."""
    state = WorkAtRisk.State
    stands = Q(state=state.APPROVED, expires_on__gte=day) | Q(state=state.ENDED, ended_at__gte=end)
    return WorkAtRisk.objects.filter(stands, decided_at__lt=end)
