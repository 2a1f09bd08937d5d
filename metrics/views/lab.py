"""The definition lab: the proposals there are, beginning one, changing a draft."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.here import Here, add_refusal, page, posted
from config.lib.authz import require
from config.lib.errors import DomainError, StaleWrite
from config.lib.keyset import Key
from config.lib.paging import paged
from metrics import permissions
from metrics.models import DefinitionProposal, MetricDefinition
from metrics.selectors import lab, runs
from metrics.services import proposals
from metrics.views.lab_form import SUGGEST, ProposalForm
from metrics.views.lab_words import STATES, rows_of
from people.writing import once

SHOWN = {"open": "Under way", "decided": "Decided", "all": "All"}


@require_safe
def proposal_list(request: HttpRequest) -> HttpResponse:
    here = Here.of(request)
    require(permissions.can_see_metrics, here.user)
    found = lab.proposals_visible_to(here.user)
    show = request.GET.get("show", "all")
    if show == "open":
        found = found.filter(state__in=lab.UNDER_WAY)
    elif show == "decided":
        found = found.exclude(state__in=lab.UNDER_WAY)
    else:
        show = "all"
    listed = paged(request, found, [Key("id", descending=True)])
    context = {
        "views": [
            {"label": label, "url": f"?show={name}", "current": name == show}
            for name, label in SHOWN.items()
        ],
        "rows": [_line(each, here.company.reporting_currency) for each in listed.rows],
        "paged": listed,
        "is_narrowed": show != "all",
        "may_propose": permissions.can_propose_definitions(here.user),
        "who_may": (permissions.can_propose_definitions.__doc__ or "").strip(),
    }
    return page(request, "metrics/lab/list.html", context, here=here, partial="list")


@require_http_methods(["GET", "POST"])
@once
def proposal_new(request: HttpRequest) -> HttpResponse:
    """Choose a version to start from, then say what should be otherwise."""
    here = Here.of(request)
    require(permissions.can_propose_definitions, here.user)
    asked = request.POST if request.method == "POST" else request.GET
    base = _version_asked(asked.get("metric", ""), asked.get("version", ""))
    if base is None:
        return page(request, "metrics/lab/choose.html", {"groups": _groups()}, here=here)
    start = {
        "title": base.title, "slug": base.slug, "text": base.text, "policy": base.policy,
        "owner": base.owner, "effective_on": here.today + dt.timedelta(days=1), "why": "",
    }  # fmt: skip
    form = _form(request, here, base, start)
    if request.method == "POST" and request.POST.get("do") != SUGGEST and form.is_valid():
        try:
            made = proposals.create_proposal(base, form.sent, by=here.user, at=here.now)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{made.number} is a draft. Back-test it, then propose it.")
            return redirect("metrics:proposal", made.pk)
    return _form_page(request, here, form, base, start)


@require_http_methods(["GET", "POST"])
@once
def proposal_edit(request: HttpRequest, number: int) -> HttpResponse:
    here = Here.of(request)
    proposal = proposal_in(here, number)
    require(permissions.can_edit_proposal, here.user, proposal)
    start = {name: getattr(proposal, name) for name in proposals.STORED}
    form = _form(request, here, proposal.base, start)
    status = 200
    if request.method == "POST" and request.POST.get("do") != SUGGEST and form.is_valid():
        version = request.POST.get("version", "")
        given = int(version) if version.isdecimal() and len(version) < 10 else None  # noqa: PLR2004
        try:
            proposals.change_proposal(proposal, form.sent, version=given, by=here.user, at=here.now)
        except ValidationError as error:
            form.refuse(error)
        except StaleWrite:
            status = 412
            form.add_error(
                None, "Not saved: the draft was changed meanwhile. Look, then send it again."
            )
            proposal = proposal_in(here, number)
        except DomainError as refusal:
            status = 409
            add_refusal(form, refusal)
        else:
            messages.success(request, f"{proposal.number} is changed.")
            return redirect("metrics:proposal", proposal.pk)
    elif request.method != "POST" and proposal.state != DefinitionProposal.State.DRAFT:
        messages.info(request, "Only a draft can be changed. Take it back to change it.")
        return redirect("metrics:proposal", proposal.pk)
    return _form_page(request, here, form, proposal.base, start, proposal=proposal, status=status)


def proposal_in(here: Here, number: int) -> DefinitionProposal:
    """Return the proposal of this number; 404 where there is none for this person."""
    require(permissions.can_see_metrics, here.user)
    found = lab.proposals_visible_to(here.user).filter(pk=number).first()
    if found is None:
        raise Http404
    return found


def _form(
    request: HttpRequest, here: Here, base: MetricDefinition, start: dict[str, Any]
) -> ProposalForm:
    """Return the form; asked to, with the text that its parameters give."""
    choices, sent = lab.choices(), posted(request)
    form = ProposalForm(base, sent, initial=start, choices=choices, today=here.today)
    if sent is None or sent.get("do") != SUGGEST or not form.can_suggest:
        return form
    form.is_valid()
    filled = sent.copy()
    filled["text"] = form.suggested(start["policy"], currency=here.company.reporting_currency)
    return ProposalForm(base, filled, initial=start, choices=choices, today=here.today)


def _form_page(
    request: HttpRequest,
    here: Here,
    form: ProposalForm,
    base: MetricDefinition,
    start: dict[str, Any],
    *,
    proposal: DefinitionProposal | None = None,
    status: int = 200,
) -> HttpResponse:
    is_suggested = request.method == "POST" and request.POST.get("do") == SUGGEST
    if form.errors and status == 200 and not is_suggested:  # noqa: PLR2004
        status = 422
    context = {
        "form": form,
        "base": base,
        "proposal": proposal,
        "is_suggested": is_suggested,
        "can_be_tested": lab.can_be_tested(base),
    }
    return page(request, "metrics/lab/form.html", context, here=here, status=status)


def _line(proposal: DefinitionProposal, currency: str) -> dict[str, Any]:
    rows = [row for row in rows_of(lab.lines_of(proposal), currency) if row.is_changed]
    changed = [f"{row.label}: {row.before} → {row.after}" for row in rows]
    return {
        "proposal": proposal,
        "state": STATES[DefinitionProposal.State(proposal.state)],
        "is_second": lab.is_second(proposal),
        "changed": "; ".join(changed) or "only its words",
    }


def _version_asked(metric: str, version: str) -> MetricDefinition | None:
    """Return the version to start from; None where none is named. Raises Http404."""
    if not metric:
        return None
    versions = runs.definitions().filter(slug=metric[:60]) if "\0" not in metric else []
    found = [each for each in versions if version in ("", str(each.number))]
    if not found:
        raise Http404
    return found[0]


def _groups() -> list[dict[str, Any]]:
    """Return the numbers there are, each with its versions, the newest first."""
    groups: dict[str, dict[str, Any]] = {}
    for each in runs.definitions():
        start = {"title": each.title, "versions": [], "can_be_tested": lab.can_be_tested(each)}
        groups.setdefault(each.slug, start)["versions"].append(each)
    return sorted(groups.values(), key=lambda group: (not group["can_be_tested"], group["title"]))
