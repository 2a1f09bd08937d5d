"""Answers of the API about another day, by what was known at a moment."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request

from accounts import measure, selectors
from accounts.models import AccountVersion, TierVersion
from accounts.selectors import then as past
from config.lib import parameters
from config.lib.then import Then
from config.lib.views import ReadViewSet, Row


def moment_of(
    as_of: dt.date | None, known_at: dt.datetime | None, *, now: dt.datetime
) -> Then | None:
    """Return the day and moment asked for; None when nothing but now was."""
    if as_of is None and known_at is None:
        return None
    return Then(ZoneInfo(selectors.company().time_zone), now, as_of, known_at)


class LooksBack(ReadViewSet):
    """A resource that can be asked of another day: `then` says which, None is now."""

    takes = (parameters.AS_OF, parameters.KNOWN_AT)
    then: Then | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.then = moment_of(self.as_of(), self.known_at(), now=timezone.now())

    def retrieve(self, request: Request, **found: Any) -> HttpResponseBase:
        response = super().retrieve(request, **found)
        if self.then is not None and "ETag" in response.headers:
            # The version of another day is none to write from.
            del response.headers["ETag"]
        return response


def as_it_was(rows: Sequence[Row], then: Then) -> Iterable[Row]:
    """Complete rows of versions with what was true then; a few statements for all of them."""
    ids = [row["fact_id"] for row in rows]
    versions = past.as_was(AccountVersion, ids, then)
    facts = measure.facts_on(ids, day=then.day, known_at=then.known_at)
    teams = past.team_then(ids, then)
    tiers = dict(past.known(TierVersion, then.known_at).values_list("fact_id", "name"))
    parents = _parents(versions)
    currency = past.company_at(then.known_at).reporting_currency
    for row in rows:
        pk = row["fact_id"]
        known = versions[pk]
        was = past.at_the_end(known, then)
        fact = facts.get(pk)
        yield {
            **row,
            "id": pk,
            **{name: getattr(was, name) for name in past.ATTRIBUTES},
            "reporting_currency": currency,
            "churned_on": known[-1].churned_on,
            "parent__uuid": parents.get(was.parent_id),
            **{f"facts__{name}": getattr(fact, name, None) for name in past.FACTS},
            "facts__tier__name": tiers.get(getattr(fact, "tier_id", None) or 0),
            "team": [_member(one) for one in teams[pk]],
        }


def _member(one: Any) -> dict[str, Any]:
    return {
        "user": str(one.user.uuid),
        "name": one.user.name,
        "email": one.user.email,
        "role": one.role,
        "primary": one.primary,
        "start": one.start.isoformat(),
        "end": one.end and one.end.isoformat(),
    }


def _parents(versions: dict[int, list[Any]]) -> dict[int | None, Any]:
    ids = {version.parent_id for known in versions.values() for version in known}
    ids.discard(None)
    rows: Any = AccountVersion
    return dict(rows.objects.filter(fact__in=ids).values_list("fact_id", "uuid")) if ids else {}
