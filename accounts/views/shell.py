"""What every page of an account shares: the account itself, its header, tabs and figures."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import Http404, HttpRequest
from django.urls import reverse

from accounts import permissions, selectors
from accounts.here import Here
from accounts.models import Account, AccountFacts, Assignment
from accounts.rules import seats_needed
from accounts.words import Standing, standing_of
from config.lib.authz import require
from events.selectors import events_of_account
from people.models import REQUESTERS

TABS = [
    ("Overview", "accounts:account-detail"),
    ("Subscriptions", "accounts:account-subscriptions"),
    ("Instances", "accounts:account-instances"),
    ("Readings", "accounts:account-readings"),
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
    def team(self) -> list[Assignment]:
        """Return who is assigned today, primaries first within a role."""
        return list(
            selectors.assignments_on(self.here.today)
            .filter(account=self.account)
            .select_related("user")
            .order_by("role", "-primary", "pk")
        )

    @cached_property
    def is_own(self) -> bool:
        return any(member.user_id == self.here.user.pk for member in self.team)

    @cached_property
    def instances(self) -> list[Any]:
        """Return the instances, counted ones first, each with its latest reading."""
        before = self.here.end_of_today
        return list(selectors.instances_with_latest(self.account, before=before))

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
        return events_of_account(self.account.pk).first()

    @property
    def may_enter(self) -> bool:
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
        return [
            {
                "label": label,
                "url": reverse(name, args=[self.account.pk]),
                "current": label == current,
            }
            for label, name in TABS
        ]


def shell_of(request: HttpRequest, number: int) -> Shell:
    """Return the account of this number; 404 where there is none for this person."""
    here = Here.of(request)
    require(permissions.can_see_accounts, here.user)
    account = selectors.accounts_visible_to(here.user).filter(pk=number).first()
    if account is None:
        raise Http404
    return Shell(here, account, getattr(account, "facts", None))
