"""What follows from a project's moves, in their transaction."""

import datetime as dt

from accounts.selectors import today
from engagements.selectors import may_work
from events.services import record
from events.workflow import Case, Changes, Move
from projects import selectors
from projects.models import PreEmption, Project, ProjectCheck, ProjectState
from projects.selectors import outcomes
from projects.services import allocating, lanes

CHECK_DAYS = (30, 60, 90)


def ranked(move: Move) -> Changes:
    """Give the card its place in the new column: the one asked for, else by its score."""
    before = move.values.get("before")
    if move.was == move.becomes and before is None:
        return {}
    since = {"moved_at": move.at} if move.was != move.becomes else {}
    if before is None:
        return {"rank": lanes.key_by_score(move.becomes, move.obj), **since}
    is_there = before != "end" and before.state == move.becomes
    return {
        "rank": lanes.key_before(move.becomes, before if is_there else None, move.obj),
        **since,
    }


def paused(move: Move) -> Changes:
    return {"paused_from": move.was}


def where_it_was(case: Case) -> str:
    """Return where a project goes on: as far as the ground it stood on is still there."""
    project: Project = case.obj
    on = today(case.at)
    was = project.paused_from
    if was == ProjectState.READY or project.increment is None or project.increment.end < on:
        return ProjectState.READY
    requests = selectors.open_requests_of(project)
    is_grounded = all(may_work(request, on=on) for request in requests)
    return was if is_grounded else ProjectState.SCHEDULED


def coded(move: Move) -> Changes:
    return {"end_code": move.values["code"]}


def sole_account(project: Project) -> int | None:
    ids = list(project.account_links.values_list("account_id", flat=True)[:2])
    return ids[0] if len(ids) == 1 else None


def tell_accounts(move: Move) -> None:
    """Put the move on the timeline of each account, where there are several."""
    links = list(move.obj.account_links.select_related("account").order_by("account_id"))
    if len(links) < 2 or move.was == move.becomes:  # noqa: PLR2004 one has the event itself
        return
    told = {"project": move.obj.number, "title": move.obj.title, "state": move.becomes}
    for link in links:
        record(
            "account.project_moved",
            link.account,
            by=move.by,
            before={"state": move.was},
            after=told,
            account_id=link.account_id,
        )


checked_capacity = allocating.checked_capacity
promise_days = allocating.promise_days
promise_again = allocating.promise_again
release_days = allocating.release_days
release_days_ahead = allocating.release_days_ahead
soften_days = allocating.soften_days


def keep_pre_emption(move: Move) -> None:
    if move.values["preempted_by"] is not None:
        PreEmption.objects.create(
            project=move.obj,
            by_project=move.values["preempted_by"],
            cost_days=move.values["cost_days"] or 0,
            reason=move.reason,
            by=move.by,
            at=move.at,
        )


def end_pre_emption(move: Move) -> None:
    move.obj.pre_emptions.filter(resumed_at=None).update(resumed_at=move.at)


def plan_checks(move: Move) -> None:
    """Plan the looks at whether the seats came."""
    project: Project = move.obj
    closed_on = today(move.at)
    promised = [link.seats_likely for link in project.account_links.all()]
    before = outcomes.seats_before(project)
    ProjectCheck.objects.bulk_create(
        ProjectCheck(
            project=project,
            days=days,
            due_on=closed_on + dt.timedelta(days=days),
            seats_promised=sum(filter(None, promised)) if any(promised) else None,
            seats_before=before,
        )
        for days in CHECK_DAYS
    )
