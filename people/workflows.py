"""The table of absences: asked for, approved by somebody else, begun and ended by the date."""

from config.lib.ui.formats import days_between_text
from events.workflow import Case, Changes, Guard, Move, Transition, Workflow
from people import permissions
from people.models import Absence
from people.selectors import absences_between, covers_of
from people.services import absence_notices

S = Absence.State


def _covered(case: Case) -> str:
    absence: Absence = case.obj
    if absence.cover is None:
        return "Nobody covers. Name who stands in first."
    if absences_between(absence.start, absence.end).filter(person=absence.cover).exists():
        return f"{absence.cover} is away then too. Name somebody else."
    return ""


def _stands_in(case: Case) -> str:
    absence: Absence = case.obj
    other = covers_of(absence.person, absence.start, absence.end).first()
    if other is None:
        return ""
    days = days_between_text(other.start, other.end)
    return (
        f"{absence.person} stands in for {other.person} {days}. "
        f"Name somebody else to stand in for {other.person} first."
    )


IS_COVERED = Guard(code="covered", says="Somebody stands in who is not away then.", check=_covered)

STANDS_IN_FOR_NOBODY = Guard(
    code="stands_in", says="The person stands in for nobody else then.", check=_stands_in
)


def decided(move: Move) -> Changes:
    return {"decided_by": move.by, "decided_at": move.at}


ABSENCE = Workflow(
    name="absence",
    noun="absence",
    model=Absence,
    states=S,
    transitions=(
        Transition(
            id="approve",
            label="Approve",
            done="approved",
            sources=frozenset({S.DRAFT}),
            target=S.APPROVED,
            who=permissions.can_decide_absence,
            guards=(IS_COVERED, STANDS_IN_FOR_NOBODY),
            changes=(decided,),
            effects=(absence_notices.approved,),
            asks=absence_notices.deciders,
        ),
        Transition(
            id="refuse",
            label="Refuse",
            done="refused",
            sources=frozenset({S.DRAFT}),
            target=S.REFUSED,
            who=permissions.can_decide_absence,
            needs_reason=True,
            changes=(decided,),
            effects=(absence_notices.refused,),
        ),
        Transition(
            id="withdraw",
            label="Withdraw",
            done="withdrawn",
            sources=frozenset({S.DRAFT, S.APPROVED}),
            target=S.WITHDRAWN,
            who=permissions.can_withdraw_absence,
            effects=(absence_notices.withdrawn,),
        ),
        Transition(
            id="begin",
            label="Begins",
            done="begun",
            sources=frozenset({S.APPROVED}),
            target=S.ACTIVE,
            who=permissions.is_keel,
            effects=(absence_notices.begun,),
            is_automatic=True,
        ),
        Transition(
            id="end",
            label="Ends",
            done="ended",
            sources=frozenset({S.APPROVED, S.ACTIVE}),
            target=S.ENDED,
            who=permissions.is_keel,
            is_automatic=True,
        ),
    ),
    account_of=lambda _absence: None,
)
