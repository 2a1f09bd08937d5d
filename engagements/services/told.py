"""The tables of who is told of which move, and in which words.

A title may name what `telling.words_of` knows. Where somebody would be told twice of one move,
the first row that has them stands.
"""

from collections.abc import Callable
from dataclasses import dataclass

from engagements.models import ChangeRequest, ServiceRequest, SignOff, WorkAtRisk
from engagements.services.audiences import (
    Audience,
    by_appealer,
    by_asked_of,
    by_asker,
    by_leads,
    by_owner_there,
    by_proposer,
    by_recorder,
    by_requester,
    by_risk_parties,
    by_scheduled,
    by_team,
)
from events.workflow import Move


@dataclass(frozen=True, slots=True)
class Telling:
    """One group that is told of a move."""

    kind: str
    title: str
    to: tuple[Audience, ...]
    when: Callable[[Move], bool] = lambda _move: True
    # Null: the reason that was given.
    body: Callable[[Move], str] | None = None


def _was_not_just_filed(move: Move) -> bool:
    """Who files a request reads where it goes on the page they come to."""
    return not (move.by.is_system and move.obj.submitted_at == move.at)


def _is_for_a_sow(move: Move) -> bool:
    # What becomes of a delivery is told with the request's own move.
    return bool(move.obj.purpose == SignOff.Purpose.SOW)


def _is_by_the_customer(move: Move) -> bool:
    return _is_for_a_sow(move) and move.obj.recorded_by_id is None


def _question(move: Move) -> str:
    return str(move.values["question"])


def _answer(move: Move) -> str:
    return str(move.values["answer"])


def _alternative(move: Move) -> str:
    return f"{move.reason}\n\nInstead: {move.values['alternative']}"


def _code(move: Move) -> str:
    return str(move.values.get("code") or "")


REQUEST: dict[str, tuple[Telling, ...]] = {
    "take": (
        Telling(
            "asked_of_you",
            "{number} is Deployment Engineering's: write the SOW for {account}",
            (by_requester,),
            when=_was_not_just_filed,
        ),
    ),
    "route_out": (
        Telling(
            "decision",
            "{number} for {account} belongs to {owner}",
            (by_requester,),
            when=_was_not_just_filed,
        ),
        Telling("asked_of_you", "{number} of {account} was handed to you", (by_owner_there,)),
    ),
    "appeal": (
        Telling("asked_of_you", "Decide on the appeal of {number}, {account}", (by_leads,)),
    ),
    "grant_appeal": (
        Telling(
            "decision",
            "The appeal of {number} is granted: write the SOW",
            (by_requester, by_appealer),
        ),
    ),
    "refuse_appeal": (
        Telling("decision", "The appeal of {number} is refused", (by_requester, by_appealer)),
    ),
    "fast_path": (
        Telling(
            "decision",
            "{number} for {account} is on the fast path: no sign-off needed",
            (by_requester,),
            when=_was_not_just_filed,
        ),
        Telling(
            "asked_of_you", "Schedule {number}, {account}: it is on the fast path", (by_leads,)
        ),
    ),
    "ask": (
        Telling(
            "asked_of_you",
            "{number}, {account}: a question waits for your answer",
            (by_asked_of,),
            body=_question,
        ),
    ),
    "answer": (
        Telling(
            "asked_of_you",
            "{number}, {account}: your question is answered",
            (by_asker,),
            body=_answer,
        ),
        Telling("request_moved", "{number}, {account}: goes on, answered", (by_requester, by_team)),
    ),
    "send_change": (
        Telling(
            "change", "{number}, {account}: a change went to the customer", (by_team, by_requester)
        ),
    ),
    "sign": (Telling("sign_off", "{number}, {account}, is signed off: triage it", (by_leads,)),),
    "unsign": (
        Telling("sign_off", "{number}, {account}, has lost its sign-off", (by_requester, by_leads)),
    ),
    "triage": (Telling("request_moved", "{number}, {account}, is triaged", (by_requester,)),),
    "triage_at_risk": (
        Telling("request_moved", "{number}, {account}, is triaged at risk", (by_requester,)),
    ),
    "schedule": (
        Telling(
            "asked_of_you",
            "You work on {number}, {account}, from {start} to {end}",
            (by_scheduled,),
        ),
        Telling(
            "request_moved",
            "{number}, {account}, is scheduled from {start} to {end}",
            (by_requester,),
        ),
    ),
    "unschedule": (
        Telling("decision", "{number}, {account}, is off the schedule", (by_requester, by_team)),
    ),
    "start": (Telling("request_moved", "Work on {number}, {account}, has begun", (by_requester,)),),
    "deliver": (
        Telling(
            "asked_of_you",
            "{number}, {account}, is delivered: the customer has to accept it",
            (by_requester,),
        ),
        Telling("request_moved", "{number}, {account}, is delivered", (by_team,)),
    ),
    "accept_delivery": (
        Telling("delivery", "{account} accepted the delivery of {number}", (by_requester, by_team)),
    ),
    "lose_acceptance": (
        Telling(
            "delivery",
            "{number}, {account}: the acceptance of the delivery is lost",
            (by_requester, by_team),
        ),
    ),
    "reject_delivery": (
        Telling("delivery", "{account} rejected the delivery of {number}", (by_requester, by_team)),
    ),
    "close": (Telling("request_moved", "{number}, {account}, is closed", (by_requester, by_team)),),
    "decline": (
        Telling(
            "decision",
            "{number}, {account}, is declined",
            (by_requester, by_team),
            body=_alternative,
        ),
    ),
    "cancel": (Telling("decision", "{number}, {account}, is cancelled", (by_requester, by_team)),),
    "hold": (Telling("decision", "{number}, {account}, is on hold", (by_requester, by_team)),),
    "resume": (Telling("decision", "{number}, {account}, goes on", (by_requester, by_team)),),
    "reopen": (
        Telling("request_moved", "{number}, {account}, gets a successor", (by_requester, by_team)),
    ),
}
SIGN_OFF: dict[str, tuple[Telling, ...]] = {
    "confirm": (
        Telling(
            "sign_off",
            "{number}, {account}: the sign-off is confirmed",
            (by_requester, by_recorder),
            when=_is_for_a_sow,
        ),
    ),
    "agree": (
        Telling(
            "sign_off",
            "{account} signed off {number}",
            (by_requester, by_team),
            when=_is_by_the_customer,
        ),
    ),
    "reject": (
        Telling(
            "sign_off",
            "{account} asks for a change of {number}",
            (by_requester,),
            when=_is_for_a_sow,
        ),
    ),
    "object": (
        Telling(
            "sign_off",
            "{account} objects to what was understood of {number}: work stops",
            (by_requester, by_recorder, by_team, by_leads),
        ),
    ),
    "withdraw": (
        Telling(
            "sign_off",
            "{number}, {account}: evidence of the sign-off was withdrawn",
            (by_requester, by_recorder, by_team, by_leads),
        ),
    ),
}
RISK: dict[str, tuple[Telling, ...]] = {
    "approve": (
        Telling(
            "risk",
            "Work at Risk of {number}, {account}, is approved until {expires}",
            (by_risk_parties, by_requester, by_team),
        ),
    ),
    "refuse": (
        Telling(
            "risk",
            "Work at Risk of {number}, {account}, is refused",
            (by_risk_parties, by_requester),
        ),
    ),
    "withdraw": (
        Telling(
            "risk",
            "Work at Risk of {number}, {account}, was ended early",
            (by_risk_parties, by_requester, by_team),
        ),
    ),
    "end": (
        Telling(
            "risk",
            "Work at Risk of {number}, {account}, has run out: the sign-off is still owed",
            (by_risk_parties, by_requester, by_team),
            when=lambda move: _code(move) == "expired",
        ),
        Telling(
            "risk",
            "{account} signed off {number}: nothing is at risk any more",
            (by_risk_parties,),
            when=lambda move: _code(move) == "signed",
        ),
    ),
}
CHANGE: dict[str, tuple[Telling, ...]] = {
    "approve": (
        Telling(
            "change",
            "The change of {number}, {account}, is approved: send it for sign-off",
            (by_proposer, by_requester),
        ),
    ),
    "refuse": (
        Telling(
            "change", "The change of {number}, {account}, is refused", (by_proposer, by_requester)
        ),
    ),
    "withdraw": (
        Telling(
            "change", "The change of {number}, {account}, was withdrawn", (by_proposer, by_team)
        ),
    ),
    "agree": (
        Telling(
            "change",
            "{account} agreed to the change of {number}",
            (by_proposer, by_requester, by_team),
        ),
    ),
}
TOLD = {
    ServiceRequest: REQUEST,
    SignOff: SIGN_OFF,
    WorkAtRisk: RISK,
    ChangeRequest: CHANGE,
}
