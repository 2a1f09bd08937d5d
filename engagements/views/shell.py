"""What every page of a request shares: the request itself, its header, tabs and next steps."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse

from accounts.views.shell import Here, page
from config.lib.authz import require
from config.lib.ui.formats import day_text
from engagements import permissions, selectors, services
from engagements.models import (
    Owner,
    RequestState,
    ServiceRequest,
    SignOff,
    SowVersion,
    WorkAtRisk,
)
from engagements.views.words import StateTag, state_tag
from events.workflow import Option

S = RequestState
DONE, NOW, AHEAD = "done", "now", "ahead"
BEFORE_A_SOW = frozenset({S.DRAFT, S.SUBMITTED, S.ROUTED_OUT})


class Step(NamedTuple):
    """One stage of the progress line."""

    label: str
    status: str = AHEAD

    @property
    def icon(self) -> str:
        return {DONE: "circle-check", NOW: "circle-dot", AHEAD: "circle-dashed"}[self.status]


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
    def sign_off(self) -> SignOff | None:
        """Return the live sign-off of the current version."""
        return selectors.live_sign_off(self.request, on=self.here.today)

    @cached_property
    def risk(self) -> WorkAtRisk | None:
        return selectors.live_risk(self.request, on=self.here.today)

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

    @property
    def address(self) -> str:
        return reverse("requests:detail", args=[self.request.pk])

    def tabs(self, current: str) -> list[dict[str, Any]]:
        counts = {"Statement of work": str(self.sow) if self.sow else None}
        return [
            {
                "label": label,
                "url": url,
                "current": label == current,
                "count": counts.get(label),
            }
            for label, name in TABS
            if (url := _url(name, self.request.pk))
        ]

    @cached_property
    def steps(self) -> list[Step]:
        """The stages from filed to closed, as far as this request went."""
        request = self.request
        steps = [self._filed(), self._in_scope()]
        if request.state == S.ROUTED_OUT:
            return steps
        if request.fast_path:
            steps.append(Step("Fast path, no sign-off needed", DONE))
        else:
            steps += [self._written(), self._signed()]
        steps += [self._delivered(), self._closed()]
        return [step for step in steps if step.label]

    def _filed(self) -> Step:
        request = self.request
        if request.submitted_at is None:
            return Step("Not filed yet", NOW if request.is_open else AHEAD)
        return Step(f"Filed {self.day(request.submitted_at)}", DONE)

    def _in_scope(self) -> Step:
        request = self.request
        if request.state == S.ROUTED_OUT:
            return Step(f"Routed to {request.get_owner_display()}", NOW)
        if request.owner == Owner.DE and request.routed_at:
            return Step(f"In scope {self.day(request.routed_at)}", DONE)
        is_now = request.state in {S.SUBMITTED, S.NEEDS_INFO}
        return Step("Needs an owner" if is_now else "In scope", NOW if is_now else AHEAD)

    def _written(self) -> Step:
        request, sow = self.request, self.sow
        label = f"Statement of work {sow}" if sow else "Statement of work"
        if sow is not None and sow.is_frozen:
            return Step(label, DONE)
        is_now = _phase(request) == S.SOW_DRAFTING
        return Step(label, NOW if is_now else AHEAD)

    def _signed(self) -> Step:
        request = self.request
        if _phase(request) in BEFORE_A_SOW or self.sow is None:
            return Step("Signed")
        if self.sign_off is not None:
            return Step(f"Signed {self.day(self.sign_off.answered_at or self.sign_off.recorded_at)}", DONE)
        if self.risk is not None:
            return Step(f"At risk until {day_text(self.risk.expires_on, self.here.today)}", NOW)
        if _phase(request) == S.AWAITING_SIGNOFF:
            return Step("Waiting for sign-off", NOW)
        return Step("Signed")

    def _delivered(self) -> Step:
        request = self.request
        if request.delivered_at:
            return Step(f"Delivered {self.day(request.delivered_at)}", DONE)
        phase = _phase(request)
        if phase == S.IN_PROGRESS and request.end:
            return Step(f"In progress until {day_text(request.end, self.here.today)}", NOW)
        if phase == S.SCHEDULED and request.start:
            return Step(f"Starts {day_text(request.start, self.here.today)}", NOW)
        if phase in {S.SIGNED_OFF, S.TRIAGED}:
            return Step("To be scheduled", NOW)
        return Step("Delivered")

    def _closed(self) -> Step:
        request = self.request
        if request.state in {S.DECLINED, S.CANCELLED, S.CLOSED}:
            label = f"{request.get_state_display()} {self.day(request.closed_at)}"
            return Step(label.strip(), DONE if request.state == S.CLOSED else NOW)
        if request.state == S.ACCEPTED:
            return Step("To be closed", NOW)
        if request.state == S.DELIVERED:
            return Step("Waiting for acceptance", NOW)
        return Step("Closed")

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
        .select_related("account__facts__tier", "contact", "owner_user", "waits_for")
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


def _phase(request: ServiceRequest) -> str:
    """Return where it is; of what waits, where it goes on."""
    return request.paused_from or request.state


def _url(name: str, number: int) -> str:
    try:
        return reverse(name, args=[number])
    except NoReverseMatch:
        return ""
