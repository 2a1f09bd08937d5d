"""Making moves: the one way for pages, the board, the API, reviews and tasks."""

import datetime as dt
from typing import Any

from django.db import transaction

from events import workflow
from events.workflow import NOTHING, Given, Move, Option, Workflow
from people.models import User
from projects.models import Project, Review
from projects.services.lanes import lock_lanes

NAMES = {Project: "project", Review: "review"}


def workflow_of(thing: Any) -> Workflow:
    """Return the table by which the thing moves."""
    return workflow.workflow_named(NAMES[type(thing)])


@transaction.atomic
def move(thing: Any, name: str, *, by: User, at: dt.datetime, given: Given = NOTHING) -> Move:
    """Make one move. Raises as events.workflow.perform does.

    Columns are locked before the cards in them, by everybody: no two wait for each other.
    """
    table = workflow_of(thing)
    if isinstance(thing, Project):
        lock_lanes([*table.transition(name).leads_to, *table.transition(name).sources])
    return workflow.perform(table, thing, name, by=by, at=at, given=given)


def options(thing: Any, person: User, *, at: dt.datetime) -> list[Option]:
    """Return what may happen next, what is blocked, and why."""
    return workflow.options(workflow_of(thing), thing, person, at=at)
