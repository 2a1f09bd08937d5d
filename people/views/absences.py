"""Days off: one's own, those one decides on, and everybody's."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.lib import htmx
from config.lib.authz import require
from config.lib.errors import DomainError, Invalid, StaleWrite
from config.lib.ui.formats import day_text, days_between_text
from events.workflow import Blocked, Given, Option, options, workflow_named
from people import here, permissions, selectors
from people.forms import AbsenceForm, ReasonForm
from people.http import user_of
from people.models import Absence, User
from people.services.absences import OPEN, ask_for_absence, change_absence, move_absence
from people.writing import once

S = Absence.State
WEEKS_AHEAD = 12
MOST_PAST = 10
A_WEEK = dt.timedelta(days=7)
TAGS = {
    S.DRAFT: ("warn", "clock"),
    S.APPROVED: ("good", "check"),
    S.ACTIVE: ("info", "calendar"),
    S.ENDED: ("", ""),
    S.REFUSED: ("bad", "ban"),
    S.WITHDRAWN: ("", ""),
}
DONE = {
    "approve": "Approved. {person} and who stands in are told.",
    "refuse": "Refused. {person} is told why.",
    "withdraw": "Withdrawn. Those it concerns are told.",
}


@dataclass(frozen=True)
class Shown:
    """An absence as pages show it to one person on one day."""

    absence: Absence
    user: User
    today: dt.date

    @property
    def days(self) -> str:
        return days_between_text(self.absence.start, self.absence.end, self.today)

    @property
    def label(self) -> str:
        return str(self.absence.get_state_display())

    @property
    def tone(self) -> str:
        return TAGS[S(self.absence.state)][0]

    @property
    def icon(self) -> str:
        return TAGS[S(self.absence.state)][1]

    @property
    def is_uncovered(self) -> bool:
        return self.absence.counts and self.absence.cover_id is None

    @property
    def may_read(self) -> bool:
        return permissions.can_read_absence_note(self.user, self.absence)

    @property
    def note(self) -> str:
        return self.absence.note if self.may_read else ""

    @cached_property
    def refusal(self) -> str:
        return selectors.why_refused(self.absence) if self.may_read else ""

    @property
    def may_change(self) -> bool:
        is_open = S(self.absence.state) in OPEN
        return is_open and permissions.can_change_absence(self.user, self.absence)


@require_safe
def absence_list(request: HttpRequest) -> HttpResponse:
    user, today = _who(request)
    soon = selectors.away_and_cover(user, today)
    past = selectors.absences_of(user).exclude(pk__in=[each.pk for each in soon.mine])
    ahead = selectors.absences_between(today, today + WEEKS_AHEAD * A_WEEK)
    rows = [Shown(each, user, today) for each in ahead]
    context = {
        "to_decide": [Shown(each, user, today) for each in soon.to_decide],
        "mine": [Shown(each, user, today) for each in soon.mine],
        "past": [Shown(each, user, today) for each in past[:MOST_PAST]],
        "covers": [Shown(each, user, today) for each in soon.covers],
        "groups": _by_week(rows, today),
        "away_today": [
            each for each in rows if each.absence.state != S.DRAFT and each.absence.start <= today
        ],
        "decides": permissions.decides_on_absences(user),
        "weeks": WEEKS_AHEAD,
    }
    return _page(request, "people/absences/list.html", context)


@require_http_methods(["GET", "POST"])
@once
def absence_new(request: HttpRequest) -> HttpResponse:
    user, _ = _who(request)
    asked = ["start", "end", "cover", "note"]
    if permissions.decides_on_absences(user):
        asked.insert(0, "person")
    form = AbsenceForm(
        request.POST if request.method == "POST" else None,
        asked=asked,
        person=user,
        initial={"person": user.uuid, **request.GET.dict()},
    )
    if form.is_valid():
        given = _given(form)
        person = given.pop("person", user)
        try:
            made = ask_for_absence(person=person, **given, by=user, at=timezone.now())
        except DomainError as refusal:
            _refuse(form, refusal)
        else:
            messages.success(
                request, "Asked for. A DE lead or leadership decides, and you are told."
            )
            return redirect("people:absence", made.uuid)
    context = {"form": form, "heading": "Add time off", "button": "Ask for it"}
    return _page(request, "people/absences/form.html", context, status=422 if form.errors else 200)


@require_safe
def absence(request: HttpRequest, absence_id: uuid.UUID) -> HttpResponse:
    user, today = _who(request)
    return _absence_page(request, Shown(_one(user, absence_id), user, today))


@require_http_methods(["GET", "POST"])
@once
def absence_edit(request: HttpRequest, absence_id: uuid.UUID) -> HttpResponse:
    user, today = _who(request)
    found = _one(user, absence_id)
    require(permissions.can_change_absence, user, found)
    if S(found.state) not in OPEN:
        messages.warning(request, f"It is {found.get_state_display().lower()} and cannot change.")
        return redirect("people:absence", found.uuid)
    initial = {
        "start": found.start,
        "end": found.end,
        "cover": found.cover and found.cover.uuid,
        "note": found.note,
        "version": found.version,
    }
    form = AbsenceForm(
        request.POST if request.method == "POST" else None,
        asked=OPEN[S(found.state)],
        person=found.person,
        initial=initial,
    )
    status = 200
    if form.is_valid():
        given = _given(form)
        try:
            change_absence(
                found, given, version=form.cleaned_data["version"], by=user, at=timezone.now()
            )
        except StaleWrite:
            form.add_error(None, "Not saved: it was changed meanwhile. Look at it, then try again.")
            status = 412
        except DomainError as refusal:
            _refuse(form, refusal)
        else:
            messages.success(request, "Saved.")
            return redirect("people:absence", found.uuid)
    context = {
        "form": form,
        "shown": Shown(found, user, today),
        "heading": f"Change the absence of {found.person}",
        "button": "Save",
    }
    if form.errors and status == 200:  # noqa: PLR2004
        status = 422
    return _page(request, "people/absences/form.html", context, status=status)


@require_POST
@once
def absence_move(request: HttpRequest, absence_id: uuid.UUID, transition: str) -> HttpResponse:
    user, today = _who(request)
    found = _one(user, absence_id)
    if transition not in DONE:
        raise Http404
    form = ReasonForm(request.POST if transition == "refuse" else None)
    version = request.POST.get("version", "")
    given = Given(
        reason=request.POST.get("reason", "") if transition == "refuse" else "",
        version=int(version) if version.isdecimal() and len(version) < 10 else None,  # noqa: PLR2004
    )
    shown = Shown(found, user, today)
    try:
        move_absence(found, transition, by=user, at=timezone.now(), given=given)
    except ValidationError as error:
        for name, errors in error.error_dict.items():
            form.add_error(name if name in form.fields else None, errors)
        return _absence_page(request, shown, form=form, status=422)
    except Blocked as refusal:
        return _absence_page(request, shown, form=form, blocked=refusal.message, status=409)
    except StaleWrite:
        found.refresh_from_db()
        return _absence_page(
            request, shown, form=form, blocked="It was changed meanwhile: look again.", status=412
        )
    messages.success(request, DONE[transition].format(person=found.person))
    return redirect("people:absence", found.uuid)


def _who(request: HttpRequest) -> tuple[User, dt.date]:
    user = user_of(request)
    require(permissions.can_see_absences, user)
    return user, here.today(timezone.now())


def _one(user: User, absence_id: uuid.UUID) -> Absence:
    return get_object_or_404(selectors.absences_visible_to(user), uuid=absence_id)


def _absence_page(
    request: HttpRequest,
    shown: Shown,
    *,
    form: ReasonForm | None = None,
    blocked: str = "",
    status: int = 200,
) -> HttpResponse:
    offered = {
        each.transition.id: each
        for each in options(workflow_named("absence"), shown.absence, shown.user, at=timezone.now())
        if each.may
    }
    approve = offered.get("approve")
    context = {
        "shown": shown,
        "absence": shown.absence,
        "approve": approve,
        "blocks": _blocks(approve),
        "refuse": offered.get("refuse"),
        "withdraw": offered.get("withdraw"),
        "blocked": blocked,
        "form": form or ReasonForm(None),
        "begins": day_text(shown.absence.start, shown.today),
    }
    return _page(request, "people/absences/absence.html", context, status=status)


def _blocks(approve: Option | None) -> list[str]:
    return [words for _, words in approve.blocks] if approve else []


def _by_week(rows: Sequence[Shown], today: dt.date) -> list[tuple[str, list[Shown]]]:
    """Return them by the week in which they begin; those that have begun come first."""
    weeks: dict[dt.date, list[Shown]] = defaultdict(list)
    this_week = today - dt.timedelta(days=today.weekday())
    for each in rows:
        start = max(each.absence.start, this_week)
        weeks[start - dt.timedelta(days=start.weekday())].append(each)
    return [
        ("This week" if week == this_week else f"Week of {day_text(week, today)}", found)
        for week, found in sorted(weeks.items())
    ]


def _given(form: AbsenceForm) -> dict[str, Any]:
    return {name: value for name, value in form.cleaned_data.items() if name != "version"}


def _refuse(form: AbsenceForm, refusal: DomainError) -> None:
    field = refusal.field if isinstance(refusal, Invalid) else ""
    form.add_error(field if field in form.fields else None, refusal.message)


def _page(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    with timezone.override(here.zone()):
        return htmx.render(request, template, context, status=status).render()
