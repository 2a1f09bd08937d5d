"""The lift of projects, and plans to reach a target. Runs in a worker."""

from decimal import Decimal
from random import Random

from django.utils import timezone

from accounts.models import Account
from bench.actions.measuring import Sample, execute, measured, undone
from bench.goals.planning import DENSE, SPARSE
from metrics.rules import planning
from metrics.rules.lift import Seats, Standing
from metrics.rules.planning import Work
from metrics.selectors import flips
from metrics.services.lifts import refresh_lifts
from people.models import User
from projects.models import Project

PROJECTS = 500
# The ledger has eight nights; the trend of a month would begin before it.
TREND_DAYS = 5
# Some accounts are spread over the projects, or the last project is for all of them.
LINKS = """
    INSERT INTO projects_projectaccount
        (project_id, account_id, seats_low, seats_likely, seats_high)
    SELECT p.id, a.id, a.id %% 40, 40 + a.id %% 60, 100 + a.id %% 100
    FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM projects_project) p
    JOIN accounts_account a ON a.id %% %(projects)s = p.place AND a.id %% %(each)s = 0
    UNION ALL
    SELECT (SELECT max(id) FROM projects_project), a.id, 5, 20, 60
    FROM accounts_account a WHERE %(all)s
"""
ROWS_BY_HAND = """
    SELECT count(*), sum(link.seats_likely), sum(now.deployed)
    FROM projects_projectaccount link
    JOIN metrics_metricrow now ON now.account_id = link.account_id
    WHERE now.to_day IS NULL
"""


def lifts() -> dict[str, Sample]:
    """Work out the lift of 500 projects with up to 20,000 accounts, then of one with all."""
    was, flips.TREND_DAYS = flips.TREND_DAYS, TREND_DAYS
    each = max(1, Account.objects.count() // 20_000)
    found = {}
    with undone():
        _projects()
        execute(LINKS, {"projects": PROJECTS, "each": each, "all": False})
        execute("ANALYZE projects_projectaccount")
        found["some"] = _refreshed()
        found["again"] = _refreshed()
        found["one"] = _refreshed([Project.objects.earliest("pk").pk])
    with undone():
        _projects()
        execute(LINKS, {"projects": PROJECTS, "each": 2**31 - 1, "all": True})
        execute("ANALYZE projects_projectaccount")
        found["all"] = _refreshed()
        found["by hand"] = measured(lambda: execute(ROWS_BY_HAND))
    flips.TREND_DAYS = was
    return found


def _projects() -> None:
    by = User.objects.filter(is_system=False).earliest("pk")
    Project.objects.bulk_create(
        Project(
            kind="external", type="tool", title=f"Tool {place}", proposed_by=by, rank=f"b{place:05}"
        )
        for place in range(PROJECTS)
    )


def _refreshed(only: list[int] | None = None) -> Sample:
    sample = measured(lambda: refresh_lifts(at=timezone.now(), only=only))
    sample.more = {"written": sample.more["result"]}
    return sample


def plans(count: int, kind: str, times: int) -> list[Sample]:
    """Plan with so many pieces of work, each for a third or for a hundredth of the accounts."""
    draw = Random(count)  # noqa: S311 -- the same each time
    accounts = {DENSE: 100, SPARSE: 1_000}[kind]
    served = {DENSE: 0.3, SPARSE: 0.01}[kind]
    standings = {place: Standing(draw.randint(1, 120)) for place in range(accounts)}
    works = [
        Work(place, Decimal(draw.randint(5, 100)) / 10, _seats(draw, accounts, served))
        for place in range(count)
    ]
    capacity = Decimal(count) * 3
    samples = []
    for _ in range(times):
        sample = measured(
            lambda: planning.plan(works, standings, wanted=accounts // 4, capacity=capacity)
        )
        plan = sample.more["result"]
        sample.more = {
            "days": float(plan.days),
            "least days": None if plan.least_days is None else float(plan.least_days),
            "exact": plan.is_exact,
            "crossing": plan.crossing,
        }
        samples.append(sample)
    return samples


def _seats(draw: Random, accounts: int, served: float) -> dict[int, Seats]:
    return {
        place: Seats(seats // 2, seats, seats * 2)
        for place in range(accounts)
        if draw.random() < served
        for seats in [draw.randint(1, 80)]
    }
