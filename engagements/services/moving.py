"""Making moves: the one way for pages, the API, bulk actions and tasks."""

import datetime as dt
from typing import Any

from engagements.models import ChangeRequest, ServiceRequest, SignOff, WorkAtRisk
from events import workflow
from events.workflow import NOTHING, Given, Move, Option, Workflow
from people.models import User

NAMES = {
    ServiceRequest: "request",
    SignOff: "sign_off",
    WorkAtRisk: "work_at_risk",
    ChangeRequest: "change",
}


def workflow_of(thing: Any) -> Workflow:
    """Return the table by which the thing moves."""
    return workflow.workflow_named(NAMES[type(thing)])


def move(thing: Any, name: str, *, by: User, at: dt.datetime, given: Given = NOTHING) -> Move:
    """Make one move. Raises as events.workflow.perform does."""
    return workflow.perform(workflow_of(thing), thing, name, by=by, at=at, given=given)


def options(thing: Any, person: User, *, at: dt.datetime) -> list[Option]:
    """Return what may happen next, what is blocked, and why."""
    return workflow.options(workflow_of(thing), thing, person, at=at)
