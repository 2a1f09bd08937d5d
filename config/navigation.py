"""Where one can go from every page: the entries a person's roles open."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from people.models import Role, User
from people.permissions import has_any_role, has_role

THEME_COOKIE = "theme"


@dataclass(frozen=True)
class Entry:
    """One link; `key` is pressed after G to follow it."""

    label: str
    icon: str
    url: str
    key: str = ""
    current: bool = False


@dataclass(frozen=True)
class Section:
    label: str
    entries: list[Entry]


@dataclass(frozen=True)
class Theme:
    value: str
    label: str
    icon: str


THEMES = [
    Theme(User.Theme.LIGHT, "Light", "sun"),
    Theme(User.Theme.DARK, "Dark", "moon"),
    Theme(User.Theme.SYSTEM, "As the system", "monitor"),
]


class Navigation:
    """Worked out only where a page shows it."""

    themes = THEMES

    def __init__(self, request: HttpRequest, user: User) -> None:
        self.request = request
        self.user = user

    @cached_property
    def sections(self) -> list[Section]:
        if not has_any_role(self.user):
            return []
        operations = [self._entry("API", "code", "api:docs")]
        if has_role(self.user, Role.ADMINISTRATOR):
            operations.insert(0, self._entry("Settings", "settings", "settings"))
        return [
            Section(
                "Outcomes",
                [self._entry("Seats deployed", "target", "metrics:dashboard", "s")],
            ),
            Section(
                "Customers",
                [self._entry("Accounts", "building-2", "accounts:account-list", "a")],
            ),
            Section("Operations", operations),
        ]

    @cached_property
    def account(self) -> list[Entry]:
        entries = [self._entry("Change password", "lock", "account_change_password")]
        if has_any_role(self.user):
            entries.insert(0, self._entry("API tokens", "key-round", "people:token-list"))
        return entries

    @cached_property
    def search_url(self) -> str:
        return reverse("accounts:account-list") if has_any_role(self.user) else ""

    @cached_property
    def theme_url(self) -> str:
        return reverse("people:theme")

    def _entry(self, label: str, icon: str, name: str, key: str = "") -> Entry:
        url = reverse(name)
        return Entry(label, icon, url, key, self.request.path.startswith(url))


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `navigation` for who is signed in, and everybody's `theme`."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        asked = request.COOKIES.get(THEME_COOKIE, "")
        return {"theme": asked if asked in User.Theme.values else User.Theme.SYSTEM}
    return {"navigation": Navigation(request, user), "theme": user.theme}
