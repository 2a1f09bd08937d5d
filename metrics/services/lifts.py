"""Keeps the expected lift of projects in step with the number, their accounts and their seats."""

import datetime as dt
import heapq
import itertools
import uuid
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction

from metrics.models import MetricRun
from metrics.rules import Policy
from metrics.rules.lift import Gain, Seats, Standing, gain, lift
from metrics.selectors import flips, runs
from metrics.selectors.standings import NOT_SEEN, SEEN, Seen, standing
from metrics.selectors.works import TO_COME
from projects.models import Project
from projects.services.lifting import Lift, record_lifts

NO_SEATS_TOLD = "no_seats"
# So many accounts are told one by one, those that gain most first; the rest together.
MOST_PARTS = 30
SEATS_MAX = 2**31 - 1
CHUNK = 5_000

# Each account is looked up by itself: one project or all of them, it is the same statement.
SEEN_IN = """
    LEFT JOIN LATERAL (
        SELECT {columns} FROM metrics_metricrow seen
        WHERE seen.account_id = link.account_id AND seen.definition_id = %({name}_definition)s
          AND seen.layer <= %({name}_layer)s AND seen.from_day <= %({name}_day)s
          AND (seen.to_day IS NULL OR seen.to_day > %({name}_day)s)
        ORDER BY seen.layer DESC LIMIT 1
    ) {name} ON true
"""
LINKS = f"""
    SELECT project.id, account.uuid, link.seats_low, link.seats_likely, link.seats_high,
        {", ".join(f"now.{name}" for name in SEEN)}, past.deployed
    FROM projects_project project
    LEFT JOIN projects_projectaccount link ON link.project_id = project.id
    LEFT JOIN accounts_account account ON account.id = link.account_id
    {SEEN_IN.format(name="now", columns=", ".join(SEEN))}
    {SEEN_IN.format(name="past", columns="deployed")}
    WHERE project.state = ANY(%(states)s) AND (%(all)s OR project.id = ANY(%(only)s))
    ORDER BY project.id, link.account_id
"""


class Link(NamedTuple):
    """An account of a project."""

    account: uuid.UUID | None
    seats: Seats | None
    seen: Seen | None


class Part(NamedTuple):
    """What an account of a project gains, or why nothing can be said."""

    link: Link
    standing: Standing | None
    gain: Gain | None
    note: str


def refresh_lifts(*, at: dt.datetime, only: Collection[int] | None = None) -> int:
    """Bring the lift of all projects whose work is to come, or of `only` these, up to date.

    What was delivered keeps the lift it promised; the seats that came are in the number itself.
    Three statements to read and one to write, however many projects, accounts and changes there
    are. Returns how many were changed.
    """
    if only is not None and not only:
        return 0
    run = runs.run_on(runs.SEATS_DEPLOYED)
    if run is None or not run.denominator:
        return record_lifts([Lift(each) for each in _projects(only)], at=at)
    policy = runs.policy_of(run.definition)
    with transaction.atomic():
        found = itertools.groupby(_links(run, only), key=lambda row: row[0])
        lifts = [
            _lift_of(project, (link for _, link in links), policy, run.denominator)
            for project, links in found
        ]
        return record_lifts(lifts, at=at)


def _projects(only: Collection[int] | None) -> list[int]:
    found = Project.objects.filter(state__in=TO_COME)
    if only is not None:
        found = found.filter(pk__in=only)
    return list(found.values_list("pk", flat=True))


def _links(run: MetricRun, only: Collection[int] | None) -> Iterator[tuple[int, Link]]:
    """Return the accounts of each project, none as one without an account."""
    before = flips.run_before(run)
    parameters: dict[str, Any] = {
        "states": TO_COME,
        "all": only is None,
        "only": list(only or ()),
    }
    # No run is of layer 0.
    for name, each in (("now", run), ("past", before)):
        parameters |= {
            f"{name}_definition": each and each.definition_id,
            f"{name}_layer": each.revision if each else 0,
            f"{name}_day": each and each.day,
        }
    with connection.chunked_cursor() as cursor:
        cursor.execute(LINKS, parameters)
        while rows := cursor.fetchmany(CHUNK):
            for project, account, low, likely, high, *seen in rows:
                seats = None if likely is None else Seats(low, likely, high)
                # What the run saw of an account always has a reason.
                yield project, Link(account, seats, Seen(*seen) if seen[3] else None)


def _lift_of(project: int, links: Iterator[Link], policy: Policy, denominator: int) -> Lift:
    parts = [_part_of(link, policy) for link in links if link.account is not None]
    told = [part for part in parts if part.link.seats is not None]
    if not told:
        return Lift(project, parts=_told(parts, denominator))
    whole = lift([part.gain for part in told if part.gain is not None], denominator)
    seats = sum(part.link.seats.likely for part in told if part.link.seats is not None)
    return Lift(
        project,
        lift=whole.expected,
        low=whole.low,
        high=whole.high,
        seats=min(seats, SEATS_MAX),
        parts=_told(parts, denominator),
    )


def _part_of(link: Link, policy: Policy) -> Part:
    known = NOT_SEEN if link.seen is None else standing(link.seen, policy)
    if isinstance(known, str):
        return Part(link, None, None, known)
    if link.seats is None:
        return Part(link, known, None, NO_SEATS_TOLD)
    return Part(link, known, gain(link.seats, known), "")


def _told(parts: Collection[Part], denominator: int) -> tuple[dict[str, Any], ...]:
    """Return what is kept by account, those that gain most first, and the rest as one."""
    first = heapq.nsmallest(
        MOST_PARTS, enumerate(parts), key=lambda each: (_order(each[1]), each[0])
    )
    told = [_as_json(part, denominator) for _, part in first]
    if len(parts) > MOST_PARTS:
        places = {place for place, _ in first}
        rest = [part for place, part in enumerate(parts) if place not in places]
        gains = [part.gain for part in rest if part.gain is not None]
        told.append({"more": len(rest), "points": str(lift(gains, denominator).expected)})
    return tuple(told)


def _order(part: Part) -> float:
    """Put what nothing can be said of after what gains nothing."""
    return 1.0 if part.gain is None else -part.gain.expected


def _as_json(part: Part, denominator: int) -> dict[str, Any]:
    return {
        "account": str(part.link.account),
        "seats": part.link.seats and list(part.link.seats),
        "gap": part.standing and part.standing.gap,
        "fell": part.standing and part.standing.fell,
        "before": part.gain and _chance(part.gain.before),
        "after": part.gain and _chance(part.gain.after),
        "points": str(lift([part.gain], denominator).expected) if part.gain else "0.00000",
        "note": part.note,
    }


def _chance(value: float) -> str:
    return str(Decimal(value).quantize(Decimal("0.0001")))
