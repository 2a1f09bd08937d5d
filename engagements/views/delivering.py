"""The delivery of a request: what is done, what is missing, what the customer said, what came."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.here import add_refusal
from config.lib.authz import require
from config.lib.errors import DomainError, StaleWrite
from engagements import permissions, selectors
from engagements.delivery_forms import (
    ArtefactForm,
    CheckForm,
    ReasonForm,
    RetrospectiveForm,
    RollOutForm,
    TickForm,
    care_of,
)
from engagements.models import (
    Artefact,
    Delivery,
    OutcomeCheck,
    RequestState,
    RollOut,
    ServiceRequest,
    SignOff,
)
from engagements.selectors.delivering import Deliverable
from engagements.services import closing
from engagements.services import delivering as services
from engagements.services.delivering import Evidence
from engagements.views.shell import Shell, request_page, request_shell
from people.models import User
from people.writing import once

TAB = "Delivery"
P = ParamSpec("P")
Act = Callable[Concatenate[HttpRequest, "Tab", P], HttpResponse]


@dataclass(frozen=True)
class Tab:
    """The page, with the one form that was sent wrong."""

    shell: Shell
    sent: dict[str, forms.Form] = field(default_factory=dict)

    @cached_property
    def may_work(self) -> bool:
        is_now = self.shell.request.state == RequestState.IN_PROGRESS
        return is_now and permissions.works_on(self.shell.here.user, self.shell.request)

    @cached_property
    def may_look(self) -> bool:
        return permissions.is_party_of(self.shell.here.user, self.shell.request)

    @cached_property
    def deliverables(self) -> list[tuple[Deliverable, Any, Any]]:
        """Return each with the form that ticks it, or takes the tick back."""
        return [
            (each, self._tick_form(each.key), self._reason_form(each.key))
            for each in selectors.deliverables_of(self.shell.request)
        ]

    @property
    def done_count(self) -> int:
        return sum(each.tick is not None for each, _, _ in self.deliverables)

    @cached_property
    def artefacts(self) -> list[tuple[Artefact, Any]]:
        rows = self.shell.request.artefacts.select_related("by", "keeper").order_by("pk")
        return [(row, self._artefact_form(row)) for row in rows]

    @cached_property
    def new_artefact(self) -> forms.Form:
        return self.sent.get("artefact") or ArtefactForm(prefix="artefact")

    @cached_property
    def roll_out(self) -> RollOut | None:
        return RollOut.objects.filter(request=self.shell.request).select_related("by").first()

    @cached_property
    def roll_out_form(self) -> forms.Form:
        if sent := self.sent.get("roll-out"):
            return sent
        now = self.roll_out
        initial = {"note": now.note, "done_on": now.done_on} if now else None
        return RollOutForm(prefix="roll-out", today=self.shell.here.today, initial=initial)

    @cached_property
    def take_back_form(self) -> forms.Form:
        return self.sent.get("take-back") or ReasonForm(prefix="take-back")

    @cached_property
    def deliveries(self) -> list[tuple[Delivery, list[SignOff]]]:
        """Return what was handed over, newest first, each with the answers to it."""
        rows = self.shell.request.deliveries.select_related("by").order_by("-number")
        return [
            (row, list(row.sign_offs.select_related("recorded_by", "confirmed_by").order_by("pk")))
            for row in rows
        ]

    @cached_property
    def missed(self) -> str:
        return selectors.what_was_missed(self.shell.request)

    @property
    def may_write_retrospective(self) -> bool:
        states = (RequestState.DELIVERED, RequestState.ACCEPTED)
        return self.may_look and self.shell.request.state in states

    @cached_property
    def retrospective_form(self) -> forms.Form:
        request = self.shell.request
        initial = {"text": request.retrospective, "version": request.version}
        form = RetrospectiveForm(prefix="retrospective", initial=initial)
        return self.sent.get("retrospective") or form

    @cached_property
    def checks(self) -> list[tuple[OutcomeCheck, forms.Form | None]]:
        """Return the looks at the outcome, with a form for those that are due."""
        rows = self.shell.request.outcome_checks.select_related("done_by").order_by("days")
        return [(row, self._check_form(row)) for row in rows]

    def _tick_form(self, key: str) -> forms.Form:
        form = self.sent.get(f"tick-{key}")
        return form or TickForm(prefix=f"tick-{key}", today=self.shell.here.today)

    def _reason_form(self, key: str) -> forms.Form:
        return self.sent.get(f"untick-{key}") or ReasonForm(prefix=f"untick-{key}")

    def _artefact_form(self, row: Artefact) -> forms.Form:
        prefix = f"artefact-{row.uuid}"
        initial = {"name": row.name, "url": row.url, **care_of(row)}
        return self.sent.get(prefix) or ArtefactForm(prefix=prefix, initial=initial)

    def _check_form(self, row: OutcomeCheck) -> forms.Form | None:
        if row.done_at or row.due_on > self.shell.here.today or not self.may_look:
            return None
        return self.sent.get(f"check-{row.days}") or CheckForm(prefix=f"check-{row.days}")


def posts(
    who: Callable[[User, ServiceRequest], bool],
) -> Callable[["Act[P]"], Callable[Concatenate[HttpRequest, int, P], HttpResponse]]:
    """Make a view of what is done on this tab: it comes back here, or says what is wrong."""

    def decorated(act: "Act[P]") -> Callable[Concatenate[HttpRequest, int, P], HttpResponse]:
        @require_POST
        @once
        @wraps(act)
        def view(
            request: HttpRequest, number: int, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponse:
            shell = request_shell(request, number)
            require(who, shell.here.user, shell.request)
            return act(request, Tab(shell), *args, **kwargs)

        return view

    return decorated


@require_safe
def delivery(request: HttpRequest, number: int) -> HttpResponse:
    return _shown(request, Tab(request_shell(request, number)))


@posts(permissions.works_on)
def tick(request: HttpRequest, tab: Tab, key: str) -> HttpResponse:
    prefix, here = f"tick-{key}", tab.shell.here
    form = TickForm(request.POST, request.FILES, prefix=prefix, today=here.today)

    def act(given: dict[str, Any]) -> None:
        evidence = Evidence(
            text=given["evidence"],
            url=given["url"],
            upload=given["file"],
            done_on=given["done_on"],
        )
        services.tick(tab.shell.request, key, evidence, by=here.user, at=here.now)

    return _done(request, tab, form, act, place="deliverables")


@posts(permissions.works_on)
def untick(request: HttpRequest, tab: Tab, key: str) -> HttpResponse:
    form = ReasonForm(request.POST, prefix=f"untick-{key}")

    def act(given: dict[str, Any]) -> None:
        here = tab.shell.here
        services.untick(tab.shell.request, key, reason=given["reason"], by=here.user, at=here.now)

    return _done(request, tab, form, act, place="deliverables")


@posts(permissions.works_on)
def artefact_add(request: HttpRequest, tab: Tab) -> HttpResponse:
    form = ArtefactForm(request.POST, prefix="artefact")

    def act(given: dict[str, Any]) -> None:
        here = tab.shell.here
        services.add_artefact(tab.shell.request, **given, by=here.user, at=here.now)

    return _done(request, tab, form, act, place="artefacts")


@posts(permissions.works_on)
def artefact_change(request: HttpRequest, tab: Tab, artefact_id: uuid.UUID) -> HttpResponse:
    artefact = _artefact(tab, artefact_id)
    form = ArtefactForm(request.POST, prefix=f"artefact-{artefact_id}", initial=care_of(artefact))

    def act(given: dict[str, Any]) -> None:
        here = tab.shell.here
        services.change_artefact(artefact, **given, by=here.user, at=here.now)

    return _done(request, tab, form, act, place="artefacts")


@posts(permissions.works_on)
def artefact_remove(request: HttpRequest, tab: Tab, artefact_id: uuid.UUID) -> HttpResponse:
    here, artefact = tab.shell.here, _artefact(tab, artefact_id)
    services.remove_artefact(artefact, by=here.user, at=here.now)
    messages.success(request, f"“{artefact.name}” is removed.")
    return redirect(_address(tab, "artefacts"))


@posts(permissions.works_on)
def roll_out(request: HttpRequest, tab: Tab) -> HttpResponse:
    here = tab.shell.here
    form = RollOutForm(request.POST, prefix="roll-out", today=here.today)

    def act(given: dict[str, Any]) -> None:
        services.roll_out(tab.shell.request, **given, by=here.user, at=here.now)

    return _done(request, tab, form, act, place="roll-out")


@posts(permissions.works_on)
def roll_out_take_back(request: HttpRequest, tab: Tab) -> HttpResponse:
    form = ReasonForm(request.POST, prefix="take-back")

    def act(given: dict[str, Any]) -> None:
        here = tab.shell.here
        services.take_back_roll_out(tab.shell.request, **given, by=here.user, at=here.now)

    return _done(request, tab, form, act, place="roll-out")


@posts(permissions.is_party_of)
def retrospective(request: HttpRequest, tab: Tab) -> HttpResponse:
    form = RetrospectiveForm(request.POST, prefix="retrospective")

    def act(given: dict[str, Any]) -> None:
        here = tab.shell.here
        closing.write_retrospective(tab.shell.request, **given, by=here.user, at=here.now)

    return _done(request, tab, form, act, place="retrospective")


@posts(permissions.is_party_of)
def outcome_check(request: HttpRequest, tab: Tab, days: int) -> HttpResponse:
    check = tab.shell.request.outcome_checks.filter(days=min(days, 366)).first()
    if check is None:
        raise Http404
    form = CheckForm(request.POST, prefix=f"check-{check.days}")

    def act(given: dict[str, Any]) -> None:
        here = tab.shell.here
        closing.record_check(check, **given, by=here.user, at=here.now)

    return _done(request, tab, form, act, place="outcome")


def _done(
    request: HttpRequest,
    tab: Tab,
    form: forms.Form,
    act: Callable[[dict[str, Any]], None],
    *,
    place: str,
) -> HttpResponse:
    """Do it and come back, or show the page with what was typed and why not."""
    if form.is_valid():
        try:
            act(form.cleaned_data)
        except StaleWrite as refusal:
            _renew(form, tab)
            form.add_error(None, refusal.message)
        except DomainError as refusal:
            _add_refusal(form, refusal)
        else:
            return redirect(_address(tab, place))
    return _shown(request, Tab(tab.shell, {str(form.prefix): form}), form=form, status=422)


def _add_refusal(form: forms.Form, refusal: DomainError) -> None:
    """Show it at its field; what is said of a file, at the file."""
    is_of_file = refusal.status in (413, 415) or refusal.code == "no_room"
    if is_of_file and "file" in form.fields:
        form.add_error("file", refusal.message)
    else:
        add_refusal(form, refusal)


def _renew(form: forms.Form, tab: Tab) -> None:
    """Let what was typed be saved over what is stored now, once both were seen."""
    tab.shell.request.refresh_from_db()
    data = form.data.copy()  # type: ignore[attr-defined]
    data[form.add_prefix("version")] = str(tab.shell.request.version)
    form.data = data


def _shown(
    request: HttpRequest, tab: Tab, *, form: forms.Form | None = None, status: int = 200
) -> HttpResponse:
    context = {"delivery": tab, "form": form, "deliver": tab.shell.option("deliver")}
    template = "requests/delivery/delivery.html"
    return request_page(request, tab.shell, template, TAB, context, status=status)


def _artefact(tab: Tab, artefact_id: uuid.UUID) -> Artefact:
    artefact = tab.shell.request.artefacts.filter(uuid=artefact_id).first()
    if artefact is None:
        raise Http404
    return artefact


def _address(tab: Tab, place: str) -> str:
    return f"{reverse('requests:delivery', args=[tab.shell.request.pk])}#{place}"
