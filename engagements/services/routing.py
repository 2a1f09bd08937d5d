"""What the router and people decide about who owns a request."""

from django.core.exceptions import ValidationError

from accounts.selectors import today
from engagements import selectors
from engagements.models import Owner, RoutingDecision, ServiceRequest
from engagements.selectors import routing
from engagements.services.moving import move as make_move
from engagements.services.telling import needs_a_person, needs_the_fast_path
from events import services as events
from events.workflow import Given, Move
from people.models import system_user


def route_submitted(move: Move) -> None:
    """Ask the router, keep its answer, and make the move it leads to.

    Where a person has to decide, or put it on the fast path, the request stays submitted and the
    DE leads are told.
    """
    request: ServiceRequest = move.obj
    answer = routing.answer_for(request, on=today(move.at))
    told = routing.answer_told(answer, request.account)
    RoutingDecision.objects.create(
        request=request,
        at=move.at,
        how=RoutingDecision.How.RULE if answer.owner else RoutingDecision.How.PERSON,
        rule_id=answer.rule.row if answer.rule else None,
        answer=told,
        owner=answer.owner,
        reason=told["why"],
        hand_over=routing.hand_over_text(
            request, answer.owner, answer.rule.hand_over if answer.rule else "", told["why"]
        ),
    )
    if answer.needs_a_person or answer.fast_path:
        _leave_to_a_lead(move, told["rule"], answer.owner)
    elif answer.owner == Owner.DE:
        _make(move, "take", Given(reason=told["why"]))
    else:
        person = routing.owner_user(request.account, answer.owner, on=today(move.at))
        values = {"owner": answer.owner, "owner_user": str(person.uuid) if person else None}
        _make(move, "route_out", Given(reason=told["why"], values=values))


def keep_decision(move: Move) -> None:
    """Keep whose decision this move is; one against the rule says why."""
    if move.by.is_system:
        return
    request: ServiceRequest = move.obj
    ruled = routing.ruled(request)
    how = _how(request, ruled)
    if how == RoutingDecision.How.OVERRIDE and not move.reason and ruled is not None:
        owner = routing.owner_label(ruled.owner)
        words = f"The rule gives it to {owner}. Say why you decide otherwise."
        raise ValidationError({"reason": ValidationError(words, code="required")})
    rule = ruled.rule if ruled else None
    agrees = rule is not None and how == RoutingDecision.How.RULE
    text = routing.hand_over_text(
        request, request.owner, rule.hand_over if rule and agrees else "", move.reason
    )
    RoutingDecision.objects.create(
        request=request,
        at=move.at,
        how=how,
        by=move.by,
        rule=rule,
        owner=request.owner,
        reason=move.reason,
        hand_over=move.values.get("hand_over") or text,
    )


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
    """Answer the appeal. A granted one is a decision of its own, against the one before."""
    decision = selectors.newest_decision(move.obj)
    if decision is None:
        return
    decision.appeal_decided_by, decision.appeal_decided_at = move.by, move.at
    decision.appeal_granted = move.transition.id == "grant_appeal"
    decision.appeal_answer = move.reason
    decision.save()
    if decision.appeal_granted:
        RoutingDecision.objects.create(
            request=move.obj,
            at=move.at,
            how=RoutingDecision.How.APPEAL,
            by=move.by,
            rule=decision.rule,
            owner=Owner.DE,
            reason=move.reason,
            hand_over=routing.hand_over_text(move.obj, Owner.DE, "", move.reason),
        )


def _how(request: ServiceRequest, ruled: RoutingDecision | None) -> RoutingDecision.How:
    if ruled is None or not ruled.owner:
        return RoutingDecision.How.PERSON
    agrees = ruled.owner == request.owner
    return RoutingDecision.How.RULE if agrees else RoutingDecision.How.OVERRIDE


def _make(move: Move, name: str, given: Given) -> None:
    make_move(move.obj, name, by=system_user(), at=move.at, given=given)


def _leave_to_a_lead(move: Move, rule: dict[str, str] | None, owner: str) -> None:
    request: ServiceRequest = move.obj
    events.record(
        "request.left_to_a_lead",
        request,
        by=system_user(),
        after={"rule": rule["slug"] if rule else None, "owner": owner or None},
        account_id=request.account_id,
    )
    if owner:
        needs_the_fast_path(request, at=move.at)
    else:
        needs_a_person(request, at=move.at)
