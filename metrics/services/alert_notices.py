"""Who is told of an alert, and in which words."""

import datetime as dt

from django.urls import reverse

from config.lib.ui.formats import day_text
from events.services import notify
from events.workflow import Move
from metrics.models import Alert
from metrics.selectors.alerts import definition_of
from people.models import Role, User
from people.selectors import people_with_role

RAISED, OVER = "alert", "alert_over"


def tell_raised(alert: Alert, *, at: dt.datetime) -> None:
    """Tell everybody with a role that the rule names; once, in the transaction that raises it."""
    _tell(alert, RAISED, _headline(alert), at=at)


def tell_again(move: Move) -> None:
    _tell(move.obj, RAISED, f"Still so after the snooze. {_headline(move.obj)}", at=move.at)


def tell_over(move: Move) -> None:
    alert: Alert = move.obj
    _tell(alert, OVER, f"Over: {_name(alert)}. {_capital(move.reason or alert.says)}", at=move.at)


def _tell(alert: Alert, kind: str, title: str, *, at: dt.datetime) -> None:
    path = reverse("metrics:alert", args=[alert.uuid])
    notify(_people(alert), kind, title=title, body=_body(alert), path=path, at=at)


def _people(alert: Alert) -> list[User]:
    return [person for role in alert.rule.tells for person in people_with_role(Role(role))]


def _headline(alert: Alert) -> str:
    return f"{_name(alert)}: {alert.says}"


def _body(alert: Alert) -> str:
    run = alert.last_run
    lines = [
        f"As of {day_text(run.day)}, revision {run.revision}, definition {run.definition.number}.",
        alert.rule.note,
    ]
    return "\n\n".join(line for line in lines if line)


def _name(alert: Alert) -> str:
    definition = definition_of(alert.rule.slug)
    return definition.title if definition else alert.rule.slug


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
