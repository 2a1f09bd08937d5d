"""Company settings and tiers: policy by date, changed by administrators."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import permissions
from accounts.measure import facts_changed
from accounts.models import Account, Company, Tier
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, StaleWrite
from events import services as events
from people.models import User

# A change of what the amounts mean touches every account; so many are worked out at a time.
BATCH = 2000


@transaction.atomic
def update_company(
    *,
    name: str,
    time_zone: str,
    reporting_currency: str,
    version: int,
    by: User,
    at: dt.datetime,
) -> Company:
    """Change the settings, seen at `version`. Raise StaleWrite if someone was quicker.

    Published numbers stay as they are; current facts follow at once.
    """
    require(permissions.can_change_company, by)
    company = Company.objects.select_for_update().get()
    if company.version != version:
        raise StaleWrite
    given = {"name": name, "time_zone": time_zone, "reporting_currency": reporting_currency}
    before = _changed(company, given)
    if not before:
        return company
    _write(company, {field: given[field] for field in before}, at=at)
    events.record(
        "company.updated",
        company,
        by=by,
        before=before,
        after={field: given[field] for field in before},
    )
    if before.keys() - {"name"}:
        _all_facts_changed()
    return company


@transaction.atomic
def add_tier(  # noqa: PLR0913 -- a tier has many terms, all by name
    *,
    name: str,
    arr_from: Decimal,
    start: dt.date,
    engagement_model: str = "",
    cadence_days: int | None = None,
    most_accounts_per_tam: int | None = None,
    project_mandatory: bool = False,
    by: User,
    at: dt.datetime,
) -> Tier:
    """Add a tier from a day on, or a new version of the tier of that name.

    The version before it ends on that day; where a later one is planned, this one ends there.
    """
    require(permissions.can_change_company, by)
    Company.objects.select_for_update().get()
    same_name = Tier.objects.filter(name=name)
    if same_name.filter(start=start).exists():
        raise Conflict(f"{name} has a version from that day already.")
    later = same_name.filter(start__gt=start).order_by("start").first()
    end = later.start if later else None
    rival = _in_force(start, end).filter(arr_from=arr_from).exclude(name=name).first()
    if rival:
        raise Conflict(f"{rival.name} begins at the same ARR. Choose another, or end {rival.name}.")
    running = _in_force(start, None).filter(name=name, start__lt=start).first()
    if running:
        _end(running, start, by=by, at=at)
    tier = Tier.objects.create(
        name=name,
        arr_from=arr_from,
        engagement_model=engagement_model,
        cadence_days=cadence_days,
        most_accounts_per_tam=most_accounts_per_tam,
        project_mandatory=project_mandatory,
        start=start,
        end=end,
    )
    events.record("tier.added", tier, by=by, after=_terms_of(tier))
    _all_facts_changed()
    return tier


@transaction.atomic
def end_tier(tier: Tier, *, end: dt.date, by: User, at: dt.datetime) -> Tier:
    """End a tier; `end` is the first day it is no longer in force."""
    require(permissions.can_change_company, by)
    Company.objects.select_for_update().get()
    tier = Tier.objects.select_for_update().get(pk=tier.pk)
    if end <= tier.start:
        raise Invalid("A tier ends after the day it starts.", field="end")
    if tier.end is not None and tier.end <= end:
        raise Conflict(f"{tier.name} has ended by then already.")
    _end(tier, end, by=by, at=at)
    _all_facts_changed()
    return tier


def _in_force(start: dt.date, end: dt.date | None) -> QuerySet[Tier]:
    """Return the tiers in force on any day of the range."""
    tiers = Tier.objects.filter(Q(end=None) | Q(end__gt=start))
    return tiers if end is None else tiers.filter(start__lt=end)


def _end(tier: Tier, end: dt.date, *, by: User, at: dt.datetime) -> None:
    before = {"end": tier.end}
    _write(tier, {"end": end}, at=at)
    events.record("tier.ended", tier, by=by, before=before, after={"end": end})


def _write(row: Company | Tier, values: dict[str, Any], *, at: dt.datetime) -> None:
    for field, value in values.items():
        setattr(row, field, value)
    row.version += 1
    row.updated_at = at
    row.save(update_fields=[*values, "version", "updated_at"])


def _changed(company: Company, given: dict[str, str]) -> dict[str, str]:
    """Return the stored values that differ from what is given."""
    stored = {field: getattr(company, field) for field in given}
    return {field: value for field, value in stored.items() if value != given[field]}


def _terms_of(tier: Tier) -> dict[str, Any]:
    names = (
        "arr_from",
        "engagement_model",
        "cadence_days",
        "most_accounts_per_tam",
        "project_mandatory",
        "start",
        "end",
    )
    return {name: getattr(tier, name) for name in names}


def _all_facts_changed() -> None:
    ids: list[int] = list(Account.objects.order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(ids), BATCH):
        facts_changed(ids[first : first + BATCH])
