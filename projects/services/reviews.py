"""The weekly review: when it meets, who is there, what stands on its agenda."""

import datetime as dt
from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, Missing, StaleWrite
from config.lib.etags import etag_of
from config.lib.values import BadValue, parse_text
from events.services import record
from people.models import Role, User
from people.permissions import has_role
from people.selectors import people_with_role
from projects import permissions
from projects.models import Project, Review, ReviewItem
from projects.rules.agenda import Line
from projects.services import review_moves

NOTE_MAX = 4000
MOST_INVITED = 60
S = Review.State


class NotUnderWay(Conflict):
    """What belongs to a review under way, asked of one that is not."""

    code = "not_under_way"


class OnAgenda(Conflict):
    code = "on_agenda"


@transaction.atomic
def plan_review(
    *,
    meets_at: dt.datetime,
    chair: User | None = None,
    invited: Collection[User] | None = None,
    note: str = "",
    by: User,
    at: dt.datetime,
) -> Review:
    """Plan one; without a chair who plans it has the chair, without guests the usual come."""
    require(permissions.can_run_reviews, by)
    chair = chair or by
    _check(meets_at, chair, invited, at=at)
    review = Review.objects.create(meets_at=meets_at, chair=chair, note=_note(note))
    review.refresh_from_db()
    review.invited.set(usual_guests() if invited is None else invited)
    record(
        "review.planned",
        review,
        by=by,
        after={"meets_at": meets_at, "chair": chair, "invited": _ids(review), "note": review.note},
    )
    return review


@transaction.atomic
def change_plan(  # noqa: PLR0913 all of a plan, by name
    review: Review,
    *,
    meets_at: dt.datetime | None = None,
    chair: User | None = None,
    invited: Collection[User] | None = None,
    note: str | None = None,
    version: int | None = None,
    by: User,
    at: dt.datetime,
) -> Review:
    """Change when it meets, who has the chair, who comes, and the note; what is not given stays."""
    require(permissions.can_run_reviews, by, review)
    locked = _locked(review)
    if version is not None and version != locked.version:
        raise StaleWrite(etag=etag_of(locked.uuid, locked.version))
    if locked.state not in (S.PLANNED, S.OPEN):
        raise NotUnderWay(f"{locked.number} is over. What was decided stays as it is.")
    is_moved = meets_at is not None and meets_at != locked.meets_at
    _check(meets_at if is_moved else None, chair, invited, at=at)
    before = {
        "meets_at": locked.meets_at,
        "chair": locked.chair,
        "invited": _ids(locked),
        "note": locked.note,
    }
    locked.meets_at = meets_at or locked.meets_at
    locked.chair = chair or locked.chair
    locked.note = locked.note if note is None else _note(note)
    if invited is not None:
        locked.invited.set(invited)
    after = {
        "meets_at": locked.meets_at,
        "chair": locked.chair,
        "invited": _ids(locked),
        "note": locked.note,
    }
    changed = [name for name in after if after[name] != before[name]]
    if changed:
        _touch(locked, meets_at=locked.meets_at, chair=locked.chair, note=locked.note)
        record(
            "review.changed",
            locked,
            by=by,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    review.refresh_from_db()
    return review


@transaction.atomic
def set_attendance(
    review: Review, people: Collection[User], *, by: User, at: dt.datetime
) -> Review:
    """Say who is there."""
    require(permissions.can_run_reviews, by, review)
    locked = locked_under_way(review)
    _check(None, None, people, at=at)
    before = sorted(str(each.uuid) for each in locked.attendees.all())
    locked.attendees.set(people)
    after = sorted(str(each.uuid) for each in people)
    if after != before:
        _touch(locked)
        record(
            "review.attended",
            locked,
            by=by,
            before={"attendees": before},
            after={"attendees": after},
        )
    review.refresh_from_db()
    return review


@transaction.atomic
def add_item(review: Review, project: Project, *, by: User, at: dt.datetime) -> ReviewItem:
    """Put a project on the agenda by hand, last."""
    require(permissions.can_run_reviews, by, review)
    locked = _locked(review)
    _require_open_to_change(locked)
    if project.is_over:
        state = project.get_state_display().lower()
        raise Invalid(f"{project.number} is {state}. Reopen it first.", field="project")
    if locked.items.filter(project=project).exists():
        raise OnAgenda(f"{project.number} is on the agenda already.")
    item = review_moves.put_last(locked, project.pk)
    _touch(locked)
    record("review.item_added", locked, by=by, after={"project": project.number})
    review.refresh_from_db()
    return item


@transaction.atomic
def remove_item(item: ReviewItem, *, by: User, at: dt.datetime) -> None:
    """Take a project off the agenda; what was decided stays on it."""
    require(permissions.can_run_reviews, by, item.review)
    locked = _locked(item.review)
    _require_open_to_change(locked)
    row = locked.items.select_for_update(of=("self",)).filter(pk=item.pk).first()
    if row is None:
        raise Missing("It is not on the agenda any more.")
    if row.decision:
        raise Conflict(
            "It is decided, and the decision stays in the record. Change it instead.",
            code="decided",
        )
    number = f"PRJ-{row.project_id}"
    row.delete()
    _touch(locked)
    record("review.item_removed", locked, by=by, before={"project": number})


@transaction.atomic
def refresh_agenda(review: Review, *, by: User, at: dt.datetime) -> list[Line]:
    """Add what came up since it was made, at its end; return it."""
    require(permissions.can_run_reviews, by, review)
    locked = locked_under_way(review)
    lines = review_moves.bring_up(locked, at=at)
    if lines:
        _touch(locked)
        added = [f"PRJ-{line.id}" for line in lines]
        record("review.refreshed", locked, by=by, after={"projects": added})
    review.refresh_from_db()
    return lines


def usual_guests() -> list[User]:
    """Return whom the last review invited, who still are there; else DE leads and engineers."""
    last = Review.objects.exclude(state=S.CANCELLED).order_by("-meets_at", "-pk").first()
    found = list(last.invited.filter(is_active=True)) if last else []
    if found:
        return found
    both = {*people_with_role(Role.DE_LEAD), *people_with_role(Role.DE_ENGINEER)}
    return sorted(both, key=lambda person: person.pk)[:MOST_INVITED]


def locked_under_way(review: Review) -> Review:
    """Return the review locked until the end of the transaction; raises NotUnderWay."""
    locked = _locked(review)
    if locked.state != S.OPEN:
        state = locked.get_state_display().lower()
        raise NotUnderWay(f"{locked.number} is {state}. Decisions belong to a review under way.")
    return locked


def _locked(review: Review) -> Review:
    rows = Review.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("chair").get(pk=review.pk)


def _touch(review: Review, **columns: object) -> None:
    changes = {**columns, "version": F("version") + 1, "updated_at": Now()}
    Review.objects.filter(pk=review.pk).update(**changes)


def _require_open_to_change(review: Review) -> None:
    if review.state not in (S.PLANNED, S.OPEN):
        raise NotUnderWay(f"{review.number} is over. Its agenda stays as it was.")


def _check(
    meets_at: dt.datetime | None,
    chair: User | None,
    people: Collection[User] | None,
    *,
    at: dt.datetime,
) -> None:
    if meets_at is not None and not at - dt.timedelta(days=1) < meets_at < at + dt.timedelta(400):
        raise Invalid(
            "Choose a day from today on, within a year.", field="meets_at", code="out_of_range"
        )
    if chair is not None and not has_role(chair, Role.DE_LEAD):
        raise Invalid(f"{chair} is no DE lead. A DE lead has the chair.", field="chair")
    if people is not None and len(people) > MOST_INVITED:
        raise Invalid(f"{MOST_INVITED} people at most.", field="invited", code="too_many")


def _note(text: str) -> str:
    if not text.strip():
        return ""
    try:
        return parse_text(text.strip(), max_length=NOTE_MAX, lines=True)
    except BadValue as bad:
        raise Invalid(bad.detail, field="note", code=bad.code) from bad


def _ids(review: Review) -> Sequence[str]:
    return sorted(str(each) for each in review.invited.values_list("uuid", flat=True))
