"""Back-tests: begun, stopped, watched, and the accounts that change side."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts.here import Here, page
from config.lib.authz import require
from config.lib.errors import DomainError
from config.lib.form_fields import DateField
from config.lib.rendering import csv_response
from metrics import permissions
from metrics.models import DefinitionProposal
from metrics.rules import Policy
from metrics.selectors import families, lab, lab_results, numbers, runs
from metrics.selectors.lab_results import Moved, Pair, Seen
from metrics.selectors.reasons import reason_text
from metrics.services import backtests
from metrics.views.lab import proposal_in
from metrics.views.lab_proposal import backtest_context, header_context
from metrics.views.lab_words import KINDS, SIDES, SUM_KINDS
from people.writing import once

MOST_SHOWN = 500
COLUMNS = (
    "day", "account", "external_id", "name", "change", "was", "is_proposed", "why_was",
    "why_proposed", "deployed_was", "licensed_was", "deployed_proposed", "licensed_proposed",
    "definition_version", "proposal", "adds_was", "adds_proposed",
)  # fmt: skip


class DaysForm(forms.Form):
    first_day = DateField(required=False, label="From")
    last_day = DateField(required=False, label="To")


class DayForm(forms.Form):
    day = DateField(required=False, label="Day")


@require_POST
@once
def start(request: HttpRequest, number: int) -> HttpResponse:
    here = Here.of(request)
    proposal = proposal_in(here, number)
    require(permissions.can_propose_definitions, here.user)
    form = DaysForm(request.POST)
    if not form.is_valid():
        told = " ".join(str(error) for errors in form.errors.values() for error in errors)
        messages.error(request, f"The back-test was not begun. {told}")
        return redirect("metrics:proposal", proposal.pk)
    try:
        test = backtests.start_backtest(
            proposal,
            form.cleaned_data["first_day"],
            form.cleaned_data["last_day"],
            by=here.user,
            at=here.now,
        )
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        goes_on = test.done_to is not None
        messages.success(request, "The back-test goes on." if goes_on else "The back-test begins.")
    return redirect("metrics:proposal", proposal.pk)


@require_POST
@once
def stop(request: HttpRequest, number: int) -> HttpResponse:
    here = Here.of(request)
    proposal = proposal_in(here, number)
    require(permissions.can_propose_definitions, here.user)
    try:
        backtests.stop_backtest(proposal, by=here.user, at=here.now)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "The back-test is stopped. The days that are done are kept.")
    return redirect("metrics:proposal", proposal.pk)


@require_safe
def progress(request: HttpRequest, number: int) -> HttpResponse:
    """How far it is, for the page that asks every two seconds; elsewhere its page."""
    here = Here.of(request)
    proposal = proposal_in(here, number)
    if request.headers.get("HX-Target") != "backtest":
        return redirect("metrics:proposal", proposal.pk)
    context = {**header_context(here, proposal), **backtest_context(here, proposal)}
    return page(request, "metrics/lab/proposal.html", context, here=here, partial="backtest")


@require_safe
def sides(request: HttpRequest, number: int) -> HttpResponse:
    """The accounts that stand elsewhere under the proposal, on a day."""
    here = Here.of(request)
    proposal = proposal_in(here, number)
    notes, pair, days = _pair(request, proposal)
    found = lab_results.moved(pair) if pair else []
    kind = request.GET.get("change", "")
    kinds = _kinds(proposal)
    if kind not in kinds:
        kind = ""
    lines = list(_lines(found, proposal, here))
    shown = [line for line in lines if kind in ("", line["kind"])]
    context = {
        **header_context(here, proposal),
        "pair": pair,
        "is_share": kinds is KINDS,
        "notes": notes,
        "first": days[0] if days else None,
        "last": days[-1] if days else None,
        "lines": shown[:MOST_SHOWN],
        "more": max(0, len(shown) - MOST_SHOWN),
        "count": len(shown),
        "kind": kind,
        "kinds": [
            ("", "All", len(lines)),
            *(
                (name, label, sum(line["kind"] == name for line in lines))
                for name, (label, _) in kinds.items()
            ),
        ],
    }
    return page(request, "metrics/lab/sides.html", context, here=here, partial="list")


@require_safe
def sides_csv(request: HttpRequest, number: int) -> HttpResponseBase:
    here = Here.of(request)
    proposal = proposal_in(here, number)
    _, pair, _ = _pair(request, proposal)
    found = lab_results.moved(pair) if pair else []
    day = pair.day.isoformat() if pair else "none"
    rows = _csv_lines(found, pair, proposal, here) if pair else iter(())
    return csv_response(f"{proposal.number}-sides-{day}.csv", COLUMNS, rows)


def _pair(
    request: HttpRequest, proposal: DefinitionProposal
) -> tuple[list[str], Pair | None, list[dt.date]]:
    """Return the day asked for, or the newest; notes say what could not be followed."""
    test = lab.newest_test(proposal)
    if test is None:
        raise Http404
    form = DayForm(request.GET)
    form.is_valid()
    notes = [str(error) for errors in form.errors.values() for error in errors]
    found = lab_results.pairs(
        proposal.base.slug, test.trial, start=test.first_day, end=test.last_day
    )
    both = {pair.day: pair for pair in found if pair.old is not None and pair.new is not None}
    if not both:
        return notes, None, []
    days = sorted(both)
    day: dt.date | None = form.cleaned_data.get("day")
    if day is not None and day not in both:
        notes.append("That day was not back-tested. This is the newest one that was.")
    return notes, both.get(day or days[-1], both[days[-1]]), days


def _lines(
    found: Iterable[Moved], proposal: DefinitionProposal, here: Here
) -> Iterator[dict[str, Any]]:
    currency = here.company.reporting_currency
    old_policy = runs.policy_of(proposal.base)
    test = lab.newest_test(proposal)
    new_policy = runs.policy_of(test.trial) if test else old_policy
    kinds = _kinds(proposal)
    for each in found:
        label, icon = kinds[each.kind]
        yield {
            "account": each.account,
            "kind": each.kind,
            "label": label,
            "icon": icon,
            "old": _said(each.old, old_policy, proposal.base.unit, currency),
            "new": _said(each.new, new_policy, proposal.base.unit, currency),
            "moved": each,
        }


def _kinds(proposal: DefinitionProposal) -> dict[str, tuple[str, str]]:
    is_seats = families.family_of(proposal.base) is families.SEATS
    return KINDS if is_seats else SUM_KINDS


def _said(seen: Seen, policy: Policy, unit: str, currency: str) -> dict[str, str]:
    seats = ""
    if seen.adds is not None:
        why = f"adds {numbers.text_of(seen.adds, unit, currency) if seen.adds else 'nothing'}"
    else:
        why = reason_text(seen.reason, policy, currency) if seen.reason else "Not known"
    if seen.licensed and seen.deployed is not None:
        seats = f"{seen.deployed:,} of {seen.licensed:,} seats"
    return {"side": SIDES[seen.side], "why": why, "seats": seats}


def _csv_lines(
    found: Iterable[Moved], pair: Pair, proposal: DefinitionProposal, here: Here
) -> Iterator[list[Any]]:
    version = pair.old.definition.number if pair.old else None
    for line in _lines(found, proposal, here):
        account, moved = line["account"], line["moved"]
        yield [
            pair.day, account.number, account.external_id, account.name, line["label"],
            moved.old.side, moved.new.side, line["old"]["why"], line["new"]["why"],
            moved.old.deployed, moved.old.licensed, moved.new.deployed, moved.new.licensed,
            version, proposal.number,
            *("" if each.adds is None else numbers.exact_text(each.adds, proposal.base.unit)
              for each in (moved.old, moved.new)),
        ]  # fmt: skip
