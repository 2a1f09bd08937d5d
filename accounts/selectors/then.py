"""Accounts, their people and the company's policy as they were, by what was known at a moment.

Reads version tables only, so the same day and moment give the same answer for ever.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar, cast

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from accounts import measure, permissions
from accounts.models import (
    Account,
    AccountFacts,
    AccountVersion,
    AssignmentVersion,
    Company,
    CompanyVersion,
    Tier,
    TierVersion,
)
from accounts.selectors.facts import within_limit
from config.lib.then import Then
from people.models import User

M = TypeVar("M", bound=Model)
Versions = QuerySet[Any, Any]

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


def known(versions: Any, at: dt.datetime) -> Versions:
    """Return of a version table, or some of it, what was known at the moment."""
    rows: Versions = getattr(versions, "objects", versions)
    return rows.filter(Q(known_to=None) | Q(known_to__gt=at), known_from__lte=at)


def holding(versions: Versions, day: dt.date) -> Versions:
    """Return of what has a start and an end what holds on the day."""
    return versions.filter(Q(end=None) | Q(end__gt=day), start__lte=day)


def fact_of(version: Any, kind: type[M]) -> M:
    """Return the fact as it was, to be read and never saved."""
    fact = kind(pk=version.fact_id)
    for field in kind._meta.concrete_fields:  # noqa: SLF001 -- Django's documented _meta API
        if field.primary_key or not hasattr(version, field.attname):
            continue
        setattr(fact, field.attname, getattr(version, field.attname))
        if field.is_relation and field.name in version._state.fields_cache:  # noqa: SLF001
            setattr(fact, field.name, getattr(version, field.name))
    fact._state.adding = False  # noqa: SLF001
    return fact


def as_was(version_model: Any, fact_ids: Collection[int], then: Then) -> dict[int, list[Any]]:
    """Return the versions known of each at the moment, oldest first."""
    found: dict[int, list[Any]] = defaultdict(list)
    rows = version_model.objects.filter(fact__in=fact_ids, known_from__lte=then.known_at)
    for version in rows.order_by("fact_id", "known_from"):
        found[version.fact_id].append(version)
    return found


def at_the_end(versions: Sequence[Any], then: Then) -> Any:
    """Return the version known at the end of the day, or the first one known."""
    earlier = [version for version in versions if version.known_from < then.end]
    return earlier[-1] if earlier else versions[0]


def is_known(versions: Sequence[Any], then: Then) -> bool:
    """Say whether it was still there for who knew what was known at the moment."""
    last = versions[-1]
    return last.known_to is None or last.known_to > then.known_at


def company_at(known_at: dt.datetime) -> Company:
    """Return the company's settings as known at the moment, or the first ones there were."""
    versions: Any = CompanyVersion
    rows = versions.objects.order_by("known_from")
    found = rows.filter(known_from__lte=known_at).last() or rows.first()
    return fact_of(found, Company)


def accounts_known(user: User, then: Then) -> Versions:
    """Return the accounts known then, each in the version of the day looked at."""
    versions: Any = AccountVersion
    rows: Versions = within_limit(versions.objects.all(), user, "uuid")
    if not permissions.can_see_accounts(user):
        return rows.none()
    if then.known_at < then.end:
        return known(rows, then.known_at)
    same = versions.objects.filter(fact=OuterRef("fact"))
    in_force = (Q(known_to=None) | Q(known_to__gt=then.told_at)) & Q(known_from__lt=then.end)
    is_younger = (
        Q(known_from__gte=then.end)
        & Q(known_from__lte=then.known_at)
        & ~Exists(same.filter(known_from__lt=OuterRef("known_from")))
    )
    return rows.filter(in_force | is_younger).filter(Exists(known(same, then.known_at)))


def account_then(pk: int, user: User, then: Then) -> Account | None:
    """Return the account as it was, its parent and facts with it; None where none was known."""
    visible: Versions = within_limit(cast("Any", AccountVersion).objects.all(), user, "uuid")
    if not permissions.can_see_accounts(user):
        return None
    rows = visible.filter(fact=pk, known_from__lte=then.known_at).order_by("known_from")
    versions = list(rows)
    if not versions or not is_known(versions, then):
        return None
    account = fact_of(at_the_end(versions, then), Account)
    account.churned_on = versions[-1].churned_on
    if account.parent_id is not None:
        parents = as_was(AccountVersion, [account.parent_id], then)[account.parent_id]
        account.parent = fact_of(at_the_end(parents, then), Account) if parents else None
    add_facts([account], then)
    return account


def accounts_of(versions: Iterable[Any], then: Then) -> list[Account]:
    """Return the accounts as they were in these versions, with their facts."""
    accounts = [fact_of(version, Account) for version in versions]
    add_facts(accounts, then)
    return accounts


def add_facts(accounts: Sequence[Account], then: Then) -> None:
    """Add `facts` with tier and TAM: as many statements for one account as for many."""
    if not accounts:
        return
    ids = [account.pk for account in accounts]
    found = measure.facts_on(ids, day=then.day, known_at=then.known_at)
    versions = known(TierVersion, then.known_at)
    tiers = {version.fact_id: fact_of(version, Tier) for version in versions}
    tams = User.objects.in_bulk({facts.tam_id for facts in found.values() if facts.tam_id})
    for account in accounts:
        facts = found.get(account.pk)
        if facts is not None:
            facts.tier = tiers.get(facts.tier_id or 0)
            facts.tam = tams.get(facts.tam_id or 0)
            account.facts = facts


def facts_of(account: Account) -> AccountFacts | None:
    return getattr(account, "facts", None)


def team_then(account_ids: Collection[int], then: Then) -> dict[int, list[Any]]:
    """Return who was assigned on the day, primaries first within a role."""
    teams: dict[int, list[Any]] = defaultdict(list)
    held = holding(known(AssignmentVersion, then.known_at), then.day)
    rows = held.filter(account__in=account_ids).select_related("user")
    for one in rows.order_by("role", "-primary", "fact_id"):
        teams[one.account_id].append(one)
    return teams


def tiers_known(user: User, then: Then) -> Versions:
    """Return the tiers known then, those of other days among them."""
    tiers = known(TierVersion, then.known_at).order_by("-arr_from", "-start")
    return tiers if permissions.can_see_accounts(user) else tiers.none()


def assignments_known(user: User, then: Then) -> Versions:
    """Return the assignments known then, those of other days among them."""
    rows = known(AssignmentVersion, then.known_at).select_related("account", "user")
    if permissions.can_see_accounts(user):
        return within_limit(rows, user, "account__uuid").order_by("-start", "fact_id")
    return rows.none()
