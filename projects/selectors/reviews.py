"""Reading reviews: what is under way, what comes next, what was decided."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum

from accounts.selectors import today
from events.models import Event
from people.models import User
from projects import permissions
from projects.models import Increment, PreEmption, Project, ProjectState, Review, ReviewItem
from projects.rules.agenda import Line
from projects.selectors.agenda import agenda_on
from projects.selectors.capacity import IncrementSheet, free_days_ahead, sheets

A_WEEK = dt.timedelta(days=7)
D = ReviewItem.Decision
# Work that is stopped where something else comes first.
RUNNING = (ProjectState.SCHEDULED, ProjectState.IN_PROGRESS)


def reviews_visible_to(user: User) -> QuerySet[Review]:
    rows = Review.objects.select_related("chair")
    return rows if permissions.can_see_projects(user) else rows.none()


def with_counts(reviews: QuerySet[Review]) -> QuerySet[Review]:
    """Add how many items there are, and how many of each decision."""
    counts = {
        f"{decision}_count": Count("items", filter=Q(items__decision=decision))
        for decision in D.values
    }
    return reviews.annotate(item_count=Count("items"), **counts)


def review_under_way() -> Review | None:
    return Review.objects.filter(state=Review.State.OPEN).select_related("chair").first()


def next_review() -> Review | None:
    """Return the planned one that comes first, or should have been."""
    rows = Review.objects.filter(state=Review.State.PLANNED).select_related("chair")
    return rows.order_by("meets_at", "pk").first()


def last_held(before: dt.datetime | None = None) -> Review | None:
    rows = Review.objects.filter(state=Review.State.HELD)
    if before is not None:
        rows = rows.filter(held_at__lt=before)
    return rows.order_by("-held_at", "-pk").first()


def since_when(review: Review | None, *, at: dt.datetime) -> dt.datetime:
    """Return since when things are new for the review: the last one, or a week ago."""
    before = review.held_at or at if review is not None else at
    last = last_held(before)
    return last.held_at if last and last.held_at else before - A_WEEK


def suggested_next(*, at: dt.datetime) -> dt.datetime:
    """Return a week after the latest that was planned or held, or after now; never in the past."""
    rows = Review.objects.exclude(state=Review.State.CANCELLED)
    latest = rows.order_by("-meets_at").values_list("meets_at", flat=True).first()
    if latest is None:
        return (at + A_WEEK).replace(minute=0, second=0, microsecond=0)
    found = latest + A_WEEK
    if found <= at:
        found += A_WEEK * ((at - found).days // 7 + 1)
    return found


def agenda_preview(review: Review | None, *, at: dt.datetime) -> list[Line]:
    """Return what would stand on the agenda now."""
    return agenda_on(today(at), since=since_when(review, at=at))


def items_of(review: Review) -> QuerySet[ReviewItem]:
    rows = review.items.select_related("project__owner", "project__increment__team", "decided_by")
    return rows.order_by("position", "pk")


def taken_off(review: Review) -> set[int]:
    """Return the projects that were taken off the agenda by hand."""
    rows = Event.objects.filter(
        object_type=Review._meta.label_lower,  # noqa: SLF001 Django documents _meta
        object_id=review.uuid,
        verb="review.item_removed",
    )
    numbers = rows.values_list("before__project", flat=True)
    return {int(str(number).removeprefix("PRJ-")) for number in numbers}


def pre_emptions_of(review: Review, *, at: dt.datetime) -> QuerySet[PreEmption]:
    """Return the work that was stopped for other work since the review before."""
    rows = PreEmption.objects.filter(
        at__gt=since_when(review, at=at), at__lte=review.held_at or at
    ).select_related("project", "by_project", "by")
    return rows.order_by("at", "pk")


def cost_of(pre_emptions: QuerySet[PreEmption]) -> Decimal:
    return pre_emptions.order_by().aggregate(days=Sum("cost_days"))["days"] or Decimal(0)


def running_projects(*, but: Project) -> QuerySet[Project]:
    """Return what could be stopped for a project."""
    rows = Project.objects.filter(state__in=RUNNING).exclude(pk=but.pk)
    return rows.select_related("increment", "owner").order_by("pk")


@dataclass(frozen=True)
class Room:
    """The increments ahead and what can still be had of them; null: nobody planned any."""

    sheets: list[IncrementSheet]
    days: Decimal | None


def room_ahead(on: dt.date) -> Room:
    free = free_days_ahead(on)
    increments = [each for team in free.teams for each in team.increments]
    return Room(sheets(increments), free.days if free.teams else None)


def increments_ahead(on: dt.date) -> QuerySet[Increment]:
    rows = Increment.objects.filter(end__gte=on, team__archived=False).select_related("team")
    return rows.order_by("start", "team__name", "pk")
