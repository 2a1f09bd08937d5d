"""What a project leaves behind, its roll-out, what could have gone better, and what came of it."""

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
from engagements.delivery_forms import ReasonForm, RetrospectiveForm
from people.writing import once
from projects import permissions, selectors
from projects.forms.delivery import ArtefactForm, CheckForm, RollOutForm, initial_of
from projects.models import Project, ProjectArtefact, ProjectCheck
from projects.rules.outcomes import THRESHOLDS, Outcome, times_planned
from projects.selectors.outcomes import outcome_of, seats_now
from projects.services import artefacts, outcomes, roll_outs
from projects.views.outcome_words import Verdict, verdict_of
from projects.views.shell import DELIVERY, Shell, project_page, project_shell

P = ParamSpec("P")


@dataclass(frozen=True)
class CheckRow:
    """One look at the outcome, with the form of who may record it once it is due."""

    check: ProjectCheck
    outcome: Outcome
    form: forms.Form | None
    is_late: bool

    @property
    def verdict(self) -> Verdict:
        return verdict_of(self.outcome)


@dataclass(frozen=True)
class Tab:
    """The page, with the one form that was sent wrong."""

    shell: Shell
    sent: dict[str, forms.Form] = field(default_factory=dict)

    @property
    def project(self) -> Project:
        return self.shell.project

    @cached_property
    def may_keep(self) -> bool:
        may = permissions.can_keep_artefacts(self.shell.here.user, self.project)
        return may and self.project.state not in artefacts.GONE

    @property
    def may_remove(self) -> bool:
        return self.may_keep and self.project.state in artefacts.MAY_REMOVE

    @cached_property
    def works_on_it(self) -> bool:
        return permissions.works_on(self.shell.here.user, self.project)

    @property
    def may_roll_out(self) -> bool:
        return self.works_on_it and self.project.state in roll_outs.ROLLED_OUT_IN

    @property
    def may_look_back(self) -> bool:
        return self.works_on_it and self.project.state in roll_outs.LOOKED_BACK_IN

    @cached_property
    def artefacts(self) -> list[tuple[ProjectArtefact, forms.Form]]:
        rows = self.project.artefacts.select_related("keeper", "by").order_by("retired_on", "pk")
        return [(row, self._artefact_form(row)) for row in rows]

    @cached_property
    def of_requests(self) -> list[Any]:
        """Return what its requests leave behind by themselves."""
        rows = selectors.artefacts_visible_to(self.shell.here.user)
        return list(rows.filter(request__projects=self.project).order_by("name", "pk"))

    @cached_property
    def new_artefact(self) -> forms.Form:
        return self.sent.get("artefact") or ArtefactForm(prefix="artefact")

    @cached_property
    def roll_out_form(self) -> forms.Form:
        project = self.project
        initial = None
        if project.rolled_out_on:
            initial = {"note": project.roll_out_note, "done_on": project.rolled_out_on}
        form = RollOutForm(prefix="roll-out", today=self.shell.here.today, initial=initial)
        return self.sent.get("roll-out") or form

    @cached_property
    def take_back_form(self) -> forms.Form:
        return self.sent.get("take-back") or ReasonForm(prefix="take-back")

    @cached_property
    def was_late(self) -> bool:
        return selectors.was_late(self.project)

    @cached_property
    def retrospective_form(self) -> forms.Form:
        initial = {"text": self.project.retrospective, "version": self.project.version}
        form = RetrospectiveForm(prefix="retrospective", initial=initial)
        return self.sent.get("retrospective") or form

    @cached_property
    def times_planned(self) -> str:
        """Return how many times the days planned it took, to the tenth; "" where unknown."""
        times = times_planned(self.project.days, self.project.days_used)
        return f"{float(times):.1f}" if times is not None else ""

    @cached_property
    def seats_now(self) -> int | None:
        return seats_now(self.project)

    @cached_property
    def checks(self) -> list[CheckRow]:
        rows = self.project.checks.select_related("done_by").order_by("days")
        return [
            CheckRow(
                row, outcome_of(row), self._check_form(row), self._is_due(row) and not row.done_at
            )
            for row in rows
        ]

    @property
    def thresholds(self) -> str:
        return THRESHOLDS

    def _artefact_form(self, row: ProjectArtefact) -> forms.Form:
        prefix = f"artefact-{row.uuid}"
        return self.sent.get(prefix) or ArtefactForm(prefix=prefix, initial=initial_of(row))

    def _is_due(self, row: ProjectCheck) -> bool:
        return row.due_on <= self.shell.here.today

    def _check_form(self, row: ProjectCheck) -> forms.Form | None:
        if row.done_at or not self._is_due(row) or not self.works_on_it:
            return None
        prefix = f"check-{row.days}"
        form = CheckForm(prefix=prefix, initial={"seats_found": self.seats_now})
        return self.sent.get(prefix) or form


Act = Callable[Concatenate[HttpRequest, Tab, P], HttpResponse]


def posts(
    who: Callable[[Any, Any], bool],
) -> Callable[["Act[P]"], Callable[Concatenate[HttpRequest, int, P], HttpResponse]]:
    """Make a view of what is done on this tab: it comes back here, or says what is wrong."""

    def decorated(act: "Act[P]") -> Callable[Concatenate[HttpRequest, int, P], HttpResponse]:
        @require_POST
        @once
        @wraps(act)
        def view(
            request: HttpRequest, number: int, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponse:
            shell = project_shell(request, number)
            require(who, shell.here.user, shell.project)
            return act(request, Tab(shell), *args, **kwargs)

        return view

    return decorated


@require_safe
def delivery(request: HttpRequest, number: int) -> HttpResponse:
    return _shown(request, Tab(project_shell(request, number)))


@posts(permissions.can_keep_artefacts)
def artefact_add(request: HttpRequest, tab: Tab) -> HttpResponse:
    form = ArtefactForm(request.POST, prefix="artefact")

    def act(given: dict[str, Any]) -> None:
        given.pop("version")
        artefacts.add_artefact(tab.project, **given, by=tab.shell.here.user, at=tab.shell.here.now)

    return _done(request, tab, form, act, place="artefacts")


@posts(permissions.can_keep_artefacts)
def artefact_change(request: HttpRequest, tab: Tab, project_artefact_id: uuid.UUID) -> HttpResponse:
    artefact, here = _artefact(tab, project_artefact_id), tab.shell.here
    prefix = f"artefact-{artefact.uuid}"
    form = ArtefactForm(request.POST, prefix=prefix, initial=initial_of(artefact))

    def act(given: dict[str, Any]) -> None:
        artefacts.change_artefact(artefact, **given, by=here.user, at=here.now)

    return _done(request, tab, form, act, place="artefacts", stored=artefact)


@posts(permissions.can_keep_artefacts)
def artefact_remove(request: HttpRequest, tab: Tab, project_artefact_id: uuid.UUID) -> HttpResponse:
    artefact, here = _artefact(tab, project_artefact_id), tab.shell.here
    artefacts.remove_artefact(artefact, by=here.user, at=here.now)
    messages.success(request, f"“{artefact.name}” is removed.")
    return redirect(_address(tab, "artefacts"))


@posts(permissions.works_on)
def roll_out(request: HttpRequest, tab: Tab) -> HttpResponse:
    here = tab.shell.here
    form = RollOutForm(request.POST, prefix="roll-out", today=here.today)

    def act(given: dict[str, Any]) -> None:
        roll_outs.roll_out(tab.project, **given, by=here.user, at=here.now)

    return _done(request, tab, form, act, place="roll-out")


@posts(permissions.works_on)
def roll_out_take_back(request: HttpRequest, tab: Tab) -> HttpResponse:
    form = ReasonForm(request.POST, prefix="take-back")

    def act(given: dict[str, Any]) -> None:
        here = tab.shell.here
        roll_outs.take_back_roll_out(tab.project, **given, by=here.user, at=here.now)

    return _done(request, tab, form, act, place="roll-out")


@posts(permissions.works_on)
def retrospective(request: HttpRequest, tab: Tab) -> HttpResponse:
    form = RetrospectiveForm(request.POST, prefix="retrospective")

    def act(given: dict[str, Any]) -> None:
        here = tab.shell.here
        roll_outs.write_retrospective(tab.project, **given, by=here.user, at=here.now)

    return _done(request, tab, form, act, place="retrospective", stored=tab.project)


@posts(permissions.works_on)
def check(request: HttpRequest, tab: Tab, days: int) -> HttpResponse:
    found = tab.project.checks.filter(days=min(days, 366)).first()
    if found is None:
        raise Http404
    form = CheckForm(request.POST, prefix=f"check-{found.days}")

    def act(given: dict[str, Any]) -> None:
        here = tab.shell.here
        outcomes.record_check(found, **given, by=here.user, at=here.now)

    return _done(request, tab, form, act, place="outcome")


def _done(
    request: HttpRequest,
    tab: Tab,
    form: forms.Form,
    act: Callable[[dict[str, Any]], None],
    *,
    place: str,
    stored: Project | ProjectArtefact | None = None,
) -> HttpResponse:
    """Do it and come back, or show the page with what was typed and why not."""
    if form.is_valid():
        try:
            act(form.cleaned_data)
        except StaleWrite as refusal:
            _renew(form, stored)
            form.add_error(None, refusal.message)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect(_address(tab, place))
    return _shown(request, Tab(tab.shell, {str(form.prefix): form}), form=form, status=422)


def _renew(form: forms.Form, stored: Project | ProjectArtefact | None) -> None:
    """Let what was typed be saved over what is stored now, once both were seen."""
    if stored is not None:
        stored.refresh_from_db()
        data = form.data.copy()  # type: ignore[attr-defined]
        data[form.add_prefix("version")] = str(stored.version)
        form.data = data


def _shown(
    request: HttpRequest, tab: Tab, *, form: forms.Form | None = None, status: int = 200
) -> HttpResponse:
    context = {"delivery": tab, "form": form}
    return project_page(
        request, tab.shell, "projects/delivery/delivery.html", DELIVERY, context, status=status
    )


def _artefact(tab: Tab, public_id: uuid.UUID) -> ProjectArtefact:
    found = tab.project.artefacts.filter(uuid=public_id).first()
    if found is None:
        raise Http404
    return found


def _address(tab: Tab, place: str) -> str:
    return f"{reverse('projects:delivery', args=[tab.project.pk])}#{place}"
