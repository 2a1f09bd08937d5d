"""Accounts as they were on a day, by what was known at a moment."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Q

from accounts import measure, selectors
from accounts.models import Account, AccountVersion, AssignmentVersion, Tier
from config.lib.views import Row

# As it was known at the end of the day; everything else of an account never changes.
ATTRIBUTES = (
    "name",
    "status",
    "internal",
    "archived",
    "region",
    "segment",
    "currency",
    "strategic",
    "updated_at",
    "version",
)
FACTS = (
    "arr",
    "licensed",
    "unlimited",
    "deployed",
    "share",
    "seats_to_go",
    "eligible",
    "passes",
    "reason",
    "data_state",
    "renewal_on",
)


class Moment(NamedTuple):
    """A day of the company, where it ends, and up to when facts are known."""

    day: dt.date
    end: dt.datetime
    known_at: dt.datetime


def moment_of(
    as_of: dt.date | None, known_at: dt.datetime | None, *, now: dt.datetime
) -> Moment | None:
    """Return the moment asked for; None when nothing but now was."""
    if as_of is None and known_at is None:
        return None
    zone = ZoneInfo(selectors.company().time_zone)
    day = as_of or now.astimezone(zone).date()
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)
    return Moment(day, end.astimezone(dt.UTC), min(known_at or now, now))


def as_it_was(rows: Sequence[Row], then: Moment) -> Iterable[Row]:
    """Put into current rows what was true then; a few statements for all of them."""
    ids = [row["id"] for row in rows]
    versions = _versions(ids, then)
    facts = measure.facts_on(ids, day=then.day, known_at=then.known_at)
    teams = _teams(ids, then)
    tiers = dict(Tier.objects.values_list("pk", "name"))
    parents = _parents(versions)
    for row in rows:
        version = versions[row["id"]]
        was = _as_known(version, then)
        fact = facts.get(row["id"])
        yield {
            **row,
            **{name: getattr(was, name) for name in ATTRIBUTES},
            "churned_on": version[-1].churned_on,
            "parent__uuid": parents.get(was.parent_id),
            **{f"facts__{name}": getattr(fact, name, None) for name in FACTS},
            "facts__tier__name": tiers.get(getattr(fact, "tier_id", None) or 0),
            "team": teams[row["id"]],
        }


def known_versions(then: Moment) -> Any:
    """Return the versions of all accounts known at the moment, as a queryset."""
    versions: Any = AccountVersion
    return versions.objects.filter(known_from__lte=then.known_at)


def _versions(ids: Sequence[int], then: Moment) -> dict[int, list[Any]]:
    """Return the versions known at the moment, oldest first."""
    found: dict[int, list[Any]] = defaultdict(list)
    known = known_versions(then).filter(fact__in=ids)
    for version in known.order_by("fact_id", "known_from"):
        found[version.fact_id].append(version)
    return found


def _as_known(versions: list[Any], then: Moment) -> Any:
    """The version known at the end of the day, or the first one known."""
    earlier = [version for version in versions if version.known_from < then.end]
    return earlier[-1] if earlier else versions[0]


def _parents(versions: dict[int, list[Any]]) -> dict[int | None, Any]:
    ids = {version.parent_id for known in versions.values() for version in known}
    ids.discard(None)
    return dict(Account.objects.filter(pk__in=ids).values_list("pk", "uuid")) if ids else {}


def _teams(ids: Sequence[int], then: Moment) -> dict[int, list[dict[str, Any]]]:
    teams: dict[int, list[dict[str, Any]]] = defaultdict(list)
    versions: Any = AssignmentVersion
    held = versions.objects.filter(
        Q(known_to=None) | Q(known_to__gt=then.known_at),
        Q(end=None) | Q(end__gt=then.day),
        account__in=ids,
        known_from__lte=then.known_at,
        start__lte=then.day,
    ).select_related("user")
    for one in held.order_by("role", "-primary", "fact_id"):
        teams[one.account_id].append(
            {
                "user": str(one.user.uuid),
                "name": one.user.name,
                "email": one.user.email,
                "role": one.role,
                "primary": one.primary,
                "start": one.start.isoformat(),
                "end": one.end and one.end.isoformat(),
            }
        )
    return teams
