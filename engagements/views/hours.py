"""Settings of the company's hours, its days off and its service levels, for administrators."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from accounts.here import Here, add_refusal, page, posted
from config.lib.authz import require
from config.lib.errors import DomainError
from config.lib.ui.formats import day_text
from config.lib.values import BadValue, parse_date, parse_uuid
from engagements import permissions
from engagements.forms.hours import HolidaysForm, HoursForm, LevelEndForm, LevelForm
from engagements.models import BusinessHours, Holiday, ServiceLevel
from engagements.selectors.calendar import hours_on
from engagements.services import hours as services
from engagements.services import levels

MOST_PAST = 20
F = TypeVar("F", bound=forms.Form)


@require_http_methods(["GET", "POST"])
def hours(request: HttpRequest) -> HttpResponse:
    """The page of all three; a form says with `do` which it is."""
    here = _administrator(request)
    form: forms.Form | None = None
    if request.method == "POST":
        act = ACTS.get(request.POST.get("do", ""))
        if act is None:
            messages.warning(request, "Not changed: the form did not say what to do.")
            return redirect("settings:hours")
        form = act(request, here)
        if form is None:
            return redirect("settings:hours")
    context = {
        "hours_form": _either(form, HoursForm) or HoursForm(initial=_week(here)),
        "holidays_form": _either(form, HolidaysForm) or HolidaysForm(),
        "level_form": _either(form, LevelForm) or LevelForm(initial={"start": here.today}),
        "planned_weeks": _planned_weeks(here),
        "ahead": Holiday.objects.filter(day__gte=here.today).order_by("day"),
        "past": Holiday.objects.filter(day__lt=here.today).order_by("-day")[:MOST_PAST],
        "groups": _levels(here),
        # What the summary of errors is about.
        "form": form,
        "tab": "Hours",
    }
    status = 200 if form is None else 422
    return page(request, "requests/settings/hours.html", context, here=here, status=status)


@require_http_methods(["GET", "POST"])
def level_end(request: HttpRequest, level_id: uuid.UUID) -> HttpResponse:
    here = _administrator(request)
    level = get_object_or_404(ServiceLevel, uuid=level_id)
    form = LevelEndForm(posted(request), initial={"end": here.today})
    if form.is_valid():
        try:
            levels.end_level(level, end=form.cleaned_data["end"], by=here.user, today=here.today)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            day = day_text(form.cleaned_data["end"], here.today)
            messages.success(request, f"The level is not in force from {day} on.")
            return redirect("settings:hours")
    status = 422 if form.errors else 200
    context = {"form": form, "level": level, "tab": "Hours"}
    return page(request, "requests/settings/level_end.html", context, here=here, status=status)


def _set_hours(request: HttpRequest, here: Here) -> forms.Form | None:
    form = HoursForm(request.POST)
    if not form.is_valid():
        return form
    since = form.cleaned_data["since"]
    try:
        changed = services.set_hours(form.week, since=since, by=here.user, today=here.today)
    except DomainError as refusal:
        add_refusal(form, refusal)
        return form
    day = day_text(since, here.today)
    words = f"These hours hold from {day} on." if changed else "Those are the hours already."
    messages.success(request, words)
    return None


def _take_back_hours(request: HttpRequest, here: Here) -> forms.Form | None:
    try:
        since = parse_date(request.POST.get("since", ""))
        services.take_back_hours(since, by=here.user, today=here.today)
    except (BadValue, DomainError) as refusal:
        messages.warning(request, f"Not changed. {refusal}")
    else:
        messages.success(request, "Taken back. The hours before go on.")
    return None


def _keep_holidays(request: HttpRequest, here: Here) -> forms.Form | None:
    form = HolidaysForm(request.POST)
    if not form.is_valid():
        return form
    kept = services.keep_holidays(form.cleaned_data["days"], by=here.user)
    parts = [f"{kept.added} added"]
    parts += [f"{kept.renamed} renamed"] if kept.renamed else []
    parts += [f"{kept.there} there already"] if kept.there else []
    messages.success(request, f"Days off: {', '.join(parts)}.")
    return None


def _drop_holiday(request: HttpRequest, here: Here) -> forms.Form | None:
    try:
        holiday_id = parse_uuid(request.POST.get("holiday", ""))
    except BadValue as bad:
        raise Http404 from bad
    holiday = get_object_or_404(Holiday, uuid=holiday_id)
    services.drop_holiday(holiday, by=here.user)
    messages.success(request, f"{day_text(holiday.day, here.today)} is a business day again.")
    return None


def _add_level(request: HttpRequest, here: Here) -> forms.Form | None:
    form = LevelForm(request.POST)
    if not form.is_valid():
        return form
    try:
        level = levels.add_level(**form.cleaned_data, by=here.user, today=here.today)
    except DomainError as refusal:
        add_refusal(form, refusal)
        return form
    messages.success(request, f"The level holds from {day_text(level.start, here.today)} on.")
    return None


ACTS: dict[str, Callable[[HttpRequest, Here], forms.Form | None]] = {
    "hours": _set_hours,
    "take-back-hours": _take_back_hours,
    "holidays": _keep_holidays,
    "drop-holiday": _drop_holiday,
    "level": _add_level,
}


def _administrator(request: HttpRequest) -> Here:
    here = Here.of(request)
    require(permissions.can_change_policy, here.user)
    return here


def _either(form: forms.Form | None, kind: type[F]) -> F | None:
    return form if isinstance(form, kind) else None


def _week(here: Here) -> dict[str, Any]:
    """Return the hours in force as a start for the form."""
    initial: dict[str, Any] = {"since": here.today}
    for row in hours_on(here.today):
        initial[f"opens_{row.weekday}"] = row.opens
        initial[f"closes_{row.weekday}"] = row.closes
    return initial


def _planned_weeks(here: Here) -> list[tuple[dt.date, list[BusinessHours]]]:
    rows = BusinessHours.objects.filter(since__gt=here.today).order_by("since", "weekday")
    weeks: dict[dt.date, list[BusinessHours]] = {}
    for row in rows:
        weeks.setdefault(row.since, []).append(row)
    return list(weeks.items())


def _levels(here: Here) -> list[tuple[str, list[ServiceLevel]]]:
    rows = list(ServiceLevel.objects.order_by("clock", "impact", "-start"))
    in_force = [row for row in rows if row.start <= here.today and not _is_over(row, here)]
    planned = [row for row in rows if row.start > here.today]
    ended = [row for row in rows if _is_over(row, here) and row not in planned]
    return [("In force today", in_force), ("Planned", planned), ("Ended", ended)]


def _is_over(level: ServiceLevel, here: Here) -> bool:
    return level.end is not None and level.end <= here.today
