"""The list of accounts as of another day: by name, with what was known of each."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse

from accounts import permissions, selectors
from accounts.forms.lists import AccountFilterForm, PastSearchForm
from accounts.here import Here, page
from accounts.models import Account
from accounts.selectors import then as past
from accounts.views.listing import ACCOUNTS, DEFAULT_SORT, Row
from config.lib.authz import require
from config.lib.errors import Invalid
from config.lib.keyset import Key, ordered
from config.lib.lists import COLUMNS
from config.lib.paging import paged
from config.lib.rendering import CHUNK_ROWS
from config.lib.then import Link, Then
from config.lib.ui.formats import number_text

BY_NAME = [Key("name"), Key("fact_id")]
LABELS = {
    "view": "View",
    "sort": "Order",
    **{name: str(field.label) for name, field in AccountFilterForm.base_fields.items()},
}


def list_then(request: HttpRequest, here: Here, then: Then) -> HttpResponse:
    require(permissions.can_see_accounts, here.user)
    form = PastSearchForm(request.GET)
    text = form.text()
    versions = narrowed(here, then, text)
    found = paged(request, versions, BY_NAME)
    accounts = past.accounts_of(found.rows, then)
    state = ACCOUNTS.state_of(request.GET)
    asked = {COLUMNS: ",".join(state.columns), "q": text, **then.parameters}
    query = urlencode({name: value for name, value in asked.items() if value})
    context: dict[str, Any] = {
        "then": then.noted(*_left_out(request), links=_links(then)),
        "filters": form,
        "problems": form.problems(),
        "columns": ACCOUNTS.shown(state.columns),
        "rows": [Row.of(account) for account in accounts],
        "paged": found,
        "summary": _summary(versions, accounts, is_whole=not (found.previous or found.next)),
        "is_narrowed": bool(text),
        "line": here.terms.share_percent,
        "currency": here.company.reporting_currency,
        "csv_url": f"{reverse('accounts:account-export')}?{query}",
        "xlsx_url": f"{reverse('accounts:account-workbook')}?{query}",
        "clear_url": f"{request.path}{then.query}",
    }
    return page(request, "accounts/account_list_then.html", context, here=here, partial="list")


def narrowed(here: Here, then: Then, text: str) -> "QuerySet[Any, Any]":
    """Return the accounts known then, of that name as it was then, id or number."""
    versions = past.accounts_known(here.user, then)
    return versions.filter(selectors.search(text, key="fact_id")) if text else versions


def rows_then(here: Here, then: Then, text: str, paths: Sequence[str]) -> Iterator[list[Any]]:
    """Yield the lines of a file, a chunk of accounts at a time; a path may be empty."""
    versions = ordered(narrowed(here, then, text), BY_NAME).iterator(chunk_size=CHUNK_ROWS)
    while chunk := list(islice(versions, CHUNK_ROWS)):
        for account in past.accounts_of(chunk, then):
            yield [_value(account, path, here) for path in paths]


def file_text(request: HttpRequest) -> str:
    """Return the words searched for in a file; what else would narrow it is refused."""
    form = PastSearchForm(request.GET)
    wrong = [f"{label}: {text}" for label, text in form.problems()] + _left_out(request)
    if wrong:
        raise Invalid(" ".join(wrong))
    return form.text()


def _value(account: Account, path: str, here: Here) -> Any:
    if not path:
        return here.company.reporting_currency
    if path == "pk":
        return account.number
    found: Any = account
    for name in path.split("__"):
        found = getattr(found, name, None)
    return found


def _left_out(request: HttpRequest) -> list[str]:
    given = [
        label
        for name, label in LABELS.items()
        if name != "q" and request.GET.get(name, "") not in {"", DEFAULT_SORT}
    ]
    if not given:
        return []
    words = ", ".join(given)
    return [f"Of another day the list comes whole and by name. Left out of this address: {words}."]


def _links(then: Then) -> list[Link]:
    try:
        url = reverse("metrics:account-list")
    except NoReverseMatch:
        return []
    return [Link("Accounts in the number of that day", f"{url}{then.query}")]


def _summary(versions: "QuerySet[Any, Any]", accounts: list[Account], *, is_whole: bool) -> str:
    if not is_whole:
        count, more = selectors.capped_count(versions)
        return f"{number_text(count)}{'+' if more else ''} accounts"
    return f"{number_text(len(accounts))} account{'' if len(accounts) == 1 else 's'}"
