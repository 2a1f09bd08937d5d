"""The table of alerts."""

import datetime as dt
from typing import Any

from accounts.selectors import today
from config.lib.ui.formats import day_text
from config.lib.values import BadValue, parse_date
from events.workflow import Case, Changes, Field, Move, Transition, Workflow
from metrics import permissions
from metrics.models import Alert
from metrics.services import alert_notices

S = Alert.State
LONGEST_DAYS = 90
USUAL_DAYS = 14


def _last_day(value: Any, case: Case) -> dt.date:
    day, first = parse_date(value), today(case.at)
    latest = first + dt.timedelta(days=LONGEST_DAYS)
    if day < first:
        raise BadValue("past", f"{day_text(day)} is over. Choose today or a later day.")
    if day > latest:
        raise BadValue("too_late", f"Snooze until {day_text(latest)} at most: {LONGEST_DAYS} days.")
    return day


LAST_DAY = Field(
    name="until",
    label="Last day of the snooze",
    parse=_last_day,
    kind="date",
    help=f"At most {LONGEST_DAYS} days ahead. If it still holds after that day, you are told.",
    initial=lambda case: today(case.at) + dt.timedelta(days=USUAL_DAYS),
)


def _until(move: Move) -> Changes:
    return {"snoozed_until": move.values["until"]}


def _no_snooze(_move: Move) -> Changes:
    return {"snoozed_until": None}


def _over(move: Move) -> Changes:
    return {"over_at": move.at, "snoozed_until": None}


ALERT = Workflow(
    name="alert",
    noun="alert",
    model=Alert,
    states=S,
    transitions=(
        Transition(
            id="snooze",
            label="Snooze",
            done="snoozed",
            sources=frozenset({S.OPEN, S.SNOOZED}),
            target=S.SNOOZED,
            who=permissions.can_silence,
            fields=(LAST_DAY,),
            needs_reason=True,
            changes=(_until,),
        ),
        Transition(
            id="wake",
            label="End the snooze",
            done="woken",
            sources=frozenset({S.SNOOZED}),
            target=S.OPEN,
            who=permissions.can_silence,
            changes=(_no_snooze,),
        ),
        Transition(
            id="raise_again",
            label="Raise again after the snooze",
            done="raised_again",
            sources=frozenset({S.SNOOZED}),
            target=S.OPEN,
            who=permissions.only_keel,
            changes=(_no_snooze,),
            effects=(alert_notices.tell_again,),
            is_automatic=True,
        ),
        Transition(
            id="end",
            label="Over",
            done="over",
            sources=frozenset({S.OPEN, S.SNOOZED}),
            target=S.OVER,
            who=permissions.only_keel,
            changes=(_over,),
            effects=(alert_notices.tell_over,),
            is_automatic=True,
        ),
    ),
    account_of=lambda _alert: None,
)
