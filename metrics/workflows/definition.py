"""The table of proposals of a definition."""

from typing import Any

from config.lib.values import BadValue, parse_boolean
from engagements.workflows.guards import guard
from events.workflow import Case, Field, Guard, Transition, Workflow
from metrics import permissions
from metrics.models import DefinitionProposal
from metrics.selectors import lab
from metrics.services import proposals

S = DefinitionProposal.State


@guard("complete", "It has a title, a text, an owner and a why.")
def is_complete(case: Case) -> str:
    return lab.lacking(case.obj)


@guard("differs", "It differs from the version it starts from.")
def differs(case: Case) -> str:
    return lab.sameness(case.obj)


@guard("fits", "It begins after the newest version; the name of a second number is free.")
def fits(case: Case) -> str:
    return lab.clash(case.obj)


@guard("not_past", "Its first day is not over.")
def is_not_past(case: Case) -> str:
    return lab.lateness(case.obj, at=case.at)


@guard("tested", "A finished back-test of this very content, where the number can have one.")
def is_tested(case: Case) -> str:
    return lab.untested(case.obj)


GUARDS: tuple[Guard, ...] = (is_complete, differs, fits, is_not_past, is_tested)


def _yes(value: Any, case: Case) -> bool:
    if case.as_text:
        if value in ("on", "true", "yes"):
            return True
        raise BadValue("not_a_boolean", "Tick it, or leave it.")
    return parse_boolean(value)


ACKNOWLEDGED = Field(
    name="acknowledged",
    label="I approve it without a back-test",
    parse=_yes,
    required=False,
    kind="yes",
    help="Needed only where no back-test exists for the number.",
)

DEFINITION = Workflow(
    name=proposals.WORKFLOW,
    noun="definition proposal",
    model=DefinitionProposal,
    states=S,
    transitions=(
        Transition(
            id="propose",
            label="Propose it",
            done="proposed",
            sources=frozenset({S.DRAFT}),
            target=S.PROPOSED,
            who=permissions.can_edit_proposal,
            guards=GUARDS,
            changes=(proposals.proposed,),
            effects=(proposals.tell_deciders,),
        ),
        Transition(
            id="revise",
            label="Change it again",
            done="revised",
            sources=frozenset({S.PROPOSED, S.REJECTED}),
            target=S.DRAFT,
            who=permissions.can_edit_proposal,
            changes=(lambda _move: {"decided_by": None, "decided_at": None},),
        ),
        Transition(
            id="approve",
            label="Approve",
            done="approved",
            sources=frozenset({S.PROPOSED}),
            target=S.APPROVED,
            who=permissions.can_decide_proposal,
            guards=GUARDS,
            fields=(ACKNOWLEDGED,),
            changes=(proposals.version_made, proposals.decided),
            effects=(proposals.tell_decision,),
            warns="From its first day on the number is computed by it. It cannot be taken back: "
            "a further change is a further version.",
        ),
        Transition(
            id="reject",
            label="Reject",
            done="rejected",
            sources=frozenset({S.PROPOSED}),
            target=S.REJECTED,
            who=permissions.can_decide_proposal,
            needs_reason=True,
            changes=(proposals.decided,),
            effects=(proposals.tell_decision,),
        ),
        Transition(
            id="withdraw",
            label="Withdraw",
            done="withdrawn",
            sources=frozenset({S.DRAFT, S.PROPOSED}),
            target=S.WITHDRAWN,
            who=permissions.can_edit_proposal,
            needs_reason=True,
        ),
    ),
    account_of=lambda _proposal: None,
)
