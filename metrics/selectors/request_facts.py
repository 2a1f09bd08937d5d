"""What the key figures of requests are made from, read in a handful of statements."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Q

from engagements.models import RequestState, RoutingDecision, ServiceRequest, Stay
from engagements.rules.business_time import Calendar
from engagements.rules.clocks import Pauses
from engagements.selectors import levels
from metrics.rules.request_figures import Book, Policy, Request, Window

S = RequestState
A_DAY = dt.timedelta(days=1)
AT_WORK = frozenset({S.SCHEDULED, S.IN_PROGRESS})
Moved = tuple[dt.datetime, dt.datetime | None]
Stays = Mapping[str, Sequence[Moved]]


def book_of(first: Window, terms: levels.Terms) -> Book:
    """Return all requests that a window from the first one on may count."""
    is_recent = Q(closed_at=None) | Q(closed_at__gte=first.start)
    was_sent_on = Q(state=S.ROUTED_OUT, submitted_at__lt=first.start, routed_at__lt=first.start)
    rows = list(
        ServiceRequest.objects.filter(is_recent, submitted_at__isnull=False)
        .exclude(was_sent_on)
        .order_by("pk")
    )
    stays, owners = _stays(rows), _owners(rows)
    return Book([_request(row, stays.get(row.pk, {}), owners, terms) for row in rows])


def first_submitted() -> dt.datetime | None:
    return (
        ServiceRequest.objects.filter(submitted_at__isnull=False)
        .order_by("submitted_at")
        .values_list("submitted_at", flat=True)
        .first()
    )


def window_of(day: dt.date, policy: Policy, calendar: Calendar, *, at: dt.datetime) -> Window:
    """Return the days up to and with the day, as far as they had come by the moment."""
    over = _midnight(day + A_DAY, calendar)
    return Window(
        day=day,
        start=_midnight(day - (policy.window_days - 1) * A_DAY, calendar),
        end=min(over, at),
        is_over=over <= at,
        calendar=calendar,
    )


def _midnight(day: dt.date, calendar: Calendar) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(0), calendar.zone).astimezone(dt.UTC)


def _request(
    row: ServiceRequest,
    stays: Stays,
    owners: Mapping[int, list[tuple[dt.datetime, str]]],
    terms: levels.Terms,
) -> Request:
    assert row.submitted_at is not None  # noqa: S101 only those were read
    is_declined = row.state == S.DECLINED
    return Request(
        id=row.pk,
        submitted_at=row.submitted_at,
        routed_at=row.routed_at,
        signed_off_at=row.signed_off_at,
        triaged_at=row.triaged_at,
        declined_at=row.closed_at if is_declined else None,
        reason=row.end_code if is_declined else "",
        impact=row.impact,
        owners=owners.get(row.pk) or _stamped_owner(row),
        deliveries=_deliveries(row, stays),
        waits=_pauses(stays, levels.WAITING),
        courses=levels.courses_of(row, stays, terms),
    )


def _stamped_owner(row: ServiceRequest) -> list[tuple[dt.datetime, str]]:
    return [(row.routed_at, row.owner)] if row.routed_at and row.owner else []


def _deliveries(row: ServiceRequest, stays: Stays) -> list[tuple[dt.datetime, bool]]:
    """Return when it was delivered, and when it was at work: again, after a rejection."""
    delivered = [(entered, True) for entered, _ in stays.get(S.DELIVERED, ())]
    if not delivered:
        return [(row.delivered_at, True)] if row.delivered_at else []
    at_work = [(entered, False) for state in AT_WORK for entered, _ in stays.get(state, ())]
    return sorted([*delivered, *at_work])


def _pauses(stays: Stays, states: Iterable[RequestState]) -> Pauses:
    return sorted(levels.pauses_in(stays, states), key=lambda each: each[0])


def _stays(rows: Sequence[ServiceRequest]) -> dict[int, Stays]:
    found: dict[int, dict[str, list[Moved]]] = {}
    stays = Stay.objects.filter(request__in=[row.pk for row in rows])
    for stay in stays.order_by("entered_at", "pk"):
        by_state = found.setdefault(stay.request_id, defaultdict(list))
        by_state[stay.state].append((stay.entered_at, stay.left_at))
    return {pk: dict(by_state) for pk, by_state in found.items()}


def _owners(rows: Sequence[ServiceRequest]) -> dict[int, list[tuple[dt.datetime, str]]]:
    """Return, for each request, who was made its owner and when, oldest first."""
    found: dict[int, list[tuple[dt.datetime, str]]] = defaultdict(list)
    decisions = RoutingDecision.objects.filter(request__in=[row.pk for row in rows])
    for pk, at, owner in decisions.order_by("at", "pk").values_list("request_id", "at", "owner"):
        found[pk].append((at, owner))
    return found
