"""Where one can go from every page: the entries a person's roles open."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.permissions import can_see_imports
from config.lib.lists import SAVED, url_of_view
from engagements.permissions import can_file_requests
from events.selectors import unseen_count
from people.models import Role, User
from people.permissions import has_any_role, has_role

# What lies under the address of an entry and has one of its own.
UNDER = {
    "metrics:dashboard": (
        "metrics:flip-list",
        "metrics:figures",
        "metrics:what-if",
        "metrics:health",
    ),
    "requests:list": ("requests:risk-list", "requests:sla"),
}
# What belongs to an entry: shown below it where one is there, and always found by its name.
WITHIN = {
    "metrics:dashboard": (
        ("What if", "flask-conical", "metrics:what-if"),
        ("Board packs", "presentation", "metrics:packs"),
        ("Alerts", "bell-ring", "metrics:alerts"),
        ("Definition lab", "ruler", "metrics:lab"),
    ),
    "metrics:figures": (("Service levels", "timer", "requests:sla", "l"),),
    "accounts:account-list": (("Health", "heart-pulse", "metrics:health"),),
    "projects:board": (("Reviews", "presentation", "projects:reviews"),),
    "projects:list": (("Artefacts", "package", "projects:artefacts"),),
    "projects:capacity": (("Time off", "tree-palm", "people:absences"),),
}
# Pages of the settings: label and name of the address.
SETTINGS = (
    ("Company", "settings:company"),
    ("Hours", "settings:hours"),
    ("Tiers", "settings:tier-list"),
    ("Routing", "settings:routing"),
    ("SOW templates", "settings:sow-templates"),
    ("Sign-off", "settings:sign-off"),
    ("Scoring", "settings:scoring"),
    ("Health", "settings:health"),
    ("Board", "settings:board"),
    ("Reasons", "settings:reasons"),
    ("People", "people:person-list"),
)
THEME_COOKIE = "theme"
MOST_VIEWS = 6


@dataclass(frozen=True)
class Entry:
    """One link; `key` is pressed after G to follow it."""

    label: str
    icon: str
    url: str
    key: str = ""
    current: bool = False
    # Of saved views: whether it is one, and the team's.
    is_view: bool = False
    is_team: bool = False
    # What belongs to it, where one is at one of them.
    within: tuple["Entry", ...] = ()

    @property
    def marks(self) -> SafeString:
        """Attributes of the link: they stand on every page, so without a byte too many."""
        here = ' aria-current="page"' if self.current else ""
        key = format_html(' data-key="{}"', self.key) if self.key else ""
        return format_html("{}{}", SafeString(here), key)


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
        operations = [
            self._entry("Handbook", "book-open", "handbook", "h"),
            self._entry("API", "code", "api:docs"),
        ]
        if has_role(self.user, Role.ADMINISTRATOR):
            operations.insert(0, self._entry("Settings", "settings", "settings"))
        if can_see_imports(self.user):
            operations.insert(0, self._entry("Imports", "file-input", "imports:list", "i"))
        return [
            Section("Work", self._work()),
            Section(
                "Outcomes",
                [
                    self._entry("Seats deployed", "target", "metrics:dashboard", "s"),
                    self._entry("Flip list", "arrow-up-down", "metrics:flip-list", "f"),
                    self._entry("Key figures", "chart-line", "metrics:figures", "k"),
                    self._entry("Capacity", "calendar-range", "projects:capacity", "c"),
                ],
            ),
            Section(
                "Customers",
                [self._entry("Accounts", "building-2", "accounts:account-list", "a")],
            ),
            *self._saved_views(),
            Section("Operations", operations),
        ]

    def _work(self) -> list[Entry]:
        return [
            self._entry("My work", "inbox", "home", "m"),
            self._entry("Requests", "clipboard-list", "requests:list", "r"),
            self._entry("Board", "square-kanban", "projects:board", "b"),
            self._entry("Projects", "folder-kanban", "projects:list", "p"),
            self._entry("Work at Risk", "triangle-alert", "requests:risk-list", "w"),
        ]

    def _saved_views(self) -> list[Section]:
        """Return the person's own views and the team's, as many as a side bar takes."""
        entries = self.saved_views
        if not entries:
            return []
        shown = [entry for entry in entries if entry.current or entry in entries[:MOST_VIEWS]]
        return [
            Section("Saved views", [*shown, self._entry("All views", "ellipsis", "views:list")])
        ]

    @cached_property
    def saved_views(self) -> list[Entry]:
        opened = self.request.GET.get(SAVED, "")
        return [
            Entry(
                view.name,
                "users" if view.is_team else "bookmark",
                url,
                current=str(view.uuid) == opened,
                is_view=True,
                is_team=view.is_team,
            )
            for view in self.user.visible_views
            if (url := url_of_view(view))
        ]

    @cached_property
    def unseen(self) -> int:
        """How much they were told that they have not seen."""
        if not has_any_role(self.user):
            return 0
        # Read with the person of a session; counted for others.
        counted: int | None = getattr(self.user, "unseen", None)
        return unseen_count(self.user) if counted is None else counted

    @cached_property
    def account(self) -> list[Entry]:
        entries = [self._entry("Change password", "lock", "account_change_password")]
        if has_any_role(self.user):
            entries.insert(0, self._entry("API tokens", "key-round", "people:token-list"))
            entries.insert(0, self._entry("Notices", "bell", "notices:list"))
        return entries

    @cached_property
    def settings(self) -> list[tuple[str, str]]:
        return [(label, reverse(name)) for label, name in SETTINGS]

    @cached_property
    def search_url(self) -> str:
        return reverse("accounts:account-list") if has_any_role(self.user) else ""

    @cached_property
    def new_request_url(self) -> str:
        """Where a request is filed, "" for who may not."""
        return reverse("requests:new") if can_file_requests(self.user) else ""

    @cached_property
    def theme_url(self) -> str:
        return reverse("people:theme")

    def _entry(self, label: str, icon: str, name: str, key: str = "") -> Entry:
        url, path = reverse(name), self.request.path
        others = [reverse(each) for each in UNDER.get(name, ())]
        is_under = path.startswith(url) and not any(path.startswith(other) for other in others)
        is_here = path == url if url == "/" else is_under
        within = tuple(self._entry(*each) for each in WITHIN.get(name, ()))
        is_within = any(each.current for each in within)
        is_current = is_here and not is_within and not self._is_in_a_view
        shown = within if is_here or is_within else ()
        return Entry(label, icon, url, key, is_current, within=shown)

    @property
    def further(self) -> list[Entry]:
        """Return the pages within entries, which the side bar shows only where one is."""
        if not has_any_role(self.user):
            return []
        return [self._entry(*each) for those in WITHIN.values() for each in those]

    @cached_property
    def _is_in_a_view(self) -> bool:
        return any(entry.current for entry in self.saved_views)


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `navigation` for who is signed in, and everybody's `theme`."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        asked = request.COOKIES.get(THEME_COOKIE, "")
        return {"theme": asked if asked in User.Theme.values else User.Theme.SYSTEM}
    return {"navigation": Navigation(request, user), "theme": user.theme}
