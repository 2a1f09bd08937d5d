"""Teams: who is in them with how many days a week, and their increments."""

import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from accounts.here import Here, add_refusal, page
from config.lib.authz import require
from config.lib.errors import DomainError
from config.lib.ui.formats import days_between_text
from people.writing import once
from projects import permissions
from projects.forms.planning import IncrementsForm, MemberForm, TeamEditForm, TeamForm
from projects.models import Increment, Membership, Team
from projects.rules.capacity import A_DAY
from projects.services import increments, teams

MOST_PAST = 6


@require_http_methods(["GET", "POST"])
@once
def team_list(request: HttpRequest) -> HttpResponse:
    here = _seer(request)
    form = TeamForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        require(permissions.can_plan, here.user)
        made = form.is_valid() and _try(
            form, lambda: teams.create_team(**form.cleaned_data, by=here.user)
        )
        if made:
            messages.success(request, f"{made} is there. Add who is in it.")
            return redirect("projects:team", made.uuid)
    now = Q(memberships__start__lte=here.today) & (
        Q(memberships__end=None) | Q(memberships__end__gt=here.today)
    )
    rows = Team.objects.annotate(people=Count("memberships", filter=now, distinct=True))
    context = {
        "teams": rows.order_by("archived", "name"),
        "form": form if permissions.can_plan(here.user) else None,
    }
    status = 422 if form.errors else 200
    return page(request, "projects/capacity/teams.html", context, here=here, status=status)


@require_http_methods(["GET", "POST"])
@once
def team(request: HttpRequest, team_id: uuid.UUID) -> HttpResponse:
    """The page of a team; a form says with `do` which it is."""
    here = _seer(request)
    found = get_object_or_404(Team, uuid=team_id)
    form: forms.Form | None = None
    if request.method == "POST":
        require(permissions.can_plan, here.user)
        act = ACTS.get(request.POST.get("do", ""))
        if act is None:
            messages.warning(request, "Not changed: the form did not say what to do.")
            return redirect("projects:team", found.uuid)
        form = act(request, here, found)
        if form is None:
            return redirect("projects:team", found.uuid)
    return _team_page(request, here, found, form)


@require_http_methods(["GET", "POST"])
@once
def member(request: HttpRequest, team_id: uuid.UUID, membership_id: uuid.UUID) -> HttpResponse:
    here = _seer(request)
    require(permissions.can_plan, here.user)
    rows = Membership.objects.select_related("team", "person")
    found = get_object_or_404(rows, uuid=membership_id, team__uuid=team_id)
    initial = {
        "days_a_week": found.days_a_week,
        "start": found.start,
        "last": found.end and found.end - A_DAY,
    }
    form = MemberForm(
        request.POST if request.method == "POST" else None, is_new=False, initial=initial
    )
    if request.method == "POST" and request.POST.get("do") == "remove":
        try:
            teams.remove_member(found, by=here.user)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"{found.person} is taken out of {found.team}.")
            return redirect("projects:team", found.team.uuid)
    elif form.is_valid():
        changes = _part(form.cleaned_data)
        if _try(form, lambda: teams.change_member(found, changes, by=here.user)):
            messages.success(request, "Saved.")
            return redirect("projects:team", found.team.uuid)
    context = {"form": form, "membership": found}
    status = 422 if form.errors else 200
    return page(request, "projects/capacity/member.html", context, here=here, status=status)


def _team_page(
    request: HttpRequest, here: Here, found: Team, form: forms.Form | None
) -> HttpResponse:
    members = list(found.memberships.select_related("person").order_by("person__name", "start"))
    rows = Increment.objects.filter(team=found).order_by("start")
    ahead = list(rows.filter(end__gte=here.today))
    past = list(rows.filter(end__lt=here.today).order_by("-start")[:MOST_PAST])
    last = ahead[-1].end + A_DAY if ahead else here.today
    edit = {"name": found.name, "weeks": found.weeks, "archived": found.archived}
    context = {
        "team": found,
        "members": [each for each in members if _is_open(each, here)],
        "former": [each for each in members if not _is_open(each, here)],
        "ahead": [(each, days_between_text(each.start, each.end, here.today)) for each in ahead],
        "past": [(each, days_between_text(each.start, each.end, here.today)) for each in past],
        "may_plan": permissions.can_plan(here.user),
        "form": form,
        "team_form": form
        if isinstance(form, TeamEditForm)
        else TeamEditForm(initial=edit, auto_id="team_%s"),
        "member_form": form
        if isinstance(form, MemberForm)
        else MemberForm(initial={"start": here.today}, auto_id="member_%s"),
        "increments_form": form
        if isinstance(form, IncrementsForm)
        else IncrementsForm(initial={"start": last, "weeks": found.weeks}, auto_id="increments_%s"),
    }
    status = 200 if form is None else 422
    return page(request, "projects/capacity/team.html", context, here=here, status=status)


def _change(request: HttpRequest, here: Here, found: Team) -> forms.Form | None:
    form = TeamEditForm(request.POST, auto_id="team_%s")
    if not form.is_valid():
        return form
    if not _try(form, lambda: teams.change_team(found, form.cleaned_data, by=here.user)):
        return form
    messages.success(request, "Saved.")
    return None


def _add_member(request: HttpRequest, here: Here, found: Team) -> forms.Form | None:
    form = MemberForm(request.POST, auto_id="member_%s")
    if not form.is_valid():
        return form
    person = form.cleaned_data["person"]
    part = _part(form.cleaned_data)
    if not _try(form, lambda: teams.add_member(found, person, **part, by=here.user)):
        return form
    messages.success(request, f"{person} is in {found}.")
    return None


def _make_increments(request: HttpRequest, here: Here, found: Team) -> forms.Form | None:
    form = IncrementsForm(request.POST, auto_id="increments_%s")
    if not form.is_valid():
        return form
    given = form.cleaned_data
    made = _try(
        form,
        lambda: increments.make_increments(found, **given, by=here.user, on=here.today),
    )
    if not made:
        return form
    messages.success(request, f"Made: {', '.join(each.name for each in made)}.")
    return None


ACTS: dict[str, Callable[[HttpRequest, Here, Team], forms.Form | None]] = {
    "change": _change,
    "member": _add_member,
    "increments": _make_increments,
}


def _seer(request: HttpRequest) -> Here:
    here = Here.of(request)
    require(permissions.can_see_projects, here.user)
    return here


def _is_open(membership: Membership, here: Here) -> bool:
    return membership.end is None or membership.end > here.today


def _part(given: dict[str, Any]) -> dict[str, Any]:
    """Return what a service takes: people say the last day, rows keep the first after it."""
    last = given["last"]
    return {
        "days_a_week": given["days_a_week"],
        "start": given["start"],
        "end": last + A_DAY if last else None,
    }


def _try(form: forms.Form, change: Callable[[], Any]) -> Any:
    """Make a change; what is refused is said at its field, and nothing is returned."""
    try:
        return change()
    except DomainError as refusal:
        field = getattr(refusal, "field", "")
        if field == "end" and "last" in form.fields:
            form.add_error("last", refusal.message)
        else:
            add_refusal(form, refusal)
    return None
