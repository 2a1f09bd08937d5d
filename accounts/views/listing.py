"""What the address of the accounts list asks for: filters, order, columns, and its rows."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from accounts import permissions, selectors
from accounts.forms import AccountFilterForm
from accounts.here import Here
from accounts.models import Account, AccountFacts
from accounts.words import SHORT
from config.lib import lists
from config.lib.authz import require
from config.lib.keyset import Key, keys_for
from config.lib.lists import Column, ListPage, State, ViewBar
from people.permissions import can_change_view

SORTS = {
    "name": "name",
    "arr": "facts__arr",
    "share": "facts__share",
    "to_go": "facts__seats_to_go",
    "renewal": "facts__renewal_on",
}
DEFAULT_SORT = "name"
VIEW_LABELS = {
    "mine": "Mine",
    "below": "Below {line}%",
    "near": "Within 5 points",
    "renewal": "Renewal in 120 days",
    "stale": "Stale data",
    "": "All",
}
COLUMNS = (
    Column("tier", "Tier", fields=("tier",)),
    Column("arr", "ARR", sort="arr", numeric=True, fields=("arr", "currency")),
    Column(
        "share",
        "Seats deployed",
        sort="share",
        fields=("seats_licensed", "unlimited", "seats_deployed", "seats_share"),
    ),
    Column("to_go", "Seats to go", sort="to_go", numeric=True, fields=("seats_to_go",)),
    Column("renewal", "Renewal", sort="renewal", fields=("renewal_on",)),
    Column("tam", "TAM", fields=("tam",)),
    Column("licensed", "Licensed", numeric=True, fields=("seats_licensed", "unlimited")),
    Column("deployed", "Deployed", numeric=True, fields=("seats_deployed",)),
    Column("metric", "Metric", fields=("eligible", "passes", "reason")),
    Column("data", "Data", fields=("data_state",)),
    Column("status", "Status", fields=("status",)),
    Column("region", "Region", fields=("region",)),
    Column("segment", "Segment", fields=("segment",)),
    Column("strategic", "Strategic", fields=("strategic",)),
    Column("external_id", "Source id", fields=("source", "external_id")),
)
ACCOUNTS = lists.register(
    ListPage(
        name="accounts",
        label="Accounts",
        icon="building-2",
        url_name="accounts:account-list",
        parameters=(
            "view", "q", "tier", "region", "tam", "status", "standing", "state", "sort",
        ),
        columns=COLUMNS,
        default_columns=("tier", "arr", "share", "to_go", "renewal", "tam"),
        defaults=(("sort", DEFAULT_SORT),),
    )
)  # fmt: skip


@dataclass(frozen=True)
class Listing:
    """What an address asks of the list."""

    here: Here
    view: str
    sort: str
    form: AccountFilterForm
    accounts: QuerySet[Account]
    state: State
    # Parts of the address that mean nothing, by label.
    problems: list[tuple[str, str]]

    @classmethod
    def of(
        cls, request: HttpRequest, asked: QueryDict | None = None, *, here: Here | None = None
    ) -> "Listing":
        """Read the address, or what a form sent along of one."""
        here = here or Here.of(request)
        asked = request.GET if asked is None else asked
        require(permissions.can_see_accounts, here.user)
        form = AccountFilterForm(asked, choices=selectors.choices())
        problems = form.problems()
        view, sort = asked.get("view", ""), asked.get("sort", "") or DEFAULT_SORT
        if view not in VIEW_LABELS:
            problems.append(("View", "There is no such view."))
            view = ""
        if sort.removeprefix("-") not in SORTS:
            problems.append(("Order", "The list cannot be sorted by this."))
            sort = DEFAULT_SORT
        visible = selectors.accounts_visible_to(here.user).select_related(None)
        shown = visible.select_related("facts__tier", "facts__tam")
        accounts = selectors.filtered(shown, form.filters())
        if view:
            asker = selectors.Asker(here.user, here.today, here.terms)
            accounts = selectors.in_view(accounts, view, asker)
        return cls(here, view, sort, form, accounts, ACCOUNTS.state_of(asked), problems)

    @property
    def ordering(self) -> list[Key]:
        sign = "-" if self.sort.startswith("-") else ""
        return keys_for(Account, [sign + SORTS[self.sort.removeprefix("-")]])

    @property
    def is_narrowed(self) -> bool:
        filters = self.form.filters()
        return bool(self.view) or filters != selectors.Filters()

    @property
    def view_label(self) -> str:
        return VIEW_LABELS[self.view].format(line=self.here.terms.share_percent)

    @property
    def columns(self) -> list[Column]:
        return ACCOUNTS.shown(self.state.columns)

    def bar(self, asked: QueryDict) -> ViewBar:
        user = self.here.user
        return lists.view_bar(
            ACCOUNTS,
            asked,
            user.visible_views,
            may_change=lambda view: can_change_view(user, view),  # type: ignore[arg-type]
        )

    def built_in_views(self, *, opened: bool) -> list[dict[str, Any]]:
        """Return the ready-made views; they keep the columns, unless those are a saved view's."""
        columns = () if opened else self.state.columns
        line = self.here.terms.share_percent
        return [
            {
                "label": label.format(line=line),
                "url": State(f"view={view}" if view else "", columns).address(),
                "current": view == self.view and not opened,
            }
            for view, label in VIEW_LABELS.items()
        ]


@dataclass(frozen=True)
class Row:
    account: Account
    facts: AccountFacts | None
    # Why there is no result, or why the account does not count.
    short: str

    @property
    def tone(self) -> str:
        return "good" if self.facts and self.facts.passes else ""

    @property
    def metric(self) -> str:
        """How it stands to the line, in a word."""
        facts = self.facts
        if facts is None or not facts.eligible:
            return "outside"
        if facts.unlimited:
            return "unlimited"
        if facts.passes is None:
            return "unknown"
        return "reaches the line" if facts.passes else "below"

    @classmethod
    def of(cls, account: Account) -> "Row":
        facts = getattr(account, "facts", None)
        return cls(account, facts, SHORT.get(facts.reason, "") if facts else "not computed yet")
