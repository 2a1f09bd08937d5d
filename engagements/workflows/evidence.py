"""The tables of sign-offs, Work at Risk and changes."""

from collections.abc import Iterable

from engagements import permissions
from engagements.models import ChangeRequest, SignOff, WorkAtRisk
from engagements.services import changing, consequences, signing
from engagements.services.telling import tell
from engagements.workflows import fields, guards
from events.workflow import Case, Changes, Guard, Move, Transition, Workflow
from people.models import Role, User
from people.selectors import people_with_role


def leaders(_risk: WorkAtRisk) -> Iterable[User]:
    return people_with_role(Role.LEADERSHIP)


def de_leads(_change: ChangeRequest) -> Iterable[User]:
    return people_with_role(Role.DE_LEAD)


def confirmed(move: Move) -> Changes:
    return {"confirmed_by": move.by, "confirmed_at": move.at}


def objected(move: Move) -> Changes:
    return {"objection": move.values["objection"], "objected_at": move.at}


def decided(move: Move) -> Changes:
    return {"decided_by": move.by, "decided_at": move.at, "answer": move.reason}


def undecided(_move: Move) -> Changes:
    return {"decided_by": None, "decided_at": None, "answer": ""}


def ended(move: Move) -> Changes:
    return {"ended_at": move.at, "end_code": move.values.get("code") or "withdrawn"}


def _is_staffs(case: Case) -> str:
    if case.obj.way in (SignOff.Way.LINK, SignOff.Way.ESIGNED):
        return "The customer gave this answer. Only the customer can take it back."
    return ""


STAFFS = Guard(
    code="recorded_by_us", says="It was recorded by us, not given by link.", check=_is_staffs
)

SIGN_OFF = Workflow(
    name="sign_off",
    noun="sign-off",
    model=SignOff,
    states=SignOff.State,
    on_move=(tell,),
    transitions=(
        Transition(
            id="confirm",
            label="Confirm",
            done="confirmed",
            sources=frozenset({SignOff.State.RECORDED}),
            target=SignOff.State.AGREED,
            who=permissions.can_confirm_sign_off,
            guards=(guards.is_not_answered,),
            changes=(confirmed,),
            effects=(signing.agreed,),
        ),
        Transition(
            id="agree",
            label="Agreed",
            done="agreed",
            sources=frozenset({SignOff.State.RECORDED}),
            target=SignOff.State.AGREED,
            who=permissions.is_keel,
            effects=(signing.agreed,),
            is_automatic=True,
        ),
        Transition(
            id="reject",
            label="Asked for a change",
            done="rejected",
            sources=frozenset({SignOff.State.RECORDED}),
            target=SignOff.State.REJECTED,
            who=permissions.is_keel,
            needs_reason=True,
            effects=(signing.rejected,),
            is_automatic=True,
        ),
        Transition(
            id="object",
            label="Objected",
            done="objected",
            sources=frozenset({SignOff.State.RECORDED, SignOff.State.AGREED}),
            target=SignOff.State.OBJECTED,
            who=permissions.is_keel,
            # The customer's own words; the reason stands in the log, and names nobody.
            fields=(fields.lines("objection", "What is not right"),),
            needs_reason=True,
            changes=(objected,),
            effects=(signing.lost,),
            is_automatic=True,
            private=frozenset({"objection"}),
        ),
        Transition(
            id="withdraw",
            label="Withdraw",
            done="withdrawn",
            sources=frozenset({SignOff.State.RECORDED, SignOff.State.AGREED}),
            target=SignOff.State.WITHDRAWN,
            who=permissions.can_withdraw_sign_off,
            guards=(STAFFS,),
            needs_reason=True,
            effects=(signing.lost,),
        ),
    ),
)

RISK = Workflow(
    name="work_at_risk",
    noun="Work at Risk",
    model=WorkAtRisk,
    states=WorkAtRisk.State,
    on_move=(tell,),
    transitions=(
        Transition(
            id="approve",
            label="Approve",
            done="approved",
            sources=frozenset({WorkAtRisk.State.ASKED}),
            target=WorkAtRisk.State.APPROVED,
            who=permissions.can_decide_risk,
            guards=(guards.still_needs_agreement, guards.is_not_over),
            changes=(decided,),
            asks=leaders,
        ),
        Transition(
            id="refuse",
            label="Refuse",
            done="refused",
            sources=frozenset({WorkAtRisk.State.ASKED}),
            target=WorkAtRisk.State.REFUSED,
            who=permissions.can_decide_risk,
            needs_reason=True,
            changes=(decided,),
        ),
        Transition(
            id="withdraw",
            label="End it",
            done="withdrawn",
            sources=frozenset({WorkAtRisk.State.ASKED, WorkAtRisk.State.APPROVED}),
            target=WorkAtRisk.State.WITHDRAWN,
            who=permissions.can_withdraw_risk,
            needs_reason=True,
            changes=(ended,),
            effects=(consequences.risk_over,),
        ),
        Transition(
            id="end",
            label="Ended",
            done="ended",
            sources=frozenset({WorkAtRisk.State.ASKED, WorkAtRisk.State.APPROVED}),
            target=WorkAtRisk.State.ENDED,
            who=permissions.is_keel,
            fields=(fields.text("code", "Why", longest=20),),
            needs_reason=True,
            changes=(ended,),
            effects=(consequences.risk_over,),
            is_automatic=True,
        ),
    ),
)

CHANGE = Workflow(
    name="change",
    noun="change",
    model=ChangeRequest,
    states=ChangeRequest.State,
    on_move=(tell,),
    transitions=(
        Transition(
            id="approve",
            label="Approve",
            done="approved",
            sources=frozenset({ChangeRequest.State.PROPOSED}),
            target=ChangeRequest.State.APPROVED,
            who=permissions.can_decide_change,
            guards=(guards.takes_approval,),
            changes=(decided,),
            asks=de_leads,
        ),
        Transition(
            id="reopen",
            label="To be approved again",
            done="reopened",
            sources=frozenset({ChangeRequest.State.APPROVED}),
            target=ChangeRequest.State.PROPOSED,
            who=permissions.is_keel,
            needs_reason=True,
            changes=(undecided,),
            is_automatic=True,
        ),
        Transition(
            id="replace",
            label="Replaced by a newer version",
            done="replaced",
            sources=frozenset({ChangeRequest.State.PROPOSED, ChangeRequest.State.APPROVED}),
            target=ChangeRequest.State.WITHDRAWN,
            who=permissions.is_keel,
            is_automatic=True,
        ),
        Transition(
            id="refuse",
            label="Refuse",
            done="refused",
            sources=frozenset({ChangeRequest.State.PROPOSED}),
            target=ChangeRequest.State.REFUSED,
            who=permissions.can_decide_change,
            needs_reason=True,
            changes=(decided,),
            effects=(changing.drop_version,),
        ),
        Transition(
            id="withdraw",
            label="Withdraw",
            done="withdrawn",
            sources=frozenset({ChangeRequest.State.PROPOSED, ChangeRequest.State.APPROVED}),
            target=ChangeRequest.State.WITHDRAWN,
            who=permissions.can_withdraw_change,
            effects=(changing.drop_version,),
        ),
        Transition(
            id="agree",
            label="Agreed by the customer",
            done="agreed",
            sources=frozenset({ChangeRequest.State.PROPOSED, ChangeRequest.State.APPROVED}),
            target=ChangeRequest.State.AGREED,
            who=permissions.is_keel,
            is_automatic=True,
        ),
    ),
)
