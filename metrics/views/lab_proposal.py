"""One proposal: what it changes, what it would come to, who decides, and its moves."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.here import Here, page
from config.lib.errors import Invalid, StaleWrite
from config.lib.markdown import markdown
from events.move_forms import MoveForm
from events.selectors import events_of_object
from events.workflow import Blocked, Case, Option, Transition
from metrics import permissions
from metrics.models import DefinitionProposal
from metrics.selectors import lab, lab_results
from metrics.services import proposals
from metrics.views.lab import proposal_in
from metrics.views.lab_series import result_context
from metrics.views.lab_words import PROGRESS, STATES, TOLD, difference, rows_of
from metrics.workflows import DEFINITION
from people.models import Role
from people.selectors import people_with_role
from people.writing import once

S = DefinitionProposal.State
MOST_TOLD = 50
DANGER = frozenset({"reject", "withdraw"})


@require_safe
def detail(request: HttpRequest, number: int) -> HttpResponse:
    here = Here.of(request)
    proposal = proposal_in(here, number)
    return page(
        request,
        "metrics/lab/proposal.html",
        proposal_context(here, proposal),
        here=here,
        partial=("backtest",),
    )


def proposal_context(here: Here, proposal: DefinitionProposal) -> dict[str, Any]:
    base, currency = proposal.base, here.company.reporting_currency
    return {
        **header_context(here, proposal),
        **backtest_context(here, proposal),
        "rows": rows_of(lab.lines_of(proposal), currency),
        "texts": difference(base.text, proposal.text),
        "words": [
            (label, getattr(base, name), getattr(proposal, name))
            for label, name in (("Title", "title"), ("Owner", "owner"))
        ],
        "text_lags": lab.text_lags(proposal),
        "text": markdown(proposal.text, heading=3, reflow=True),
        "stories": [_story(event) for event in events_of_object(proposal)[:MOST_TOLD]],
    }


def header_context(here: Here, proposal: DefinitionProposal) -> dict[str, Any]:
    """Return what the head of each of its pages says, and what may happen next."""
    options = proposals.options(proposal, here.user, at=here.now)
    return {
        "proposal": proposal,
        "base": proposal.base,
        "is_second": lab.is_second(proposal),
        "state": STATES[S(proposal.state)],
        "may_edit": proposal.state == S.DRAFT
        and permissions.can_edit_proposal(here.user, proposal),
        "options": [each for each in options if each.may],
        "others": sorted({each.refusal for each in options if not each.may}),
        "main": next((each.transition.id for each in options if each.is_open), ""),
        "danger": DANGER,
        "deciders": _deciders(proposal),
    }


def backtest_context(here: Here, proposal: DefinitionProposal) -> dict[str, Any]:
    """Return how far the back-test is, and what it came to."""
    test = lab.newest_test(proposal)
    can_be_tested = lab.can_be_tested(proposal.base)
    context: dict[str, Any] = {
        "test": test,
        "can_be_tested": can_be_tested,
        "has_other_rules": lab.has_other_rules(proposal),
        "may_test": permissions.can_propose_definitions(here.user)
        and proposal.state in lab.UNDER_WAY,
        "who_tests": (permissions.can_propose_definitions.__doc__ or "").strip(),
        "ledger": lab.ledger_of(proposal.base.slug, at=here.now) if can_be_tested else None,
    }
    if test is None:
        return context
    days = lab.ledger_days(
        proposal.base.slug, before=here.today, first=test.first_day, last=test.last_day
    )
    done = sum(1 for day in days if test.done_to and day <= test.done_to)
    context |= {
        "progress": PROGRESS[test.Progress(test.progress)],
        "is_at_work": test.progress in lab.AT_WORK,
        "can_go_on": test.progress in (test.Progress.FAILED, test.Progress.STOPPED),
        "fits": test.digest == lab.digest_of(proposal),
        "days": len(days),
        "days_done": done,
        "silent": test.heartbeat_at,
    }
    if done:
        context |= result_context(here, proposal, lab_results.result_of(test))
    return context


@require_http_methods(["GET", "POST"])
@once
def move(request: HttpRequest, number: int, transition: str) -> HttpResponse:
    here = Here.of(request)
    proposal = proposal_in(here, number)
    chosen = _transition(transition)
    case = Case(obj=proposal, by=here.user, at=here.now, as_text=True)
    if request.method != "POST":
        found = _option(here, proposal, chosen)
        if found is not None and not found.may:
            raise PermissionDenied(found.refusal)
        blocks = [words for _, words in found.blocks] if found else [_not_now(proposal)]
        return _move_page(request, here, proposal, MoveForm(chosen, case), blocks=blocks)
    form = MoveForm(chosen, case, request.POST)
    status, blocks, is_stale = 200, list[str](), False
    try:
        proposals.move(proposal, chosen.id, by=here.user, at=here.now, given=form.given)
    except ValidationError as error:
        form.refuse(error)
        status = 422
    except Blocked as refusal:
        status, blocks = 409, [each["detail"] for each in refusal.details["guards"]]
    except StaleWrite:
        status, is_stale = 412, True
    else:
        word = proposal.get_state_display().lower()
        messages.success(request, f"{proposal.number} is {word} now.")
        return redirect("metrics:proposal", proposal.pk)
    fresh = proposal_in(here, number)
    return _move_page(request, here, fresh, form, blocks=blocks, is_stale=is_stale, status=status)


def _move_page(
    request: HttpRequest,
    here: Here,
    proposal: DefinitionProposal,
    form: MoveForm,
    *,
    blocks: list[str],
    is_stale: bool = False,
    status: int = 200,
) -> HttpResponse:
    needs_tick = lab.has_other_rules(proposal) and not lab.can_be_tested(proposal.base)
    context = {
        "proposal": proposal,
        "state": STATES[S(proposal.state)],
        "transition": form.transition,
        "form": form,
        "fields": [field for field in form if field.name != "acknowledged" or needs_tick],
        "blocks": blocks,
        "is_stale": is_stale,
        "is_danger": form.transition.id in DANGER,
    }
    return page(request, "metrics/lab/move.html", context, here=here, status=status)


def _transition(name: str) -> Transition:
    try:
        return DEFINITION.transition(name)
    except Invalid as unknown:
        raise Http404 from unknown


def _option(here: Here, proposal: DefinitionProposal, chosen: Transition) -> Option | None:
    offered = proposals.options(proposal, here.user, at=here.now)
    return next((each for each in offered if each.transition.id == chosen.id), None)


def _not_now(proposal: DefinitionProposal) -> str:
    return f"{proposal.number} is {proposal.get_state_display().lower()}."


def _deciders(proposal: DefinitionProposal) -> list[Any]:
    if proposal.state != S.PROPOSED:
        return []
    found = people_with_role(Role.LEADERSHIP).exclude(pk=proposal.proposed_by_id)
    return list(found.order_by("name", "pk"))


def _story(event: Any) -> dict[str, Any]:
    title, icon = TOLD.get(event.verb.partition(".")[2], (event.verb, "circle-dot"))
    text = ""
    if event.verb.endswith(".changed") and event.before:
        text = ", ".join(sorted(event.before)).replace("_", " ")
    return {
        "title": f"{title}: {event.actor.name}", "icon": icon, "text": text,
        "quote": event.reason, "at": event.at,
    }  # fmt: skip
