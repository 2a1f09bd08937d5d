"""Who is away when, who stands in, and who has to decide."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from events.selectors import events_of_object
from people import permissions
from people.models import Absence, User

S = Absence.State
# Plans reckon with these, and nobody is away twice.
COUNTING = (S.DRAFT, S.APPROVED, S.ACTIVE)
# How far ahead My work looks.
SOON = dt.timedelta(days=14)


@dataclass(frozen=True)
class AwayAndCover:
    """What somebody's own work list says of absences."""

    # Their own, asked for or to come.
    mine: Sequence[Absence]
    # Of others, whom they stand in for now or soon.
    covers: Sequence[Absence]
    # What waits for their decision.
    to_decide: Sequence[Absence]

    @property
    def count(self) -> int:
        return len(self.mine) + len(self.covers) + len(self.to_decide)


def absences() -> QuerySet[Absence]:
    rows = Absence.objects.select_related("person", "cover", "asked_by", "decided_by")
    return rows.order_by("start", "pk")


def absences_visible_to(user: User) -> QuerySet[Absence]:
    """Return what everybody with a role may know of: who is away when, never why.

    What was refused or withdrawn is of those whose business it is.
    """
    if not permissions.can_see_absences(user):
        return Absence.objects.none()
    rows = absences()
    if permissions.decides_on_absences(user):
        return rows
    own = Q(person=user) | Q(asked_by=user)
    return rows.filter(own | ~Q(state__in=(S.REFUSED, S.WITHDRAWN)))


def absences_between(start: dt.date, end: dt.date) -> QuerySet[Absence]:
    """Return what plans have to reckon with in these days, both included."""
    rows = Absence.objects.filter(state__in=COUNTING, start__lte=end, end__gte=start)
    return rows.select_related("person", "cover").order_by("start", "pk")


def absences_of(person: User) -> QuerySet[Absence]:
    """Return all of a person's, the latest first."""
    return absences().filter(person=person).order_by("-start", "-pk")


def absences_to_decide(user: User) -> QuerySet[Absence]:
    """Return what this person may decide on, the nearest first."""
    if not permissions.decides_on_absences(user):
        return Absence.objects.none()
    return absences().filter(state=S.DRAFT).exclude(person=user)


def covers_of(user: User, start: dt.date, end: dt.date) -> QuerySet[Absence]:
    """Return the absences in which this person stands in, in these days."""
    return absences_between(start, end).filter(cover=user)


def away_and_cover(user: User, on: dt.date) -> AwayAndCover:
    """Return what My work says: own absences, whom one stands in for, what waits."""
    return AwayAndCover(
        mine=list(
            absences_of(user).filter(state__in=COUNTING, end__gte=on).order_by("start", "pk")
        ),
        covers=list(covers_of(user, on, on + SOON)),
        to_decide=list(absences_to_decide(user)),
    )


def uncovered(on: dt.date) -> QuerySet[Absence]:
    """Return absences to come in which nobody stands in."""
    return absences().filter(state__in=COUNTING, end__gte=on, cover=None)


def why_refused(absence: Absence) -> str:
    """Return the reason that was given; show it only to those whose business it is."""
    if absence.state != S.REFUSED:
        return ""
    told = events_of_object(absence).filter(verb="absence.refused")
    return told.values_list("reason", flat=True).first() or ""
