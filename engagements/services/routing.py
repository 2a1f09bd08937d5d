"""What the router and people decide about who owns a request."""

from engagements import selectors
from engagements.models import RoutingDecision
from events.workflow import Move


def route_submitted(move: Move) -> None:
    """Ask the router, keep its decision, and make the move it leads to."""


def keep_decision(move: Move) -> None:
    """Keep whose decision this move is."""


def keep_appeal(move: Move) -> None:
    """Note the appeal on the decision it is about."""
    decision = selectors.newest_decision(move.obj)
    if decision is None:
        decision = RoutingDecision(
            request=move.obj, at=move.at, how=RoutingDecision.How.PERSON, owner=move.obj.owner
        )
    decision.appealed_by, decision.appealed_at = move.by, move.at
    decision.appeal_reason = move.reason
    decision.save()


def decide_appeal(move: Move) -> None:
    """Answer the appeal; a granted one counts against the rule."""
    decision = selectors.newest_decision(move.obj)
    if decision is None:
        return
    decision.appeal_decided_by, decision.appeal_decided_at = move.by, move.at
    decision.appeal_granted = move.transition.id == "grant_appeal"
    decision.appeal_answer = move.reason
    decision.save()
