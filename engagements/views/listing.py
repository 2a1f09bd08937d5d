"""What the address of the list of requests asks for: filters, order, columns, and its rows."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from accounts.here import Here
from accounts.models import Account
from accounts.selectors import accounts_visible_to
from config.lib import lists
from config.lib.authz import require
from config.lib.keyset import Key, keys_for
from config.lib.lists import Column, ListPage, State, ViewBar
from config.lib.ui.formats import day_text
from engagements import permissions, selectors
from engagements.forms.lists import RequestFilterForm
from engagements.models import ServiceRequest
from engagements.selectors.agreements import Agreement, agreements_of
from engagements.selectors.lists import ACCOUNT, Asker, Filters, choices, filtered, in_view
from engagements.words import StateTag, state_tag
from people.permissions import can_change_view

SORTS = {
    "number": "pk",
    "title": "title",
    "account": "account__name",
    "impact": "impact",
    "waiting": "moved_at",
    "needed": "needed_by",
    "start": "start",
    "seats": "seats_likely",
}
DEFAULT_SORT = "-number"
VIEW_LABELS = {
    "": "Open",
    "mine": "Mine",
    "me": "Needs me",
    "unowned": "Needs an owner",
    "signoff": "Waiting for sign-off",
    "ready": "To be scheduled",
    "work": "In work",
    "all": "All",
}
# Those that name their states themselves, so that a chosen state is not narrowed to them.
STATELESS = frozenset({""})
COLUMNS = (
    Column("account", "Account", sort="account", fields=("account", "account_name")),
    Column("state", "State", fields=("state",)),
    Column("owner", "Owner", fields=("owner",)),
    Column("type", "Type", fields=("type",)),
    Column("impact", "Impact", sort="impact", fields=("impact",)),
    Column("effort", "Effort", fields=("effort",)),
    Column("filed_by", "Filed by", fields=("filed_by",)),
    Column("lead", "Lead", fields=("lead",)),
    Column("waiting", "Waiting since", sort="waiting", fields=("state_since",)),
    Column("sign_off", "Sign-off", fields=("signed_off_at",)),
    Column(
        "seats",
        "Seats",
        sort="seats",
        numeric=True,
        fields=("seats_low", "seats_likely", "seats_high"),
    ),
    Column("needed", "Needed by", sort="needed", fields=("needed_by",)),
    Column("start", "Work", sort="start", fields=("start", "end")),
    Column("submitted", "Filed", fields=("submitted_at",)),
)
REQUESTS = lists.register(
    ListPage(
        name="requests",
        label="Requests",
        icon="clipboard-list",
        url_name="requests:list",
        parameters=(
            "view", "q", "state", "type", "owner", "filed_by", "lead", "impact", "account", "sort",
        ),
        columns=COLUMNS,
        default_columns=(
            "account", "state", "impact", "filed_by", "lead", "waiting", "sign_off", "seats",
        ),
        defaults=(("sort", DEFAULT_SORT),),
    )
)  # fmt: skip


@dataclass(frozen=True)
class Listing:
    """What an address asks of the list."""

    here: Here
    view: str
    sort: str
    form: RequestFilterForm
    requests: QuerySet[ServiceRequest]
    state: State
    # Parts of the address that mean nothing, by label.
    problems: list[tuple[str, str]]

    @classmethod
    def of(cls, request: HttpRequest, asked: QueryDict | None = None) -> "Listing":
        """Read the address, or what a form sent along of one."""
        here = Here.of(request)
        asked = request.GET if asked is None else asked
        require(permissions.can_see_requests, here.user)
        form = RequestFilterForm(asked, choices=choices())
        problems = form.problems()
        view, sort = asked.get("view", ""), asked.get("sort", "") or DEFAULT_SORT
        if view not in VIEW_LABELS:
            problems.append(("View", "There is no such view."))
            view = ""
        if sort.removeprefix("-") not in SORTS:
            problems.append(("Order", "The list cannot be sorted by this."))
            sort = DEFAULT_SORT
        filters = form.filters()
        requests = filtered(selectors.requests_visible_to(here.user), filters, here.user)
        if not (filters.state and view in STATELESS):
            requests = in_view(requests, view, Asker(here.user, here.now, here.today))
        return cls(here, view, sort, form, requests, REQUESTS.state_of(asked), problems)

    @property
    def ordering(self) -> list[Key]:
        sign = "-" if self.sort.startswith("-") else ""
        return keys_for(ServiceRequest, [sign + SORTS[self.sort.removeprefix("-")]])

    @property
    def is_narrowed(self) -> bool:
        return bool(self.view) or self.form.filters() != Filters()

    @property
    def view_label(self) -> str:
        is_by_state = self.view in STATELESS and self.form.filters().state
        return "By state" if is_by_state else VIEW_LABELS[self.view]

    @property
    def columns(self) -> list[Column]:
        return REQUESTS.shown(self.state.columns)

    @property
    def account(self) -> Account | None:
        """Return the account that the list is narrowed to."""
        number = ACCOUNT.fullmatch(self.form.filters().account)
        if number is None:
            return None
        visible = accounts_visible_to(self.here.user).select_related(None)
        return visible.filter(pk=min(int(number[1]), 2**63 - 1)).first()

    def bar(self, asked: QueryDict) -> ViewBar:
        user = self.here.user
        return lists.view_bar(
            REQUESTS,
            asked,
            user.visible_views,
            may_change=lambda view: can_change_view(user, view),  # type: ignore[arg-type]
        )

    def built_in_views(self, *, opened: bool) -> list[dict[str, Any]]:
        """Return the ready-made views; they keep the columns, unless those are a saved view's."""
        columns = () if opened else self.state.columns
        return [
            {
                "label": label,
                "url": State(f"view={view}" if view else "", columns).address(),
                "current": view == self.view and not opened,
            }
            for view, label in VIEW_LABELS.items()
        ]

    def rows(self, found: list[ServiceRequest]) -> list["Row"]:
        agreed = {}
        if any(column.name == "sign_off" for column in self.columns):
            agreed = agreements_of(found, on=self.here.today)
        return [Row(each, agreed_tag(agreed.get(each.pk), self.here)) for each in found]


class Row(NamedTuple):
    request: ServiceRequest
    agreed: StateTag | None

    @property
    def state(self) -> StateTag:
        return state_tag(self.request)


AGREED = {
    "not_needed": ("Not needed", "line", ""),
    "draft": ("Draft", "line", ""),
    "waiting": ("Waiting", "warn", "hourglass"),
    "unconfirmed": ("To be confirmed", "warn", "hourglass"),
    "weak": ("Too weak", "warn", "triangle-alert"),
    "superseded": ("Superseded", "warn", "git-compare"),
    "signed": ("Signed", "good", "circle-check"),
    "at_risk": ("At risk", "bad", "triangle-alert"),
}


def agreed_tag(agreement: Agreement | None, here: Here) -> StateTag | None:
    if agreement is None or agreement.kind not in AGREED:
        return None
    label, tone, icon = AGREED[agreement.kind]
    if agreement.until:
        label = f"{label} until {day_text(agreement.until, here.today)}"
    elif agreement.version:
        label = f"{label} v{agreement.version}"
    return StateTag(label, tone, icon)
