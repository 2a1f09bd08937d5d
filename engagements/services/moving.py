"""Making moves: the one way for pages, the API, bulk actions and tasks."""

import datetime as dt
from typing import Any

from django.db import transaction

from config.lib.errors import Missing
from engagements.models import ChangeRequest, ServiceRequest, SignOff, WorkAtRisk
from events import workflow
from events.workflow import NOTHING, Given, Move, Option, Workflow
from people.models import User

DISCARDED = "This draft was thrown away meanwhile."
NAMES = {
    ServiceRequest: "request",
    SignOff: "sign_off",
    WorkAtRisk: "work_at_risk",
    ChangeRequest: "change",
}


def workflow_of(thing: Any) -> Workflow:
    """Return the table by which the thing moves."""
    return workflow.workflow_named(NAMES[type(thing)])


@transaction.atomic
def move(thing: Any, name: str, *, by: User, at: dt.datetime, given: Given = NOTHING) -> Move:
    """Make one move. Raises as events.workflow.perform does.

    The request is locked before what hangs on it, by everybody: no two wait for each other.
    """
    request_id = thing.pk if isinstance(thing, ServiceRequest) else thing.request_id
    requests = ServiceRequest.objects.select_for_update(of=("self",), no_key=True)
    if requests.filter(pk=request_id).first() is None:
        raise Missing(DISCARDED)
    return workflow.perform(workflow_of(thing), thing, name, by=by, at=at, given=given)


def options(thing: Any, person: User, *, at: dt.datetime) -> list[Option]:
    """Return what may happen next, what is blocked, and why."""
    return workflow.options(workflow_of(thing), thing, person, at=at)
