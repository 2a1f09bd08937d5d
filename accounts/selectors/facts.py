"""Reads of customers and their facts. Lists are filtered by the same rules as objects."""

import datetime as dt
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Model, Prefetch, Q, QuerySet

from accounts import permissions
from accounts.models import (
    Account,
    Assignment,
    Company,
    Contact,
    ExchangeRate,
    Instance,
    SeatReading,
    Subscription,
    Tier,
)
from config.lib.reading import read_once
from people.models import User

M = TypeVar("M", bound=Model)


@read_once
def company() -> Company:
    return Company.objects.get()


def today(now: dt.datetime) -> dt.date:
    """Return the company's date at a moment."""
    return now.astimezone(ZoneInfo(company().time_zone)).date()


def accounts_visible_to(user: User) -> QuerySet[Account]:
    """Return the accounts the user may know of, with their current facts joined in."""
    accounts = Account.objects.select_related("facts", "facts__tier", "facts__tam", "parent")
    if permissions.can_see_accounts(user):
        return within_limit(accounts, user, "uuid")
    return accounts.none()


def within_limit(rows: QuerySet[M], user: User, path: str) -> QuerySet[M]:
    """Keep what belongs to the accounts that the user's token is limited to, if it is.

    `path` leads from the rows to the account's public id.
    """
    return rows if user.limited_to is None else rows.filter(**{f"{path}__in": user.limited_to})


def own_account_ids(user: User, *, on: dt.date) -> QuerySet[Assignment, int]:
    """Return the ids of the accounts the user is assigned to on the day."""
    return assignments_on(on).filter(user=user).values_list("account_id", flat=True)


def is_own(user: User, account: Account, *, on: dt.date) -> bool:
    return assignments_on(on).filter(user=user, account=account).exists()


def assignments_on(day: dt.date) -> QuerySet[Assignment]:
    return Assignment.objects.filter(Q(end=None) | Q(end__gt=day), start__lte=day)


def with_assignments(accounts: QuerySet[Account], *, on: dt.date) -> QuerySet[Account]:
    """Add `team`: the people assigned on the day, in one more statement."""
    people = assignments_on(on).select_related("user").order_by("role", "-primary", "pk")
    return accounts.prefetch_related(Prefetch("assignments", queryset=people, to_attr="team"))


def contacts_visible_to(user: User, *, on: dt.date) -> QuerySet[Contact]:
    contacts = Contact.objects.select_related("account").order_by("name", "pk")
    contacts = within_limit(contacts, user, "account__uuid")
    if permissions.sees_all_contacts(user):
        return contacts
    if permissions.can_see_contacts(user, is_own=True):
        return contacts.filter(account__in=own_account_ids(user, on=on))
    return contacts.none()


def subscriptions_visible_to(user: User) -> QuerySet[Subscription]:
    subscriptions = Subscription.objects.select_related("account").order_by("-start", "pk")
    if permissions.can_see_accounts(user):
        return within_limit(subscriptions, user, "account__uuid")
    return subscriptions.none()


def instances_visible_to(user: User) -> QuerySet[Instance]:
    instances = Instance.objects.select_related("account").order_by("name", "pk")
    if permissions.can_see_accounts(user):
        return within_limit(instances, user, "account__uuid")
    return instances.none()


def assignments_visible_to(user: User) -> QuerySet[Assignment]:
    assignments = Assignment.objects.select_related("account", "user").order_by("-start", "pk")
    if permissions.can_see_accounts(user):
        return within_limit(assignments, user, "account__uuid")
    return assignments.none()


def tiers_visible_to(user: User) -> QuerySet[Tier]:
    tiers = Tier.objects.order_by("-arr_from", "-start")
    return tiers if permissions.can_see_accounts(user) else tiers.none()


def tiers_on(day: dt.date) -> QuerySet[Tier]:
    return Tier.objects.filter(Q(end=None) | Q(end__gt=day), start__lte=day).order_by("-arr_from")


def rates_visible_to(user: User) -> QuerySet[ExchangeRate]:
    rates = ExchangeRate.objects.order_by("-on", "currency")
    return rates if permissions.can_see_accounts(user) else rates.none()


def readings_visible_to(user: User) -> QuerySet[SeatReading]:
    """Return the readings that stand: corrected ones are left out."""
    readings = SeatReading.objects.filter(known_to=None).select_related("instance__account")
    if permissions.can_see_accounts(user):
        return within_limit(readings, user, "instance__account__uuid")
    return readings.none()


def readings_of(account: Account) -> QuerySet[SeatReading]:
    """Return the account's standing readings, latest first."""
    return (
        SeatReading.objects.filter(instance__account=account, known_to=None)
        .select_related("instance", "entered_by")
        .order_by("-observed_at", "instance_id", "source")
    )
