"""How far the service levels are met, and why they were missed."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.here import Here, add_refusal, page, posted
from config.lib.authz import require
from config.lib.errors import DomainError
from config.lib.rendering import csv_response
from config.lib.ui.formats import duration_text, share_text
from engagements import permissions, selectors
from engagements.forms.levels import LevelFilterForm, MissForm
from engagements.models import LevelNote
from engagements.rules.clocks import Clock, Standing
from engagements.selectors import attainment, levels
from engagements.services import levels as services

MOST_SHOWN = 50
COLUMNS = (
    "request", "title", "account", "clock", "impact", "owner", "started_at", "ended_at",
    "allowed_hours", "used_hours", "over_hours", "why", "noted_by",
)  # fmt: skip


@require_safe
def sla(request: HttpRequest) -> HttpResponse:
    here = Here.of(request)
    require(permissions.can_see_requests, here.user)
    form, asked = _asked(request, here)
    found = attainment.attained(here.user, asked, at=here.now)
    shown, whole = found.missed[:MOST_SHOWN], len(found.missed)
    context = {
        "form": form,
        "notes": form.notes,
        "found": found,
        "stats": _stats(found),
        "levels": _levels(here),
        "missed": shown,
        "more": whole - len(shown),
        "tables": [
            ("by-month", "By month", "Month", found.by_month),
            ("by-impact", "By impact", "Impact", found.by_impact),
            ("by-owner", "By owner", "Owner", found.by_owner),
        ],
        "may_note": permissions.can_note_miss(here.user),
        "is_narrowed": any(form.asked(name) for name in ("clock", "impact", "owner")),
        "csv_url": f"{reverse('requests:sla-csv')}?{request.GET.urlencode()}",
    }
    return page(request, "requests/levels/sla.html", context, here=here, partial="list")


@require_safe
def sla_csv(request: HttpRequest) -> HttpResponseBase:
    here = Here.of(request)
    require(permissions.can_see_requests, here.user)
    _, asked = _asked(request, here)
    found = attainment.attained(here.user, asked, at=here.now)
    return csv_response(f"missed-levels-{here.today}.csv", COLUMNS, _lines(found.missed))


@require_http_methods(["GET", "POST"])
def note_miss(request: HttpRequest, number: int, clock: str) -> HttpResponse:
    """Say why a clock of a request was missed."""
    here = Here.of(request)
    require(permissions.can_note_miss, here.user)
    service_request = selectors.requests_visible_to(here.user).filter(pk=number).first()
    missed = service_request and _missed(levels.clocks_of([service_request], at=here.now), clock)
    if service_request is None or not missed:
        raise Http404
    note = LevelNote.objects.filter(request=service_request, clock=clock).first()
    form = MissForm(posted(request), initial={"text": note.text if note else ""})
    if form.is_valid():
        try:
            services.note_miss(
                service_request, clock, form.cleaned_data["text"], by=here.user, at=here.now
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"Noted why {service_request.number} took longer.")
            return redirect("requests:sla")
    context: dict[str, Any] = {"form": form, "service_request": service_request, "clock": missed}
    status = 422 if form.errors else 200
    return page(request, "requests/levels/note.html", context, here=here, status=status)


def _asked(request: HttpRequest, here: Here) -> tuple[LevelFilterForm, attainment.Asked]:
    form = LevelFilterForm(request.GET)
    form.is_valid()
    months = int(form.asked("months") or 3)
    return form, attainment.Asked(
        since=_month_before(here.today, months - 1),
        clock=form.asked("clock"),
        impact=form.asked("impact"),
        owner=form.asked("owner"),
    )


def _month_before(day: dt.date, months: int) -> dt.date:
    """Return the first day of the month so many months before that of the day."""
    month = day.year * 12 + day.month - 1 - months
    return dt.date(month // 12, month % 12 + 1, 1)


def _missed(clocks: dict[int, list[Clock]], name: str) -> Clock | None:
    every = (clock for found in clocks.values() for clock in found)
    return next(
        (each for each in every if each.name == name and each.standing == Standing.MISSED), None
    )


def _stats(found: attainment.Attained) -> list[tuple[str, str, str, str]]:
    """Return label, value, note and tone of the figures on top."""
    whole = found.whole
    share, between = "none decided", "All of them still run."
    if whole.value is not None:
        share = share_text(whole.value)
        between = f"{whole.met:,} of {whole.decided:,} decided"
    unnoted = sum(each.note is None for each in found.missed)
    missed = f"{unnoted:,} without a reason noted" if unnoted else "Each with a reason noted"
    running = f"All in all between {share_text(whole.low)} and {share_text(whole.high)}"
    return [
        ("Met in time", share, between, ""),
        ("Missed", f"{whole.missed:,}", missed if whole.missed else "", ""),
        ("Still running", f"{whole.running:,}", running if whole.running else "", ""),
        (
            "Late now",
            f"{found.late:,}",
            "Running, and over their time",
            "bad" if found.late else "",
        ),
    ]


def _levels(here: Here) -> list[tuple[str, str]]:
    """Say which levels are in force, by clock."""
    by_clock: dict[str, list[str]] = {}
    for level in levels.levels_on(here.today):
        whose = f" for impact {level.get_impact_display()}" if level.impact else ""
        by_clock.setdefault(level.clock, []).append(duration_text(level.time) + whose)
    return [(clock, ", ".join(texts)) for clock, texts in by_clock.items()]


def _lines(missed: list[attainment.Missed]) -> Iterator[list[object]]:
    for each in missed:
        request, clock, note = each.request, each.clock, each.note
        yield [
            request.number,
            str(request),
            str(request.account),
            clock.name,
            request.get_impact_display() or "",
            request.get_owner_display(),
            clock.started_at,
            clock.ended_at,
            *(services.hours_of(time) for time in (clock.allowed, clock.used, clock.over)),
            note.text if note else "",
            note.by.name if note else "",
        ]
