"""The table of projects: from a proposal to its close."""

from collections.abc import Iterable

from engagements.models import ReasonCode
from engagements.workflows.common import at, given, taken
from engagements.workflows.fields import reason_code
from events.fields import lines
from events.workflow import Transition, Workflow
from people.models import Role, User
from people.selectors import people_with_role
from projects import permissions
from projects.models import Project, ProjectState
from projects.services import consequences, requests_along
from projects.services.telling import tell
from projects.workflows import fields, guards

S = ProjectState
CAN_WAIT = frozenset({S.READY, S.SCHEDULED, S.IN_PROGRESS})


def leads(_project: Project) -> Iterable[User]:
    return people_with_role(Role.DE_LEAD)


def workers(project: Project) -> Iterable[User]:
    people = [project.owner] if project.owner else []
    return [*people, *project.leads.all()] or leads(project)


# What every move into a column may say of its place there.
PLACE = (fields.before(), fields.limit_note())

PROJECT = Workflow(
    name="project",
    noun="project",
    model=Project,
    states=ProjectState,
    transitions=(
        Transition(
            id="ready",
            label="Ready",
            done="readied",
            sources=frozenset({S.PROPOSED}),
            target=S.READY,
            who=permissions.works_on,
            guards=(guards.is_chartered, guards.is_supported, guards.is_approved),
            fields=PLACE,
            changes=(at("ready_at"), fields.checked_limit, consequences.ranked),
            asks=leads,
        ),
        Transition(
            id="unready",
            label="Back to triage",
            done="sent_back",
            sources=frozenset({S.READY}),
            target=S.PROPOSED,
            who=permissions.works_on,
            needs_reason=True,
            fields=PLACE,
            changes=(fields.checked_limit, consequences.ranked),
            asks=leads,
        ),
        Transition(
            id="schedule",
            label="Schedule",
            done="scheduled",
            sources=frozenset({S.READY, S.SCHEDULED}),
            target=S.SCHEDULED,
            who=permissions.is_lead,
            guards=(
                guards.is_chartered,
                guards.is_supported,
                guards.is_approved,
                guards.is_agreed,
                guards.is_small_enough,
            ),
            fields=(
                fields.increment(),
                lines(
                    "despite",
                    "Why, though somebody is away or has too few days",
                    required=False,
                    help="Only where the increment has no room, or somebody is away.",
                ),
                *PLACE,
            ),
            changes=(
                at("scheduled_at"),
                taken("increment"),
                consequences.checked_capacity,
                fields.checked_limit,
                consequences.ranked,
            ),
            effects=(consequences.promise_days, requests_along.schedule_requests),
            asks=leads,
        ),
        Transition(
            id="unschedule",
            label="Take off the schedule",
            done="unscheduled",
            sources=frozenset({S.SCHEDULED}),
            target=S.READY,
            who=permissions.is_lead,
            needs_reason=True,
            fields=PLACE,
            changes=(given(increment=None), fields.checked_limit, consequences.ranked),
            effects=(consequences.release_days, requests_along.unschedule_requests),
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
                guards.is_chartered,
                guards.is_supported,
                guards.is_officially_supported,
                guards.is_approved,
                guards.is_agreed,
                guards.has_an_increment,
                guards.is_small_enough,
            ),
            fields=PLACE,
            changes=(at("started_at"), fields.checked_limit, consequences.ranked),
            effects=(requests_along.start_requests,),
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
                guards.is_supported,
                guards.has_delivered_requests,
                guards.is_maintained,
            ),
            fields=(
                lines("summary", "What was delivered"),
                fields.days("days_used", "Days used", help="Days of work it took, such as 4.5."),
                *PLACE,
            ),
            changes=(
                at("delivered_at"),
                taken("summary", "days_used"),
                given(blocked_by="", blocked_at=None),
                fields.checked_limit,
                consequences.ranked,
            ),
            effects=(consequences.release_days_ahead,),
            asks=workers,
        ),
        Transition(
            id="rework",
            label="Back to work",
            done="reworked",
            sources=frozenset({S.DELIVERED}),
            target=S.IN_PROGRESS,
            who=permissions.works_on,
            guards=(guards.is_supported, guards.is_agreed),
            needs_reason=True,
            fields=PLACE,
            changes=(given(delivered_at=None), fields.checked_limit, consequences.ranked),
            asks=workers,
        ),
        Transition(
            id="close",
            label="Close",
            done="closed",
            sources=frozenset({S.DELIVERED}),
            target=S.CLOSED,
            who=permissions.owns,
            guards=(
                guards.is_rolled_out,
                guards.has_accepted_requests,
                guards.has_a_retrospective,
            ),
            changes=(at("closed_at"), consequences.ranked),
            effects=(consequences.plan_checks,),
            asks=workers,
        ),
        Transition(
            id="hold",
            label="Put on hold",
            done="held",
            sources=CAN_WAIT,
            target=S.ON_HOLD,
            who=permissions.is_lead,
            fields=(
                reason_code(ReasonCode.Kind.HOLD),
                fields.other_project(
                    "preempted_by",
                    "What came first",
                    required=False,
                    help="The project that pre-empts this one, such as PRJ-12.",
                ),
                fields.days(
                    "cost_days",
                    "What that costs, in days",
                    required=False,
                    help="Days of work lost by stopping and taking up again.",
                ),
            ),
            needs_reason=True,
            changes=(consequences.paused, fields.checked_pre_emption, consequences.ranked),
            effects=(
                consequences.keep_pre_emption,
                consequences.soften_days,
                requests_along.hold_requests,
            ),
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
            guards=(guards.is_chartered, guards.is_supported, guards.is_approved),
            fields=PLACE,
            changes=(
                given(paused_from="", hold_code="", preempted_by=None),
                fields.checked_limit,
                consequences.ranked,
            ),
            effects=(
                consequences.end_pre_emption,
                consequences.promise_again,
                requests_along.resume_requests,
            ),
            asks=leads,
        ),
        Transition(
            id="decline",
            label="Decline",
            done="declined",
            sources=frozenset({S.PROPOSED, S.READY, S.SCHEDULED, S.ON_HOLD}),
            target=S.DECLINED,
            who=permissions.is_lead,
            fields=(
                reason_code(ReasonCode.Kind.DECLINE),
                lines("alternative", "What we do instead, or where they can turn"),
            ),
            needs_reason=True,
            changes=(
                at("closed_at"),
                taken("alternative"),
                consequences.coded,
                given(paused_from="", increment=None),
                consequences.ranked,
            ),
            effects=(consequences.release_days, requests_along.unschedule_requests),
            asks=leads,
        ),
        Transition(
            id="reopen",
            label="Reopen",
            done="reopened",
            sources=frozenset({S.DECLINED}),
            target=S.PROPOSED,
            who=permissions.is_lead,
            needs_reason=True,
            fields=PLACE,
            changes=(
                given(end_code="", alternative="", closed_at=None),
                fields.checked_limit,
                consequences.ranked,
            ),
            asks=leads,
        ),
    ),
    on_move=(consequences.tell_accounts, tell),
    account_of=consequences.sole_account,
)
