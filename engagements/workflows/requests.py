"""The table of service requests: domain.md, section 5. docs/states.md is printed from it."""

from collections.abc import Callable, Iterable
from typing import Any

from engagements import permissions
from engagements.models import Confidence, Effort, Owner, ReasonCode, RequestState, ServiceRequest
from engagements.services import consequences, routing, signing, sows
from engagements.workflows import fields, guards
from events.workflow import Case, Changes, Field, Move, Transition, Workflow
from people.models import Role, User
from people.selectors import people_with_role

S = RequestState
BEFORE_WORK = frozenset(
    {S.SUBMITTED, S.NEEDS_INFO, S.SOW_DRAFTING, S.AWAITING_SIGNOFF, S.SIGNED_OFF, S.TRIAGED}
)
CAN_WAIT = frozenset(
    {S.SOW_DRAFTING, S.AWAITING_SIGNOFF, S.SIGNED_OFF, S.TRIAGED, S.SCHEDULED, S.IN_PROGRESS}
)
CAN_CANCEL = BEFORE_WORK | {S.DRAFT, S.SCHEDULED, S.IN_PROGRESS, S.ON_HOLD}
OVER = frozenset({S.CLOSED, S.DECLINED, S.CANCELLED})
WORDS = {
    "owner": "Where it goes",
    "alternative": "What we offer instead, or where they can turn",
}


def leads(_request: ServiceRequest) -> Iterable[User]:
    return people_with_role(Role.DE_LEAD)


def requesters(request: ServiceRequest) -> Iterable[User]:
    return [request.filed_by]


def workers(request: ServiceRequest) -> Iterable[User]:
    return [request.lead] if request.lead else leads(request)


def at(column: str) -> Callable[[Move], Changes]:
    """Stamp a moment, the first time only: a second round does not make it look faster."""

    def changed(move: Move) -> Changes:
        return {} if getattr(move.obj, column) else {column: move.at}

    return changed


def taken(*names: str) -> Callable[[Move], Changes]:
    """Write the values of these names into the columns of the same names."""

    def changed(move: Move) -> Changes:
        return {name: move.values[name] for name in names if move.values[name] is not None}

    return changed


def given(**columns: Any) -> Callable[[Move], Changes]:
    return lambda _move: columns


def paused(move: Move) -> Changes:
    # A question about what is held does not forget where it was.
    return {"paused_from": move.was}


RESUMED = given(paused_from="", hold_code="", waits_for=None, preempted_by=None)


def back(case: Case) -> str:
    return consequences.where_it_was(case)


def after_rejection(case: Case) -> str:
    return consequences.back_to_work(case)


def scheduled_dates(move: Move) -> Changes:
    return fields.checked_dates(move)


def pre_empted(move: Move) -> Changes:
    return fields.checked_pre_emption(move)


IMPACT, EFFORT = fields.impact(), fields.choice("effort", "Effort", Effort)
INDICATIVE = (
    fields.impact(required=False),
    fields.choice("effort", "Effort", Effort, required=False),
)
OWNER_ELSEWHERE = Field(
    name="owner",
    label=WORDS["owner"],
    parse=fields.elsewhere,
    kind="choice",
    choices=lambda _case: [each for each in Owner.choices if each[0] != Owner.DE],
)

REQUEST = Workflow(
    name="request",
    noun="request",
    model=ServiceRequest,
    states=RequestState,
    on_move=(consequences.keep_stay, consequences.tell),
    transitions=(
        Transition(
            id="submit",
            label="Submit",
            done="submitted",
            sources=frozenset({S.DRAFT}),
            target=S.SUBMITTED,
            who=permissions.is_drafts_own,
            guards=(guards.is_complete, guards.account_is_open),
            changes=(at("submitted_at"),),
            effects=(routing.route_submitted,),
        ),
        Transition(
            id="take",
            label="Take into Deployment Engineering",
            done="taken",
            sources=frozenset({S.SUBMITTED}),
            target=S.SOW_DRAFTING,
            who=permissions.is_router,
            fields=INDICATIVE,
            changes=(at("routed_at"), taken("impact", "effort"), given(owner=Owner.DE)),
            effects=(routing.keep_decision,),
            asks=leads,
        ),
        Transition(
            id="route_out",
            label="Route to another team",
            done="routed_out",
            sources=frozenset({S.SUBMITTED, S.SOW_DRAFTING, S.NEEDS_INFO}),
            target=S.ROUTED_OUT,
            who=permissions.is_router,
            fields=(
                OWNER_ELSEWHERE,
                fields.person("owner_user", "Person there", required=False),
                fields.lines("hand_over", "Text for them", required=False),
            ),
            needs_reason=True,
            changes=(
                at("routed_at"),
                taken("owner", "owner_user"),
                given(paused_from="", waits_for=None),
            ),
            effects=(routing.keep_decision, consequences.close_what_is_open),
            asks=leads,
            private=frozenset({"hand_over"}),
        ),
        Transition(
            id="appeal",
            label="Appeal the decision",
            done="appealed",
            sources=frozenset({S.ROUTED_OUT}),
            target=S.ROUTED_OUT,
            who=permissions.is_requester_of,
            guards=(guards.has_no_appeal,),
            needs_reason=True,
            effects=(routing.keep_appeal,),
            asks=requesters,
        ),
        Transition(
            id="grant_appeal",
            label="Grant the appeal",
            done="appeal_granted",
            sources=frozenset({S.ROUTED_OUT}),
            target=S.SOW_DRAFTING,
            who=permissions.is_second_lead,
            guards=(guards.has_an_appeal,),
            fields=INDICATIVE,
            needs_reason=True,
            changes=(taken("impact", "effort"), given(owner=Owner.DE, owner_user=None)),
            effects=(routing.decide_appeal,),
            asks=leads,
        ),
        Transition(
            id="refuse_appeal",
            label="Refuse the appeal",
            done="appeal_refused",
            sources=frozenset({S.ROUTED_OUT}),
            target=S.ROUTED_OUT,
            who=permissions.is_second_lead,
            guards=(guards.has_an_appeal,),
            needs_reason=True,
            effects=(routing.decide_appeal,),
            asks=leads,
        ),
        Transition(
            id="fast_path",
            label="Put on the fast path",
            done="put_on_fast_path",
            sources=frozenset({S.SUBMITTED, S.SOW_DRAFTING}),
            target=S.TRIAGED,
            who=permissions.is_lead,
            guards=(guards.is_fast,),
            fields=(IMPACT, EFFORT),
            needs_reason=True,
            changes=(
                at("routed_at"),
                at("triaged_at"),
                taken("impact", "effort"),
                given(fast_path=True, owner=Owner.DE),
            ),
            effects=(routing.keep_decision,),
            asks=leads,
        ),
        Transition(
            id="ask",
            label="Ask for information",
            done="asked",
            sources=frozenset({S.SUBMITTED, *CAN_WAIT}),
            target=S.NEEDS_INFO,
            who=permissions.is_engineer,
            fields=(
                fields.lines("question", "Question"),
                fields.person(
                    "asked_of",
                    "Who must answer",
                    required=False,
                    help="The requester, if nobody is named.",
                ),
            ),
            changes=(paused, consequences.waiting_for),
            effects=(consequences.keep_question,),
        ),
        Transition(
            id="answer",
            label="Answer",
            done="answered",
            sources=frozenset({S.NEEDS_INFO}),
            targets=frozenset({S.SUBMITTED, *CAN_WAIT}),
            leads=back,
            who=permissions.can_answer,
            fields=(fields.lines("answer", "Answer"),),
            changes=(RESUMED,),
            effects=(consequences.keep_answer,),
            asks=requesters,
        ),
        Transition(
            id="send_for_signoff",
            label="Send for sign-off",
            done="sent_for_signoff",
            sources=frozenset({S.SOW_DRAFTING}),
            target=S.AWAITING_SIGNOFF,
            who=permissions.is_requester_of,
            guards=(guards.sow_is_complete, guards.has_a_draft, guards.change_is_approved),
            fields=(
                fields.contact(
                    "contact",
                    "Send a link to",
                    required=False,
                    help="Leave it empty to record the answer yourself.",
                ),
            ),
            changes=(at("sent_at"),),
            effects=(sows.freeze_current, signing.send_link_asked_for),
            asks=requesters,
            warns="The version is frozen and the customer gets the link by e-mail.",
        ),
        Transition(
            id="revise",
            label="Write a new version",
            done="revised",
            sources=frozenset({S.AWAITING_SIGNOFF, S.SIGNED_OFF}),
            target=S.SOW_DRAFTING,
            who=permissions.is_requester_of,
            needs_reason=True,
            effects=(sows.begin_next,),
            asks=requesters,
            warns="What was sent can no longer be signed, and a sign-off of it ends with the "
            "first change.",
        ),
        Transition(
            id="discard_draft",
            label="Keep the version sent",
            done="draft_discarded",
            sources=frozenset({S.SOW_DRAFTING}),
            targets=frozenset({S.AWAITING_SIGNOFF, S.SIGNED_OFF}),
            leads=sows.without_the_draft,
            who=permissions.is_requester_of,
            guards=(guards.has_a_version_sent,),
            effects=(sows.discard_current,),
            warns="The new version is thrown away; the one before it stands again.",
        ),
        Transition(
            id="send_change",
            label="Send the change for sign-off",
            done="sent_change",
            sources=frozenset({S.TRIAGED, S.SCHEDULED, S.IN_PROGRESS, S.ON_HOLD, S.NEEDS_INFO}),
            targets=frozenset({S.TRIAGED, S.SCHEDULED, S.IN_PROGRESS, S.ON_HOLD, S.NEEDS_INFO}),
            leads=lambda case: str(case.obj.state),
            who=permissions.is_requester_of,
            guards=(guards.sow_is_complete, guards.has_a_draft, guards.change_is_approved),
            fields=(fields.contact("contact", "Send a link to", required=False),),
            effects=(sows.freeze_current, signing.send_link_asked_for),
            asks=requesters,
            warns="The version is frozen and the customer gets the link by e-mail.",
        ),
        Transition(
            id="sign",
            label="Signed off",
            done="signed_off",
            sources=frozenset({S.AWAITING_SIGNOFF}),
            target=S.SIGNED_OFF,
            who=permissions.is_keel,
            guards=(guards.is_signed,),
            changes=(at("signed_off_at"),),
            effects=(consequences.end_risks,),
            is_automatic=True,
        ),
        Transition(
            id="unsign",
            label="Sign-off lost",
            done="sign_off_lost",
            sources=frozenset({S.SIGNED_OFF}),
            target=S.AWAITING_SIGNOFF,
            who=permissions.is_keel,
            needs_reason=True,
            is_automatic=True,
        ),
        Transition(
            id="triage",
            label="Triage",
            done="triaged",
            sources=frozenset({S.SIGNED_OFF}),
            target=S.TRIAGED,
            who=permissions.is_lead,
            guards=(guards.is_signed,),
            fields=(IMPACT, EFFORT, fields.choice("confidence", "Confidence", Confidence)),
            changes=(at("triaged_at"), taken("impact", "effort", "confidence")),
            asks=leads,
        ),
        Transition(
            id="triage_at_risk",
            label="Triage at risk",
            done="triaged_at_risk",
            sources=frozenset({S.SOW_DRAFTING, S.AWAITING_SIGNOFF}),
            target=S.TRIAGED,
            who=permissions.is_lead,
            guards=(guards.is_at_risk,),
            fields=(IMPACT, EFFORT, fields.choice("confidence", "Confidence", Confidence)),
            changes=(at("triaged_at"), taken("impact", "effort", "confidence")),
            asks=leads,
        ),
        Transition(
            id="schedule",
            label="Schedule",
            done="scheduled",
            sources=frozenset({S.TRIAGED, S.SCHEDULED}),
            target=S.SCHEDULED,
            who=permissions.is_lead,
            guards=(guards.is_signed_or_at_risk, guards.is_small_enough),
            fields=(
                fields.person("lead", "Lead", Role.DE_ENGINEER, Role.DE_LEAD),
                fields.people(
                    "engineers",
                    "Who else works on it",
                    Role.DE_ENGINEER,
                    Role.DE_LEAD,
                    required=False,
                ),
                fields.day("start", "First day"),
                fields.day("end", "Last day", help="At most two weeks later."),
            ),
            changes=(at("scheduled_at"), taken("lead"), scheduled_dates),
            effects=(consequences.keep_engineers,),
            asks=leads,
        ),
        Transition(
            id="unschedule",
            label="Take off the schedule",
            done="unscheduled",
            sources=frozenset({S.SCHEDULED}),
            target=S.TRIAGED,
            who=permissions.is_lead,
            needs_reason=True,
            changes=(given(start=None, end=None),),
            asks=leads,
        ),
        Transition(
            id="start",
            label="Start work",
            done="started",
            sources=frozenset({S.SCHEDULED}),
            target=S.IN_PROGRESS,
            who=permissions.works_on,
            guards=(
                guards.is_signed_or_at_risk,
                guards.has_a_lead,
                guards.has_dates,
                guards.is_two_weeks_at_most,
            ),
            changes=(at("started_at"),),
            asks=workers,
        ),
        Transition(
            id="deliver",
            label="Deliver",
            done="delivered",
            sources=frozenset({S.IN_PROGRESS}),
            target=S.DELIVERED,
            who=permissions.works_on,
            guards=(
                guards.is_signed_or_at_risk,
                guards.is_ticked,
                guards.is_rolled_out,
                guards.is_maintained,
            ),
            fields=(fields.lines("summary", "What was delivered, for the customer"),),
            changes=(at("delivered_at"),),
            effects=(consequences.keep_delivery,),
            asks=workers,
        ),
        Transition(
            id="accept_delivery",
            label="Delivery accepted",
            done="delivery_accepted",
            sources=frozenset({S.DELIVERED}),
            target=S.ACCEPTED,
            who=permissions.is_keel,
            guards=(guards.is_accepted,),
            changes=(at("accepted_at"),),
            is_automatic=True,
        ),
        Transition(
            id="reject_delivery",
            label="Delivery rejected",
            done="delivery_rejected",
            sources=frozenset({S.DELIVERED}),
            targets=frozenset({S.IN_PROGRESS, S.SCHEDULED}),
            leads=after_rejection,
            who=permissions.is_keel,
            needs_reason=True,
            changes=(given(delivered_at=None),),
            is_automatic=True,
        ),
        Transition(
            id="close",
            label="Close",
            done="closed",
            sources=frozenset({S.ACCEPTED}),
            target=S.CLOSED,
            who=permissions.is_party_of,
            guards=(guards.has_a_retrospective,),
            changes=(at("closed_at"),),
            effects=(consequences.plan_checks, consequences.close_what_is_open),
            asks=workers,
        ),
        Transition(
            id="decline",
            label="Decline",
            done="declined",
            sources=BEFORE_WORK,
            target=S.DECLINED,
            who=permissions.is_lead,
            fields=(
                fields.reason_code(ReasonCode.Kind.DECLINE),
                fields.lines("alternative", WORDS["alternative"]),
            ),
            needs_reason=True,
            changes=(
                at("closed_at"),
                taken("alternative"),
                consequences.coded,
                given(paused_from="", waits_for=None),
            ),
            effects=(consequences.close_what_is_open,),
            asks=leads,
        ),
        Transition(
            id="cancel",
            label="Cancel",
            done="cancelled",
            sources=CAN_CANCEL,
            target=S.CANCELLED,
            who=permissions.is_requester_or_lead,
            fields=(fields.reason_code(ReasonCode.Kind.CANCEL),),
            changes=(at("closed_at"), consequences.coded, RESUMED),
            effects=(consequences.close_what_is_open,),
            asks=requesters,
        ),
        Transition(
            id="hold",
            label="Put on hold",
            done="held",
            sources=CAN_WAIT,
            target=S.ON_HOLD,
            who=permissions.can_pause,
            fields=(
                fields.reason_code(ReasonCode.Kind.HOLD),
                fields.other_request(
                    "preempted_by",
                    "What came first",
                    required=False,
                    help="The request that pre-empts this one, such as REQ-12.",
                ),
            ),
            needs_reason=True,
            changes=(paused, pre_empted),
            asks=leads,
        ),
        Transition(
            id="resume",
            label="Resume",
            done="resumed",
            sources=frozenset({S.ON_HOLD}),
            targets=CAN_WAIT,
            leads=back,
            who=permissions.is_lead,
            changes=(RESUMED,),
            asks=leads,
        ),
        Transition(
            id="reopen",
            label="Reopen as a successor",
            done="reopened",
            sources=OVER | {S.ACCEPTED},
            targets=OVER | {S.ACCEPTED},
            leads=lambda case: str(case.obj.state),
            who=permissions.is_requester_of,
            guards=(guards.has_no_successor,),
            needs_reason=True,
            effects=(consequences.make_successor,),
            asks=requesters,
        ),
    ),
)
