"""An increment: who has how much time in it, who is on what, and changing that."""

import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.here import Here, add_refusal, page
from config.lib.authz import require
from config.lib.errors import DomainError, StaleWrite
from config.lib.ui.formats import days_between_text
from people.models import User
from people.writing import once
from projects import permissions, selectors
from projects.forms.planning import AllocateForm, AllocationForm, IncrementForm
from projects.models import Allocation, Increment, Project, ProjectState
from projects.selectors import capacity
from projects.selectors.capacity import IncrementSheet, PersonSheet
from projects.services import allocating, increments
from projects.views.words import StateTag, state_tag

MOST_AT_HAND = 200


@dataclass(frozen=True)
class Row:
    """A person in the sheet, with the projects in the order of its columns."""

    sheet: PersonSheet
    away: list[str]


@require_safe
def increment(request: HttpRequest, increment_id: uuid.UUID) -> HttpResponse:
    here = Here.of(request)
    require(permissions.can_see_projects, here.user)
    return _sheet_page(request, here, _increment(increment_id))


@require_POST
@once
def allocate(request: HttpRequest, increment_id: uuid.UUID) -> HttpResponse:
    """Put somebody on a project."""
    here = _planner(request)
    found = _increment(increment_id)
    sheet = capacity.increment_sheet(found)
    form = AllocateForm(request.POST, members=_members(sheet))
    if form.is_valid():
        given = form.cleaned_data
        project = selectors.project_called(given["project"], by=here.user)
        if project is None:
            form.add_error("project", f"There is no project “{given['project']}”.")
        elif _try(form, lambda: _allocate(found, project, given, here)):
            messages.success(request, f"{given['person']} is on {project.number}.")
            return redirect("projects:increment", found.uuid)
    return _sheet_page(request, here, found, form=form, status=422)


@require_http_methods(["GET", "POST"])
@once
def allocation(request: HttpRequest, allocation_id: uuid.UUID) -> HttpResponse:
    """Change somebody's days on a project, move them, or take them off."""
    here = _planner(request)
    rows = Allocation.objects.select_related("increment__team", "project", "person", "by")
    found = get_object_or_404(rows, uuid=allocation_id)
    back = found.increment.uuid
    if request.method == "POST" and request.POST.get("do") == "release":
        allocating.release(found, by=here.user)
        messages.success(request, f"{found.person} is off {found.project.number}.")
        return redirect("projects:increment", back)
    sheet = capacity.increment_sheet(found.increment)
    form = AllocationForm(
        request.POST if request.method == "POST" else None,
        allocation=found,
        members=_members(sheet),
        increments=_ahead(here, found.increment),
    )
    if form.is_valid() and _try(form, lambda: _reallocate(found, form.cleaned_data, here)):
        messages.success(request, f"Saved: {found.person} on {found.project.number}.")
        return redirect("projects:increment", back)
    context = {
        "form": form,
        "allocation": found,
        "increment": found.increment,
        "days": _days(found.increment, here),
        "person": sheet.of(found.person.pk),
    }
    status = 422 if form.errors else 200
    return page(request, "projects/capacity/allocation.html", context, here=here, status=status)


@require_http_methods(["GET", "POST"])
@once
def increment_edit(request: HttpRequest, increment_id: uuid.UUID) -> HttpResponse:
    here = _planner(request)
    found = _increment(increment_id)
    initial = {name: getattr(found, name) for name in ("name", "start", "end", "version")}
    form = IncrementForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and request.POST.get("do") == "drop":
        if _try(form, lambda: increments.drop_increment(found, by=here.user)):
            messages.success(request, f"{found.name} is taken away.")
            return redirect("projects:team", found.team.uuid)
    elif form.is_valid():
        given = dict(form.cleaned_data)
        version = given.pop("version")
        if _try(
            form,
            lambda: increments.change_increment(
                found, given, version=version, by=here.user, on=here.today
            ),
        ):
            messages.success(request, "Saved.")
            return redirect("projects:increment", found.uuid)
    context = {"form": form, "increment": found, "days": _days(found, here)}
    status = 422 if form.errors else 200
    return page(request, "projects/capacity/increment_edit.html", context, here=here, status=status)


def _sheet_page(
    request: HttpRequest,
    here: Here,
    found: Increment,
    *,
    form: AllocateForm | None = None,
    status: int = 200,
) -> HttpResponse:
    sheet = capacity.increment_sheet(found)
    may_plan = permissions.can_plan(here.user)
    is_over = found.end < here.today
    others = Increment.objects.filter(team=found.team)
    context = {
        "increment": found,
        "sheet": sheet,
        "days": _days(found, here),
        "rows": [_row(each, here) for each in sheet.people],
        "projects": _scheduled(found),
        "conflicts": sorted(sheet.conflicts, key=lambda each: not each.is_hard),
        "before": others.filter(end__lt=found.start).order_by("-start").first(),
        "after": others.filter(start__gt=found.end).order_by("start").first(),
        "is_over": is_over,
        "may_plan": may_plan,
        "form": form or AllocateForm(members=_members(sheet)) if may_plan else None,
        "at_hand": _at_hand(found) if may_plan else [],
        "allocate_url": reverse("projects:allocate", args=[found.uuid]),
    }
    return page(request, "projects/capacity/increment.html", context, here=here, status=status)


def _planner(request: HttpRequest) -> Here:
    here = Here.of(request)
    require(permissions.can_plan, here.user)
    return here


def _increment(increment_id: uuid.UUID) -> Increment:
    return get_object_or_404(Increment.objects.select_related("team"), uuid=increment_id)


def _days(found: Increment, here: Here) -> str:
    return days_between_text(found.start, found.end, here.today)


def _members(sheet: IncrementSheet) -> list[User]:
    return [each.person for each in sheet.people if each.days_a_week is not None]


def _row(each: PersonSheet, here: Here) -> Row:
    return Row(each, [days_between_text(one.start, one.end, here.today) for one in each.absences])


def _scheduled(found: Increment) -> list[tuple[Project, StateTag]]:
    rows = Project.objects.filter(increment=found).select_related("owner").order_by("rank", "pk")
    return [(each, state_tag(each)) for each in rows]


def _at_hand(found: Increment) -> list[Project]:
    """Return the projects that are likely to be asked for, to choose from."""
    states = (ProjectState.SCHEDULED, ProjectState.IN_PROGRESS, ProjectState.READY)
    rows = Project.objects.filter(state__in=states).order_by("state", "rank")
    return list(rows.only("pk", "title", "state")[:MOST_AT_HAND])


def _ahead(here: Here, now: Increment) -> "QuerySet[Increment]":
    rows = Increment.objects.filter(end__gte=min(here.today, now.end), team__archived=False)
    return rows.select_related("team").order_by("team__name", "start")


def _allocate(found: Increment, project: Project, given: dict[str, Any], here: Here) -> None:
    allocating.allocate(
        found,
        project,
        given["person"],
        days=given["days"],
        is_hard=given["kind"] == "hard",
        despite=given["despite"],
        by=here.user,
        at=here.now,
    )


def _reallocate(found: Allocation, given: dict[str, Any], here: Here) -> None:
    allocating.reallocate(
        found,
        days=given["days"],
        is_hard=given["kind"] == "hard",
        person=given["person"] or found.person,
        increment=given["increment"] or found.increment,
        despite=given["despite"],
        by=here.user,
        at=here.now,
    )


def _try(form: forms.Form, change: Any) -> bool:
    """Make a change; what is refused is said at its field."""
    try:
        change()
    except PermissionDenied:
        raise
    except StaleWrite:
        form.add_error(None, "Not saved: it was changed meanwhile. Look at it, then try again.")
    except DomainError as refusal:
        if getattr(refusal, "field", "") == "hard":
            form.add_error("kind", refusal.message)
        else:
            add_refusal(form, refusal)
    else:
        return True
    return False
