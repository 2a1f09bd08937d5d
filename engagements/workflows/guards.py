"""Conditions of moves. Each answers "" where it holds, else why not and what to do about it."""

import datetime as dt
from collections.abc import Callable

from accounts import selectors as accounts
from engagements import selectors
from engagements.models import (
    ChangeRequest,
    Effort,
    RequestState,
    ServiceRequest,
    SignOff,
    WorkAtRisk,
)
from engagements.rules import sow as sow_rules
from engagements.services.sow_versions import CHANGING, phase_of
from engagements.workflows.common import BEFORE_WORK
from events.workflow import Case, Guard

MOST_DAYS = 14


def guard(code: str, says: str) -> Callable[[Callable[[Case], str]], Guard]:
    """Make a guard of the function below."""

    def made(check: Callable[[Case], str]) -> Guard:
        return Guard(code=code, says=says, check=check)

    return made


def _today(case: Case) -> dt.date:
    return accounts.today(case.at)


@guard("complete", "Every answer that intake asks for is there.")
def is_complete(case: Case) -> str:
    missing = selectors.missing_answers(case.obj, on=_today(case))
    return f"Not everything is answered: {' '.join(missing.values())}" if missing else ""


@guard("account_open", "The account is not archived.")
def account_is_open(case: Case) -> str:
    account = case.obj.account
    if account is not None and account.archived:
        return f"{account.name} is archived. Restore it, or choose another account."
    return ""


@guard("sow_complete", "The SOW has all its parts.")
def sow_is_complete(case: Case) -> str:
    sow = selectors.current_sow(case.obj)
    if sow is None:
        return "There is no statement of work yet. Write it first."
    missing = sow_rules.missing_parts(sow.content)
    if sow.typed:
        missing += [f"a valid “{sow_rules.label_of(path)}”" for path in sow.typed]
    return f"The statement of work lacks: {', '.join(missing)}." if missing else ""


@guard("sow_draft", "There is a version of the SOW that was not sent yet.")
def has_a_draft(case: Case) -> str:
    sow = selectors.current_sow(case.obj)
    if sow is None or not sow.is_frozen:
        return ""
    return f"Version {sow.number} of the statement of work was sent already. Make a new version."


@guard("sent_before", "A version was sent before.")
def has_a_version_sent(case: Case) -> str:
    return "" if selectors.newest_frozen(case.obj) else "No version was sent yet."


@guard("change_approved", "A larger change is approved by a DE lead.")
def change_is_approved(case: Case) -> str:
    sow = selectors.current_sow(case.obj)
    change = ChangeRequest.objects.filter(after=sow).first() if sow else None
    if change is None or change.kind != ChangeRequest.Kind.LARGER:
        return ""
    if change.state in (ChangeRequest.State.APPROVED, ChangeRequest.State.AGREED):
        return ""
    return "This change takes more effort or two months longer. A DE lead has to approve it first."


@guard("triaged", "It is triaged; one that waits was triaged before.")
def is_triaged(case: Case) -> str:
    if phase_of(case.obj) in CHANGING:
        return ""
    return "It waits. Let it go on first, then send the statement of work for sign-off."


@guard("not_begun", "Work is not scheduled; one that waits was not scheduled before.")
def has_not_begun(case: Case) -> str:
    was = case.obj.paused_from
    if not was or was in BEFORE_WORK:
        return ""
    return f"It was {RequestState(was).label.lower()} before it had to wait. Cancel it instead."


@guard("not_sent", "Nothing was sent for sign-off; of one that waits, nothing was before.")
def is_not_sent(case: Case) -> str:
    was = case.obj.paused_from
    if not was or was in (RequestState.SUBMITTED, RequestState.SOW_DRAFTING):
        return ""
    return f"It was {RequestState(was).label.lower()} before it had to wait. Answer first."


@guard("takes_approval", "The change takes more effort, or two months longer.")
def takes_approval(case: Case) -> str:
    if case.obj.kind == ChangeRequest.Kind.LARGER:
        return ""
    return "This change needs no approval: the customer's answer is enough."


@guard("signed", "A live sign-off of the current SOW, strong enough for its amount and impact.")
def is_signed(case: Case) -> str:
    return selectors.why_not_signed(case.obj, on=_today(case))


@guard("signed_or_risk", "A live sign-off of the current SOW, or an approved Work at Risk.")
def is_signed_or_at_risk(case: Case) -> str:
    request, today = case.obj, _today(case)
    if selectors.may_work(request, on=today):
        return ""
    return f"{selectors.why_not_signed(request, on=today)} Or ask for Work at Risk."


@guard("risk", "An approved Work at Risk that has not run out.")
def is_at_risk(case: Case) -> str:
    if selectors.live_risk(case.obj, on=_today(case)):
        return ""
    return "The customer has not signed off, and no Work at Risk is approved."


@guard("fast", "Critical, or one day of work or less that is no customer deliverable.")
def is_fast(case: Case) -> str:
    request = case.obj
    has_deliverables = any(
        sow.content.get("deliverables") for sow in request.sows.filter(discarded_at=None)
    )
    if request.critical or (request.over_one_day is False and not has_deliverables):
        return ""
    return (
        "The fast path is for critical escalations, and for a day of work or less that is no "
        "customer deliverable."
    )


@guard("owned", "It has one lead.")
def has_a_lead(case: Case) -> str:
    return "" if case.obj.lead_id else "Nobody leads it. Schedule it with a lead."


@guard("dated", "It has dates.")
def has_dates(case: Case) -> str:
    return "" if case.obj.start and case.obj.end else "It has no dates. Schedule it with dates."


@guard("two_weeks", "At most two weeks of work.")
def is_two_weeks_at_most(case: Case) -> str:
    request = case.obj
    if request.start and request.end and (request.end - request.start).days >= MOST_DAYS:
        return "It is longer than two weeks. Split it."
    return ""


@guard("not_very_high", "Very high effort is split before it is scheduled.")
def is_small_enough(case: Case) -> str:
    if case.obj.effort == Effort.VERY_HIGH:
        return "Its effort is very high. Split it, or score it again."
    return ""


@guard("ticked", "Each deliverable is ticked, with evidence.")
def is_ticked(case: Case) -> str:
    open_ones = selectors.open_deliverables(case.obj)
    if not open_ones:
        return ""
    return f"Not done yet: {', '.join(open_ones)}. Tick each with evidence."


@guard("rolled_out", "The roll-out is done.")
def is_rolled_out(case: Case) -> str:
    if hasattr(case.obj, "roll_out"):
        return ""
    return "The roll-out is not done. Say when and how it was rolled out."


@guard("maintained", "Every artefact has an owner for maintenance.")
def is_maintained(case: Case) -> str:
    names = list(case.obj.artefacts.filter(maintained_by="").values_list("name", flat=True))
    return f"Nobody maintains: {', '.join(names)}. Name an owner for each." if names else ""


@guard("delivery_accepted", "The customer accepted the delivery.")
def is_accepted(case: Case) -> str:
    delivery = case.obj.deliveries.order_by("-number").first()
    accepted = delivery and delivery.sign_offs.filter(state=SignOff.State.AGREED).exists()
    return "" if accepted else "The customer has not accepted the delivery."


@guard("not_answered", "The delivery was not accepted otherwise.")
def is_not_answered(case: Case) -> str:
    delivery = case.obj.delivery
    if delivery is None or not delivery.sign_offs.filter(state=SignOff.State.AGREED).exists():
        return ""
    return "This delivery was accepted already. Withdraw this record: it is not needed."


@guard("retrospective", "A retrospective, where a date or the scope was missed.")
def has_a_retrospective(case: Case) -> str:
    missed = selectors.what_was_missed(case.obj)
    if not missed or case.obj.retrospective:
        return ""
    return f"{missed} Write the retrospective first."


@guard("appealed", "An appeal is open.")
def has_an_appeal(case: Case) -> str:
    decision = selectors.newest_decision(case.obj)
    return "" if decision is not None and decision.is_appealed else "No appeal is open."


@guard("not_appealed", "The decision was not appealed before.")
def has_no_appeal(case: Case) -> str:
    decision = selectors.newest_decision(case.obj)
    if decision is None or decision.appealed_at is None:
        return ""
    if decision.is_appealed:
        return "An appeal is open already."
    return "An appeal was refused already, by a second lead."


@guard("no_successor", "It has no successor yet.")
def has_no_successor(case: Case) -> str:
    successor = case.obj.successors.exclude(state=RequestState.CANCELLED).first()
    return f"{successor.number} goes on with it already." if successor else ""


@guard("needs_agreement", "The request still waits for a sign-off.")
def still_needs_agreement(case: Case) -> str:
    request: ServiceRequest = case.obj.request if isinstance(case.obj, WorkAtRisk) else case.obj
    if request.fast_path:
        return "It is on the fast path and needs no sign-off."
    if selectors.live_sign_off(request, on=_today(case)):
        return "The customer has signed off. Nothing is at risk."
    return ""


@guard("not_over", "The last day is not over.")
def is_not_over(case: Case) -> str:
    if case.obj.expires_on >= _today(case):
        return ""
    return f"It was asked for until {case.obj.expires_on:%d %b}. Ask for it again."
