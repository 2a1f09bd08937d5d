"""How fast a request is served: its clocks, judged by the levels in force when they began."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet

from engagements import permissions
from engagements.models import RequestState, ServiceLevel, ServiceRequest, Stay
from engagements.rules.business_time import Calendar
from engagements.rules.clocks import Clock, Course, Pauses, Standing, judged
from engagements.selectors.calendar import company_calendar
from engagements.selectors.requests import requests_visible_to
from people.models import Role, User
from people.permissions import has_role

S = RequestState
WAITING = frozenset({S.NEEDS_INFO, S.ON_HOLD})
# A clock stands still where the request waits for somebody else.
PAUSES: Mapping[str, frozenset[RequestState]] = {
    ServiceLevel.Clock.ROUTED: WAITING,
    # A new version is with the requester and the customer.
    ServiceLevel.Clock.TRIAGED: WAITING | {S.SOW_DRAFTING, S.AWAITING_SIGNOFF},
    # A delivery that is rejected was with the customer meanwhile.
    ServiceLevel.Clock.DELIVERED: WAITING | {S.DELIVERED},
}
# From which moment to which.
ENDS = {
    ServiceLevel.Clock.ROUTED: ("submitted_at", "routed_at"),
    ServiceLevel.Clock.TRIAGED: ("signed_off_at", "triaged_at"),
    ServiceLevel.Clock.DELIVERED: ("started_at", "delivered_at"),
}
SOON = dt.timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class DueSoon:
    """Something with a time limit that the person can do something about."""

    request: ServiceRequest
    # What has to happen by then.
    what: str
    due_at: dt.datetime
    is_late: bool
    # Null where it is a day that was agreed, not a service level.
    clock: Clock | None = None


@dataclass(frozen=True)
class Terms:
    """What clocks are judged by."""

    calendar: Calendar
    levels: Sequence[ServiceLevel]

    def level_for(self, clock: str, impact: int | None, day: dt.date) -> ServiceLevel | None:
        """Return the level in force on the day: that of the impact, else that for any."""
        in_force = [
            level
            for level in self.levels
            if level.clock == clock
            and level.start <= day
            and (level.end is None or level.end > day)
            and level.impact in (None, impact)
        ]
        return max(in_force, key=_how_exact, default=None)


def _how_exact(level: ServiceLevel) -> tuple[bool, dt.date, int]:
    return level.impact is not None, level.start, level.pk


def terms() -> Terms:
    return Terms(company_calendar(), list(ServiceLevel.objects.order_by("start", "pk")))


def levels_on(day: dt.date) -> QuerySet[ServiceLevel]:
    """Return the levels in force on the day."""
    return ServiceLevel.objects.filter(Q(end=None) | Q(end__gt=day), start__lte=day).order_by(
        "clock", F("impact").asc(nulls_last=True), "-start"
    )


def clocks_of(
    requests: Collection[ServiceRequest], *, at: dt.datetime, by: Terms | None = None
) -> dict[int, list[Clock]]:
    """Return the clocks of each request, by its key, as they stood at the moment.

    A clock that has not begun, or for which no level was in force, is not among them. However
    many requests there are, the number of statements is the same.
    """
    by = by or terms()
    stays = stays_of(requests)
    return {
        request.pk: [
            judged(course, by.calendar, at=at)
            for course in courses_of(request, stays.get(request.pk, {}), by)
            if course.started_at <= at
        ]
        for request in requests
    }


def stays_of(requests: Iterable[ServiceRequest]) -> dict[int, dict[str, Pauses]]:
    """Return, for each request and state in which a clock may stand still, from when to when."""
    states = frozenset[RequestState]().union(*PAUSES.values())
    found: dict[int, dict[str, list[tuple[dt.datetime, dt.datetime | None]]]] = {}
    rows = Stay.objects.filter(request__in=[each.pk for each in requests], state__in=states)
    for row in rows.order_by("entered_at", "pk"):
        of_request = found.setdefault(row.request_id, defaultdict(list))
        of_request[row.state].append((row.entered_at, row.left_at))
    return {pk: dict(by_state) for pk, by_state in found.items()}


def pauses_in(stays: Mapping[str, Pauses], states: Iterable[RequestState]) -> Pauses:
    return [span for state in states for span in stays.get(state, ())]


def courses_of(request: ServiceRequest, stays: Mapping[str, Pauses], by: Terms) -> list[Course]:
    """Return the clocks of a request whose stays are known, to be judged at any moment."""
    courses = []
    for name, (start, end) in ENDS.items():
        started_at, ended_at = getattr(request, start), getattr(request, end)
        if started_at is None or (ended_at is not None and ended_at < started_at):
            continue
        # The impact is decided at triage, after the other clocks.
        impact = request.impact if name == ServiceLevel.Clock.DELIVERED else None
        level = by.level_for(name, impact, by.calendar.local_day(started_at))
        if level is None:
            continue
        courses.append(
            Course(
                name=name,
                label=ServiceLevel.Clock(name).label,
                allowed=level.time,
                started_at=started_at,
                ended_at=ended_at,
                gave_up_at=None if ended_at else over_without_result(request),
                pauses=pauses_in(stays, PAUSES[name]),
            )
        )
    return courses


def due_soon(user: User, *, at: dt.datetime) -> list[DueSoon]:
    """Return what the person should see to before its time is over, the most urgent first.

    Clocks that are at risk or late, for those who can stop them, and work whose last day is near.
    """
    mine = list(_concerning(user))
    by = terms()
    clocks = clocks_of(mine, at=at, by=by)
    found = [
        DueSoon(
            request=request,
            what=TO_DO[clock.name],
            due_at=clock.due_at,
            is_late=clock.is_late,
            clock=clock,
        )
        for request in mine
        for clock in clocks[request.pk]
        if _is_pressing(clock) and _can_stop(user, request, clock)
    ]
    found += [
        DueSoon(request=request, what="Deliver", due_at=ends_at, is_late=ends_at < at)
        for request in mine
        if (ends_at := _last_day_over(request, by.calendar)) is not None
        and ends_at <= at + SOON
        and _delivers(user, request)
        and not any(each.request.pk == request.pk for each in found)
    ]
    return sorted(found, key=lambda each: (each.due_at, each.request.pk))


TO_DO: Mapping[str, str] = {
    ServiceLevel.Clock.ROUTED: "Decide who owns it",
    ServiceLevel.Clock.TRIAGED: "Triage",
    ServiceLevel.Clock.DELIVERED: "Deliver",
}


def _concerning(user: User) -> Iterable[ServiceRequest]:
    """Return what is open and for the person to route, triage or deliver."""
    rows = requests_visible_to(user)
    if permissions.is_lead(user):
        return rows.filter(state__in=[S.SUBMITTED, S.SIGNED_OFF, S.SCHEDULED, S.IN_PROGRESS])
    if has_role(user, Role.DE_ENGINEER):
        own = rows.filter(Q(lead=user) | Q(engineers=user), state__in=[S.SCHEDULED, S.IN_PROGRESS])
        return own.distinct()
    return rows.none()


def _is_pressing(clock: Clock) -> bool:
    return clock.is_running and clock.standing in {Standing.AT_RISK, Standing.MISSED}


def _can_stop(user: User, request: ServiceRequest, clock: Clock) -> bool:
    if clock.name == ServiceLevel.Clock.DELIVERED:
        return _delivers(user, request)
    return permissions.is_lead(user)


def _delivers(user: User, request: ServiceRequest) -> bool:
    """Say whether it is for the person to deliver: a DE lead sees to what has no lead yet."""
    return not permissions.is_lead(user) or request.lead_id in (None, user.pk)


def _last_day_over(request: ServiceRequest, calendar: Calendar) -> dt.datetime | None:
    """Return when the last day of work that is going on is over."""
    if request.state != S.IN_PROGRESS or request.end is None:
        return None
    span = calendar.span_of(request.end)
    if span is not None:
        return span[1]
    over = dt.datetime.combine(request.end + dt.timedelta(days=1), dt.time(0), calendar.zone)
    return over.astimezone(dt.UTC)


def over_without_result(request: ServiceRequest) -> dt.datetime | None:
    """Return when the request was over, if it is, so that nothing more will come of it."""
    is_over = request.state in {S.DECLINED, S.CANCELLED, S.CLOSED}
    return request.closed_at if is_over else None
