"""What a board pack says of the work: requests, projects, Work at Risk, promises not kept.

Requests and projects have moments, not versions: a month is told by what had happened until the
moment of the pack.
"""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from django.db.models import Q, Sum

from config.lib.values import BadValue, parse_date
from engagements.models import RequestState, ServiceRequest, SignOff, SowVersion, WorkAtRisk
from engagements.rules.sow import last_due
from engagements.selectors import levels
from engagements.selectors.risks import NOT_OWED
from metrics.models import MetricRun
from metrics.rules import project_figures, request_figures
from metrics.rules.request_figures import Figure, Policy, Window
from metrics.selectors import project_facts, request_facts, rows
from metrics.selectors.packs_number import Scene, Told, account, exact
from metrics.selectors.runs import SEATS_DEPLOYED
from projects.models import Increment, Project, ProjectAccount, ProjectState

LISTED = 25
# A promise of longer ago than this is no news of the month, but is counted.
STILL_OWED = dt.timedelta(days=365)
OVER = (RequestState.DECLINED, RequestState.CANCELLED, RequestState.ROUTED_OUT)


class Span(NamedTuple):
    """The moments of the month, as far as the pack knows of them; `end` is not among them."""

    start: dt.datetime
    end: dt.datetime

    @property
    def within(self) -> tuple[dt.datetime, dt.datetime]:
        return self.start, self.end - dt.timedelta(microseconds=1)


def span_of(scene: Scene) -> Span:
    end = min(scene.month.end(scene.zone), scene.known_at)
    return Span(scene.month.start(scene.zone), end)


def _window(scene: Scene, terms: levels.Terms) -> Window:
    policy = Policy(window_days=(scene.run.day - scene.month.first).days + 1)
    return request_facts.window_of(scene.run.day, policy, terms.calendar, at=scene.known_at)


def requests(scene: Scene) -> Told:
    """Tell the month by the rules of the key figures, over the month instead of 90 days."""
    terms, span = levels.terms(), span_of(scene)
    window = _window(scene, terms)
    book = request_facts.book_of(window, terms)
    filed = ServiceRequest.objects.filter(submitted_at__range=span.within)
    delivered = [each for each in book.requests if window.holds(each.delivered_by(window.last))]
    attained = request_figures.sla_attainment(book, window)
    return {
        "filed": filed.count(),
        "delivered": len(delivered),
        "routed": _hours(request_figures.time_to_routed(book, window)),
        "signed_off": _hours(request_figures.time_to_signed_off(book, window)),
        "time_to_delivered": _hours(request_figures.time_to_delivered(book, window)),
        "levels": {
            "met": attained.numerator or 0,
            "decided": attained.denominator or 0,
            "running": attained.running or 0,
            "clocks": [
                {"clock": part.key, "met": part.numerator, "decided": part.denominator}
                for part in attained.by.get("clock", ())
                if part.denominator
            ],
        },
    }


def _hours(figure: Figure) -> Told:
    """Tell a duration in business hours."""
    return {
        "median": exact(figure.value),
        "nine_of_ten": exact(figure.percentile),
        "count": figure.denominator or 0,
    }


def projects(scene: Scene) -> Told:
    """Tell what was delivered: what it was expected to bring, and what came so far."""
    found = Project.objects.filter(
        delivered_at__range=span_of(scene).within,
        state__in=(ProjectState.DELIVERED, ProjectState.CLOSED),
    ).order_by("delivered_at", "pk")
    shown = list(found[:LISTED])
    return {"count": found.count(), "projects": [_project(scene, each) for each in shown]}


def _project(scene: Scene, project: Project) -> Told:
    links = ProjectAccount.objects.filter(project=project).select_related("account")
    ids = [link.account_id for link in links]
    expected = [link.seats_likely for link in links if link.seats_likely is not None]
    first = project.started_at or project.delivered_at or scene.known_at
    start_day = first.astimezone(scene.zone).date() - dt.timedelta(days=1)
    start = scene.used.run_on(SEATS_DEPLOYED, start_day)
    now, then = _stand(scene.run, ids), _stand(start, ids) if start else None
    seats = None
    if now["seats"] is not None and then and then["seats"] is not None:
        seats = now["seats"] - then["seats"]
    return {
        "number": project.number,
        "title": project.title,
        "delivered_on": _day(project.delivered_at, scene),
        "accounts": len(ids),
        "lift": None if project.lift is None else f"{project.lift:f}",
        "seats_expected": sum(expected) if expected else None,
        "seats_came": seats,
        "since": start.day.isoformat() if start else None,
        "passed_then": then["passing"] if then else None,
        "passing_now": now["passing"],
    }


def _stand(run: MetricRun, ids: Iterable[int]) -> Told:
    """Return the seats of these accounts in a run, None where one is not known, and who passes."""
    wanted = list(ids)
    seen = rows.rows_of(run).filter(account__in=wanted).order_by()
    found = list(seen.values_list("deployed", "eligible", "unlimited", "passes"))
    seats = [deployed for deployed, *_ in found]
    is_whole = bool(wanted) and len(found) == len(wanted) and None not in seats
    return {
        "seats": sum(seats) if is_whole else None,
        "passing": sum(
            bool(eligible and not unlimited and passes) for _, eligible, unlimited, passes in found
        ),
    }


def risks(scene: Scene) -> Told:
    """Tell what stood on a leader's word alone at the end, and what was granted meanwhile."""
    _, end = span_of(scene)
    granted = WorkAtRisk.objects.filter(
        decided_at__range=span_of(scene).within, state__in=("approved", "ended")
    )
    still = Q(ended_at=None) | Q(ended_at__gte=end)
    stood = WorkAtRisk.objects.filter(
        still, state__in=("approved", "ended"), decided_at__lt=end, expires_on__gte=scene.run.day
    )
    told = partial(_risk, scene=scene)
    join = ("request__account", "decided_by")
    days = stood.aggregate(days=Sum("exposure_days"))["days"] or Decimal(0)
    return {
        "open": [told(each) for each in stood.select_related(*join).order_by("decided_at", "pk")],
        "granted": [
            told(each) for each in granted.select_related(*join).order_by("decided_at", "pk")
        ],
        "days": f"{days:f}",
    }


def _risk(risk: WorkAtRisk, scene: Scene) -> Told:
    request, (_, end) = risk.request, span_of(scene)
    signed = request.signed_off_at is not None and request.signed_off_at < end
    is_owed = not signed and not request.fast_path and request.state not in NOT_OWED
    return {
        **_request(request),
        "days": f"{risk.exposure_days:f}",
        "granted_on": _day(risk.decided_at, scene),
        "granted_by": risk.decided_by.name if risk.decided_by else None,
        "expires_on": risk.expires_on.isoformat(),
        "signed_on": _day(request.signed_off_at, scene) if signed else None,
        "owed": is_owed,
    }


def promises(scene: Scene) -> Told:
    """Tell which promised days passed in the month, or were met too late."""
    late, owed = _late_requests(scene)
    return {
        "late": late[:LISTED],
        "late_count": len(late),
        "owed": owed[:LISTED],
        "owed_count": len(owed),
        "increments": _increments(scene),
    }


def _late_requests(scene: Scene) -> tuple[list[Told], list[Told]]:
    """Return requests delivered late in the month, and those still owed at its end."""
    _, end = span_of(scene)
    rows_ = ServiceRequest.objects.filter(
        Q(delivered_at__range=span_of(scene).within)
        | (Q(delivered_at=None) | Q(delivered_at__gte=end)) & Q(submitted_at__gte=end - STILL_OWED),
        submitted_at__lt=end,
    ).select_related("account")
    over = Q(state__in=OVER, closed_at__lt=end) | Q(state=RequestState.ROUTED_OUT)
    found = {each.pk: each for each in rows_.exclude(over).order_by("pk")}
    late, owed = [], []
    for pk, due in sorted(_promised(found, end).items(), key=lambda item: (item[1], item[0])):
        request = found[pk]
        delivered = request.delivered_at
        if delivered is not None and delivered < end:
            on = delivered.astimezone(scene.zone).date()
            if on > due:
                late.append({**_request(request), "due_on": due.isoformat(),
                             "on": on.isoformat(), "days": (on - due).days})  # fmt: skip
        elif due < scene.run.day:
            days = (scene.run.day - due).days
            owed.append({**_request(request), "due_on": due.isoformat(), "days": days})
    return late, owed


def _promised(requests: Iterable[int], end: dt.datetime) -> dict[int, dt.date]:
    """Return the last day promised in what each customer had agreed to by the moment."""
    agreed = SignOff.objects.filter(
        request__in=list(requests),
        purpose=SignOff.Purpose.SOW,
        state=SignOff.State.AGREED,
        recorded_at__lt=end,
    )
    sows = SowVersion.objects.filter(pk__in=agreed.values("sow")).order_by("request_id", "number")
    promised = {}
    for sow in sows:
        try:
            promised[sow.request_id] = parse_date(last_due(sow.content))
        except BadValue:
            continue
    return promised


def _increments(scene: Scene) -> Told:
    """Tell the projects whose increment ended in the month, by the rule of the key figure."""
    window = _window(scene, levels.terms())
    figure = project_figures.on_time(project_facts.projects_of(window), window)
    told: list[Any] = list(figure.told)
    late = [(line[0], line[2]) for line in told if not line[-1]][:LISTED]
    names = Project.objects.in_bulk([project for project, _ in late])
    slots = {
        str(each.uuid): each
        for each in Increment.objects.filter(uuid__in=[slot for _, slot in late])
    }
    return {
        "on_time": figure.numerator or 0,
        "ended": figure.denominator or 0,
        "late": [
            {
                "number": names[project].number,
                "title": names[project].title,
                "increment": slots[slot].name,
                "ended_on": slots[slot].end.isoformat(),
            }
            for project, slot in late
        ],
    }


def _request(request: ServiceRequest) -> Told:
    return {
        "request": request.number,
        "title": request.title,
        **account(request.account),
    }


def _day(moment: dt.datetime | None, scene: Scene) -> str | None:
    return moment.astimezone(scene.zone).date().isoformat() if moment else None
