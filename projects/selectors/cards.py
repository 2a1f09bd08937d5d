"""What cards show beside the columns of their project: few statements for any number of them."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, JSONObject

from engagements.models import RequestState, ServiceRequest
from engagements.selectors.agreements import Agreement, agreements_of
from projects.models import (
    Project,
    ProjectAccount,
    ProjectRequest,
    RankOverride,
)

# Requests whose paper no longer says anything of the work to come.
SETTLED = frozenset({
    RequestState.ACCEPTED, RequestState.CLOSED, RequestState.CANCELLED, RequestState.DECLINED,
    RequestState.ROUTED_OUT,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """What hangs on one project."""

    # Name and number of each account, and the seats it would unlock, where somebody said so.
    accounts: tuple[tuple[str, int, int | None], ...] = ()
    is_by_hand: bool = False
    parts: int = 1
    papers: tuple["Paper", ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Paper:
    """A request of the project, and how far it is agreed to."""

    request: ServiceRequest
    agreement: Agreement


def facts_of(projects: Collection[Project], *, on: dt.date) -> Mapping[int, Facts]:
    """Return by key what hangs on each."""
    ids = [each.pk for each in projects]
    if not ids:
        return {}
    papers = _papers_of(ids, on=on)
    accounts = ProjectAccount.objects.filter(project=OuterRef("pk")).order_by("account__name")
    root = Coalesce(OuterRef("part_of"), OuterRef("pk"))
    parts = Project.objects.filter(Q(pk=root) | Q(part_of=root)).values(only=JSONObject(pk=F("pk")))
    by_hand = RankOverride.objects.filter(project=OuterRef("pk"), ended_at=None, expires_on__gte=on)
    rows = Project.objects.filter(pk__in=ids).values_list(
        "pk",
        ArraySubquery(
            accounts.values(
                told=JSONObject(
                    name=F("account__name"), number=F("account_id"), seats=F("seats_likely")
                )
            )
        ),
        Exists(by_hand),
        ArraySubquery(parts),
    )
    return {
        pk: Facts(
            accounts=tuple((each["name"], each["number"], each["seats"]) for each in told),
            is_by_hand=is_by_hand,
            parts=len(siblings),
            papers=tuple(papers[pk]),
        )
        for pk, told, is_by_hand, siblings in rows
    }


def _papers_of(ids: list[int], *, on: dt.date) -> Mapping[int, list[Paper]]:
    links = ProjectRequest.objects.filter(project__in=ids).exclude(request__state__in=SETTLED)
    found: dict[int, list[Paper]] = defaultdict(list)
    rows = list(links.select_related("request").order_by("request_id"))
    if not rows:
        return found
    agreements = agreements_of([row.request for row in rows], on=on)
    for row in rows:
        found[row.project_id].append(Paper(row.request, agreements[row.request_id]))
    return found
