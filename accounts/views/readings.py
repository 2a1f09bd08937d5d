"""Seat counts of an account: those that stand, those corrected, and one entered by hand."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts import permissions, selectors
from accounts.forms import ReadingForm
from accounts.header import account_page
from accounts.here import add_refusal, page, posted
from accounts.models import SeatReading
from accounts.selectors import then_facts
from accounts.services import readings as services
from accounts.shell import Shell, shell_of
from config.lib.authz import require
from config.lib.errors import DomainError
from config.lib.keyset import Key
from config.lib.paging import paged
from config.lib.ui.formats import day_text, number_text


@require_safe
def reading_list(request: HttpRequest, number: int) -> HttpResponse:
    shell = shell_of(request, number)
    then = shell.here.past
    readings = (
        then_facts.readings_then(shell.account, then)
        if then is not None
        else selectors.readings_with_corrections(shell.account)
    )
    found = paged(request, readings, [Key("observed_at", descending=True)])
    if then is not None:
        then_facts.as_read_then(found.rows, then)
    used = {(i.pk, i.latest_at) for i in shell.instances if i.counted and shell.is_usable(i)}
    context = {
        "rows": [(reading, _is_used(reading, used)) for reading in found.rows],
        "paged": found,
    }
    return account_page(request, shell, "Readings", context)


@require_http_methods(["GET", "POST"])
def reading_create(request: HttpRequest, number: int) -> HttpResponse:
    shell = shell_of(request, number, looks=False)
    require(permissions.can_enter_reading, shell.here.user, is_own=shell.is_own)
    here = shell.here
    form = ReadingForm(
        posted(request),
        account=shell.account,
        zone=here.zone,
        now=here.now,
    )
    if form.is_valid():
        try:
            reading = services.enter_reading(
                shell.account,
                instance=form.cleaned_data.get("instance"),
                seats=form.cleaned_data["seats"],
                observed_at=form.cleaned_data["observed_at"],
                note=form.cleaned_data["note"],
                by=here.user,
                now=here.now,
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _recorded(shell, reading))
            return redirect("accounts:account-readings", shell.account.pk)
    status = 422 if form.errors else 200
    context = {"form": form, "shell": shell, "account": shell.account}
    return page(
        request,
        "accounts/reading_form.html",
        context,
        here=here,
        partial="reading-form",
        status=status,
    )


def _is_used(reading: SeatReading, used: set[tuple[int, Any]]) -> bool:
    return reading.known_to is None and (reading.instance_id, reading.observed_at) in used


def _recorded(shell: Shell, reading: SeatReading) -> str:
    local = reading.observed_at.astimezone(shell.here.zone)
    return (
        f"{number_text(reading.seats)} seats recorded for {reading.instance.name}, counted"
        f" {day_text(local.date(), shell.here.today)} {local:%H:%M}. The account shows them now;"
        " the number moves with the next recompute."
    )
