"""What every page of an account shares: the account itself, its header, tabs and figures."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.urls import reverse

from accounts import permissions, selectors
from accounts.here import Here
from accounts.models import Account, AccountFacts, Assignment
from accounts.rules import Contract, seats_needed
from accounts.selectors import then as past
from accounts.selectors import then_facts
from accounts.words import Standing, standing_of
from config.lib.authz import require
from config.lib.then import Then
from events.models import Event
from events.selectors import events_of_account
from people.models import REQUESTERS

TABS = [
    ("Overview", "accounts:account-detail"),
    ("Subscriptions", "accounts:account-subscriptions"),
    ("Instances", "accounts:account-instances"),
    ("Readings", "accounts:account-readings"),
    ("Health", "metrics:account-health"),
    ("People", "accounts:account-people"),
    ("Timeline", "accounts:account-timeline"),
    ("Data", "accounts:account-data"),
]


@dataclass(frozen=True)
class Shell:
    """One account as its pages show it; what costs a statement is read once, when needed."""

    here: Here
    account: Account
    facts: AccountFacts | None

    @property
    def standing(self) -> Standing:
        return standing_of(self.account, self.facts, self.here.setting)

    @property
    def needed(self) -> int | None:
        """The fewest deployed seats that reach the line."""
        if self.facts is None or self.facts.unlimited or not self.facts.licensed:
            return None
        return seats_needed(self.facts.licensed, self.here.terms.share_percent)

    @cached_property
    def team(self) -> list[Any]:
        """Return who is assigned on the day, primaries first within a role."""
        if self.here.past is not None:
            return past.team_then([self.account.pk], self.here.past)[self.account.pk]
        return list(
            selectors.assignments_on(self.here.today)
            .filter(account=self.account)
            .select_related("user")
            .order_by("role", "-primary", "pk")
        )

    @cached_property
    def is_own(self) -> bool:
        """Say whether who looks is assigned, on the day that it really is."""
        if self.here.looks_back:
            return selectors.is_own(self.here.user, self.account, on=self.here.real_today)
        return any(member.user_id == self.here.user.pk for member in self.team)

    @cached_property
    def instances(self) -> list[Any]:
        """Return the instances, counted ones first, each with its latest reading."""
        if self.here.past is not None:
            return list(then_facts.instances_then(self.account, self.here.past))
        before = self.here.end_of_today
        return list(selectors.instances_with_latest(self.account, before=before))

    @cached_property
    def contracts(self) -> list[Contract]:
        """Return the paid subscriptions of all days."""
        if self.here.past is not None:
            return then_facts.contracts_then(self.account, self.here.past)
        return selectors.contracts_of(self.account)

    @property
    def events(self) -> QuerySet[Event]:
        """Return what happened until the end of the day and was recorded by then, newest first."""
        events = events_of_account(self.account.pk)
        return events.filter(at__lte=self.here.now) if self.here.looks_back else events

    @property
    def contacts(self) -> QuerySet[Any]:
        """Return the customer's people; ask `may_see_contacts` first."""
        if self.here.past is not None:
            return then_facts.contacts_then(self.account, self.here.past)
        return self.account.contacts.order_by("name", "pk")

    @property
    def oldest_used(self) -> Any:
        """The counted instance whose latest reading is the oldest of those that are used."""
        used = [i for i in self.instances if i.counted and self.is_usable(i)]
        return min(used, key=lambda i: i.latest_at, default=None)

    @property
    def newest_read(self) -> Any:
        read = [i for i in self.instances if i.counted and i.latest_at]
        return max(read, key=lambda i: i.latest_at, default=None)

    def is_usable(self, instance: Any) -> bool:
        if instance.latest_at is None:
            return False
        age = self.here.today - instance.latest_at.astimezone(self.here.zone).date()
        return bool(age.days <= self.here.terms.stale_days)

    @cached_property
    def last_event(self) -> Any:
        return self.events.first()

    @property
    def may_enter(self) -> bool:
        if self.here.looks_back:
            return False
        return permissions.can_enter_reading(self.here.user, is_own=self.is_own)

    @property
    def may_see_imports(self) -> bool:
        return permissions.can_see_imports(self.here.user)

    @property
    def may_see_contacts(self) -> bool:
        return permissions.can_see_contacts(self.here.user, is_own=self.is_own)

    @property
    def who_may_enter(self) -> list[Assignment]:
        return [member for member in self.team if member.role.lower() in REQUESTERS]

    def tabs(self, current: str) -> list[dict[str, Any]]:
        query = self.here.past.query if self.here.past else ""
        return [
            {
                "label": label,
                "url": f"{reverse(name, args=[self.account.pk])}{query}",
                "current": label == current,
            }
            for label, name in TABS
        ]


def shell_of(request: HttpRequest, number: int, *, looks: bool = True) -> Shell:
    """Return the account of this number; 404 where there is none for this person.

    Where the address asks for another day, all of it is as it was then. Pages
    that write do not look at it.
    """
    here = Here.looking(request) if looks else Here.of(request)
    require(permissions.can_see_accounts, here.user)
    if here.past is not None:
        was = past.account_then(number, here.user, here.past)
        if was is None:
            raise Http404(_not_known(here.past))
        return Shell(here, was, past.facts_of(was))
    account = selectors.accounts_visible_to(here.user).filter(pk=number).first()
    if account is None:
        raise Http404
    return Shell(here, account, getattr(account, "facts", None))


def _not_known(then: Then) -> str:
    return (
        f"No account of this number was known on {then.known_words}. Choose a later moment, or"
        " look at it as of today."
    )
