"""Waiting, and ending otherwise. Rows of the table of requests."""

from engagements import permissions
from engagements.models import ReasonCode
from engagements.services import consequences
from engagements.workflows import fields, guards
from engagements.workflows.common import (
    BEFORE_WORK,
    CAN_CANCEL,
    CAN_WAIT,
    OVER,
    RESUMED,
    S,
    at,
    given,
    leads,
    paused,
    requesters,
    taken,
)
from events.workflow import Transition

ENDING = (
    Transition(
        id="decline",
        label="Decline",
        done="declined",
        sources=BEFORE_WORK,
        target=S.DECLINED,
        who=permissions.is_lead,
        guards=(guards.has_not_begun,),
        fields=(
            fields.reason_code(ReasonCode.Kind.DECLINE),
            fields.lines("alternative", "What we offer instead, or where they can turn"),
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
        label="Cancel the request",
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
        changes=(paused, fields.checked_pre_emption),
        asks=leads,
    ),
    Transition(
        id="resume",
        label="Resume",
        done="resumed",
        sources=frozenset({S.ON_HOLD}),
        targets=CAN_WAIT,
        leads=consequences.where_it_was,
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
)
