"""What the customer agrees to. Rows of the table of requests."""

from engagements import permissions
from engagements.services import consequences, signing, sows
from engagements.workflows import fields, guards
from engagements.workflows.common import S, at, requesters
from events.workflow import Transition

AGREEING = (
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
        guards=(
            guards.is_triaged,
            guards.sow_is_complete,
            guards.has_a_draft,
            guards.change_is_approved,
        ),
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
)
