"""My work: what needs the person who looks, in each part they play."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.here import Here, page
from config.lib.ui.formats import day_text, days_ago_text, days_between_text, number_text
from engagements.models import RequestState
from engagements.my_work import Item, above
from engagements.selectors import levels, work, work_lists
from engagements.selectors.work import Hat, Need
from engagements.views.work_words import items_of, whose_turn
from engagements.words import StateTag, state_tag
from people.models import REQUESTERS, Role

ALL = "all"
LATE = StateTag("Late", "bad", "clock-alert")
SHOWN = 8
NOON, EVENING = 12, 18


@dataclass(frozen=True, slots=True)
class Switch:
    label: str
    url: str
    current: bool


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    here = Here.of(request)
    own = work.hats_of(here.user)
    chosen = request.GET.get("as", "")
    hats = [chosen] if chosen in own else own
    needs = work.needs_of(here.user, at=here.now, hats=hats)
    items = _items(here, needs, hats, whole=hats == own)
    but = {need.request_id for need in needs}
    context: dict[str, Any] = {
        "greeting": f"{_greeting(here)}, {here.user.name.split()[0]}",
        "facts": [_needs_fact(len(items)), *(FACTS[hat](here) for hat in hats[:1])],
        "switches": _switches(here, own, chosen),
        "items": items,
        "under_way": _under_way(here, hats),
        "under_way_url": reverse("requests:list")
        + f"?view={VIEWS.get(hats[0], '') if hats else ''}",
        "under_way_title": UNDER_WAY[hats[0]] if hats else "In progress",
        "waiting": _waiting(here, hats, but),
        "due": _due(here, hats),
        "further": [card for above in above() for card in above.cards(here, hats)],
        "takes_part": bool(set(hats) - {Hat.LEADERSHIP}),
        "is_leader": Hat.LEADERSHIP in hats,
    }
    if context["is_leader"] or Hat.LEAD in hats:
        context["risks"] = _risks(here)
        context["exposure"] = f"{work_lists.exposure(on=here.today).days.normalize():f}"
    return page(request, "my_work/home.html", context, here=here)


def _items(here: Here, needs: list[Need], hats: list[str], *, whole: bool) -> list[Item]:
    """Return the rows of what needs the person, of all apps, the oldest first."""
    settled = {need for above in above() for need in above.settled(needs)}
    left = [need for need in needs if need not in settled]
    rows = items_of(left, now=here.now, today=here.today)
    rows += [item for above in above() for item in above.needs(here, hats, whole=whole)]
    return sorted(rows, key=attrgetter("since"))[: work.MOST]


def _greeting(here: Here) -> str:
    hour = here.now.astimezone(here.zone).hour
    return "Good morning" if hour < NOON else "Good afternoon" if hour < EVENING else "Good evening"


def _needs_fact(count: int) -> str:
    if count == 0:
        return "Nothing needs you."
    if count == 1:
        return "One thing needs you."
    return f"{count}{' or more' if count >= work.MOST else ''} things need you."


def _fact_of_requester(here: Here) -> str:
    line = here.terms.share_percent
    own, near = work_lists.own_accounts(here.user, on=here.today, share_percent=line)
    if own == 0:
        return "You are assigned to no account."
    verb = "is" if near == 1 else "are"
    return (
        f"{number_text(near)} of your {number_text(own)} accounts {verb} within "
        f"{work_lists.NEAR_POINTS} points of {line}%."
    )


def _fact_of_engineer(here: Here) -> str:
    count = work_lists.at_work_count(here.user)
    return f"You lead {number_text(count)} request{'' if count == 1 else 's'} at work."


def _fact_of_lead(_here: Here) -> str:
    count = work_lists.open_count()
    return f"{number_text(count)} request{' is' if count == 1 else 's are'} open."


def _fact_of_leadership(here: Here) -> str:
    found = work_lists.exposure(on=here.today)
    if not found.count:
        return "No work stands on Work at Risk."
    days = f"{found.days.normalize():f}"
    return f"{number_text(found.count)} on Work at Risk, {days} days at stake."


FACTS: dict[str, Callable[[Here], str]] = {
    Hat.REQUESTER: _fact_of_requester,
    Hat.ENGINEER: _fact_of_engineer,
    Hat.LEAD: _fact_of_lead,
    Hat.LEADERSHIP: _fact_of_leadership,
}


UNDER_WAY = {
    Hat.REQUESTER: "Your requests in progress",
    Hat.ENGINEER: "Your work",
    Hat.LEAD: "Work under way",
    Hat.LEADERSHIP: "Work under way",
}


# Where the list shows all of it.
VIEWS = {Hat.REQUESTER: "mine", Hat.LEAD: "work", Hat.LEADERSHIP: "work"}


def _switches(here: Here, own: list[str], chosen: str) -> list[Switch]:
    """Return the parts to look at the work in, where there are several."""
    if len(own) < 2:  # noqa: PLR2004
        return []
    labels = {
        Hat.REQUESTER: next(
            (role.label for role in Role if role in REQUESTERS & here.user.roles), ""
        ),
        Hat.ENGINEER: Role.DE_ENGINEER.label,
        Hat.LEAD: Role.DE_LEAD.label,
        Hat.LEADERSHIP: Role.LEADERSHIP.label,
    }
    url = reverse("home")
    everything = Switch("All", url, chosen not in own)
    return [everything, *(Switch(labels[hat], f"{url}?as={hat}", hat == chosen) for hat in own)]


def _under_way(here: Here, hats: list[str]) -> list[Item]:
    rows = work_lists.under_way(here.user, on=here.today, hats=hats)[:SHOWN]
    found = []
    for request in rows:
        state = state_tag(request)
        parts = [request.number, str(request.account)]
        if request.state == RequestState.IN_PROGRESS and request.end and request.end < here.today:
            state = LATE
        if request.start and request.end:
            parts.append(days_between_text(request.start, request.end, here.today))
        if request.lead:
            parts.append(request.lead.name)
        url = reverse("requests:detail", args=[request.pk])
        found.append(Item(str(request), " · ".join(parts), url, *state))
    return found


def _waiting(here: Here, hats: list[str], but: set[int]) -> list[Item]:
    rows = work_lists.waiting_for_others(here.user, on=here.today, hats=hats, but=but)[:SHOWN]
    found = []
    for request in rows:
        since = request.moved_at
        parts = [request.number, str(request.account), whose_turn(request)]
        if since:
            parts.append(days_ago_text(since.astimezone(here.zone).date(), here.today))
        url = reverse("requests:detail", args=[request.pk])
        found.append(Item(str(request), " · ".join(parts), url, *state_tag(request)))
    return found


def _risks(here: Here) -> list[Item]:
    return [
        Item(
            str(risk.request),
            f"{risk.request.number} · {risk.request.account} · "
            f"{risk.exposure_days.normalize():f} days at stake",
            reverse("requests:detail", args=[risk.request_id]),
            f"Until {day_text(risk.expires_on, here.today)}",
            "warn",
            "triangle-alert",
        )
        for risk in work_lists.live_risks(on=here.today)[:SHOWN]
    ]


def _due(here: Here, hats: list[str]) -> list[Item]:
    """Return what has a day soon, the nearest first."""
    rows = []
    if Hat.REQUESTER in hats:
        rows += [
            (each.on, each.what, each.request, False)
            for each in work_lists.due_of_requester(here.user, at=here.now, on=here.today)
        ]
    if {Hat.ENGINEER, Hat.LEAD} & set(hats):
        rows += [
            (each.due_at.astimezone(here.zone).date(), each.what, each.request, each.is_late)
            for each in levels.due_soon(here.user, at=here.now)
        ]
    rows.sort(key=lambda row: (row[0], row[2].pk))
    return [
        Item(
            str(request),
            f"{request.number} · {request.account} · {what}",
            reverse("requests:detail", args=[request.pk]),
            day_text(day, here.today),
            "bad" if is_late or day < here.today else "warn" if day == here.today else "",
            "calendar-clock",
        )
        for day, what, request, is_late in rows[:SHOWN]
    ]
