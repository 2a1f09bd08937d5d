"""What the key figures of projects are made from, read in a handful of statements.

Where a project was planned and when it was delivered is read from the log: its row says only how
it stands now, and work that is put off after its increment was not on time.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import Q

from config.lib.values import BadValue, parse_uuid
from events.models import Event
from metrics.rules import project_figures as rules
from metrics.rules.request_figures import Window
from projects.models import Increment, Project, ProjectAccount, ProjectRequest

TYPE = "projects.project"
DELIVERED, REWORKED = "project.delivered", "project.reworked"
Places = list[tuple[dt.datetime, uuid.UUID | None]]
Deliveries = list[tuple[dt.datetime, bool]]


def projects_of(first: Window) -> rules.Projects:
    """Return all projects that a window from the first one on may count."""
    is_recent = Q(closed_at=None) | Q(closed_at__gte=first.start)
    was_planned = (
        Q(increment__isnull=False) | Q(scheduled_at__isnull=False) | Q(delivered_at__isnull=False)
    )
    rows = list(
        Project.objects.filter(is_recent, was_planned).select_related("increment").order_by("pk")
    )
    places, deliveries = _told(rows)
    accounts = _accounts(rows)
    found = Increment.objects.filter(end__gte=first.start.date()).select_related("team")
    return rules.Projects(
        projects=[
            rules.Project(
                id=row.pk,
                type=row.type,
                accounts=len(accounts[row.pk]),
                places=places.get(row.uuid) or _place_now(row),
                deliveries=deliveries.get(row.uuid) or _delivery_now(row),
            )
            for row in rows
        ],
        increments={
            each.uuid: rules.Increment(each.uuid, str(each.team.uuid), each.end) for each in found
        },
    )


def _told(rows: Sequence[Project]) -> tuple[dict[uuid.UUID, Places], dict[uuid.UUID, Deliveries]]:
    places: dict[uuid.UUID, Places] = defaultdict(list)
    deliveries: dict[uuid.UUID, Deliveries] = defaultdict(list)
    events = Event.objects.filter(object_type=TYPE, object_id__in=[row.uuid for row in rows])
    events = events.filter(Q(after__has_key="increment") | Q(verb__in=(DELIVERED, REWORKED)))
    told = events.order_by("at", "pk").values_list("object_id", "at", "verb", "after")
    for project, at, verb, after in told:
        if verb in (DELIVERED, REWORKED):
            deliveries[project].append((at, verb == DELIVERED))
        elif after is not None:
            places[project].append((at, _id(after["increment"])))
    return places, deliveries


def _place_now(row: Project) -> Places:
    if row.increment is None:
        return []
    return [(row.scheduled_at or row.created_at, row.increment.uuid)]


def _delivery_now(row: Project) -> Deliveries:
    return [(row.delivered_at, True)] if row.delivered_at else []


def _id(value: object) -> uuid.UUID | None:
    try:
        return parse_uuid(value)
    except BadValue:
        return None


def _accounts(rows: Sequence[Project]) -> Mapping[int, set[int]]:
    """Return the accounts each project serves: its own, and those of its requests."""
    found: dict[int, set[int]] = defaultdict(set)
    ids = [row.pk for row in rows]
    own = ProjectAccount.objects.filter(project__in=ids).values_list("project", "account")
    asked = ProjectRequest.objects.filter(project__in=ids).values_list(
        "project", "request__account"
    )
    for project, account in (*own, *asked):
        found[project].add(account)
    return found
