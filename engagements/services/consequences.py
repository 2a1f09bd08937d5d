"""What follows from a request's moves, in their transaction."""

import datetime as dt

from accounts.selectors import today
from engagements import selectors
from engagements.models import (
    OutcomeCheck,
    Question,
    RequestState,
    ServiceRequest,
    Stay,
    WorkAtRisk,
)
from engagements.services.moving import move as make_move
from engagements.services.telling import tell
from events.workflow import Case, Changes, Given, Move
from people.models import system_user

__all__ = ["tell"]
RISK_ENDED = "risk_ended"
CHECK_DAYS = (30, 60, 90)


def keep_stay(move: Move) -> None:
    """Close the stay in the former state and open the next."""
    if move.was == move.becomes:
        return
    stay = Stay.objects.filter(request=move.obj, left_at=None).first()
    # Clocks differ, and who asked first may come second: no stay ends before it began.
    at = max(move.at, stay.entered_at) if stay else move.at
    Stay.objects.filter(request=move.obj, left_at=None).update(left_at=at)
    Stay.objects.create(request=move.obj, state=move.becomes, entered_at=at)
    ServiceRequest.objects.filter(pk=move.obj.pk).update(moved_at=at)


def where_it_was(case: Case) -> str:
    return selectors.where_it_was(case.obj, on=today(case.at))


def back_to_work(case: Case) -> str:
    """Return where a rejected delivery goes: on, where its ground is still there."""
    is_grounded = selectors.may_work(case.obj, on=today(case.at))
    return RequestState.IN_PROGRESS if is_grounded else RequestState.SCHEDULED


def waiting_for(move: Move) -> Changes:
    return {"waits_for": move.values["asked_of"] or move.obj.filed_by}


def keep_question(move: Move) -> None:
    Question.objects.create(
        request=move.obj,
        text=move.values["question"],
        asked_by=move.by,
        asked_at=move.at,
        asked_of=move.values["asked_of"],
    )


def keep_answer(move: Move) -> None:
    move.obj.questions.filter(answered_at=None).update(
        answer=move.values["answer"], answered_by=move.by, answered_at=move.at
    )


def keep_engineers(move: Move) -> None:
    move.obj.engineers.set(move.values["engineers"] or [])


def coded(move: Move) -> Changes:
    return {"end_code": move.values["code"]}


def keep_delivery(move: Move) -> None:
    """Freeze what is handed over, as the customer will see it."""
    from engagements.services.delivering import freeze_delivery  # noqa: PLC0415

    freeze_delivery(move)


def plan_checks(move: Move) -> None:
    """Plan the looks at whether the seats came."""
    closed_on = today(move.at)
    facts = getattr(move.obj.account, "facts", None)
    OutcomeCheck.objects.bulk_create(
        OutcomeCheck(
            request=move.obj,
            days=days,
            due_on=closed_on + dt.timedelta(days=days),
            seats_before=facts.deployed if facts else None,
        )
        for days in CHECK_DAYS
    )


def end_risks(move: Move) -> None:
    """End Work at Risk: the customer has signed."""
    _end_risks(move, "signed", "The customer has signed off.")


def close_what_is_open(move: Move) -> None:
    """Revoke links, end Work at Risk and close questions of a request that is over."""
    move.obj.links_sent.filter(used_at=None, revoked_at=None).update(
        revoked_at=move.at, revoked_by=move.by
    )
    move.obj.questions.filter(answered_at=None).update(answered_at=move.at)
    _end_risks(move, "request_over", "The request is over.")


def make_successor(move: Move) -> None:
    """Begin a draft that goes on with it."""
    old: ServiceRequest = move.obj
    copied = (
        "account", "title", "type", "standard_environment", "inside_product", "licence_matter",
        "critical", "over_one_day", "escalated", "escalation_reason", "product_approval",
        "problem", "outcome", "if_not", "needed_by", "time_reason", "contact", "links",
        "seats_low", "seats_likely", "seats_high", "came_by",
    )  # fmt: skip
    values = {name: getattr(old, name) for name in copied}
    ServiceRequest.objects.create(
        **values, filed_by=move.by, successor_of=old, created_at=move.at, moved_at=move.at
    )


def risk_over(move: Move) -> None:
    """Stop work that stood on Work at Risk alone."""
    request: ServiceRequest = move.obj.request
    on = today(move.at)
    if request.state == RequestState.IN_PROGRESS and not selectors.may_work(request, on=on):
        given = Given(
            reason="Work at Risk ended without a sign-off.", values={"code": "risk_ended"}
        )
        make_move(request, "hold", by=system_user(), at=move.at, given=given)


def _end_risks(move: Move, code: str, reason: str) -> None:
    open_states = (WorkAtRisk.State.ASKED, WorkAtRisk.State.APPROVED)
    for risk in move.obj.risks.filter(state__in=open_states):
        given = Given(reason=reason, values={"code": code})
        make_move(risk, "end", by=system_user(), at=move.at, given=given)
