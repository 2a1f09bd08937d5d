"""Asking those who may for a move one may not make oneself, and their answer."""

import datetime as dt
import uuid
from typing import Any

from django.db import transaction

from engagements.services import telling
from engagements.services.moving import workflow_of
from events.models import MoveRequest
from events.services import asked_moves
from people.models import User


@transaction.atomic
def ask_move(thing: Any, name: str, *, by: User, at: dt.datetime, note: str = "") -> MoveRequest:
    """Ask for the move and tell who can make it. Raises as events.services.asked_moves does."""
    workflow = workflow_of(thing)
    asked, people = asked_moves.ask_for(workflow, thing, name, by=by, at=at, note=note)
    label = workflow.transition(name).label
    telling.move_asked(thing, label, people, note=asked.note, by=by, at=at)
    return asked


@transaction.atomic
def refuse_move(
    thing: Any, asked_id: uuid.UUID, *, by: User, at: dt.datetime, answer: str
) -> MoveRequest:
    """Say no to a move asked for, and tell who asked."""
    workflow = workflow_of(thing)
    asked = asked_moves.refuse_asked(workflow, thing, asked_id, by=by, at=at, answer=answer)
    label = workflow.transition(asked.transition).label
    telling.move_refused(thing, label, [asked.by], answer=asked.answer, by=by, at=at)
    return asked
