"""What every page of a project shares: the project, its header, tabs and next steps."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from accounts.here import Here, page
from accounts.stories import Story
from config.lib.authz import require
from config.lib.ui.formats import day_text
from engagements.models import ServiceRequest
from engagements.words import StateTag as RequestTag
from engagements.words import state_tag as request_tag
from events.workflow import Option
from people.models import User
from projects import permissions, selectors, services
from projects.models import Allocation, Project, ProjectAccount, Stakeholder
from projects.rules.charter import missing_parts
from projects.rules.charter_values import Seats
from projects.selectors import history, lateness
from projects.services.splitting import why_not_splittable
from projects.views.lift import ExpectedLift
from projects.views.next_steps import NextSteps
from projects.views.progress import Step, steps_of
from projects.views.scores import Why
from projects.views.stories import stories_on
from projects.views.words import StateTag, state_tag

EXCERPT = 4
MOST_COUNTED = 200
# Tabs by label: what the page passes as `tab`.
CHARTER, SUPPORT, SCORE, DELIVERY, ACTIVITY = (
    "Charter",
    "Support plan",
    "Score",
    "Delivery",
    "Activity",
)
TABS = [
    (CHARTER, "projects:detail"),
    (SUPPORT, "projects:support"),
    (SCORE, "projects:score"),
    (DELIVERY, "projects:delivery"),
    (ACTIVITY, "projects:activity"),
]


@dataclass(frozen=True)
class Served:
    """A request the project serves, and how it stands."""

    request: ServiceRequest

    @property
    def state(self) -> RequestTag:
        return request_tag(self.request)


@dataclass(frozen=True)
class Shell:
    """One project as its pages show it; what costs a statement is read once, when needed."""

    here: Here
    project: Project

    @property
    def state(self) -> StateTag:
        return state_tag(self.project)

    @cached_property
    def options(self) -> list[Option]:
        """Return what may happen next, for who looks: open, blocked, or for others to do."""
        return services.options(self.project, self.here.user, at=self.here.now)

    def option(self, transition: str) -> Option | None:
        return next((each for each in self.options if each.transition.id == transition), None)

    @cached_property
    def next_steps(self) -> NextSteps:
        return NextSteps(self)

    @property
    def steps(self) -> list[Step]:
        return steps_of(self)

    @cached_property
    def may_edit(self) -> bool:
        """Whether who looks may change the charter."""
        return not self.project.is_over and permissions.can_edit(self.here.user, self.project)

    @property
    def may_split(self) -> bool:
        """Whether who looks may split it, and it can be."""
        can_split = permissions.can_split(self.here.user, self.project)
        return can_split and not why_not_splittable(self.project)

    @cached_property
    def missing(self) -> list[str]:
        """Return what the charter lacks, in the words and the order of its page."""
        return missing_parts(selectors.charter_of(self.project))

    @cached_property
    def leads(self) -> list[User]:
        return list(self.project.leads.order_by("name", "pk"))

    @cached_property
    def stakeholders(self) -> list[Stakeholder]:
        return list(self.project.stakeholders.select_related("person").order_by("kind", "pk"))

    @property
    def stakeholders_by_kind(self) -> list[tuple[str, list[Stakeholder]]]:
        """Return who has which say, in the order of the kinds."""
        found = [
            (label, [each for each in self.stakeholders if each.kind == kind])
            for kind, label in Stakeholder.Kind.choices
        ]
        return [(label, people) for label, people in found if people]

    @cached_property
    def planned(self) -> list[Allocation]:
        """Return who is on it, the next first."""
        rows = self.project.allocations.select_related("person", "increment__team")
        return list(rows.order_by("increment__start", "person__name", "pk"))

    @cached_property
    def accounts(self) -> list[ProjectAccount]:
        """Return its accounts, with the seats it would unlock there."""
        rows = self.project.account_links.select_related("account__facts__tier")
        return list(rows.order_by("account__name", "pk"))

    @property
    def seats(self) -> Seats:
        """Return the seats it would unlock, over all its accounts."""
        links = self.accounts
        return Seats(
            sum(link.seats_low or 0 for link in links),
            sum(link.seats_likely or 0 for link in links),
            sum(link.seats_high or 0 for link in links),
        )

    @cached_property
    def requests(self) -> list[Served]:
        return [Served(each) for each in selectors.requests_of(self.project)]

    @cached_property
    def parts(self) -> list[Project]:
        """Return the project it was split into, part 1 first; empty where it was not."""
        first = self.project.part_of or self.project
        others = list(first.parts.order_by("part", "pk"))
        return [first, *others] if others else []

    @cached_property
    def why(self) -> Why:
        """Return why it scores what it does."""
        return Why(self.project, self.here)

    @cached_property
    def lift(self) -> ExpectedLift:
        """Return what its seats are worth to the number, and at which accounts."""
        return ExpectedLift(self.project, self.accounts)

    @property
    def is_late(self) -> bool:
        return lateness.days_late(self.project, self.here.today) > 0

    @cached_property
    def events(self) -> Any:
        """Return what happened to it and to what hangs on it, the newest first."""
        return history.events_of_project(self.project)

    @cached_property
    def event_count(self) -> str | None:
        count = self.events.order_by().values("pk")[: MOST_COUNTED + 1].count()
        return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count or "") or None

    @cached_property
    def activity(self) -> list[Story]:
        """Return the latest of it, for the rail."""
        return stories_on(self, list(self.events[:EXCERPT]))

    @property
    def summary(self) -> str:
        """Who proposed it when, and what it is, in a line."""
        project = self.project
        on = self.day(project.proposed_at)
        kind, type_ = project.get_kind_display(), project.get_type_display().lower()
        return f"{kind}, {type_}. Proposed by {project.proposed_by.name} on {on}."

    @property
    def address(self) -> str:
        return reverse("projects:detail", args=[self.project.pk])

    def tabs(self, current: str) -> list[dict[str, Any]]:
        counts = {ACTIVITY: self.event_count}
        return [
            {
                "label": label,
                "url": reverse(name, args=[self.project.pk]),
                "current": label == current,
                "count": counts.get(label),
            }
            for label, name in TABS
        ]

    def day(self, moment: dt.datetime | None) -> str:
        """Return the day of the moment on the company's clocks."""
        if moment is None:
            return ""
        return day_text(moment.astimezone(self.here.zone).date(), self.here.today)


def project_shell(request: HttpRequest, number: int) -> Shell:
    """Return the project of this number; 404 where there is none for this person."""
    here = Here.of(request)
    require(permissions.can_see_projects, here.user)
    found = (
        selectors.projects_visible_to(here.user)
        .select_related("increment__team", "preempted_by", "part_of", "proposed_by", "approved_by")
        .filter(pk=number)
        .first()
    )
    if found is None:
        raise Http404
    return Shell(here, found)


def project_page(
    request: HttpRequest,
    shell: Shell,
    template: str,
    tab: str,
    context: dict[str, Any] | None = None,
    *,
    partial: str | Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    """Render a template that extends projects/project.html, at once, on the company's clocks."""
    shared = {"shell": shell, "project": shell.project, "tabs": shell.tabs(tab), "tab": tab}
    return page(
        request,
        template,
        {**shared, **(context or {})},
        here=shell.here,
        partial=partial,
        status=status,
    )
