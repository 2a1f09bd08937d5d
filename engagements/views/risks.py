"""Work at Risk: the register, asking for it, deciding on it."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.here import Here, page, posted
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, StaleWrite
from config.lib.keyset import Key
from config.lib.paging import paged
from config.lib.rendering import csv_response
from engagements import permissions, services
from engagements.forms.risks import RiskFilterForm, RiskForm
from engagements.models import WorkAtRisk
from engagements.selectors import risks as selectors
from engagements.services import risks as risk_services
from engagements.views.risk_words import Tag, days_text, sign_off_tag, state_tag
from engagements.views.shell import request_page, request_shell
from engagements.workflows import RISK
from events.move_forms import MoveForm
from events.workflow import Blocked, Case, Transition, option
from people.writing import once

VIEW_LABELS = {"live": "Live", "asked": "Waiting for a decision", "over": "Over", "all": "All"}
LIVE = "live"
ENDING_FIRST = (Key("expires_on"), Key("pk"))
NEWEST_FIRST = (Key("pk", descending=True),)
COLUMNS = (
    "request", "title", "account", "state", "reason", "exposure", "exposure_days", "asked_by",
    "asked_at", "decided_by", "decided_at", "answer", "expires_on", "ended_at", "end_code",
    "sign_off",
)  # fmt: skip
CSV_ROWS = 500
DONE = 302


@dataclass(frozen=True, slots=True)
class Row:
    risk: WorkAtRisk
    state: Tag
    sign_off: Tag
    may_decide: bool


@require_safe
def risk_list(request: HttpRequest) -> HttpResponse:
    here = Here.of(request)
    form, risks, view = _asked(request, here)
    listed = paged(request, risks, ENDING_FIRST if view == LIVE else NEWEST_FIRST)
    at_stake = selectors.in_view(
        selectors.matching(selectors.risks_visible_to(here.user), form.text), LIVE, on=here.today
    )
    context: dict[str, Any] = {
        "form": form,
        "notes": [*form.notes, *listed.notes],
        "rows": list(_rows(listed.rows, here)),
        "list": listed,
        "view": view,
        "chips": _chips(request, view),
        "is_narrowed": bool(form.text),
        "live": at_stake.count(),
        "days": days_text(selectors.days_at_stake(at_stake)),
        "csv_url": f"{reverse('requests:risk-csv')}?{request.GET.urlencode()}",
    }
    return page(request, "requests/risks/list.html", context, here=here, partial="list")


@require_safe
def risk_csv(request: HttpRequest) -> HttpResponseBase:
    here = Here.of(request)
    _, risks, _ = _asked(request, here)
    return csv_response(f"work-at-risk-{here.today}.csv", COLUMNS, _lines(risks, here))


@require_http_methods(["GET", "POST"])
@once
def risk_ask(request: HttpRequest, number: int) -> HttpResponse:
    """Ask leadership to let work start before the customer has signed."""
    shell = request_shell(request, number)
    here = shell.here
    require(permissions.can_ask_for_risk, here.user)
    last_day = risk_services.last_day(here.today)
    form = RiskForm(posted(request), initial={"expires_on": last_day})
    refusal, status = risk_services.why_not(shell.request, on=here.today), 200
    if request.method == "POST":
        status = 409 if refusal else 422
        if not refusal and form.is_valid():
            try:
                risk_services.ask_for_risk(
                    shell.request, **form.cleaned_data, by=here.user, at=here.now
                )
            except Conflict as conflict:
                refusal, status = conflict.message, 409
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, "Asked for. Leadership decides; you are told.")
                return redirect(shell.address)
    context = {"form": form, "refusal": refusal, "last_day": last_day}
    return request_page(
        request, shell, "requests/risks/ask.html", "Ask for Work at Risk", context, status=status
    )


@require_http_methods(["GET", "POST"])
@once
def risk_move(request: HttpRequest, risk_id: uuid.UUID, decision: str) -> HttpResponse:
    """Decide on Work at Risk, or end it."""
    here = Here.of(request)
    require(permissions.can_see_requests, here.user)
    risk = selectors.risks_visible_to(here.user).filter(uuid=risk_id).first()
    if risk is None:
        raise Http404
    chosen = _transition(decision)
    require(chosen.who, here.user, risk)
    form = MoveForm(
        chosen, Case(obj=risk, by=here.user, at=here.now, as_text=True), posted(request)
    )
    if request.method == "POST":
        blocks, status = _decide(risk, form, here)
        if status == DONE:
            label = WorkAtRisk.State(risk.state).label.lower()
            messages.success(request, f"Work at Risk of {risk.request.number}: {label}.")
            return redirect("requests:risk-list")
    else:
        blocks, status = _blocks(risk, chosen, here), 200
    context = {
        "form": form,
        "transition": chosen,
        "risk": risk,
        "row": next(_rows([risk], here)),
        "blocks": blocks,
        "others": _others(risk, chosen, here),
        "address": reverse("requests:detail", args=[risk.request_id]),
    }
    return page(request, "requests/risks/move.html", context, here=here, status=status)


def _asked(request: HttpRequest, here: Here) -> tuple[RiskFilterForm, QuerySet[WorkAtRisk], str]:
    """Read which rows the address asks for."""
    require(permissions.can_see_requests, here.user)
    form = RiskFilterForm(request.GET)
    view = request.GET.get("view", "")
    if view not in VIEW_LABELS:
        view = LIVE
    found = selectors.matching(selectors.risks_visible_to(here.user), form.text)
    return form, selectors.in_view(found, view, on=here.today), view


def _chips(request: HttpRequest, view: str) -> list[dict[str, Any]]:
    kept = {"q": query} if (query := request.GET.get("q", "")) else {}
    return [
        {"label": label, "url": f"?{urlencode({'view': name, **kept})}", "current": name == view}
        for name, label in VIEW_LABELS.items()
    ]


def _rows(risks: list[WorkAtRisk], here: Here) -> Iterator[Row]:
    signed = selectors.signed_ids([risk.request for risk in risks], on=here.today)
    for risk in risks:
        is_asked = risk.state == WorkAtRisk.State.ASKED
        yield Row(
            risk,
            state_tag(risk, here.today),
            sign_off_tag(risk.request, signed),
            may_decide=is_asked and permissions.can_decide_risk(here.user, risk),
        )


def _lines(risks: QuerySet[WorkAtRisk], here: Here) -> Iterator[list[Any]]:
    found = iter(risks.iterator(chunk_size=CSV_ROWS))
    while chunk := list(islice(found, CSV_ROWS)):
        for row in _rows(chunk, here):
            yield _line(row)


def _line(row: Row) -> list[Any]:
    risk = row.risk
    return [
        risk.request.number,
        risk.request.title,
        str(risk.request.account),
        risk.state,
        risk.reason,
        risk.exposure,
        risk.exposure_days,
        risk.asked_by.name,
        risk.asked_at,
        risk.decided_by.name if risk.decided_by else "",
        risk.decided_at,
        risk.answer,
        risk.expires_on,
        risk.ended_at,
        risk.end_code,
        row.sign_off.label.lower(),
    ]


def _decide(risk: WorkAtRisk, form: MoveForm, here: Here) -> tuple[list[str], int]:
    """Make the move; return what stands in its way, and the status to answer with."""
    name = form.transition.id
    try:
        services.move(risk, name, by=here.user, at=here.now, given=form.given)
    except ValidationError as error:
        form.refuse(error)
        return [], 422
    except Blocked as refusal:
        return [each["detail"] for each in refusal.details["guards"]], 409
    except StaleWrite:
        risk.refresh_from_db()
        return ["Somebody changed it since you opened this page. Read it again."], 412
    return [], DONE


def _blocks(risk: WorkAtRisk, chosen: Transition, here: Here) -> list[str]:
    try:
        found = option(RISK, risk, chosen.id, here.user, at=here.now)
    except Blocked as refusal:
        return [refusal.message]
    return [words for _, words in found.blocks]


def _transition(name: str) -> Transition:
    try:
        chosen = RISK.transition(name)
    except Invalid as unknown:
        raise Http404 from unknown
    if chosen.is_automatic:
        raise PermissionDenied((chosen.who.__doc__ or "").strip())
    return chosen


def _others(risk: WorkAtRisk, chosen: Transition, here: Here) -> list[tuple[str, str]]:
    """Return what else may be done with it here, with its address."""
    return [
        (each.transition.label, reverse("requests:risk-move", args=[risk.uuid, each.transition.id]))
        for each in services.options(risk, here.user, at=here.now)
        if each.may and each.transition.id != chosen.id
    ]
