"""`/palette/`: what the command palette offers for what somebody has typed so far."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from accounts import selectors
from accounts.models import Account
from accounts.selectors.imports import imports_visible_to
from accounts.views.recent import recent_ids
from config.lib.htmx import is_htmx
from config.navigation import Entry, Navigation
from engagements.models import ServiceRequest
from engagements.selectors import requests_visible_to
from engagements.selectors.lists import requests_like
from people.http import user_of
from people.models import User
from projects.models import Project
from projects.permissions import can_propose
from projects.selectors import projects_visible_to
from projects.selectors.beside import projects_like

MOST_ACCOUNTS = 6
MOST_REQUESTS = 5
MOST_PROJECTS = 5
MOST_VIEWS = 4
MOST_IMPORTS = 3
TEXT_MAX = 100


@dataclass(frozen=True)
class Item:
    """Something to go to, or a dialog to `open`; `keys` do the same."""

    label: str
    note: str
    icon: str
    url: str = ""
    keys: tuple[str, ...] = ()
    open: str = ""


@dataclass(frozen=True)
class Group:
    label: str
    items: list[Item] = field(default_factory=list)


@require_safe
def palette(request: HttpRequest) -> HttpResponse:
    """Answer with the list of results; without the script one lands in the accounts list."""
    text = request.GET.get("q", "").replace("\x00", "")[:TEXT_MAX].strip()
    if not is_htmx(request):
        return redirect(f"{reverse('accounts:account-list')}?{urlencode({'q': text})}")
    user = user_of(request)
    here = Navigation(request, user)
    jumps = _found(user, here, text) if text else _at_first(request, here)
    search = _search(text) if text else []
    groups = [
        Group("Jump to", jumps),
        Group("Create", _create(here, text)),
        Group("Help", _help(text)),
        Group("Search", search),
    ]
    context = {"groups": [group for group in groups if group.items], "text": text}
    return render(request, "components/palette_results.html", context)


def _at_first(request: HttpRequest, here: Navigation) -> list[Item]:
    """Return what was looked at last, then the pages."""
    ids = recent_ids(request.session)
    visible = selectors.accounts_visible_to(here.user).select_related(None)
    known = visible.only("name", "region").in_bulk(ids) if ids else {}
    recent = [_account(known[pk]) for pk in ids if pk in known]
    own_settings = {entry.url for entry in here.account}
    pages = [item for item in _pages(here) if item.url not in own_settings]
    return [*recent, *pages, *map(_view, here.saved_views[:MOST_VIEWS])]


def _found(user: User, here: Navigation, text: str) -> list[Item]:
    visible = selectors.accounts_visible_to(user).select_related(None).only("name", "region")
    pages = [item for item in _pages(here) if _fits(item.label, text)]
    views = [_view(view) for view in here.saved_views if _fits(view.label, text)][:MOST_VIEWS]
    accounts = [
        _account(account) for account in selectors.accounts_like(visible, text, most=MOST_ACCOUNTS)
    ]
    # A page whose name begins like this is meant rather than an account that holds the word.
    begins = [item for item in pages if item.label.lower().startswith(text.lower())]
    rest = [item for item in pages if item not in begins]
    requests = [
        _request(each)
        for each in requests_like(requests_visible_to(user), text, most=MOST_REQUESTS)
    ]
    projects = [
        _project(each)
        for each in projects_like(projects_visible_to(user), text, most=MOST_PROJECTS)
    ]
    others = [*requests, *projects, *views, *_imports(user, text)]
    return [*begins, *accounts, *others, *rest]


def _search(text: str) -> list[Item]:
    accounts = f"{reverse('accounts:account-list')}?{urlencode({'q': text})}"
    requests = f"{reverse('requests:list')}?{urlencode({'view': 'all', 'q': text})}"
    projects = f"{reverse('projects:list')}?{urlencode({'view': 'all', 'q': text})}"
    return [
        Item(f"Search accounts for “{text}”", "Accounts", "search", accounts),
        Item(f"Search requests for “{text}”", "Requests", "search", requests),
        Item(f"Search projects for “{text}”", "Projects", "search", projects),
    ]


def _pages(here: Navigation) -> list[Item]:
    sections = [section for section in here.sections if section.label != "Saved views"]
    entries = [entry for section in sections for entry in section.entries]
    return [_page(entry) for entry in (*entries, *here.further, *here.account)]


def _page(entry: Entry) -> Item:
    keys = ("G", entry.key.upper()) if entry.key else ()
    return Item(entry.label, "Page", entry.icon, entry.url, keys)


def _view(entry: Entry) -> Item:
    return Item(entry.label, "Team view" if entry.is_team else "Your view", entry.icon, entry.url)


def _account(account: Account) -> Item:
    note = " · ".join(filter(None, [account.number, account.region]))
    return Item(
        account.name, note, "building-2", reverse("accounts:account-detail", args=[account.pk])
    )


def _request(request: ServiceRequest) -> Item:
    account = request.account.name if request.account else ""
    note = " · ".join(filter(None, [request.number, account, request.get_state_display()]))
    return Item(str(request), note, "clipboard-list", reverse("requests:detail", args=[request.pk]))


def _project(project: Project) -> Item:
    note = f"{project.number} · {project.get_state_display()}"
    return Item(project.title, note, "folder-kanban", reverse("projects:detail", args=[project.pk]))


def _imports(user: User, text: str) -> Iterable[Item]:
    found = imports_visible_to(user)
    number = text.upper().removeprefix("IMP-")
    if number.isdecimal() and len(number) <= 18:  # noqa: PLR2004 -- what a key can be
        found = found.filter(pk=int(number))
    else:
        found = found.filter(filename__icontains=text)
    return [
        Item(
            f"{each.number} {each.filename}",
            "Import",
            "file-input",
            reverse("imports:detail", args=[each.pk]),
        )
        for each in found[:MOST_IMPORTS]
    ]


def _create(here: Navigation, text: str) -> list[Item]:
    items = []
    if here.new_request_url:
        items += [
            Item("New request", "Create", "plus", here.new_request_url, keys=("C",)),
            Item(
                "New request from an e-mail or chat",
                "Create",
                "clipboard-paste",
                reverse("requests:paste"),
            ),
        ]
    if can_propose(here.user):
        items.append(Item("Propose a project", "Create", "lightbulb", reverse("projects:new")))
    return [item for item in items if _fits(item.label, text)]


def _help(text: str) -> list[Item]:
    items = [
        Item("Keyboard shortcuts", "Help", "keyboard", keys=("?",), open="shortcuts"),
        Item(
            "How the number is defined",
            "Help",
            "circle-question-mark",
            reverse("metrics:definition"),
        ),
    ]
    return [item for item in items if _fits(item.label, text)]


def _fits(label: str, text: str) -> bool:
    return all(word in label.lower() for word in text.lower().split())
