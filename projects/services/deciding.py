"""What a review decides about a project. It holds at once: the move is made with the decision."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Conflict, Missing
from config.lib.ui.formats import days_between_text
from config.lib.values import BadValue, echo, parse_text
from engagements.models import ReasonCode
from engagements.selectors.calendar import company_calendar
from events.services import record
from events.workflow import Blocked, Case, Given
from people.models import User
from projects import permissions, selectors
from projects.models import OVER, PreEmption, Project, ProjectState, Review, ReviewItem
from projects.rules.agenda import days_text
from projects.rules.capacity import working_days
from projects.rules.pre_emption import suggested_cost
from projects.selectors.reviews import RUNNING
from projects.services.consequences import sole_account
from projects.services.lanes import lock_lanes
from projects.services.moving import move, workflow_of
from projects.services.reviews import NOTE_MAX, locked_under_way
from projects.services.splitting import why_not_splittable

D, S = ReviewItem.Decision, ProjectState
# What stops for a project, and what that costs: asked beside what the move itself asks.
STOPS, COST = "stops", "cost_days"
MOVES = {D.SCHEDULE: "schedule", D.DECLINE: "decline"}
KEPT = {
    S.PROPOSED: "It stays in triage.",
    S.READY: "It stays ready.",
    S.SCHEDULED: "It stays scheduled.",
    S.IN_PROGRESS: "It goes on.",
    S.DELIVERED: "It goes on rolling out.",
    S.ON_HOLD: "It stays on hold.",
}
REVERSE = {D.SCHEDULE: "unschedule", D.DECLINE: "reopen"}
FOR_ITS_REVIEW = "On its way onto the schedule, decided in {number}."


class AlreadyDecided(Conflict):
    """Somebody else decided on the item, or changed its note, since it was read."""

    code = "decided"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants decided, and what the move asks for."""

    decision: str
    note: str = ""
    # Why it is declined, or why a decision is changed.
    reason: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    # Null: whatever is stored.
    version: int | None = None
    as_text: bool = False


@transaction.atomic
def decide(item: ReviewItem, wish: Wish, *, by: User, at: dt.datetime) -> ReviewItem:
    """Decide on the project and make the move, both or neither.

    What was decided before is taken back first, with the reason given. Raises AlreadyDecided where
    somebody was first, Blocked with why the move cannot be, ValidationError by field.
    """
    require(permissions.can_run_reviews, by, item.review)
    review, row = _locked(item, wish.version)
    note = _checked_note(wish)
    project = row.project
    was = before = project.state
    waiting: list[str] = []
    if row.decision:
        before = row.was or before
        waiting = _undo(row, wish, review, by=by, at=at)
        project.refresh_from_db()
    outcome = " ".join([_carry_out(row, review, wish, note, by=by, at=at), *waiting])
    project.refresh_from_db()
    earlier = row.decision
    row.decision, row.note, row.outcome = wish.decision, note, outcome
    row.was = before if wish.decision in MOVES else ""
    _store(row, by=by, at=at)
    _record(row, review, earlier, was, reason=wish.reason.strip() or note, by=by)
    item.refresh_from_db()
    return item


@transaction.atomic
def take_back(
    item: ReviewItem, *, reason: str = "", version: int | None = None, by: User, at: dt.datetime
) -> ReviewItem:
    """Make it undecided again, and take its move back by the reverse one."""
    require(permissions.can_run_reviews, by, item.review)
    review, row = _locked(item, version)
    if not row.decision:
        raise Conflict("It is not decided.", code="not_decided")
    was, earlier = row.project.state, row.decision
    waiting = _undo(row, Wish(decision="", reason=reason), review, by=by, at=at)
    row.project.refresh_from_db()
    row.decision, row.outcome, row.was = "", " ".join(waiting), ""
    row.decided_by, row.decided_at = None, None
    _store(row, by=None, at=None)
    _record(row, review, earlier, was, reason=reason.strip(), by=by)
    item.refresh_from_db()
    return item


@transaction.atomic
def keep_note(
    item: ReviewItem, note: str, *, version: int | None = None, by: User, at: dt.datetime
) -> ReviewItem:
    """Keep a note for the minutes, decided or not."""
    require(permissions.can_run_reviews, by, item.review)
    _, row = _locked(item, version)
    checked = _checked_note(Wish(decision=row.decision, note=note))
    if checked != row.note:
        row.note = checked
        row.version += 1
        row.save(update_fields=["note", "version"])
    item.refresh_from_db()
    return item


def blocks_of(project: Project, decision: str, *, by: User, at: dt.datetime) -> list[str]:
    """Return why the decision is not possible now, in words; nothing where it is."""
    match decision:
        case D.SCHEDULE:
            return _against_scheduling(project, by=by, at=at)
        case D.SPLIT:
            return [why] if (why := why_not_splittable(project)) else []
        case D.DECLINE:
            transition = workflow_of(project).transition("decline")
            if project.state in transition.sources:
                return []
            return [f"{_standing(project)} Work that has begun is put on hold, not declined."]
    return []


def stop_costs(projects: Iterable[Project], *, on: dt.date) -> dict[int, Decimal]:
    """Return the days it would cost to stop each of them now, as a suggestion."""
    is_business_day = company_calendar().is_business_day
    found = {}
    for each in projects:
        increment = each.increment
        if increment is None or each.state != S.IN_PROGRESS:
            found[each.pk] = Decimal(0)
            continue
        whole = working_days(is_business_day, increment.start, increment.end)
        left = [day for day in whole if day >= on]
        found[each.pk] = suggested_cost(each.days, len(whole), len(left))
    return found


def _locked(item: ReviewItem, version: int | None) -> tuple[Review, ReviewItem]:
    """Lock the review, the item and every column, in this order for everybody."""
    review = locked_under_way(item.review)
    row = (
        review.items.select_for_update(of=("self",))
        .select_related("project__increment__team", "decided_by")
        .filter(pk=item.pk)
        .first()
    )
    if row is None:
        raise Missing("It is not on the agenda any more.")
    if version is not None and version != row.version:
        raise AlreadyDecided(_what_was_decided(row), details=_details(row))
    lock_lanes(S.values)
    # It may have moved while this waited.
    row.project.refresh_from_db()
    return review, row


def _what_was_decided(row: ReviewItem) -> str:
    if not row.decision:
        return "Somebody changed this item since you opened it. Nothing was decided yet."
    label = D(row.decision).label
    return f"{row.decided_by} decided “{label}” since you opened it. {row.outcome}".strip()


def _details(row: ReviewItem) -> dict[str, Any]:
    return {
        "decision": row.decision,
        "outcome": row.outcome,
        "note": row.note,
        "decided_by": str(row.decided_by) if row.decided_by else "",
        "version": row.version,
    }


def _carry_out(
    row: ReviewItem, review: Review, wish: Wish, note: str, *, by: User, at: dt.datetime
) -> str:
    """Make the move of the decision; return what it did in words."""
    match wish.decision:
        case D.KEEP:
            return _kept(row.project)
        case D.SPLIT:
            return _split(row.project)
        case D.SCHEDULE:
            return _schedule(row.project, review, wish, note, by=by, at=at)
        case D.DECLINE:
            return _decline(row.project, wish, note, by=by, at=at)
    known = ", ".join(D.values)
    raise ValidationError(
        {
            "decision": ValidationError(
                f"“{echo(wish.decision)}” is none of: {known}.", code="invalid_choice"
            )
        }
    )


def _kept(project: Project) -> str:
    return KEPT.get(ProjectState(project.state), f"It stays {project.get_state_display().lower()}.")


def _split(project: Project) -> str:
    if against := why_not_splittable(project):
        raise _blocked(project, "split", [against])
    return "It is split before it is planned."


def _schedule(
    project: Project, review: Review, wish: Wish, note: str, *, by: User, at: dt.datetime
) -> str:
    values = dict(wish.values)
    other = _to_stop(values.pop(STOPS, None), project, by=by)
    cost = values.pop(COST, None)
    if project.state not in {S.PROPOSED, *workflow_of(project).transition("schedule").sources}:
        raise _blocked(project, "schedule", _against_scheduling(project, by=by, at=at))
    stopped = ""
    if other is not None:
        because = note or f"{project.number} comes first, decided in {review.number}."
        if cost in (None, ""):
            cost = str(stop_costs([other], on=today(at))[other.pk])
        held = {"code": "preempted", "preempted_by": project.number, "cost_days": cost}
        given = Given(reason=because, values=held, as_text=wish.as_text)
        try:
            move(other, "hold", by=by, at=at, given=given)
        except ValidationError as error:
            raise ValidationError(
                {STOPS if name != COST else name: each for name, each in error.error_dict.items()}
            ) from error
        days = days_text(PreEmption.objects.get(project=other, at=at).cost_days)
        stopped = f" {other.number} stops for it, at a cost of {days}."
    if project.state == S.PROPOSED:
        if against := _against_scheduling(project, by=by, at=at):
            raise _blocked(project, "schedule", against)
        passing = {"limit_note": FOR_ITS_REVIEW.format(number=review.number)}
        move(project, "ready", by=by, at=at, given=Given(values=passing))
    move(project, "schedule", by=by, at=at, given=Given(values=values, as_text=wish.as_text))
    increment = project.increment
    assert increment is not None  # noqa: S101 the move asked for it
    span = days_between_text(increment.start, increment.end)
    return f"{increment.team}: {increment.name}, {span}.{stopped}"


def _decline(project: Project, wish: Wish, note: str, *, by: User, at: dt.datetime) -> str:
    given = Given(reason=wish.reason or note, values=wish.values, as_text=wish.as_text)
    move(project, "decline", by=by, at=at, given=given)
    code = ReasonCode.objects.filter(kind=ReasonCode.Kind.DECLINE, code=project.end_code).first()
    why = code.label if code else project.end_code
    return f"{why}. Instead: {project.alternative}"


def _to_stop(value: Any, project: Project, *, by: User) -> Project | None:
    if value in (None, ""):
        return None
    found = selectors.project_called(value, by=by)
    if found is None or found.pk == project.pk or found.state not in RUNNING:
        raise ValidationError(
            {
                STOPS: ValidationError(
                    f"“{echo(value)}” is no work that is scheduled or under way.", code="unknown"
                )
            }
        )
    return found


def _undo(row: ReviewItem, wish: Wish, review: Review, *, by: User, at: dt.datetime) -> list[str]:
    """Take back what was decided before, as far as the new decision does not itself.

    Returns what was stopped for it and cannot go on.
    """
    if row.decision not in REVERSE:
        return []
    project = row.project
    reason = wish.reason.strip()
    if not reason:
        raise ValidationError({"reason": ValidationError("Say why it changes.", code="required")})
    given = Given(reason=reason)
    stopped = PreEmption.objects.filter(by_project=project, resumed_at=None)
    if row.decided_at is not None:
        stopped = stopped.filter(at=row.decided_at)
    found = (_resume(each.project, by=by, at=at) for each in stopped.select_related("project"))
    waiting = [words for words in found if words]
    # The new move goes from where the old one led, also to another increment.
    if row.decision == D.SCHEDULE and wish.decision in MOVES:
        return waiting
    if row.decision == D.SCHEDULE and row.was == S.SCHEDULED:
        raise Conflict(
            f"{project.number} was scheduled already before {review.number}. Schedule it for the "
            "other increment, or take it off the schedule on its page.",
            code="was_scheduled",
        )
    move(project, REVERSE[D(row.decision)], by=by, at=at, given=given)
    return waiting


def _resume(project: Project, *, by: User, at: dt.datetime) -> str:
    """Let it go on; return why it stays on hold where it cannot."""
    try:
        with transaction.atomic():
            move(project, "resume", by=by, at=at)
    except (Blocked, ValidationError) as refusal:
        why = refusal.message if isinstance(refusal, Blocked) else " ".join(refusal.messages)
        return f"{project.number} stays on hold. {why}"
    return ""


def _store(row: ReviewItem, *, by: User | None, at: dt.datetime | None) -> None:
    row.decided_by, row.decided_at = by, at
    row.version += 1
    row.save(
        update_fields=[
            "decision", "note", "outcome", "was", "decided_by", "decided_at", "version",
        ]
    )  # fmt: skip


def _record(
    row: ReviewItem, review: Review, earlier: str, was: str, *, reason: str, by: User
) -> None:
    """Put it on the project's own record; the move has an event of its own."""
    after = {
        "review": review.number,
        "decision": row.get_decision_display() if row.decision else "",
        "outcome": row.outcome,
        "state": row.project.state,
    }
    before = {"decision": D(earlier).label if earlier else "", "state": was}
    record(
        "project.decided" if row.decision else "project.decision_taken_back",
        row.project,
        by=by,
        before=before,
        after=after,
        account_id=sole_account(row.project),
        reason=reason,
    )


def _checked_note(wish: Wish) -> str:
    try:
        if not wish.note.strip():
            return ""
        return parse_text(wish.note.strip(), max_length=NOTE_MAX, lines=True)
    except BadValue as bad:
        raise ValidationError({"note": ValidationError(bad.detail, code=bad.code)}) from bad


def _blocked(project: Project, name: str, against: list[str]) -> Blocked:
    guards = [{"code": name, "detail": each} for each in against]
    return Blocked(
        against[0], details={"transition": name, "state": project.state, "guards": guards}
    )


def _against_scheduling(project: Project, *, by: User, at: dt.datetime) -> list[str]:
    transition = workflow_of(project).transition("schedule")
    if project.state not in {S.PROPOSED, *transition.sources}:
        return [_standing(project)]
    case = Case(obj=project, by=by, at=at)
    return [words for guard in transition.guards if (words := guard.check(case))]


def _standing(project: Project) -> str:
    if project.state in OVER:
        return f"{project.number} is {project.get_state_display().lower()} already."
    return f"{project.number} is {project.get_state_display().lower()}."
