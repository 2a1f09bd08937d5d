"""`/metric/alerts/`: which numbers have to be looked at, and one alert with its history."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.here import Here, page
from accounts.stories import Story
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, StaleWrite
from config.lib.keyset import Key
from config.lib.paging import paged
from config.lib.ui.formats import day_text
from events.models import Event
from events.move_forms import MoveForm
from events.selectors import events_of_object
from events.workflow import Case, Transition, options, perform
from metrics import permissions
from metrics.forms import AlertListForm
from metrics.models import Alert
from metrics.selectors import alerts as selectors
from metrics.views.alert_parts import lines_of, roles_text, rule_words, sentence
from metrics.workflows import ALERT
from people.writing import once

S = Alert.State
NEWEST_FIRST = (Key("over_at", descending=True), Key("pk", descending=True))
MOST_EVENTS = 60
TOLD = {
    "alert.raised": ("bell-ring", "The alert was raised"),
    "alert.followed": ("chart-line", "{says}"),
    "alert.snoozed": ("alarm-clock", "{who} snoozed it until {until}"),
    "alert.woken": ("bell", "{who} ended the snooze"),
    "alert.raised_again": ("bell-ring", "The snooze is past, and it still holds"),
    "alert.over": ("circle-check", "The alert is over"),
}


@require_safe
def alert_list(request: HttpRequest) -> HttpResponse:
    here = _here(request)
    titles = selectors.titles()
    form = AlertListForm(request.GET, titles=titles)
    form.is_valid()
    metric = form.cleaned_data.get("metric", "")
    found = selectors.alerts_visible_to(here.user)
    if metric:
        found = found.filter(rule__slug=metric)
    over = paged(request, found.filter(state=S.OVER), NEWEST_FIRST)
    oldest = found.order_by("raised_at", "pk")
    context = {
        "form": form,
        "open": lines_of(list(oldest.filter(state=S.OPEN)), on=here.today, zone=here.zone),
        "snoozed": lines_of(list(oldest.filter(state=S.SNOOZED)), on=here.today, zone=here.zone),
        "over": lines_of(over.rows, on=here.today, zone=here.zone),
        "notes": [*over.notes, *(str(each) for each in form.errors.get("metric", ()))],
        "next": over.next,
        "previous": over.previous,
        "is_narrowed": bool(metric),
        "narrowed_to": titles.get(metric, ""),
    }
    return page(request, "metrics/alerts/list.html", context, here=here, partial="list")


@require_safe
def alert_page(request: HttpRequest, alert_id: uuid.UUID) -> HttpResponse:
    here = _here(request)
    return _alert_page(request, here, _alert(here, alert_id))


@require_http_methods(["GET", "POST"])
@once
def alert_move(request: HttpRequest, alert_id: uuid.UUID, transition: str) -> HttpResponse:
    """Snooze it, or end the snooze."""
    here = _here(request)
    alert = _alert(here, alert_id)
    chosen = _transition(transition)
    if request.method != "POST":
        return redirect("metrics:alert", alert.uuid)
    require(chosen.who, here.user, alert)
    form = MoveForm(chosen, _case(here, alert), request.POST)
    try:
        perform(ALERT, alert, chosen.id, by=here.user, at=here.now, given=form.given)
    except ValidationError as error:
        form.refuse(error)
        return _alert_page(request, here, alert, form, status=422)
    except StaleWrite:
        form.add_error(None, "The alert changed meanwhile. Look at it, then send this again.")
        return _alert_page(request, here, _alert(here, alert_id), form, status=412)
    except Conflict as refusal:
        messages.warning(request, refusal.message)
        return redirect("metrics:alert", alert.uuid)
    if alert.state == S.SNOOZED and alert.snoozed_until:
        messages.success(request, f"Snoozed until {day_text(alert.snoozed_until, here.today)}.")
    else:
        messages.success(request, "The snooze is over: the alert is open.")
    return redirect("metrics:alert", alert.uuid)


def _alert_page(
    request: HttpRequest,
    here: Here,
    alert: Alert,
    tried: MoveForm | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    (line,) = lines_of([alert], on=here.today, zone=here.zone)
    offered = options(ALERT, alert, here.user, at=here.now)
    events = events_of_object(alert)[:MOST_EVENTS]
    context: dict[str, Any] = {
        "line": line,
        "alert": alert,
        "rule": alert.rule,
        "rule_words": rule_words(alert.rule, here),
        "said": sentence(alert.said),
        "tells": roles_text(alert.rule),
        "may_change_rule": permissions.can_keep_alert_rules(here.user),
        "moves": _moves(here, alert, offered, tried),
        "refusal": next((each.refusal for each in offered if not each.may), ""),
        "stories": [_story(each, here.today) for each in events],
        # So that a title begins with what is wrong.
        "form": tried,
    }
    return page(request, "metrics/alerts/alert.html", context, here=here, status=status)


def _moves(
    here: Here, alert: Alert, offered: Sequence[Any], tried: MoveForm | None
) -> list[tuple[Transition, MoveForm]]:
    case = _case(here, alert)
    found = []
    for each in offered:
        if not each.is_open:
            continue
        chosen = each.transition
        is_tried = tried is not None and tried.transition.id == chosen.id
        found.append((chosen, tried if is_tried and tried else MoveForm(chosen, case)))
    return found


def _story(event: Event, today: dt.date) -> Story:
    icon, title = TOLD.get(event.verb, ("circle-dot", "{who}: " + event.verb))
    after = event.after or {}
    until, says = str(after.get("until") or ""), str(after.get("says") or "")
    words = title.format(
        who=event.actor,
        until=day_text(dt.date.fromisoformat(until), today) if until else "",
        says=sentence(says).rstrip("."),
    )
    text = sentence(says) if says and "{says}" not in title else ""
    return Story(icon, words, text, event.reason, event.at)


def _here(request: HttpRequest) -> Here:
    here = Here.of(request)
    require(permissions.can_see_metrics, here.user)
    return here


def _alert(here: Here, alert_id: uuid.UUID) -> Alert:
    found = selectors.alerts_visible_to(here.user).filter(uuid=alert_id).first()
    if found is None:
        raise Http404
    return found


def _transition(name: str) -> Transition:
    try:
        chosen = ALERT.transition(name)
    except Invalid as unknown:
        raise Http404 from unknown
    if chosen.is_automatic:
        raise Http404
    return chosen


def _case(here: Here, alert: Alert) -> Case:
    return Case(obj=alert, by=here.user, at=here.now, as_text=True)
