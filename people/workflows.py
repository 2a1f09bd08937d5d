"""The table of absences: asked for, approved by somebody else, begun and ended by the date."""

from collections.abc import Iterable

from events.workflow import Case, Changes, Guard, Move, Transition, Workflow
from people import permissions
from people.models import Absence, Role, User
from people.selectors import absences_between, people_with_role

S = Absence.State


def approvers(absence: Absence) -> Iterable[User]:
    rows = people_with_role(Role.DE_LEAD) | people_with_role(Role.LEADERSHIP)
    return rows.exclude(pk=absence.person_id).distinct()


def _covered(case: Case) -> str:
    absence: Absence = case.obj
    if absence.cover is None:
        return "Nobody covers. Name who stands in first."
    if absences_between(absence.start, absence.end).filter(person=absence.cover).exists():
        return f"{absence.cover} is away then too. Name somebody else."
    return ""


IS_COVERED = Guard(code="covered", says="Somebody stands in who is not away then.", check=_covered)


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
            guards=(IS_COVERED,),
            changes=(decided,),
            asks=approvers,
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
        ),
        Transition(
            id="withdraw",
            label="Withdraw",
            done="withdrawn",
            sources=frozenset({S.DRAFT, S.APPROVED}),
            target=S.WITHDRAWN,
            who=permissions.can_withdraw_absence,
        ),
        Transition(
            id="begin",
            label="Begins",
            done="begun",
            sources=frozenset({S.APPROVED}),
            target=S.ACTIVE,
            who=permissions.is_keel,
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
