"""Health of one account: a tab of its page, a card beside its overview, its owner's word."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts.header import account_page
from accounts.here import Here, add_refusal, page
from accounts.selectors import accounts_visible_to
from accounts.shell import Shell, shell_of
from config.lib.authz import require
from config.lib.errors import DomainError
from config.lib.htmx import is_htmx
from config.lib.ui.formats import day_text
from metrics import permissions
from metrics.models import HealthOverride
from metrics.selectors import health, rows
from metrics.selectors import health_words as words
from metrics.selectors.health import Standing
from metrics.services.health_overrides import end_override, override_health
from metrics.views.health_forms import OverrideForm
from people.writing import once

TAB = "Health"
MOST_OVERRIDES = 20


@require_safe
def account_health(request: HttpRequest, number: int) -> HttpResponse:
    shell = shell_of(request, number)
    return _page(request, shell, _form(shell, None))


@require_POST
@once
def override(request: HttpRequest, number: int) -> HttpResponse:
    shell = _shell_now(request, number)
    here = shell.here
    form = _form(shell, request)
    if form.is_valid():
        given = form.cleaned_data
        try:
            found = override_health(shell.account, **given, by=here.user, at=here.now)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            until = day_text(found.until, here.today)
            messages.success(request, f"{found.band} stands beside the score until {until}.")
            return redirect("metrics:account-health", shell.account.pk)
    return _page(request, shell, form, status=422)


@require_POST
@once
def override_end(request: HttpRequest, number: int) -> HttpResponse:
    shell = _shell_now(request, number)
    end_override(shell.account, by=shell.here.user, at=shell.here.now)
    messages.success(request, "The score speaks alone again.")
    return redirect("metrics:account-health", shell.account.pk)


@require_safe
def account_panel(request: HttpRequest, number: int) -> HttpResponse:
    """Health in a card; without the script one lands on the tab."""
    here = Here.of(request)
    require(permissions.can_see_metrics, here.user)
    if not is_htmx(request):
        return redirect("metrics:account-health", number)
    account = accounts_visible_to(here.user).filter(pk=number).first()
    if account is None:
        raise Http404
    standing = health.standing_of(account, day=here.today)
    context = {"account": account, **_said(standing)}
    return page(request, "metrics/health/panel.html", context, here=here)


def _shell_now(request: HttpRequest, number: int) -> Shell:
    """Return the account for a change: may this person set its health by hand?"""
    shell = shell_of(request, number, looks=False)
    require(permissions.can_override_health, shell.here.user, is_owner=_owns(shell))
    return shell


def _owns(shell: Shell) -> bool:
    return health.is_owner(shell.here.user, shell.account, on=shell.here.today)


def _form(shell: Shell, request: HttpRequest | None) -> OverrideForm:
    today = shell.here.today
    data = request.POST if request is not None else None
    return OverrideForm(data, bands=health.band_names(today), today=today)


def _page(
    request: HttpRequest, shell: Shell, form: OverrideForm, *, status: int = 200
) -> HttpResponse:
    here, account = shell.here, shell.account
    known_at = here.past.known_at if here.past else None
    standing = health.standing_of(account, day=here.today, known_at=known_at)
    oldest = _oldest(standing, account.pk, here)
    line = health.line_of(account, until=standing.night.day) if standing.night else []
    may = permissions.can_override_health(here.user, is_owner=_owns(shell))
    history = health.overrides_of(account, day=here.today, known_at=known_at)
    context = {
        **_said(standing),
        "lines": words.lines_of(standing.row, oldest) if standing.row else [],
        "points": line,
        "chart_label": _chart_label(line),
        "form": form,
        "may_override": may and not here.looks_back,
        "who_may": permissions.can_override_health.__doc__,
        "overrides": _shown(history, here.today, health.told_at(here.today, known_at)),
    }
    response = account_page(request, shell, TAB, context)
    response.status_code = status
    return response


def _said(standing: Standing) -> dict[str, Any]:
    """Return what both the tab and the card say first."""
    row, night = standing.row, standing.night
    bands = [band.name for band in health.read(row.policy).bands] if row else []
    override = standing.override
    return {
        "standing": standing,
        "row": row,
        "night": night,
        "tone": words.tone_of(row.band, bands) if row else None,
        "no_score": words.no_score_text(row) if row and row.score is None else "",
        "weakest": words.weakest(row) if row else "",
        "override": override,
        "override_tone": words.tone_of(override.band, bands or [override.band])
        if override
        else None,
    }


def _oldest(standing: Standing, account_id: int, here: Here) -> dt.date | None:
    """Return the day of the oldest seat count that the score was made from."""
    if standing.night is None or standing.row is None:
        return None
    moment = rows.oldest_readings(standing.night.run, [account_id]).get(account_id)
    return moment.astimezone(here.zone).date() if moment else None


def _chart_label(points: list[health.Point]) -> str:
    known = [(day, score) for day, score in points if score is not None]
    if not known:
        return ""
    (first, then), (last, now) = known[0], known[-1]
    return f"Health by week. {day_text(first)}: {then} points. {day_text(last)}: {now} points."


def _shown(
    found: QuerySet[HealthOverride], today: dt.date, told_at: dt.datetime
) -> list[dict[str, Any]]:
    """Return each word with whether it stands, was ended by hand before the moment, or ran out."""
    return [_word(each, today, told_at) for each in found[:MOST_OVERRIDES]]


def _word(override: HealthOverride, today: dt.date, told_at: dt.datetime) -> dict[str, Any]:
    has_ended = override.ended_at is not None and override.ended_at < told_at
    ended_by = override.ended_by if has_ended else None
    by_hand = ended_by is not None and not ended_by.is_system
    stands = not has_ended and override.until >= today
    return {
        "override": override,
        "stands": stands,
        "ended_by": ended_by if by_hand else None,
        "ran_out": not stands and not by_hand,
        "last_day": override.ended_at if by_hand else override.until,
    }
