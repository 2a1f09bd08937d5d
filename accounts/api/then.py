"""Answers of the API about another day, by what was known at a moment."""

from collections.abc import Iterable, Sequence
from typing import Any

from accounts import measure
from accounts.models import AccountVersion, TierVersion
from accounts.selectors import then as past
from config.lib.then import Then
from config.lib.views import Row


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
