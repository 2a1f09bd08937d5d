"""What the address of the list of projects asks for: filters, order, columns, and its rows."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from accounts.here import Here
from accounts.models import Account
from config.lib import lists
from config.lib.authz import require
from config.lib.keyset import Key, keys_for
from config.lib.lists import Column, ListPage, State, ViewBar
from people.permissions import can_change_view
from projects import permissions, selectors
from projects.forms.lists import ProjectFilterForm
from projects.models import Project
from projects.selectors import lateness
from projects.selectors.board import choices
from projects.selectors.lists import Asker, ListFilters, account_asked, filtered, in_view
from projects.views.words import StateTag, state_tag

SORTS = {
    "number": "pk",
    "title": "title",
    "score": "score",
    "lift": "lift",
    "impact": "impact",
    "days": "days",
    "owner": "owner__name",
    "waiting": "moved_at",
    "start": "increment__start",
    "roll_out": "roll_out_on",
}
DEFAULT_SORT = "-score"
VIEW_LABELS = {
    "": "Open",
    "mine": "Mine",
    "unscored": "Not scored",
    "blocked": "Blocked",
    "late": "Late",
    "orphaned": "No owner",
    "held": "On hold",
    "all": "All",
}
# Those that name their states themselves, so that a chosen state is not narrowed to them.
STATELESS = frozenset({""})
COLUMNS = (
    Column("state", "State", fields=("state",)),
    Column("score", "Score", sort="score", numeric=True, fields=("score",)),
    Column("impact", "Impact", sort="impact", fields=("impact",)),
    Column("effort", "Effort", fields=("effort",)),
    Column("days", "Days", sort="days", numeric=True, fields=("days",)),
    Column(
        "lift",
        "Expected lift",
        sort="lift",
        numeric=True,
        fields=("lift", "lift_low", "lift_high"),
    ),
    Column("accounts", "Accounts", fields=("accounts",)),
    Column("seats", "Seats", numeric=True, fields=("seats_low", "seats_likely", "seats_high")),
    Column("owner", "Owner", sort="owner", fields=("owner",)),
    Column("leads", "Leads", fields=("leads",)),
    Column("increment", "Increment", sort="start", fields=("increment", "start", "end")),
    Column("waiting", "In this state since", sort="waiting", fields=("state_since",)),
    Column("kind", "Kind", fields=("kind",)),
    Column("type", "Type", fields=("type",)),
    Column("roll_out", "Roll-out", sort="roll_out", fields=("roll_out_on",)),
    Column("proposed_by", "Proposed by", fields=("proposed_by",)),
)
PROJECTS = lists.register(
    ListPage(
        name="projects",
        label="Projects",
        icon="square-kanban",
        url_name="projects:list",
        parameters=("view", "q", "state", "kind", "type", "owner", "lead", "account", "sort"),
        columns=COLUMNS,
        default_columns=(
            "state", "score", "impact", "effort", "lift", "accounts", "owner", "increment",
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
    form: ProjectFilterForm
    projects: QuerySet[Project]
    state: State
    account: Account | None
    # Parts of the address that mean nothing, by label.
    problems: list[tuple[str, str]]

    @classmethod
    def of(cls, request: HttpRequest) -> "Listing":
        here, asked = Here.of(request), request.GET
        require(permissions.can_see_projects, here.user)
        visible = selectors.projects_visible_to(here.user)
        account = account_asked(asked.get("account", ""), here.user)
        form = ProjectFilterForm(asked, choices=choices(visible), account=account)
        problems = form.problems()
        view, sort = asked.get("view", ""), asked.get("sort", "") or DEFAULT_SORT
        if view not in VIEW_LABELS:
            problems.append(("View", "There is no such view."))
            view = ""
        if sort.removeprefix("-") not in SORTS:
            problems.append(("Order", "The list cannot be sorted by this."))
            sort = DEFAULT_SORT
        filters, asker = form.filters(), Asker(here.user, here.today)
        projects = filtered(visible, filters, asker)
        if not (filters.state and view in STATELESS):
            projects = in_view(projects, view, asker)
        state = PROJECTS.state_of(asked)
        return cls(here, view, sort, form, projects, state, account, problems)

    @property
    def ordering(self) -> list[Key]:
        sign = "-" if self.sort.startswith("-") else ""
        return keys_for(Project, [sign + SORTS[self.sort.removeprefix("-")]])

    @property
    def is_narrowed(self) -> bool:
        return bool(self.view) or self.form.filters() != ListFilters()

    @property
    def view_label(self) -> str:
        is_by_state = self.view in STATELESS and self.form.filters().state
        return "By state" if is_by_state else VIEW_LABELS[self.view]

    @property
    def columns(self) -> list[Column]:
        return PROJECTS.shown(self.state.columns)

    def bar(self, asked: QueryDict) -> ViewBar:
        user = self.here.user
        return lists.view_bar(
            PROJECTS,
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

    @property
    def for_rows(self) -> QuerySet[Project]:
        """Return the projects with what the rows show of each."""
        rows = self.projects.select_related("owner", "proposed_by", "increment__team")
        return rows.prefetch_related("account_links__account", "leads")

    def rows(self, found: list[Project]) -> list["Row"]:
        return [Row(each, self.here) for each in found]


@dataclass(frozen=True)
class Row:
    project: Project
    here: Here

    @property
    def state(self) -> StateTag:
        return state_tag(self.project)

    @cached_property
    def accounts(self) -> list[Account]:
        found = [link.account for link in self.project.account_links.all()]
        return sorted(found, key=lambda account: account.name)

    @property
    def seats(self) -> int | None:
        told = [link.seats_likely for link in self.project.account_links.all()]
        known = [seats for seats in told if seats is not None]
        return sum(known) if known else None

    @property
    def is_late(self) -> bool:
        return lateness.days_late(self.project, self.here.today) > 0
