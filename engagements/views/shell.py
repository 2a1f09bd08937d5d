"""What every page of a request shares: the request itself, its header, tabs and next steps."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from accounts.here import Here, page
from accounts.stories import Story
from accounts.words import Standing, standing_of
from config.lib.authz import require
from config.lib.ui.formats import day_text
from engagements import permissions, selectors, services
from engagements.models import ServiceRequest, SignOff, SowVersion, WorkAtRisk
from engagements.rules.clocks import Clock
from engagements.selectors import history, levels
from engagements.selectors.routing import Shown, decision_shown
from engagements.views.evidence_words import LinksCard, SignOffCard
from engagements.views.next_steps import NextSteps
from engagements.views.progress import Step, steps_of
from engagements.views.risk_words import RiskCard, risk_card
from engagements.views.sow_list import Versions
from engagements.views.stories import stories_on
from engagements.words import StateTag, state_tag
from events.workflow import Option

EXCERPT = 4
MOST_COUNTED = 200


@dataclass(frozen=True)
class Shell:
    """One request as its pages show it; what costs a statement is read once, when needed."""

    here: Here
    request: ServiceRequest

    @property
    def state(self) -> StateTag:
        return state_tag(self.request)

    @cached_property
    def options(self) -> list[Option]:
        """Return what may happen next, for who looks: open, blocked, or for others to do."""
        return services.options(self.request, self.here.user, at=self.here.now)

    def option(self, transition: str) -> Option | None:
        return next((each for each in self.options if each.transition.id == transition), None)

    @cached_property
    def sow(self) -> SowVersion | None:
        """Return the current version, sent or not."""
        return selectors.current_sow(self.request)

    @cached_property
    def versions(self) -> Versions:
        return Versions(self.request)

    @cached_property
    def sign_off(self) -> SignOff | None:
        """Return the live sign-off of the current version."""
        return selectors.live_sign_off(self.request, on=self.here.today)

    @cached_property
    def risk(self) -> WorkAtRisk | None:
        return selectors.live_risk(self.request, on=self.here.today)

    @cached_property
    def clocks(self) -> list[Clock]:
        """Return how fast it is, beside what the service levels ask for."""
        return levels.clocks_of([self.request], at=self.here.now)[self.request.pk]

    @cached_property
    def risk_card(self) -> RiskCard | None:
        here = self.here
        return risk_card(self.request, here.user, at=here.now, today=here.today)

    @cached_property
    def sign_off_card(self) -> SignOffCard:
        """Return what the customer agreed to, and what is still needed."""
        return SignOffCard(self)

    @cached_property
    def links_card(self) -> LinksCard:
        """Return who was asked by a link."""
        return LinksCard(self)

    @cached_property
    def decided(self) -> Shown | None:
        """Return who owns it and why, once that was decided."""
        return decision_shown(self.request)

    @cached_property
    def is_requester(self) -> bool:
        return permissions.is_requester_of(self.here.user, self.request)

    @cached_property
    def sees_parties(self) -> bool:
        return permissions.sees_parties(self.here.user, self.request)

    @property
    def summary(self) -> str:
        """Who filed it when, where it went, and what it asks for, in a line."""
        request = self.request
        filed = f"Begun by {request.filed_by.name}"
        if request.submitted_at:
            filed = f"Filed by {request.filed_by.name} on {self.day(request.submitted_at)}"
        kind = f" {request.get_type_display()}." if request.type else ""
        return f"{filed}.{kind}"

    @cached_property
    def events(self) -> Any:
        """Return what happened to it and to what hangs on it, the newest first."""
        return history.events_of_request(self.request)

    @cached_property
    def event_count(self) -> str | None:
        count = self.events.order_by().values("pk")[: MOST_COUNTED + 1].count()
        return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count or "") or None

    @cached_property
    def activity(self) -> list[Story]:
        """Return the latest of it, for the rail."""
        return stories_on(self, list(self.events[:EXCERPT]))

    @cached_property
    def next_steps(self) -> NextSteps:
        return NextSteps(self)

    @property
    def standing(self) -> Standing | None:
        """Return how its account stands to the metric."""
        account = self.request.account
        if account is None:
            return None
        return standing_of(account, getattr(account, "facts", None), self.here.setting)

    @property
    def address(self) -> str:
        return reverse("requests:detail", args=[self.request.pk])

    def tabs(self, current: str) -> list[dict[str, Any]]:
        counts = {
            "Statement of work": str(self.sow) if self.sow else None,
            "Activity": self.event_count,
        }
        return [
            {
                "label": label,
                "url": reverse(name, args=[self.request.pk]),
                "current": label == current,
                "count": counts.get(label),
            }
            for label, name in TABS
        ]

    @property
    def steps(self) -> list[Step]:
        return steps_of(self)

    def day(self, moment: dt.datetime | None) -> str:
        """Return the day of the moment on the company's clocks."""
        if moment is None:
            return ""
        return day_text(moment.astimezone(self.here.zone).date(), self.here.today)


TABS = [
    ("Request", "requests:detail"),
    ("Statement of work", "requests:sow"),
    ("Delivery", "requests:delivery"),
    ("Activity", "requests:activity"),
]


def request_shell(request: HttpRequest, number: int) -> Shell:
    """Return the request of this number; 404 where there is none for this person."""
    here = Here.of(request)
    require(permissions.can_see_requests, here.user)
    found = (
        selectors.requests_visible_to(here.user)
        .select_related("account__facts__tier", "contact", "owner_user", "waits_for", "roll_out")
        .filter(pk=number)
        .first()
    )
    if found is None:
        raise Http404
    return Shell(here, found)


def request_page(
    request: HttpRequest,
    shell: Shell,
    template: str,
    tab: str,
    context: dict[str, Any] | None = None,
    *,
    partial: str | Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    """Render a template that extends requests/request.html, at once, on the company's clocks."""
    shared = {
        "shell": shell,
        "service_request": shell.request,
        "account": shell.request.account,
        "tabs": shell.tabs(tab),
        "tab": tab,
    }
    return page(
        request,
        template,
        {**shared, **(context or {})},
        here=shell.here,
        partial=partial,
        status=status,
    )
